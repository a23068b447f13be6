//! A lock that many processes share.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use redis::{Cmd, cmd};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use uuid::Uuid;

use super::connection::Waiting;
use super::stored::millis;
use super::{Redis, RedisError, Reply, Script, number};

/// KEYS: the owner's token, the last fence, what wakes waiters. ARGV: the token, the time to live.
///
/// A fence is the number of the server's microseconds, and more than the last one: it grows also where the last one was
/// lost with the server's data, or has expired.
static ACQUIRE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  return {0, redis.call('PTTL', KEYS[1])}
end
local time = redis.call('TIME')
local last = tonumber(redis.call('GET', KEYS[2]) or 0)
local fence = string.format('%.0f', math.max(last + 1, time[1] * 1000000 + time[2]))
redis.call('SET', KEYS[2], fence, 'PX', ARGV[2] + 86400000)
redis.call('DEL', KEYS[3])
return {1, fence}",
    )
});

/// KEYS: the owner's token. ARGV: the token, the time to live.
static RENEW: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('PEXPIRE', KEYS[1], ARGV[2]) or 0",
    )
});

/// KEYS: the owner's token, what wakes waiters. ARGV: the token, or nothing to release whoever holds it.
static RELEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local owner = redis.call('GET', KEYS[1])
if not owner or (ARGV[1] ~= '' and owner ~= ARGV[1]) then return 0 end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('RPUSH', KEYS[2], '1')
redis.call('PEXPIRE', KEYS[2], 60000)
return 1",
    )
});

/// The pauses between looks where nothing can wait on the server: behind a proxy, or with no connection left.
const LOOKS: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(200));

/// A lock that many processes share. It is held for a time to live, and renewed while its guard lives; if the holder dies
/// or is cut off, others get it when that time is over.
///
/// No lock over a network can make sure that a holder which was paused knows in time that it lost the lock. Where that
/// matters, hand the guard's [`fence`](LockGuard::fence) to what the lock protects, and let that refuse lower ones.
/// Redis replicates later than it answers: after a failover two may hold the lock for a while; the fence tells them apart.
///
/// # Example
///
/// ```no_run
/// # async fn doc(redis: butterfly_model::redis::Redis) -> Result<(), butterfly_model::redis::RedisError> {
/// use std::time::Duration;
/// use butterfly_model::redis::Lock;
///
/// let lock = Lock::new(&redis, "nightly report", Duration::from_secs(10))?;
/// if let Some(guard) = lock.acquire(Duration::from_secs(30)).await? {
///     println!("fence {}", guard.fence());
///     guard.release().await?;
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Lock {
    redis: Redis,
    key: String,
    fence: String,
    wake: String,
    ttl: Duration,
    ttl_ms: u64,
}

impl Lock {
    /// The lock of a name. While it is held it is renewed each third of the time to live.
    ///
    /// # Errors
    ///
    /// [`RedisError::Invalid`] for a time to live below 30 ms, in which it could not be renewed.
    pub fn new(redis: &Redis, name: &str, ttl: Duration) -> Result<Self, RedisError> {
        let ttl_ms = millis(ttl)?;
        if ttl_ms < 30 {
            return Err(RedisError::Invalid(format!(
                "the lock {name:?} needs a time to live of 30 ms or more"
            )));
        }
        let key = redis.key("lock", name);
        let (fence, wake) = (format!("{key}:fence"), format!("{key}:wake"));
        Ok(Self { redis: redis.clone(), key, fence, wake, ttl, ttl_ms })
    }

    /// Takes the lock if it is free. Must be called within a tokio runtime, which renews it.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]. When the answer is lost, the lock may be taken by nobody for its time to live.
    pub async fn try_acquire(&self) -> Result<Option<LockGuard>, RedisError> {
        Ok(self.attempt().await?.ok())
    }

    /// Takes the lock, waiting for it so long. Who waits is woken when it is released, with a connection of its own.
    ///
    /// # Errors
    ///
    /// As [`try_acquire`](Self::try_acquire).
    pub async fn acquire(&self, wait: Duration) -> Result<Option<LockGuard>, RedisError> {
        let end = Instant::now() + wait;
        let mut connection: Option<Waiting> = None;
        let mut pause = LOOKS.0;
        loop {
            let held = match self.attempt().await? {
                Ok(guard) => return Ok(Some(guard)),
                Err(held) => held,
            };
            let left = end.saturating_duration_since(Instant::now());
            if left < Duration::from_millis(1) {
                return Ok(None);
            }
            // A holder that died says nothing: its time to live is waited for. A millisecond more, lest one be too early.
            let wait = left.min(held + Duration::from_millis(1));
            if connection.is_none() {
                connection = match self.redis.waiting().await {
                    Ok(connection) => Some(connection),
                    Err(RedisError::Misconfigured(_)) => None,
                    Err(error) => return Err(error),
                };
            }
            match &mut connection {
                Some(connection) => {
                    let seconds = format!("{:.3}", wait.as_secs_f64().max(0.001));
                    connection.command(cmd("BLPOP").arg(&self.wake).arg(seconds), wait).await?;
                }
                None => {
                    tokio::time::sleep(wait.min(pause)).await;
                    pause = (pause * 2).min(LOOKS.1);
                }
            }
        }
    }

