//! Values by their time: a view on a stream whose ids are times.

use std::marker::PhantomData;
use std::ops::{Bound, RangeBounds};
use std::sync::LazyLock;
use std::time::SystemTime;

use redis::Cmd;

use super::{Fields, Order, Redis, RedisError, Script, Stored, Stream, StreamId, number, text};

/// The field that has the value.
const VALUE: &str = "value";

/// KEYS: the stream. ARGV: Unix milliseconds, the field, the value. Redis 6 does not number entries of a given
/// millisecond by itself.
static ADD_AT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local seq, last = '0', redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if last then
  local ms, number = last[1]:match('^(%d+)%-(%d+)$')
  if ms == ARGV[1] then seq = string.format('%.0f', number + 1) end
end
return redis.call('XADD', KEYS[1], ARGV[1] .. '-' .. seq, ARGV[2], ARGV[3])",
    )
});

/// KEYS: the stream. ARGV: the last id that is to go.
static REMOVE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local removed = 0
while true do
  local page, ids = redis.call('XRANGE', KEYS[1], '-', ARGV[1], 'COUNT', 1000), {}
  for n, entry in ipairs(page) do ids[n] = entry[1] end
  if #ids == 0 then return removed end
  removed = removed + redis.call('XDEL', KEYS[1], unpack(ids))
end",
    )
});

/// Values by their time, to the millisecond: a view on a [`Stream`] whose ids are times. Several values may have one time.
///
/// # Example
///
/// ```no_run
/// # async fn doc(redis: butterfly_model::redis::Redis) -> Result<(), butterfly_model::redis::RedisError> {
/// use std::time::{Duration, SystemTime};
/// use butterfly_model::redis::{Order, TimeSeries};
///
/// let load = TimeSeries::<f64>::new(&redis, "load");
/// load.add(&0.7).await?;
/// let hour = SystemTime::now() - Duration::from_secs(3600);
/// for (time, value) in load.between(hour.., Order::Rising, 1000).await? {
///     println!("{time:?}: {value}");
/// }
/// load.remove_before(hour).await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct TimeSeries<V> {
    stream: Stream,
    values: PhantomData<fn(V) -> V>,
}

impl<V> Clone for TimeSeries<V> {
    fn clone(&self) -> Self {
        Self { stream: self.stream.clone(), values: PhantomData }
    }
}

impl<V: Stored> TimeSeries<V> {
    /// The series under a key, which is used as it is written.
    #[must_use]
    pub fn new(redis: &Redis, key: impl Into<String>) -> Self {
        Self { stream: Stream::new(redis, key), values: PhantomData }
    }

    /// The stream below it.
    #[must_use]
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Adds a value now, by the server's clock, and gives its time.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn add(&self, value: &V) -> Result<SystemTime, RedisError> {
        Ok(self.stream.add(&Fields::new().with(VALUE, value)?, None).await?.time())
    }

    /// Adds a value at a time, which must not be before the last.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::Script`] when there is a later value.
    pub async fn add_at(&self, time: SystemTime, value: &V) -> Result<(), RedisError> {
        let (ms, value) = (StreamId::of(time).ms, value.store()?);
        let fill = |command: &mut Cmd| {
            command.arg(ms).arg(VALUE).arg(&value);
        };
        text(self.stream.redis().run(&ADD_AT, self.stream.key(), fill).await?).map(drop)
    }

    /// The values, with their times, of a range of times: at most so many.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::Unreadable`] when one is of another type.
    pub async fn between(
        &self,
        times: impl RangeBounds<SystemTime>,
        order: Order,
        count: u64,
    ) -> Result<Vec<(SystemTime, V)>, RedisError> {
        let last = |time: &SystemTime| StreamId { seq: u64::MAX, ..StreamId::of(*time) };
        let start = match times.start_bound() {
            Bound::Included(time) => Bound::Included(StreamId::of(*time)),
            Bound::Excluded(time) => Bound::Excluded(last(time)),
            Bound::Unbounded => Bound::Unbounded,
        };
        let end = match times.end_bound() {
            Bound::Included(time) => Bound::Included(last(time)),
            Bound::Excluded(time) => Bound::Excluded(StreamId::of(*time)),
            Bound::Unbounded => Bound::Unbounded,
        };
        let found = self.stream.range((start, end), order, count).await?;
        found.into_iter().map(|entry| Ok((entry.id.time(), entry.get(VALUE)?))).collect()
    }

    /// The last value and its time.
    ///
    /// # Errors
    ///
    /// As [`between`](Self::between).
    pub async fn latest(&self) -> Result<Option<(SystemTime, V)>, RedisError> {
        Ok(self.between(.., Order::Falling, 1).await?.pop())
    }

    /// Removes the values before a time. Says how many there were.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn remove_before(&self, time: SystemTime) -> Result<u64, RedisError> {
        let Some(last) = StreamId::of(time).previous() else { return Ok(0) };
        let fill = |command: &mut Cmd| {
            command.arg(last.to_string());
        };
        number(&self.stream.redis().run(&REMOVE, self.stream.key(), fill).await?)
    }
}
