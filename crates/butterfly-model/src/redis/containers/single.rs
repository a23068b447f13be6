//! One value under a key.

use std::marker::PhantomData;
use std::time::Duration;

use redis::cmd;

use super::{container, optional};
use crate::redis::stored::millis;
use crate::redis::{Redis, RedisError, Stored};

/// One value under a key: a Redis string.
///
/// # Example
///
/// ```no_run
/// # async fn doc(redis: butterfly_model::redis::Redis) -> Result<(), butterfly_model::redis::RedisError> {
/// use std::time::Duration;
/// use butterfly_model::redis::Single;
///
/// let motto = Single::<String>::new(&redis, "motto");
/// motto.set_for(&"be light".into(), Duration::from_secs(60)).await?;
/// assert_eq!(motto.get().await?.as_deref(), Some("be light"));
/// # Ok(()) }
/// ```
pub struct Single<V> {
    redis: Redis,
    key: String,
    values: PhantomData<fn(V) -> V>,
}

container!(Single<V>);

impl<V: Stored> Single<V> {
    /// The value under a key.
    #[must_use]
    pub fn new(redis: &Redis, key: impl Into<String>) -> Self {
        Self { redis: redis.clone(), key: key.into(), values: PhantomData }
    }

    /// The value, if there is one.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::Unreadable`] when it is of another type.
    pub async fn get(&self) -> Result<Option<V>, RedisError> {
        optional(self.redis.command(cmd("GET").arg(&self.key)).await?)
    }

    /// Sets it, to stay.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn set(&self, value: &V) -> Result<(), RedisError> {
        self.redis.command(cmd("SET").arg(&self.key).arg(value.store()?)).await.map(drop)
    }

    /// Sets it for a time.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::Invalid`] for a time below a millisecond.
    pub async fn set_for(&self, value: &V, ttl: Duration) -> Result<(), RedisError> {
        let value = value.store()?;
        self.redis.command(cmd("SET").arg(&self.key).arg(value).arg("PX").arg(millis(ttl)?)).await.map(drop)
    }

    /// Sets it where there is none, for a time or to stay. Says whether it did.
    ///
    /// # Errors
    ///
    /// As [`set_for`](Self::set_for).
    pub async fn set_if_absent(&self, value: &V, ttl: Option<Duration>) -> Result<bool, RedisError> {
        let mut command = cmd("SET");
        command.arg(&self.key).arg(value.store()?).arg("NX");
        if let Some(ttl) = ttl {
            command.arg("PX").arg(millis(ttl)?);
        }
        self.redis.query(&command).await
    }

    /// Sets it, to stay, and gives what was there.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get); the value is set where the old one cannot be read.
    pub async fn replace(&self, value: &V) -> Result<Option<V>, RedisError> {
        optional(self.redis.command(cmd("GETSET").arg(&self.key).arg(value.store()?)).await?)
    }
}
