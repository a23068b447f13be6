//! How often something may happen: the generic cell rate algorithm (ITU-T I.371), in one script.

use std::sync::LazyLock;
use std::time::Duration;

use redis::Cmd;

use super::stored::millis;
use super::{Redis, RedisError, Reply, Script};

/// KEYS: when all that was let through will have been paid for, in the server's microseconds. ARGV: microseconds for
/// one, how many at once, how many are asked for. Answers whether they may, how many more may now, in how many
/// microseconds these may, and in how many everything is paid for.
static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local each, burst, count = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local paid = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local new = paid + each * count
local early = new - each * burst - now
local allowed = early <= 0
if allowed then
  paid = new
  if count > 0 then
    redis.call('SET', KEYS[1], string.format('%.3f', paid), 'PX', math.max(1, math.ceil((paid - now) / 1000)))
  end
end
local left = math.floor((each * burst - (paid - now)) / each + 0.000001)
local function text(number) return string.format('%.0f', math.ceil(number)) end
return {allowed and 1 or 0, text(math.max(left, 0)), allowed and '0' or text(early), text(paid - now)}",
    )
});

/// How often something may happen: so many in a period, evenly refilled, so that there is no edge at which twice as many
/// go through. All processes share it, and the server's clock alone counts.
///
/// # Example
///
/// ```no_run
/// # async fn doc(redis: butterfly_model::redis::Redis) -> Result<(), butterfly_model::redis::RedisError> {
/// use std::time::Duration;
/// use butterfly_model::redis::RateLimiter;
///
/// let logins = RateLimiter::new(&redis, "login", 5, Duration::from_secs(60))?;
/// let decision = logins.take("10.0.0.7").await?;
/// if !decision.allowed {
///     println!("try again in {:?}", decision.retry_after);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct RateLimiter {
    redis: Redis,
    name: String,
    /// Microseconds for one.
    each: f64,
    burst: u64,
}

/// Whether it may happen, and what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it may.
    pub allowed: bool,
    /// How many more may at once.
    pub remaining: u64,
    /// After what time this may; zero where it is allowed.
    pub retry_after: Duration,
    /// After what time as many may as if none had been.
    pub reset_after: Duration,
}

impl RateLimiter {
    /// So many in a period, for each key on its own; as many at once.
    ///
    /// # Errors
    ///
    /// [`RedisError::Invalid`] for none, or for a period below a millisecond.
    pub fn new(redis: &Redis, name: &str, count: u64, period: Duration) -> Result<Self, RedisError> {
        let ms = millis(period)?;
        if count == 0 {
            return Err(RedisError::Invalid(format!(
                "the rate limit {name:?} allows nothing: allow at least 1"
            )));
        }
        let each = ms as f64 * 1_000.0 / count as f64;
        Ok(Self { redis: redis.clone(), name: name.to_owned(), each, burst: count })
    }

    /// How many may at once, if it is to be fewer or more than in a period.
    #[must_use]
    pub fn burst(mut self, burst: u64) -> Self {
        self.burst = burst.max(1);
        self
    }

    /// Takes one.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn take(&self, key: &str) -> Result<Decision, RedisError> {
        self.take_many(key, 1).await
    }

    /// Takes several, or none of them. With 0 it looks what is left.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::Invalid`] when more are asked for than can ever be at once.
    pub async fn take_many(&self, key: &str, count: u64) -> Result<Decision, RedisError> {
        if count > self.burst {
            return Err(RedisError::Invalid(format!(
                "the rate limit {:?} lets {} through at once, and {count} are asked for: ask for fewer, or raise its burst",
                self.name, self.burst
            )));
        }
        let fill = |command: &mut Cmd| {
            command.arg(self.each).arg(self.burst).arg(count);
        };
        let mut reply = Reply::new(self.redis.run(&TAKE, &self.key(key), fill).await?)?;
        Ok(Decision {
            allowed: reply.number()? == 1,
            remaining: reply.number()?,
            retry_after: Duration::from_micros(reply.number()?),
            reset_after: Duration::from_micros(reply.number()?),
        })
    }

    /// Forgets what was taken.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn reset(&self, key: &str) -> Result<(), RedisError> {
        self.redis.command(redis::cmd("DEL").arg(self.key(key))).await.map(drop)
    }

    fn key(&self, key: &str) -> String {
        // The name and the key cannot be confused: colons of either are escaped.
        self.redis.key(&format!("rate:{}", super::connection::escaped(&self.name)), key)
    }
}
