//! Worker numbers for the processes of many machines, kept in Redis.
//!
//! One hash for each datacenter, `NAME:DATACENTER`, with the fields `WORKER.holder`, `WORKER.until` (by the clock of Redis)
//! and `WORKER.mark`. It never expires, because the marks have to stay.

use std::fmt;
use std::time::Duration;

use redis::{Client, Cmd, RedisError};

use super::{IdError, WorkerLease, WorkerNumbers};

/// Worker numbers that the processes of many machines lease from one Redis, 32 for each datacenter.
///
/// A reservation of time renews the lease as well. A process that makes no ids for longer than the lease may lose its
/// number to another one, and takes the next free number when it makes ids again. Even then no id comes twice: the one
/// stays below the time that it had reserved, and the other starts there.
///
/// Redis has to keep what it is told: one that loses its last seconds in a crash, or a replica that takes over without
/// them, forgets the newest marks. Ids are then safe only by the clocks.
///
/// # Example
///
/// ```no_run
/// use butterfly_model::ids::{RedisWorkers, Snowflakes};
///
/// let ids = Snowflakes::start(RedisWorkers::open("redis://127.0.0.1:6379")?)?;
/// println!("{}", ids.next_id()?);
/// # Ok::<(), butterfly_model::ids::IdError>(())
/// ```
#[derive(Clone)]
pub struct RedisWorkers {
    client: Client,
    name: String,
    datacenter: u8,
    lease: Duration,
    timeout: Duration,
}

struct RedisLease {
    workers: RedisWorkers,
    holder: String,
    worker: u8,
    mark: u64,
}

/// Chooses a number: one that is ready, else the one that will be first. Answers with its number and mark, or with how many
/// are held and how many are far ahead.
const LEASE: &str = r"
local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)
local now, limit = tonumber(ARGV[3]), tonumber(ARGV[4])
local best, best_mark
local held, ahead = 0, 0
for worker = 0, 31 do
  local known = redis.call('HMGET', KEYS[1], worker .. '.holder', worker .. '.until', worker .. '.mark')
  local mark = tonumber(known[3] or '0')
  if known[1] and tonumber(known[2]) > clock then
    held = held + 1
  elseif mark >= limit then
    ahead = ahead + 1
  elseif not best or mark < best_mark then
    best, best_mark = worker, mark
    if mark <= now then break end
  end
end
if not best then return {-1, held, ahead} end
redis.call('HSET', KEYS[1], best .. '.holder', ARGV[1], best .. '.until', string.format('%.0f', clock + ARGV[2]))
return {best, best_mark, 0}
";

/// Moves the mark up and renews the lease, if the number is still held by this holder.
const RESERVE: &str = r"
if redis.call('HGET', KEYS[1], ARGV[1] .. '.holder') ~= ARGV[2] then return 0 end
local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1] .. '.mark', ARGV[3], ARGV[1] .. '.until', string.format('%.0f', clock + ARGV[4]))
return 1
";

/// Sets the mark to what was really used and gives the number back.
const RELEASE: &str = r"
if redis.call('HGET', KEYS[1], ARGV[1] .. '.holder') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1] .. '.mark', ARGV[3])
redis.call('HDEL', KEYS[1], ARGV[1] .. '.holder', ARGV[1] .. '.until')
return 1
";

impl RedisWorkers {
    /// Numbers from the server at this URL. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// [`IdError::BadOption`] when the URL cannot be read.
    pub fn open(url: &str) -> Result<Self, IdError> {
        let client = Client::open(url)
            .map_err(|error| IdError::BadOption(format!("the Redis URL for worker numbers: {error}")))?;
        let (lease, timeout) = (Duration::from_secs(30), Duration::from_secs(2));
        Ok(Self { client, name: "butterfly:ids".into(), datacenter: 0, lease, timeout })
    }

