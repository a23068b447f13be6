//! Values without order, each once.

use std::collections::HashSet;
use std::hash::Hash;
use std::marker::PhantomData;

use redis::cmd;

use super::{container, many, optional, stored};
use crate::redis::{Redis, RedisError, Stored};

/// Values without order, each once: a Redis set.
///
/// # Example
///
/// ```no_run
/// # async fn doc(redis: butterfly_model::redis::Redis) -> Result<(), butterfly_model::redis::RedisError> {
/// use butterfly_model::redis::Set;
///
/// let (even, low) = (Set::<u32>::new(&redis, "{n}even"), Set::<u32>::new(&redis, "{n}low"));
/// even.add(&[2, 4, 6]).await?;
/// low.add(&[1, 2, 3]).await?;
/// assert_eq!(even.intersection(&[&low]).await?, [2].into());
/// # Ok(()) }
/// ```
pub struct Set<V> {
    redis: Redis,
    key: String,
    values: PhantomData<fn(V) -> V>,
}

container!(Set<V>);

impl<V: Stored> Set<V> {
    /// The set under a key.
    #[must_use]
    pub fn new(redis: &Redis, key: impl Into<String>) -> Self {
        Self { redis: redis.clone(), key: key.into(), values: PhantomData }
    }

    /// Adds values. Says how many were not yet there.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn add(&self, values: &[V]) -> Result<u64, RedisError> {
        self.change("SADD", values).await
    }

    /// Removes values. Says how many were there.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn remove(&self, values: &[V]) -> Result<u64, RedisError> {
        self.change("SREM", values).await
    }

    async fn change(&self, how: &str, values: &[V]) -> Result<u64, RedisError> {
        if values.is_empty() {
            return Ok(0);
        }
        self.redis.query(cmd(how).arg(&self.key).arg(stored(values)?)).await
    }

    /// Whether a value is there.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn contains(&self, value: &V) -> Result<bool, RedisError> {
        self.redis.query(cmd("SISMEMBER").arg(&self.key).arg(value.store()?)).await
    }

    /// How many values there are.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn len(&self) -> Result<u64, RedisError> {
        self.redis.query(cmd("SCARD").arg(&self.key)).await
    }

    /// Whether there is none.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn is_empty(&self) -> Result<bool, RedisError> {
        Ok(self.len().await? == 0)
    }

    /// Some values by chance, each at most once.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::Unreadable`] when one is of another type.
    pub async fn random(&self, count: u32) -> Result<Vec<V>, RedisError> {
        many(self.redis.command(cmd("SRANDMEMBER").arg(&self.key).arg(count)).await?)
    }

    /// Takes some values by chance.
    ///
    /// # Errors
    ///
    /// As [`random`](Self::random).
    pub async fn pop(&self, count: u32) -> Result<Vec<V>, RedisError> {
        many(self.redis.command(cmd("SPOP").arg(&self.key).arg(count)).await?)
    }

    /// Takes one value by chance.
    ///
    /// # Errors
    ///
    /// As [`random`](Self::random).
    pub async fn pop_one(&self) -> Result<Option<V>, RedisError> {
        optional(self.redis.command(cmd("SPOP").arg(&self.key)).await?)
    }

    /// Moves a value to another set, in one step. Says whether it was here.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::CrossSlot`] for keys of several slots on a cluster.
    pub async fn move_to(&self, other: &Self, value: &V) -> Result<bool, RedisError> {
        self.redis.check_slots(&[&self.key, &other.key])?;
        self.redis.query(cmd("SMOVE").arg(&self.key).arg(&other.key).arg(value.store()?)).await
    }

    /// Makes this set the union of others. Says how many values it has then.
    ///
    /// # Errors
    ///
    /// As [`move_to`](Self::move_to).
    pub async fn store_union(&self, of: &[&Self]) -> Result<u64, RedisError> {
        self.store_of("SUNIONSTORE", of).await
    }

    /// Makes this set the intersection of others. Says how many values it has then.
    ///
    /// # Errors
    ///
    /// As [`move_to`](Self::move_to).
    pub async fn store_intersection(&self, of: &[&Self]) -> Result<u64, RedisError> {
        self.store_of("SINTERSTORE", of).await
    }

    /// Makes this set the first of others without what the rest have. Says how many values it has then.
    ///
    /// # Errors
    ///
    /// As [`move_to`](Self::move_to).
    pub async fn store_difference(&self, of: &[&Self]) -> Result<u64, RedisError> {
        self.store_of("SDIFFSTORE", of).await
    }

    fn keys<'a>(&'a self, others: &[&'a Self]) -> Result<Vec<&'a str>, RedisError> {
        let keys: Vec<&str> = std::iter::once(self).chain(others.iter().copied()).map(Self::key).collect();
        self.redis.check_slots(&keys)?;
        Ok(keys)
    }

    async fn store_of(&self, how: &str, of: &[&Self]) -> Result<u64, RedisError> {
        if of.is_empty() {
            return Err(RedisError::Invalid("name at least one set to make another of".into()));
        }
        self.redis.query(cmd(how).arg(self.keys(of)?)).await
    }
}

impl<V: Stored + Eq + Hash> Set<V> {
    /// All values.
    ///
    /// # Errors
    ///
    /// As [`random`](Self::random).
    pub async fn all(&self) -> Result<HashSet<V>, RedisError> {
        self.together("SMEMBERS", &[]).await
    }

    /// The values of this set or of others.
    ///
    /// # Errors
    ///
    /// As [`random`](Self::random); [`RedisError::CrossSlot`] for keys of several slots on a cluster.
    pub async fn union(&self, others: &[&Self]) -> Result<HashSet<V>, RedisError> {
        self.together("SUNION", others).await
    }

    /// The values of this set that all others have too.
    ///
    /// # Errors
    ///
    /// As [`union`](Self::union).
    pub async fn intersection(&self, others: &[&Self]) -> Result<HashSet<V>, RedisError> {
        self.together("SINTER", others).await
    }

    /// The values of this set that no other has.
    ///
    /// # Errors
    ///
    /// As [`union`](Self::union).
    pub async fn difference(&self, others: &[&Self]) -> Result<HashSet<V>, RedisError> {
        self.together("SDIFF", others).await
    }

    async fn together(&self, how: &str, others: &[&Self]) -> Result<HashSet<V>, RedisError> {
        let answer = self.redis.command(cmd(how).arg(self.keys(others)?)).await?;
        Ok(many(answer)?.into_iter().collect())
    }
}
