//! Named values under one key.

use std::collections::HashMap;
use std::marker::PhantomData;

use redis::{Value, cmd};

use super::{container, many, optional, pairs, parts};
use crate::redis::{Redis, RedisError, Stored, strange};

/// Named values under one key: a Redis hash.
///
/// # Example
///
/// ```no_run
/// # async fn doc(redis: butterfly_model::redis::Redis) -> Result<(), butterfly_model::redis::RedisError> {
/// use butterfly_model::redis::Hash;
///
/// let stock = Hash::<i64>::new(&redis, "stock");
/// stock.set_many([("apples", &3), ("pears", &4)]).await?;
/// assert_eq!(stock.add("apples", -1).await?, 2);
/// assert_eq!(stock.all().await?["pears"], 4);
/// # Ok(()) }
/// ```
pub struct Hash<V> {
    redis: Redis,
    key: String,
    values: PhantomData<fn(V) -> V>,
}

container!(Hash<V>);

impl<V: Stored> Hash<V> {
    /// The hash under a key.
    #[must_use]
    pub fn new(redis: &Redis, key: impl Into<String>) -> Self {
        Self { redis: redis.clone(), key: key.into(), values: PhantomData }
    }

    /// The value of a name.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::Unreadable`] when it is of another type.
    pub async fn get(&self, name: &str) -> Result<Option<V>, RedisError> {
        optional(self.redis.command(cmd("HGET").arg(&self.key).arg(name)).await?)
    }

    /// The values of several names, in their order.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn get_many(&self, names: &[&str]) -> Result<Vec<Option<V>>, RedisError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let answer = self.redis.command(cmd("HMGET").arg(&self.key).arg(names)).await?;
        parts(answer)?.into_iter().map(optional).collect()
    }

    /// Sets a name's value. Says whether the name is new.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn set(&self, name: &str, value: &V) -> Result<bool, RedisError> {
        self.redis.query(cmd("HSET").arg(&self.key).arg(name).arg(value.store()?)).await
    }

    /// Sets the values of several names. Says how many names are new.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn set_many<'a>(
        &self,
        values: impl IntoIterator<Item = (&'a str, &'a V)>,
    ) -> Result<u64, RedisError>
    where
        V: 'a,
    {
        let mut command = cmd("HSET");
        command.arg(&self.key);
        let mut empty = true;
        for (name, value) in values {
            command.arg(name).arg(value.store()?);
            empty = false;
        }
        if empty { Ok(0) } else { self.redis.query(&command).await }
    }

    /// Sets a name's value where it has none. Says whether it did.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn set_if_absent(&self, name: &str, value: &V) -> Result<bool, RedisError> {
        self.redis.query(cmd("HSETNX").arg(&self.key).arg(name).arg(value.store()?)).await
    }

    /// Removes names. Says how many there were.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn remove(&self, names: &[&str]) -> Result<u64, RedisError> {
        if names.is_empty() {
            return Ok(0);
        }
        self.redis.query(cmd("HDEL").arg(&self.key).arg(names)).await
    }

    /// Whether a name has a value.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn contains(&self, name: &str) -> Result<bool, RedisError> {
        self.redis.query(cmd("HEXISTS").arg(&self.key).arg(name)).await
    }

    /// How many names there are.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn len(&self) -> Result<u64, RedisError> {
        self.redis.query(cmd("HLEN").arg(&self.key)).await
    }

    /// Whether there is no name.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn is_empty(&self) -> Result<bool, RedisError> {
        Ok(self.len().await? == 0)
    }

    /// All names with their values. For a large hash take [`scan`](Self::scan).
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn all(&self) -> Result<HashMap<String, V>, RedisError> {
        Ok(pairs(self.redis.command(cmd("HGETALL").arg(&self.key)).await?)?.into_iter().collect())
    }

    /// All names.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn names(&self) -> Result<Vec<String>, RedisError> {
        many(self.redis.command(cmd("HKEYS").arg(&self.key)).await?)
    }

    /// Some of the names with their values, and where to go on: begin with 0, and end when 0 comes back. What is there
    /// all the while comes at least once.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn scan(&self, cursor: u64, pattern: &str) -> Result<(u64, Vec<(String, V)>), RedisError> {
        let answer =
            self.redis.command(cmd("HSCAN").arg(&self.key).arg(cursor).arg("MATCH").arg(pattern)).await?;
        let mut answer = parts(answer)?.into_iter();
        let (Some(next), Some(found)) = (answer.next(), answer.next()) else {
            return Err(strange(&Value::Nil));
        };
        Ok((super::one(next)?, pairs(found)?))
    }

    /// Adds to a name's whole number, and gives the sum.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::Invalid`] when the value is no whole number or leaves the range of `i64`.
    pub async fn add(&self, name: &str, number: i64) -> Result<i64, RedisError> {
        self.redis.query(cmd("HINCRBY").arg(&self.key).arg(name).arg(number)).await
    }

    /// Adds to a name's number, and gives the sum.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add).
    pub async fn add_float(&self, name: &str, number: f64) -> Result<f64, RedisError> {
        self.redis.query(cmd("HINCRBYFLOAT").arg(&self.key).arg(name).arg(number.store()?)).await
    }
}
