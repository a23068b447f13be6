//! A counter.

use std::sync::LazyLock;
use std::time::Duration;

use redis::cmd;

use super::{container, optional};
use crate::redis::stored::millis;
use crate::redis::{Redis, RedisError, Script};

static ADD_FOR: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local count = redis.call('INCRBY', KEYS[1], ARGV[1])
if redis.call('PTTL', KEYS[1]) == -1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return count",
    )
});

/// A counter: 0 where nothing was counted yet.
///
/// # Example
///
/// ```no_run
/// # async fn doc(redis: butterfly_model::redis::Redis) -> Result<(), butterfly_model::redis::RedisError> {
/// use butterfly_model::redis::Counter;
///
/// let visits = Counter::new(&redis, "visits");
/// assert_eq!(visits.add(2).await?, 2);
/// assert_eq!(visits.reset().await?, 2);
/// # Ok(()) }
/// ```
pub struct Counter {
    redis: Redis,
    key: String,
}

container!(Counter);

impl Counter {
    /// The counter under a key.
    #[must_use]
    pub fn new(redis: &Redis, key: impl Into<String>) -> Self {
        Self { redis: redis.clone(), key: key.into() }
    }

    /// How much was counted.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::Unreadable`] when it is no number.
    pub async fn get(&self) -> Result<i64, RedisError> {
        Ok(optional(self.redis.command(cmd("GET").arg(&self.key)).await?)?.unwrap_or(0))
    }

    /// Counts, also down, and gives the new count.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::Invalid`] when the count would leave the range of `i64`.
    pub async fn add(&self, count: i64) -> Result<i64, RedisError> {
        self.redis.query(cmd("INCRBY").arg(&self.key).arg(count)).await
    }

    /// Counts, and gives the new count. A counter that is not to be deleted some time is to be deleted after this time:
    /// so one counts within windows that begin with the first count.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add); [`RedisError::Invalid`] for a time below a millisecond.
    pub async fn add_for(&self, count: i64, ttl: Duration) -> Result<i64, RedisError> {
        let ms = millis(ttl)?;
        let fill = |command: &mut redis::Cmd| {
            command.arg(count).arg(ms);
        };
        optional(self.redis.run(&ADD_FOR, &self.key, fill).await?).map(Option::unwrap_or_default)
    }

    /// Sets it.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn set(&self, count: i64) -> Result<(), RedisError> {
        self.redis.command(cmd("SET").arg(&self.key).arg(count)).await.map(drop)
    }

    /// Sets it to 0, and gives what was counted.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn reset(&self) -> Result<i64, RedisError> {
        Ok(optional(self.redis.command(cmd("GETSET").arg(&self.key).arg(0)).await?)?.unwrap_or(0))
    }
}