    /// The key under which the numbers are kept; `butterfly:ids` by default. All who share ids share it.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The datacenter that the ids carry, 0 to 31; 0 by default.
    #[must_use]
    pub fn datacenter(mut self, datacenter: u8) -> Self {
        self.datacenter = datacenter;
        self
    }

    /// For how long a number is held after the last reservation; 30 seconds by default. It should be several of the
    /// [blocks](super::Options::block) that are reserved at once.
    #[must_use]
    pub fn lease(mut self, time: Duration) -> Self {
        self.lease = time;
        self
    }

    /// How long connecting, and each call, may take; two seconds by default.
    #[must_use]
    pub fn timeout(mut self, time: Duration) -> Self {
        self.timeout = time;
        self
    }

    /// One call every few seconds: a connection of its own is simplest, and never stale.
    fn run<T: redis::FromRedisValue>(
        &self,
        script: &str,
        arguments: impl FnOnce(&mut Cmd),
    ) -> Result<T, IdError> {
        let run = || -> Result<T, RedisError> {
            let mut connection = self.client.get_connection_with_timeout(self.timeout)?;
            connection.set_read_timeout(Some(self.timeout))?;
            connection.set_write_timeout(Some(self.timeout))?;
            let mut command = redis::cmd("EVAL");
            command.arg(script).arg(1).arg(format!("{}:{}", self.name, self.datacenter));
            arguments(&mut command);
            command.query(&mut connection)
        };
        run().map_err(|error| {
            let address = self.client.get_connection_info().addr();
            IdError::Unavailable(format!("Redis at {address}: {error}"))
        })
    }
}

impl fmt::Debug for RedisWorkers {
    // The client would show its password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisWorkers({}:{})", self.name, self.datacenter)
    }
}

impl WorkerNumbers for RedisWorkers {
    fn lease(&self, now_ms: u64, limit_ms: u64) -> Result<Box<dyn WorkerLease>, IdError> {
        if self.datacenter >= 32 {
            return Err(IdError::BadOption(format!("datacenter: {} is not within 0 to 31", self.datacenter)));
        }
        if self.lease.is_zero() || self.timeout.is_zero() {
            return Err(IdError::BadOption("lease and timeout of RedisWorkers: zero is no time".into()));
        }
        let holder = uuid::Uuid::new_v4().to_string();
        let (worker, mark, ahead): (i64, u64, u64) = self.run(LEASE, |command| {
            command.arg(&holder).arg(self.lease.as_millis() as u64).arg(now_ms).arg(limit_ms);
        })?;
        match u8::try_from(worker) {
            Ok(worker) => Ok(Box::new(RedisLease { workers: self.clone(), holder, worker, mark })),
            Err(_) => Err(IdError::NoNumber(format!(
                "of the 32 in {}:{}, {mark} are held and {ahead} were used at times far ahead of this clock; run fewer \
                 processes, set the clock right, or choose another datacenter",
                self.name, self.datacenter
            ))),
        }
    }
}

impl WorkerLease for RedisLease {
    fn datacenter(&self) -> u8 {
        self.workers.datacenter
    }

    fn worker(&self) -> u8 {
        self.worker
    }

    fn mark(&self) -> u64 {
        self.mark
    }

    fn reserve(&mut self, until_ms: u64) -> Result<(), IdError> {
        let held: bool = self.workers.run(RESERVE, |command| {
            let lease = self.workers.lease.as_millis() as u64;
            command.arg(self.worker).arg(&self.holder).arg(until_ms).arg(lease);
        })?;
        if held { Ok(()) } else { Err(IdError::Lost("it ran out, and somebody else has the number".into())) }
    }

    fn release(&mut self, next_ms: u64) {
        let released = self.workers.run::<bool>(RELEASE, |command| {
            command.arg(self.worker).arg(&self.holder).arg(next_ms);
        });
        if let Err(error) = released {
            tracing::debug!("id worker {} is given back when its lease runs out: {error}", self.worker);
        }
    }
}
