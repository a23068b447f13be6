//! Values by number.

use std::marker::PhantomData;
use std::sync::LazyLock;

use redis::{Cmd, Value, cmd};

use super::{container, many, one, optional, stored};
use crate::redis::{Redis, RedisError, Script, Stored};

/// KEYS[1] a hash from numbers to values; ARGV[1] what to do.
static DO: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local key, what = KEYS[1], ARGV[1]
local len = redis.call('HLEN', key)
local function at(text)
  local index = tonumber(text)
  if index < 0 then index = index + len end
  if index >= 0 and index < len then return index end
end
if what == 'push' then
  for n = 2, #ARGV do redis.call('HSET', key, len + n - 2, ARGV[n]) end
  return len + #ARGV - 1
elseif what == 'get' then
  local index = at(ARGV[2])
  return index and redis.call('HGET', key, index)
elseif what == 'set' then
  local index = at(ARGV[2])
  if not index then return 0 end
  redis.call('HSET', key, index, ARGV[3])
  return 1
elseif what == 'remove' then
  local index = at(ARGV[2])
  if not index then return false end
  local value = redis.call('HGET', key, index)
  for n = index, len - 2 do redis.call('HSET', key, n, redis.call('HGET', key, n + 1)) end
  redis.call('HDEL', key, len - 1)
  return value
end
local first, last = tonumber(ARGV[2]), tonumber(ARGV[3])
if first < 0 then first = math.max(first + len, 0) end
if last < 0 then last = last + len end
local out = {}
for n = first, math.min(last, len - 1) do out[#out + 1] = redis.call('HGET', key, n) end
return out",
    )
});

/// Values by number, each reached at once however many there are: a Redis hash from numbers to values. Where the ends
/// alone are used, [`List`](super::List) is smaller.
///
/// # Example
///
/// ```no_run
/// # async fn doc(redis: butterfly_model::redis::Redis) -> Result<(), butterfly_model::redis::RedisError> {
/// use butterfly_model::redis::Array;
///
/// let days = Array::<String>::new(&redis, "days");
/// days.push(&["mon".into(), "tue".into()]).await?;
/// assert_eq!(days.get(-1).await?.as_deref(), Some("tue"));
/// # Ok(()) }
/// ```
pub struct Array<V> {
    redis: Redis,
    key: String,
    values: PhantomData<fn(V) -> V>,
}

container!(Array<V>);

impl<V: Stored> Array<V> {
    /// The array under a key.
    #[must_use]
    pub fn new(redis: &Redis, key: impl Into<String>) -> Self {
        Self { redis: redis.clone(), key: key.into(), values: PhantomData }
    }

    async fn run(&self, fill: impl Fn(&mut Cmd) + Send + Sync) -> Result<Value, RedisError> {
        self.redis.run(&DO, &self.key, fill).await
    }

    /// Puts values at the end. Says how many there are then.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn push(&self, values: &[V]) -> Result<u64, RedisError> {
        let values = stored(values)?;
        let fill = |command: &mut Cmd| {
            command.arg("push").arg(&values);
        };
        one(self.run(fill).await?)
    }

    /// The value of a number: 0 is the first, -1 the last.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::Unreadable`] when it is of another type.
    pub async fn get(&self, index: i64) -> Result<Option<V>, RedisError> {
        let fill = |command: &mut Cmd| {
            command.arg("get").arg(index);
        };
        optional(self.run(fill).await?)
    }

    /// Puts a value in place of another, by its number.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::Invalid`] when there is no such number.
    pub async fn set(&self, index: i64, value: &V) -> Result<(), RedisError> {
        let value = value.store()?;
        let fill = |command: &mut Cmd| {
            command.arg("set").arg(index).arg(&value);
        };
        if one::<u8>(self.run(fill).await?)? == 1 {
            return Ok(());
        }
        Err(RedisError::Invalid(format!("the array {:?} has no number {index}", self.key)))
    }

    /// Takes the last.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn pop(&self) -> Result<Option<V>, RedisError> {
        self.remove(-1).await
    }

    /// Takes a value by its number; those behind it move up, which takes the longer the more there are.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn remove(&self, index: i64) -> Result<Option<V>, RedisError> {
        let fill = |command: &mut Cmd| {
            command.arg("remove").arg(index);
        };
        optional(self.run(fill).await?)
    }

    /// The values from a number to a number, both with them; -1 is the last.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn range(&self, first: i64, last: i64) -> Result<Vec<V>, RedisError> {
        let fill = |command: &mut Cmd| {
            command.arg("range").arg(first).arg(last);
        };
        many(self.run(fill).await?)
    }

    /// How many there are.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn len(&self) -> Result<u64, RedisError> {
        self.redis.query(cmd("HLEN").arg(&self.key)).await
    }

    /// Whether there is none.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn is_empty(&self) -> Result<bool, RedisError> {
        Ok(self.len().await? == 0)
    }
}
