//! The queue on Redis 6 and later, or Valkey: one server, Sentinel, Cluster, or behind a proxy.
//!
//! All keys of a topic share one hash tag, so that each step of a message is one script on one slot: atomic on a
//! cluster too. A message's state is where its number is kept, and is written nowhere else; its record is written
//! when it is handed in and when a run of it has ended. Ends and claims go together, some hundred a call.
//!
//! Redis decides how durable a message is: with `appendonly yes` and `appendfsync always` it is on disk when
//! [`enqueue`](crate::Engine::enqueue) returns, with `everysec` a second later; a failover may lose what the
//! new master had not yet got. `maxmemory-policy` must be `noeviction`, lest Redis throw messages away.

mod admin;
mod neighbours;
mod record;
mod scripts;
mod sender;
mod wake;
mod worker;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use butterfly_model::redis::{Cmd, Redis, RedisError, Reply, Script, Value, cmd, number, text};
pub use butterfly_model::redis::{Mode, RedisOptions};
use tokio::sync::{OnceCell, mpsc, watch};

use self::neighbours::Neighbours;
use crate::engine::{
    Changed, Counts, Edited, Engine, EngineFuture, Exchange, Held, Lease, Owner, Reaped, Renewed, Wake, Want,
    WorkerInfo,
};
use crate::message::{Accepted, Message, MsgId, NewMessage, Outcome, Seq, State};
use crate::{EngineError, Topic};

/// The oldest Redis that has what the scripts need.
const OLDEST: [u32; 2] = [6, 0];

/// The queue on Redis. Cheap to clone.
///
/// # Example
///
/// ```no_run
/// # async fn doc() -> Result<(), butterfly_queue::EngineError> {
/// use butterfly_queue::redis::RedisEngine;
///
/// let engine = RedisEngine::connect("redis://127.0.0.1:6379".parse()?).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct RedisEngine {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    link: Redis,
    /// Set once the server was found to be one that the queue can stand on: no call goes before.
    sound: OnceCell<()>,
    prefix: String,
    proxy: bool,
    /// Names this process in the notes of which batches were taken in.
    client: String,
    /// From where the numbers of topics count.
    bases: RwLock<HashMap<Arc<str>, u64>>,
    /// The topics that this process has put on the list of topics, each with its base at that time.
    listed: RwLock<HashMap<Arc<str>, u64>>,
    /// Counts what was handed in or claimed: a timer that stands in for waking goes faster while it moves.
    moved: AtomicU64,
    /// How many listeners have not yet tried to connect: calls wait for them, lest what they cause be not heard.
    deaf: watch::Sender<usize>,
    neighbours: Option<Arc<Neighbours>>,
}

impl RedisEngine {
    /// Connects, and looks whether the server is one that the queue can stand on.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unavailable`] when it cannot be reached; [`EngineError::Misconfigured`] when it is older than
    /// Redis 6, does not let us in, or the options do not fit.
    pub async fn connect(options: RedisOptions) -> Result<Self, EngineError> {
        let engine = Self::new(options, None)?;
        engine.check().await?;
        Ok(engine)
    }

    /// An engine that connects at its first call, and looks at the server then. [`check`](Engine::check) does only
    /// that: while the server is out of reach it may be repeated until it is there.
    ///
    /// `neighbours` is a folder on this machine in which processes that share it find each other, and notice each other's
    /// death at once; it is made where it is missing, and needs a Tokio runtime around the engine. Without one, or where
    /// it cannot be used, which is logged, a death is noticed when a lease has passed.
    ///
    /// # Errors
    ///
    /// [`EngineError::Misconfigured`] when the options do not fit.
    pub fn new(options: RedisOptions, neighbours: Option<&Path>) -> Result<Self, EngineError> {
        let neighbours = neighbours.and_then(|folder| {
            Neighbours::join(folder)
                .inspect_err(|error| {
                    tracing::warn!(
                        "the death of another process is not noticed before its lease ends: {error}"
                    );
                })
                .ok()
        });
        let inner = Inner {
            prefix: options.prefix.clone(),
            proxy: options.mode == Mode::Proxy,
            client: butterfly_core::ReqId::new().to_string(),
            link: Redis::new(options)?,
            sound: OnceCell::new(),
            bases: RwLock::default(),
            listed: RwLock::default(),
            moved: AtomicU64::new(0),
            deaf: watch::Sender::new(0),
            neighbours,
        };
        Ok(Self { inner: Arc::new(inner) })
    }
}

impl Inner {
    /// The link to a server that the queue can stand on.
    async fn link(&self) -> Result<&Redis, EngineError> {
        self.sound.get_or_try_init(|| self.check_server()).await?;
        Ok(&self.link)
    }