    /// The lock, or for how long another may still hold it.
    async fn attempt(&self) -> Result<Result<LockGuard, Duration>, RedisError> {
        let token = Uuid::new_v4().to_string();
        let asked = Instant::now();
        let fill = |command: &mut Cmd| {
            command.arg(&token).arg(self.ttl_ms);
        };
        let keys = [&*self.key, &*self.fence, &*self.wake];
        let mut reply = Reply::new(self.redis.run_on(&ACQUIRE, &keys, fill).await?)?;
        if reply.number()? == 0 {
            return Ok(Err(Duration::from_millis(reply.number().unwrap_or(1))));
        }
        let fence = reply.number()?;
        let tenure = Arc::new(Tenure {
            lock: self.clone(),
            token,
            until: Mutex::new(asked + self.ttl),
            ended: watch::Sender::new(false),
        });
        let renewing = tokio::spawn(renew(Arc::clone(&tenure))).abort_handle();
        Ok(Ok(LockGuard { tenure, fence, renewing, released: false }))
    }

    /// Whether anybody holds it.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn is_held(&self) -> Result<bool, RedisError> {
        self.redis.query(cmd("EXISTS").arg(&self.key)).await
    }

    /// Takes the lock away from whoever holds it: for an operator who knows that the holder is gone.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn clear(&self) -> Result<bool, RedisError> {
        self.release("").await
    }

    async fn release(&self, token: &str) -> Result<bool, RedisError> {
        let fill = |command: &mut Cmd| {
            command.arg(token);
        };
        Ok(number(&self.redis.run_on(&RELEASE, &[&self.key, &self.wake], fill).await?)? == 1)
    }
}

/// One holding of the lock.
#[derive(Debug)]
struct Tenure {
    lock: Lock,
    token: String,
    /// Until when nobody else can have it: counted from before the call was sent.
    until: Mutex<Instant>,
    ended: watch::Sender<bool>,
}

impl Tenure {
    fn until(&self) -> Instant {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn renew(tenure: Arc<Tenure>) {
    let lock = &tenure.lock;
    loop {
        tokio::time::sleep(lock.ttl / 3).await;
        let asked = Instant::now();
        let fill = |command: &mut Cmd| {
            command.arg(&tenure.token).arg(lock.ttl_ms);
        };
        let left = tenure.until().saturating_duration_since(asked);
        let renewing = async { number(&lock.redis.run(&RENEW, &lock.key, fill).await?) };
        match tokio::time::timeout(left, renewing).await {
            Ok(Ok(1)) => *tenure.until.lock().unwrap_or_else(PoisonError::into_inner) = asked + lock.ttl,
            // Redis does not answer: there is some time left to try again.
            Ok(Err(_)) if Instant::now() < tenure.until() => {}
            _ => break,
        }
    }
    tenure.ended.send_replace(true);
}

/// The lock while it is held. It is released when this is dropped, and surely with [`release`](Self::release).
#[derive(Debug)]
pub struct LockGuard {
    tenure: Arc<Tenure>,
    fence: u64,
    renewing: AbortHandle,
    released: bool,
}

impl LockGuard {
    /// A number that is larger than that of every holder before. Hand it to what the lock protects, which is to refuse
    /// lower ones than it has seen.
    #[must_use]
    pub fn fence(&self) -> u64 {
        self.fence
    }

    /// Whether the lock is surely still held.
    #[must_use]
    pub fn is_held(&self) -> bool {
        !*self.tenure.ended.borrow() && Instant::now() < self.tenure.until()
    }

    /// Waits until the lock is lost: another took it away, or Redis could not be reached for its time to live.
    pub async fn lost(&self) {
        // The sender is our own and cannot be gone.
        let _ = self.tenure.ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// Releases the lock, and wakes one that waits. Says whether it was still held.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; the lock then ends with its time to live.
    pub async fn release(mut self) -> Result<bool, RedisError> {
        self.renewing.abort();
        self.released = true;
        self.tenure.lock.release(&self.tenure.token).await
    }
}

impl Drop for LockGuard {
    fn drop(&mut self) {
        self.renewing.abort();
        if self.released {
            return;
        }
        // Without a runtime it ends with its time to live.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let tenure = Arc::clone(&self.tenure);
            runtime.spawn(async move { tenure.lock.release(&tenure.token).await });
        }
    }
}
