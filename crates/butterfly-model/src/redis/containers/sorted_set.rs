//! Values in the order of their scores.

use std::marker::PhantomData;
use std::ops::{Bound, RangeBounds};

use redis::cmd;

use super::{container, pairs};
use crate::redis::{Redis, RedisError, Stored};

/// Values in the order of their scores, each once: a Redis sorted set. Values of one score are in the order of their
/// bytes.
///
/// # Example
///
/// ```no_run
/// # async fn doc(redis: butterfly_model::redis::Redis) -> Result<(), butterfly_model::redis::RedisError> {
/// use butterfly_model::redis::{Order, SortedSet};
///
/// let best = SortedSet::<String>::new(&redis, "best");
/// best.add([(&"ann".into(), 7.0), (&"bob".into(), 9.0)]).await?;
/// assert_eq!(best.rank(&"bob".into(), Order::Falling).await?, Some(0));
/// assert_eq!(best.by_score(..8.0, Order::Rising, 0, 10).await?, [("ann".into(), 7.0)]);
/// # Ok(()) }
/// ```
pub struct SortedSet<V> {
    redis: Redis,
    key: String,
    values: PhantomData<fn(V) -> V>,
}

container!(SortedSet<V>);

/// From which end one goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// From the lowest on.
    #[default]
    Rising,
    /// From the highest on.
    Falling,
}

impl<V: Stored> SortedSet<V> {
    /// The sorted set under a key.
    #[must_use]
    pub fn new(redis: &Redis, key: impl Into<String>) -> Self {
        Self { redis: redis.clone(), key: key.into(), values: PhantomData }
    }

