//! Groups of consumers: each entry goes to one of them, and stays with it until it is acknowledged.

use std::sync::LazyLock;
use std::time::Duration;

use redis::{Cmd, Value, cmd};

use super::entry::{array, entries, of_streams};
use super::{Entry, Line, Stream, StreamId, block, texts};
use crate::redis::{RedisError, Script, number, strange, text};

/// KEYS: the stream. ARGV: the group, the consumer, the least idle milliseconds, how many at most.
static CLAIM_IDLE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local out, from, least, most = {}, '-', tonumber(ARGV[3]), tonumber(ARGV[4])
while #out < most do
  local page = redis.call('XPENDING', KEYS[1], ARGV[1], from, '+', 100)
  local ids = {}
  for _, pending in ipairs(page) do
    if pending[3] >= least and #out + #ids < most then ids[#ids + 1] = pending[1] end
  end
  if #ids > 0 then
    for _, entry in ipairs(redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], unpack(ids))) do
      if entry then out[#out + 1] = entry end
    end
  end
  if #page < 100 then break end
  local ms, seq = page[100][1]:match('^(%d+)%-(%d+)$')
  from = ms .. '-' .. string.format('%.0f', seq + 1)
end
return out",
    )
});

/// A group of consumers: each entry goes to one of them, and stays with it until it is acknowledged.
#[derive(Clone, Debug)]
pub struct ConsumerGroup {
    pub(super) stream: Stream,
    pub(super) name: String,
}

/// An entry that a consumer has and has not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The entry.
    pub id: StreamId,
    /// Who has it.
    pub consumer: String,
    /// For how long since it was last handed out.
    pub idle: Duration,
    /// How often it was handed out.
    pub deliveries: u64,
}

impl ConsumerGroup {
    /// Makes the group, and the stream where there is none: for all entries from the first on, or for those to come. Says
    /// whether it is new.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`](crate::redis::Redis::command).
    pub async fn create(&self, from_first: bool) -> Result<bool, RedisError> {
        let mut command = cmd("XGROUP");
        command.arg("CREATE").arg(&self.stream.key).arg(&self.name);
        command.arg(if from_first { "0" } else { "$" }).arg("MKSTREAM");
        match self.stream.redis.command(&command).await {
            Ok(_) => Ok(true),
            Err(RedisError::Script { code, .. }) if code == "BUSYGROUP" => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes the group; what its consumers have is forgotten, and the entries stay. Says whether there was one.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`](crate::redis::Redis::command).
    pub async fn destroy(&self) -> Result<bool, RedisError> {
        self.stream.redis.query(cmd("XGROUP").arg("DESTROY").arg(&self.stream.key).arg(&self.name)).await
    }

    /// A consumer, on a connection of its own.
    ///
    /// # Errors
    ///
    /// As [`Redis::waiting`](crate::redis::Redis::waiting).
    pub async fn consumer(&self, name: impl Into<String>) -> Result<Consumer, RedisError> {
        let redis = self.stream.redis.clone();
        let line = Line { connection: Some(redis.waiting().await?), redis };
        Ok(Consumer { group: self.clone(), name: name.into(), line })
    }

    /// Says that entries are done. Says how many of them a consumer had.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`](crate::redis::Redis::command).
    pub async fn ack(&self, ids: &[StreamId]) -> Result<u64, RedisError> {
        if ids.is_empty() {
            return Ok(0);
        }
        self.stream.redis.query(cmd("XACK").arg(&self.stream.key).arg(&self.name).arg(texts(ids))).await
    }

    /// What consumers have and have not acknowledged, the oldest first: at most so many from an id on.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`](crate::redis::Redis::command); [`RedisError::Invalid`] where there is no such group.
    pub async fn pending(&self, from: StreamId, count: u64) -> Result<Vec<Pending>, RedisError> {
        let mut command = cmd("XPENDING");
        command.arg(&self.stream.key).arg(&self.name).arg(from.to_string()).arg("+").arg(count);
        array(self.stream.redis.command(&command).await?)?.into_iter().map(pending).collect()
    }
}

fn pending(value: Value) -> Result<Pending, RedisError> {
    let [id, consumer, idle, deliveries] =
        <[Value; 4]>::try_from(array(value)?).map_err(|_| strange(&Value::Nil))?;
    Ok(Pending {
        id: text(id)?.parse()?,
        consumer: text(consumer)?,
        idle: Duration::from_millis(number(&idle)?),
        deliveries: number(&deliveries)?,
    })
}

/// One of a group's consumers; see [`ConsumerGroup::consumer`].
#[derive(Debug)]
pub struct Consumer {
    group: ConsumerGroup,
    name: String,
    line: Line,
}

impl Consumer {
    /// The next entries that no consumer got yet, at most so many, waiting for the first of them so long. They are this
    /// consumer's until they are acknowledged; those of a call that was dropped are found by [`again`](Self::again).
    ///
    /// # Errors
    ///
    /// As [`Redis::command`](crate::redis::Redis::command); [`RedisError::Invalid`] where there is no such group.
    pub async fn read(&mut self, count: u64, wait: Option<Duration>) -> Result<Vec<Entry>, RedisError> {
        self.read_after(">", count, wait).await
    }

    /// The entries behind an id that this consumer has and has not acknowledged: what a consumer reads first that starts
    /// again. Those that were removed meanwhile have no fields.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub async fn again(&mut self, after: StreamId, count: u64) -> Result<Vec<Entry>, RedisError> {
        self.read_after(&after.to_string(), count, None).await
    }

    async fn read_after(
        &mut self,
        after: &str,
        count: u64,
        wait: Option<Duration>,
    ) -> Result<Vec<Entry>, RedisError> {
        let mut command = cmd("XREADGROUP");
        command.arg("GROUP").arg(&self.group.name).arg(&self.name).arg("COUNT").arg(count.max(1));
        let wait = block(&mut command, wait);
        command.arg("STREAMS").arg(&self.group.stream.key).arg(after);
        of_streams(self.line.send(&command, wait).await?)
    }

    /// Takes over entries that another consumer has had for so long. Says which it got.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub async fn claim(&self, idle: Duration, ids: &[StreamId]) -> Result<Vec<Entry>, RedisError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut command = cmd("XCLAIM");
        command.arg(&self.group.stream.key).arg(&self.group.name).arg(&self.name);
        command.arg(ms(idle)).arg(texts(ids));
        entries(self.group.stream.redis.command(&command).await?)
    }

    /// Takes over the oldest entries that any consumer has had for so long, at most so many: those of one that died.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub async fn claim_idle(&self, idle: Duration, count: u64) -> Result<Vec<Entry>, RedisError> {
        let fill = |command: &mut Cmd| {
            command.arg(&self.group.name).arg(&self.name).arg(ms(idle)).arg(count);
        };
        entries(self.group.stream.redis.run(&CLAIM_IDLE, &self.group.stream.key, fill).await?)
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX >> 1).min(1 << 50)
}