    /// Asks the server for something that costs it nothing. Not `PING`: on a cluster that tells of one node alone.
    async fn ping(&self) -> Result<(), EngineError> {
        self.link.command(cmd("EXISTS").arg(self.workers_key())).await?;
        Ok(())
    }

    async fn check_server(&self) -> Result<(), EngineError> {
        let key = self.workers_key();
        let info = text(
            self.link
                .run(&scripts::VERSION, &key, |command| {
                    command.arg("server");
                })
                .await?,
        )?;
        check_version(&info)?;
        let info = text(
            self.link
                .run(&scripts::VERSION, &key, |command| {
                    command.arg("memory");
                })
                .await?,
        )?;
        let policy = line(&info, "maxmemory_policy").unwrap_or("noeviction");
        if line(&info, "maxmemory") != Some("0") && policy.starts_with("allkeys") {
            tracing::warn!(
                "Redis may throw messages of the queue away: maxmemory-policy is {policy}, set it to noeviction"
            );
        }
        Ok(())
    }

    /// The key of a topic's books, with which all of its keys begin. Braces of the topic would end the hash tag.
    fn key(&self, topic: &str) -> String {
        let topic = topic.replace('{', "<").replace('}', ">");
        format!("{}:{{{topic}}}", self.prefix)
    }

    fn workers_key(&self) -> String {
        format!("{}:workers", self.prefix)
    }

    fn topics_key(&self) -> String {
        format!("{}:topics", self.prefix)
    }

    async fn run(
        &self,
        script: &Script,
        topic: &str,
        fill: impl Fn(&mut Cmd) + Send + Sync,
    ) -> Result<Value, EngineError> {
        if *self.deaf.borrow() > 0 {
            // The sender is our own and cannot be gone.
            let _ = self.deaf.subscribe().wait_for(|deaf| *deaf == 0).await;
        }
        Ok(self.link().await?.run(script, &self.key(topic), fill).await?)
    }

    fn known_base(&self, topic: &str) -> Option<u64> {
        self.bases.read().unwrap_or_else(PoisonError::into_inner).get(topic).copied()
    }

    fn keep_base(&self, topic: &str, base: u64) {
        if self.known_base(topic) != Some(base) {
            self.bases.write().unwrap_or_else(PoisonError::into_inner).insert(topic.into(), base);
        }
    }

    /// From where a topic's numbers count.
    async fn base(&self, topic: &str) -> Result<u64, EngineError> {
        if let Some(base) = self.known_base(topic) {
            return Ok(base);
        }
        let reply = self
            .run(&scripts::GET, topic, |command| {
                command.arg("0");
            })
            .await?;
        Ok(Reply::new(reply)?.number()?)
    }

    fn note_move(&self) {
        self.moved.fetch_add(1, Ordering::Relaxed);
    }
}

fn line<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}

fn check_version(info: &str) -> Result<(), EngineError> {
    let version = line(info, "redis_version").unwrap_or("unknown");
    let mut numbers = version.split('.').map(|part| part.parse().unwrap_or(0));
    let found = [numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)];
    if found >= OLDEST {
        return Ok(());
    }
    Err(EngineError::Misconfigured(format!(
        "Redis is {version}, and the queue needs 6.0 or later, or Valkey"
    )))
}

impl From<RedisError> for EngineError {
    fn from(error: RedisError) -> Self {
        match error {
            RedisError::NoRoom(why) => Self::NoRoom(why),
            RedisError::Misconfigured(why) => Self::Misconfigured(why),
            RedisError::WrongType(why) => {
                Self::Foreign(format!("a key of the queue holds something else: {why}"))
            }
            RedisError::Unreadable(why) => Self::Foreign(why),
            RedisError::Script { code, detail } if code == "FOREIGN" => Self::Foreign(detail),
            RedisError::Script { code, detail } => Self::Foreign(format!(
                "a script of the queue cannot go on with what is stored: {code} {detail}"
            )),
            RedisError::Unavailable(why) => Self::Unavailable(why),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl Engine for RedisEngine {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn check(&self) -> EngineFuture<'_, ()> {
        Box::pin(async move {
            if self.inner.sound.initialized() {
                // It was there once: whether it is now, only a call tells.
                return self.inner.ping().await;
            }
            self.inner.link().await.map(drop)
        })
    }

    fn enqueue<'a>(
        &'a self,
        topic: &'a Topic,
        batch: u64,
        messages: Arc<Vec<NewMessage>>,
    ) -> EngineFuture<'a, Vec<Result<Accepted, EngineError>>> {
        Box::pin(async move { self.inner.enqueue(topic, batch, &messages).await })
    }

