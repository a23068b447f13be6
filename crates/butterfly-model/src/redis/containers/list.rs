//! Values in a row.

use std::marker::PhantomData;
use std::time::Duration;

use redis::{Value, cmd};

use super::{container, many, one, optional, parts, stored};
use crate::redis::{Redis, RedisError, Stored, Waiting, strange};

/// Values in a row: a Redis list. Fast at both ends; for access by number see [`Array`](super::Array).
///
/// # Example
///
/// ```no_run
/// # async fn doc(redis: butterfly_model::redis::Redis) -> Result<(), butterfly_model::redis::RedisError> {
/// use butterfly_model::redis::List;
///
/// let names = List::<String>::new(&redis, "names");
/// names.push_last([&"ann".into(), &"bob".into()]).await?;
/// assert_eq!(names.pop_first().await?.as_deref(), Some("ann"));
/// # Ok(()) }
/// ```
pub struct List<V> {
    redis: Redis,
    key: String,
    values: PhantomData<fn(V) -> V>,
}

container!(List<V>);

impl<V: Stored> List<V> {
    /// The list under a key.
    #[must_use]
    pub fn new(redis: &Redis, key: impl Into<String>) -> Self {
        Self { redis: redis.clone(), key: key.into(), values: PhantomData }
    }

    async fn push<'a>(&self, how: &str, values: impl IntoIterator<Item = &'a V>) -> Result<u64, RedisError>
    where
        V: 'a,
    {
        let values = stored(values)?;
        if values.is_empty() {
            return self.len().await;
        }
        self.redis.query(cmd(how).arg(&self.key).arg(values)).await
    }

    /// Puts values at the end, in their order. Says how many there are then.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn push_last<'a>(&self, values: impl IntoIterator<Item = &'a V>) -> Result<u64, RedisError>
    where
        V: 'a,
    {
        self.push("RPUSH", values).await
    }

    /// Puts values at the beginning, one before the other, so that the last one comes first. Says how many there are
    /// then.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn push_first<'a>(&self, values: impl IntoIterator<Item = &'a V>) -> Result<u64, RedisError>
    where
        V: 'a,
    {
        self.push("LPUSH", values).await
    }

    /// Takes the first.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::Unreadable`] when it is of another type: it is then gone.
    pub async fn pop_first(&self) -> Result<Option<V>, RedisError> {
        optional(self.redis.command(cmd("LPOP").arg(&self.key)).await?)
    }

    /// Takes the last.
    ///
    /// # Errors
    ///
    /// As [`pop_first`](Self::pop_first).
    pub async fn pop_last(&self) -> Result<Option<V>, RedisError> {
        optional(self.redis.command(cmd("RPOP").arg(&self.key)).await?)
    }

    /// The value of a number: 0 is the first, -1 the last.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::Unreadable`] when it is of another type.
    pub async fn get(&self, index: i64) -> Result<Option<V>, RedisError> {
        optional(self.redis.command(cmd("LINDEX").arg(&self.key).arg(index)).await?)
    }

    /// Puts a value in place of another, by its number.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::Invalid`] when there is no such number.
    pub async fn set(&self, index: i64, value: &V) -> Result<(), RedisError> {
        self.redis.command(cmd("LSET").arg(&self.key).arg(index).arg(value.store()?)).await.map(drop)
    }

    /// The values from a number to a number, both with them; -1 is the last.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn range(&self, first: i64, last: i64) -> Result<Vec<V>, RedisError> {
        many(self.redis.command(cmd("LRANGE").arg(&self.key).arg(first).arg(last)).await?)
    }

    /// Removes all but the values from a number to a number.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn trim(&self, first: i64, last: i64) -> Result<(), RedisError> {
        self.redis.command(cmd("LTRIM").arg(&self.key).arg(first).arg(last)).await.map(drop)
    }

    /// How many there are.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn len(&self) -> Result<u64, RedisError> {
        self.redis.query(cmd("LLEN").arg(&self.key)).await
    }

    /// Whether there is none.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn is_empty(&self) -> Result<bool, RedisError> {
        Ok(self.len().await? == 0)
    }

    /// Puts a value before the first that equals another. Says whether there was one.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn insert_before(&self, other: &V, value: &V) -> Result<bool, RedisError> {
        self.insert("BEFORE", other, value).await
    }

    /// Puts a value after the first that equals another. Says whether there was one.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn insert_after(&self, other: &V, value: &V) -> Result<bool, RedisError> {
        self.insert("AFTER", other, value).await
    }

    async fn insert(&self, place: &str, other: &V, value: &V) -> Result<bool, RedisError> {
        let (other, value) = (other.store()?, value.store()?);
        let mut command = cmd("LINSERT");
        command.arg(&self.key).arg(place).arg(other).arg(value);
        Ok(self.redis.query::<i64>(&command).await? > 0)
    }

    /// Removes values that equal this one: all with 0, else so many from the beginning, or with a negative number from
    /// the end. Says how many were removed.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn remove(&self, value: &V, count: i64) -> Result<u64, RedisError> {
        self.redis.query(cmd("LREM").arg(&self.key).arg(count).arg(value.store()?)).await
    }

    /// Takes the last, and puts it at the beginning of another list or of this one, in one step.
    ///
    /// # Errors
    ///
    /// As [`pop_first`](Self::pop_first); [`RedisError::CrossSlot`] for keys of several slots on a cluster.
    pub async fn move_last_to(&self, other: &Self) -> Result<Option<V>, RedisError> {
        self.redis.check_slots(&[&self.key, &other.key])?;
        optional(self.redis.command(cmd("RPOPLPUSH").arg(&self.key).arg(&other.key)).await?)
    }

    /// A reader that waits for values, on a connection of its own.
    ///
    /// # Errors
    ///
    /// As [`Redis::waiting`].
    pub async fn reader(&self) -> Result<ListReader<V>, RedisError> {
        Ok(ListReader { list: self.clone(), connection: Some(self.redis.waiting().await?) })
    }
}

