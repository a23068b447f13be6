//! How many different values there were, in 12 KiB.

use std::marker::PhantomData;

use redis::cmd;

use super::{container, stored};
use crate::redis::{Redis, RedisError, Stored};

/// How many different values there were, up to an error of about 1 %, in at most 12 KiB: a Redis HyperLogLog.
///
/// # Example
///
/// ```no_run
/// # async fn doc(redis: butterfly_model::redis::Redis) -> Result<(), butterfly_model::redis::RedisError> {
/// use butterfly_model::redis::HyperLogLog;
///
/// let visitors = HyperLogLog::<String>::new(&redis, "visitors");
/// visitors.add(&["ann".into(), "bob".into(), "ann".into()]).await?;
/// assert_eq!(visitors.count().await?, 2);
/// # Ok(()) }
/// ```
pub struct HyperLogLog<V> {
    redis: Redis,
    key: String,
    values: PhantomData<fn(V) -> V>,
}

container!(HyperLogLog<V>);

impl<V: Stored> HyperLogLog<V> {
    /// The HyperLogLog under a key.
    #[must_use]
    pub fn new(redis: &Redis, key: impl Into<String>) -> Self {
        Self { redis: redis.clone(), key: key.into(), values: PhantomData }
    }

    /// Counts values. Says whether the count may have changed.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn add(&self, values: &[V]) -> Result<bool, RedisError> {
        self.redis.query(cmd("PFADD").arg(&self.key).arg(stored(values)?)).await
    }

    /// About how many different values there were.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn count(&self) -> Result<u64, RedisError> {
        self.redis.query(cmd("PFCOUNT").arg(&self.key)).await
    }

    /// About how many different values there were here and in others.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::CrossSlot`] for keys of several slots on a cluster.
    pub async fn count_with(&self, others: &[&Self]) -> Result<u64, RedisError> {
        self.redis.query(cmd("PFCOUNT").arg(self.keys(others)?)).await
    }

    /// Takes in what others counted.
    ///
    /// # Errors
    ///
    /// As [`count_with`](Self::count_with).
    pub async fn merge(&self, others: &[&Self]) -> Result<(), RedisError> {
        self.redis.command(cmd("PFMERGE").arg(self.keys(others)?)).await.map(drop)
    }

    fn keys<'a>(&'a self, others: &[&'a Self]) -> Result<Vec<&'a str>, RedisError> {
        let keys: Vec<&str> = std::iter::once(self).chain(others.iter().copied()).map(Self::key).collect();
        self.redis.check_slots(&keys)?;
        Ok(keys)
    }
}
