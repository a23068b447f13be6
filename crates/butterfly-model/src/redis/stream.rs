//! Streams: entries in the order in which they came, read by many, or shared out to the consumers of a group.

mod entry;
mod group;

use std::ops::{Bound, RangeBounds};
use std::time::Duration;

use redis::{Cmd, Value, cmd};

pub use entry::{Entry, Fields, StreamId};
pub use group::{Consumer, ConsumerGroup, Pending};

use self::entry::{entries, of_streams};
use super::connection::Waiting;
use super::{Order, Redis, RedisError, text};

/// Entries in the order in which they came: a Redis stream.
///
/// # Example
///
/// ```no_run
/// # async fn doc(redis: butterfly_model::redis::Redis) -> Result<(), butterfly_model::redis::RedisError> {
/// use std::time::Duration;
/// use butterfly_model::redis::{Fields, Stream};
///
/// let orders = Stream::new(&redis, "orders");
/// let id = orders.add(&Fields::new().with("item", &"tea".to_owned())?.with("count", &2)?, Some(10_000)).await?;
///
/// let group = orders.group("billing");
/// group.create(true).await?;
/// let mut consumer = group.consumer("worker 1").await?;
/// for entry in consumer.read(10, Some(Duration::from_secs(5))).await? {
///     let count: u32 = entry.get("count")?;
///     group.ack(&[entry.id]).await?;
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Stream {
    redis: Redis,
    key: String,
}

impl Stream {
    /// The stream under a key, which is used as it is written.
    #[must_use]
    pub fn new(redis: &Redis, key: impl Into<String>) -> Self {
        Self { redis: redis.clone(), key: key.into() }
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    pub(super) fn redis(&self) -> &Redis {
        &self.redis
    }

    /// Adds an entry, and gives its id. With a limit the oldest are removed: about so many stay, sometimes a few more,
    /// which costs Redis much less than exactly so many.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::Invalid`] for an entry without a field.
    pub async fn add(&self, fields: &Fields, limit: Option<u64>) -> Result<StreamId, RedisError> {
        self.add_as("*", fields, limit).await
    }

    /// Adds an entry with an id, which must be larger than all before.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add); [`RedisError::Invalid`] when the id is not larger.
    pub async fn add_with_id(
        &self,
        id: StreamId,
        fields: &Fields,
        limit: Option<u64>,
    ) -> Result<(), RedisError> {
        self.add_as(&id.to_string(), fields, limit).await.map(drop)
    }

    async fn add_as(&self, id: &str, fields: &Fields, limit: Option<u64>) -> Result<StreamId, RedisError> {
        if fields.is_empty() {
            return Err(RedisError::Invalid("an entry of a stream needs at least one field".into()));
        }
        let mut command = cmd("XADD");
        command.arg(&self.key);
        if let Some(limit) = limit {
            command.arg("MAXLEN").arg("~").arg(limit);
        }
        command.arg(id);
        fields.write(&mut command);
        text(self.redis.command(&command).await?)?.parse()
    }

    /// The entries whose ids are in a range: at most so many.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn range(
        &self,
        ids: impl RangeBounds<StreamId>,
        order: Order,
        count: u64,
    ) -> Result<Vec<Entry>, RedisError> {
        let Some((first, last)) = ends(&ids) else { return Ok(Vec::new()) };
        if count == 0 {
            return Ok(Vec::new());
        }
        let mut command = cmd(if order == Order::Rising { "XRANGE" } else { "XREVRANGE" });
        let (from, to) = if order == Order::Rising { (first, last) } else { (last, first) };
        command.arg(&self.key).arg(from.to_string()).arg(to.to_string()).arg("COUNT").arg(count);
        entries(self.redis.command(&command).await?)
    }