/// Waits for a list's values; see [`List::reader`].
#[derive(Debug)]
pub struct ListReader<V> {
    list: List<V>,
    /// None where the last one is of no more use: it is made again at the next call.
    connection: Option<Waiting>,
}

impl<V: Stored> ListReader<V> {
    /// Takes the first value, waiting for one so long. Several readers get their values in turn.
    ///
    /// A call that is dropped while it waits may take a value that nobody gets: give it a time instead.
    ///
    /// # Errors
    ///
    /// As [`List::pop_first`]; [`RedisError::Invalid`] for a time below a millisecond.
    pub async fn pop_first(&mut self, wait: Duration) -> Result<Option<V>, RedisError> {
        self.pop("BLPOP", wait).await
    }

    /// Takes the last value, waiting for one so long.
    ///
    /// # Errors
    ///
    /// As [`pop_first`](Self::pop_first).
    pub async fn pop_last(&mut self, wait: Duration) -> Result<Option<V>, RedisError> {
        self.pop("BRPOP", wait).await
    }

    async fn pop(&mut self, how: &str, wait: Duration) -> Result<Option<V>, RedisError> {
        let seconds = wait.as_secs_f64();
        if wait < Duration::from_millis(1) {
            return Err(RedisError::Invalid(format!(
                "{wait:?} is no time to wait: give a millisecond or more"
            )));
        }
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.list.redis.waiting().await?,
        };
        // Redis 6 knows no shorter time than a millisecond, and takes 0 as for ever.
        let answer =
            connection.command(cmd(how).arg(&self.list.key).arg(format!("{seconds:.3}")), wait).await?;
        self.connection = Some(connection);
        if answer == Value::Nil {
            return Ok(None);
        }
        parts(answer)?.into_iter().nth(1).ok_or_else(|| strange(&Value::Nil)).and_then(one).map(Some)
    }
}