    /// Adds values with their scores; one that is there gets the new score. Says how many were not yet there.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::Invalid`] for a score that is no number.
    pub async fn add<'a>(&self, values: impl IntoIterator<Item = (&'a V, f64)>) -> Result<u64, RedisError>
    where
        V: 'a,
    {
        let mut command = cmd("ZADD");
        command.arg(&self.key);
        let mut empty = true;
        for (value, score) in values {
            command.arg(score.store()?).arg(value.store()?);
            empty = false;
        }
        if empty { Ok(0) } else { self.redis.query(&command).await }
    }

    /// Adds to a value's score, which is 0 where it is not yet there, and gives the sum.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add).
    pub async fn add_score(&self, value: &V, score: f64) -> Result<f64, RedisError> {
        self.redis.query(cmd("ZINCRBY").arg(&self.key).arg(score.store()?).arg(value.store()?)).await
    }

    /// A value's score.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn score(&self, value: &V) -> Result<Option<f64>, RedisError> {
        self.redis.query(cmd("ZSCORE").arg(&self.key).arg(value.store()?)).await
    }

    /// How many values are before this one.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn rank(&self, value: &V, order: Order) -> Result<Option<u64>, RedisError> {
        let how = if order == Order::Rising { "ZRANK" } else { "ZREVRANK" };
        self.redis.query(cmd(how).arg(&self.key).arg(value.store()?)).await
    }

    /// Removes values. Says how many were there.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn remove(&self, values: &[V]) -> Result<u64, RedisError> {
        if values.is_empty() {
            return Ok(0);
        }
        self.redis.query(cmd("ZREM").arg(&self.key).arg(super::stored(values)?)).await
    }

    /// How many values there are.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn len(&self) -> Result<u64, RedisError> {
        self.redis.query(cmd("ZCARD").arg(&self.key)).await
    }

    /// Whether there is none.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn is_empty(&self) -> Result<bool, RedisError> {
        Ok(self.len().await? == 0)
    }

    /// The values, with their scores, of a rank to a rank, both with them; -1 is the last.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::Unreadable`] when one is of another type.
    pub async fn range(&self, first: i64, last: i64, order: Order) -> Result<Vec<(V, f64)>, RedisError> {
        let how = if order == Order::Rising { "ZRANGE" } else { "ZREVRANGE" };
        pairs(self.redis.command(cmd(how).arg(&self.key).arg(first).arg(last).arg("WITHSCORES")).await?)
    }

    /// The values, with their scores, whose score is in a range: at most `count`, after leaving out `skip`.
    ///
    /// # Errors
    ///
    /// As [`range`](Self::range).
    pub async fn by_score(
        &self,
        scores: impl RangeBounds<f64>,
        order: Order,
        skip: u64,
        count: u64,
    ) -> Result<Vec<(V, f64)>, RedisError> {
        let (low, high) = bounds(&scores);
        let mut command = cmd(if order == Order::Rising { "ZRANGEBYSCORE" } else { "ZREVRANGEBYSCORE" });
        let (from, to) = if order == Order::Rising { (low, high) } else { (high, low) };
        command.arg(&self.key).arg(from).arg(to).arg("WITHSCORES").arg("LIMIT").arg(skip).arg(count);
        pairs(self.redis.command(&command).await?)
    }

    /// How many values have a score in a range.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn count(&self, scores: impl RangeBounds<f64>) -> Result<u64, RedisError> {
        let (low, high) = bounds(&scores);
        self.redis.query(cmd("ZCOUNT").arg(&self.key).arg(low).arg(high)).await
    }

    /// Removes the values whose score is in a range. Says how many there were.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn remove_by_score(&self, scores: impl RangeBounds<f64>) -> Result<u64, RedisError> {
        let (low, high) = bounds(&scores);
        self.redis.query(cmd("ZREMRANGEBYSCORE").arg(&self.key).arg(low).arg(high)).await
    }

    /// Removes the values of a rank to a rank, from the lowest on; -1 is the highest. Says how many there were.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn remove_by_rank(&self, first: i64, last: i64) -> Result<u64, RedisError> {
        self.redis.query(cmd("ZREMRANGEBYRANK").arg(&self.key).arg(first).arg(last)).await
    }

    /// Takes some values with their scores: the lowest, or the highest.
    ///
    /// # Errors
    ///
    /// As [`range`](Self::range).
    pub async fn pop(&self, order: Order, count: u64) -> Result<Vec<(V, f64)>, RedisError> {
        let how = if order == Order::Rising { "ZPOPMIN" } else { "ZPOPMAX" };
        pairs(self.redis.command(cmd(how).arg(&self.key).arg(count)).await?)
    }

    /// Makes this the union of others, with the sums of their scores. Says how many values it has then.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::CrossSlot`] for keys of several slots on a cluster.
    pub async fn store_union(&self, of: &[&Self]) -> Result<u64, RedisError> {
        self.store_of("ZUNIONSTORE", of).await
    }

    /// Makes this the intersection of others, with the sums of their scores. Says how many values it has then.
    ///
    /// # Errors
    ///
    /// As [`store_union`](Self::store_union).
    pub async fn store_intersection(&self, of: &[&Self]) -> Result<u64, RedisError> {
        self.store_of("ZINTERSTORE", of).await
    }

    async fn store_of(&self, how: &str, of: &[&Self]) -> Result<u64, RedisError> {
        let keys: Vec<&str> = of.iter().map(|set| set.key()).collect();
        let mut all = keys.clone();
        all.push(&self.key);
        self.redis.check_slots(&all)?;
        if keys.is_empty() {
            return Err(RedisError::Invalid("name at least one sorted set to make another of".into()));
        }
        self.redis.query(cmd(how).arg(&self.key).arg(keys.len()).arg(keys)).await
    }

    /// Takes the value of the lowest score.
    ///
    /// # Errors
    ///
    /// As [`range`](Self::range).
    pub async fn pop_lowest(&self) -> Result<Option<V>, RedisError> {
        Ok(self.pop(Order::Rising, 1).await?.pop().map(|(value, _)| value))
    }
}

/// The bounds of a range of scores, as Redis writes them.
pub(in crate::redis) fn bounds(range: &impl RangeBounds<f64>) -> (String, String) {
    let bound = |bound: Bound<&f64>, open: &str| match bound {
        Bound::Included(score) => number(*score),
        Bound::Excluded(score) => format!("({}", number(*score)),
        Bound::Unbounded => open.to_owned(),
    };
    (bound(range.start_bound(), "-inf"), bound(range.end_bound(), "+inf"))
}

fn number(score: f64) -> String {
    if score == f64::INFINITY {
        "+inf".into()
    } else if score == f64::NEG_INFINITY {
        "-inf".into()
    } else {
        score.to_string()
    }
}