    fn exchange<'a>(
        &'a self,
        owner: &'a Owner,
        topic: &'a Topic,
        done: Arc<Vec<Outcome>>,
        want: Want,
    ) -> EngineFuture<'a, Exchange> {
        Box::pin(async move { self.inner.exchange(owner, topic, &done, want).await })
    }

    fn renew<'a>(
        &'a self,
        owner: &'a Owner,
        held: &'a [(Topic, Vec<Held>)],
    ) -> EngineFuture<'a, Vec<Renewed>> {
        Box::pin(async move {
            let mut renewed = Vec::with_capacity(held.len());
            for (topic, held) in held {
                renewed.push(self.inner.renew(owner, topic, held).await?);
            }
            Ok(renewed)
        })
    }

    fn reconcile<'a>(
        &'a self,
        owner: &'a Owner,
        topic: &'a Topic,
        known: &'a [Seq],
    ) -> EngineFuture<'a, u64> {
        Box::pin(self.inner.reconcile(owner, topic, known))
    }

    fn leases<'a>(&'a self, topic: &'a Topic) -> EngineFuture<'a, Vec<Lease>> {
        Box::pin(self.inner.leases(topic))
    }

    fn reap<'a>(&'a self, topic: &'a Topic, owner: &'a Owner, beat: u64) -> EngineFuture<'a, Reaped> {
        Box::pin(self.inner.reap(topic, owner, beat))
    }

    fn sweep<'a>(&'a self, topic: &'a Topic) -> EngineFuture<'a, u64> {
        Box::pin(async move { Ok(number(&self.inner.run(&scripts::SWEEP, &topic.path, |_| {}).await?)?) })
    }

    fn listen(&self, inbox: Arc<str>) -> Result<mpsc::UnboundedReceiver<Wake>, EngineError> {
        wake::listen(&self.inner, inbox)
    }

    fn topics(&self) -> EngineFuture<'_, Vec<Arc<str>>> {
        Box::pin(self.inner.list_topics())
    }

    fn counts<'a>(&'a self, topic: &'a str) -> EngineFuture<'a, Counts> {
        Box::pin(self.inner.counts(topic))
    }

    fn list<'a>(
        &'a self,
        topic: &'a str,
        state: State,
        offset: u64,
        limit: u64,
    ) -> EngineFuture<'a, Vec<Message>> {
        Box::pin(self.inner.list(topic, state, offset, limit))
    }

    fn get<'a>(&'a self, topic: &'a str, id: &'a MsgId) -> EngineFuture<'a, Option<Message>> {
        Box::pin(self.inner.get(topic, id))
    }

    fn cancel<'a>(&'a self, topic: &'a str, id: &'a MsgId, error: &'a str) -> EngineFuture<'a, Changed> {
        Box::pin(self.inner.cancel(topic, id, error))
    }

    fn requeue<'a>(
        &'a self,
        topic: &'a str,
        id: &'a MsgId,
        edited: Option<Edited<'a>>,
    ) -> EngineFuture<'a, Changed> {
        Box::pin(self.inner.requeue(topic, id, edited))
    }

    fn delete<'a>(&'a self, topic: &'a str, id: &'a MsgId) -> EngineFuture<'a, Changed> {
        Box::pin(self.inner.delete(topic, id))
    }

    fn empty<'a>(&'a self, topic: &'a str, state: State, limit: u64) -> EngineFuture<'a, u64> {
        Box::pin(self.inner.empty(topic, state, limit))
    }

    fn set_paused<'a>(&'a self, topic: &'a str, paused: bool) -> EngineFuture<'a, ()> {
        Box::pin(self.inner.set_paused(topic, paused))
    }

    fn put_worker<'a>(&'a self, worker: &'a WorkerInfo, ttl_ms: u64) -> EngineFuture<'a, ()> {
        Box::pin(self.inner.put_worker(worker, ttl_ms))
    }

    fn remove_worker<'a>(&'a self, name: &'a str) -> EngineFuture<'a, ()> {
        Box::pin(self.inner.remove_worker(name))
    }

    fn workers(&self) -> EngineFuture<'_, Vec<WorkerInfo>> {
        Box::pin(self.inner.workers())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_server_is_refused_by_its_version() {
        assert!(check_version("# Server\r\nredis_version:7.0.15\r\n").is_ok());
        assert!(check_version("redis_version:6.0.0").is_ok());
        assert!(check_version("server_name:valkey\r\nredis_version:7.2.4\r\nvalkey_version:8.0.1").is_ok());
        let old = check_version("redis_version:5.0.14\r\n").unwrap_err().to_string();
        assert!(old.contains("5.0.14") && old.contains("6.0"), "{old}");
        assert!(check_version("nothing").is_err());
    }
}