    /// How many entries there are.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn len(&self) -> Result<u64, RedisError> {
        self.redis.query(cmd("XLEN").arg(&self.key)).await
    }

    /// Whether there is none.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn is_empty(&self) -> Result<bool, RedisError> {
        Ok(self.len().await? == 0)
    }

    /// Removes entries. Says how many there were.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn remove(&self, ids: &[StreamId]) -> Result<u64, RedisError> {
        if ids.is_empty() {
            return Ok(0);
        }
        self.redis.query(cmd("XDEL").arg(&self.key).arg(texts(ids))).await
    }

    /// Removes the oldest, so that exactly so many stay. Says how many were removed.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn trim(&self, keep: u64) -> Result<u64, RedisError> {
        self.redis.query(cmd("XTRIM").arg(&self.key).arg("MAXLEN").arg(keep)).await
    }

    /// Deletes it all, with its groups. Says whether there was anything.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn delete(&self) -> Result<bool, RedisError> {
        self.redis.query(cmd("DEL").arg(&self.key)).await
    }

    /// A reader that waits for entries, on a connection of its own. Each reader gets every entry behind this id: begin
    /// with [`StreamId::MIN`], or with the last that was read.
    ///
    /// # Errors
    ///
    /// As [`Redis::waiting`].
    pub async fn reader(&self, after: StreamId) -> Result<StreamReader, RedisError> {
        let line = Line { connection: Some(self.redis.waiting().await?), redis: self.redis.clone() };
        Ok(StreamReader { key: self.key.clone(), after, line })
    }

    /// A group of consumers, to which the entries are shared out.
    #[must_use]
    pub fn group(&self, name: impl Into<String>) -> ConsumerGroup {
        ConsumerGroup { stream: self.clone(), name: name.into() }
    }
}

/// Reads a stream; see [`Stream::reader`].
#[derive(Debug)]
pub struct StreamReader {
    key: String,
    after: StreamId,
    line: Line,
}

impl StreamReader {
    /// The next entries, at most so many, waiting for the first of them so long. Nothing is lost when the call is dropped.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn read(&mut self, count: u64, wait: Option<Duration>) -> Result<Vec<Entry>, RedisError> {
        let mut command = cmd("XREAD");
        command.arg("COUNT").arg(count.max(1));
        let wait = block(&mut command, wait);
        command.arg("STREAMS").arg(&self.key).arg(self.after.to_string());
        let found = of_streams(self.line.send(&command, wait).await?)?;
        if let Some(last) = found.last() {
            self.after = last.id;
        }
        Ok(found)
    }

    /// The last that was read.
    #[must_use]
    pub fn position(&self) -> StreamId {
        self.after
    }
}

/// A connection of one's own, made again when it is of no more use.
#[derive(Debug)]
struct Line {
    redis: Redis,
    connection: Option<Waiting>,
}

impl Line {
    async fn send(&mut self, command: &Cmd, wait: Duration) -> Result<Value, RedisError> {
        // Taken out, so that a call that is dropped leaves no connection with an answer on the way.
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.redis.waiting().await?,
        };
        let answer = connection.command(command, wait).await;
        if !matches!(answer, Err(RedisError::Unavailable(_))) {
            self.connection = Some(connection);
        }
        answer
    }
}

/// Lets a command wait, and gives for how long. Redis takes 0 as for ever: that is never sent.
fn block(command: &mut Cmd, wait: Option<Duration>) -> Duration {
    let Some(wait) = wait.filter(|wait| *wait >= Duration::from_millis(1)) else { return Duration::ZERO };
    command.arg("BLOCK").arg(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX >> 1).min(1 << 50));
    wait
}

fn texts(ids: &[StreamId]) -> Vec<String> {
    ids.iter().map(StreamId::to_string).collect()
}

/// The first and the last id of a range. Redis 6.0 knows no open ends: they are moved by one.
fn ends(range: &impl RangeBounds<StreamId>) -> Option<(StreamId, StreamId)> {
    let first = match range.start_bound() {
        Bound::Included(id) => *id,
        Bound::Excluded(id) => id.next()?,
        Bound::Unbounded => StreamId::MIN,
    };
    let last = match range.end_bound() {
        Bound::Included(id) => *id,
        Bound::Excluded(id) => id.previous()?,
        Bound::Unbounded => StreamId::MAX,
    };
    (first <= last).then_some((first, last))
}
