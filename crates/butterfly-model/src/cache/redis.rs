//! The store in Redis, shared by all who reach it: one server, Sentinel, a cluster, or behind a proxy.
//!
//! A value is a hash under a key of its own: `v` the value, `f` and `g` its times, a field for each tag. All that is done
//! to it is one command or one script on that key, so it is one step, one round trip, and fits every form of Redis.
//!
//! A tag is a sorted set of the keys that were stored with it, by when they are gone: written before the value is, so
//! that no value can be missing there, and left there when the value goes, so that one that is just being stored is
//! found by the next invalidation. What is long gone leaves it by itself.

use std::collections::HashSet;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use redis::{Cmd, Value, cmd};
use tokio::task::JoinSet;

use super::entry::{after, now_ms};
use super::store::{Pending, Store, check_key, check_tags};
use super::{Age, CacheError, Entry, Times};
use crate::redis::{Redis, RedisError, Reply, Script, done, escaped, text};

/// Values with tags live so long at most: so long a tag must remember their keys.
const TAGGED: Duration = Duration::from_secs(30 * 86_400);
/// Commands under way at once, where many keys are to be changed.
const ABREAST: usize = 64;

/// What stores a value: ARGV from `at` on are the value, its times, and its tags. No end is an empty text.
macro_rules! store {
    ($before:literal) => {
        concat!(
            $before,
            "redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'v', ARGV[1], 'f', ARGV[2], 'g', ARGV[3])
for i = 5, #ARGV do redis.call('HSET', KEYS[1], 't:' .. ARGV[i], '1') end
if ARGV[4] ~= '' then redis.call('PEXPIREAT', KEYS[1], ARGV[4]) end
return 1"
        )
    };
}

/// KEYS: a value's. ARGV: the value, fresh until, gone at, the same as an expiry, tags.
static SET: LazyLock<Script> = LazyLock::new(|| Script::new(store!("")));

/// As SET, if there is none.
static ADD: LazyLock<Script> =
    LazyLock::new(|| Script::new(store!("if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end\n")));

/// KEYS: a value's. ARGV: fresh until, gone at, the same as an expiry, `1` to touch what has tags too. Answers whether it
/// is there, and the tags for which it was not touched.
static TOUCH: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('EXISTS', KEYS[1]) == 0 then return {0} end
local answer = {1}
if ARGV[4] == '' then
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if field:sub(1, 2) == 't:' then answer[#answer + 1] = field:sub(3) end
  end
  if #answer > 1 then return answer end
end
redis.call('HSET', KEYS[1], 'f', ARGV[1], 'g', ARGV[2])
if ARGV[3] == '' then redis.call('PERSIST', KEYS[1]) else redis.call('PEXPIREAT', KEYS[1], ARGV[3]) end
return answer",
    )
});

/// KEYS: a value's.
static POP: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local found = redis.call('HMGET', KEYS[1], 'v', 'f', 'g')
redis.call('DEL', KEYS[1])
return found",
    )
});

/// KEYS: a value's. ARGV: what to add, fresh until, gone at, the same as an expiry. Answers the sum as text: Lua's numbers
/// are not exact enough.
static INCR: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local new = redis.call('EXISTS', KEYS[1]) == 0
local sum = redis.pcall('HINCRBY', KEYS[1], 'v', ARGV[1])
if type(sum) == 'table' then return {0, sum.err} end
if new then
  redis.call('HSET', KEYS[1], 'f', ARGV[2], 'g', ARGV[3])
  if ARGV[4] ~= '' then redis.call('PEXPIREAT', KEYS[1], ARGV[4]) end
end
return {1, redis.call('HGET', KEYS[1], 'v')}",
    )
});

/// KEYS: a tag's. ARGV: a key, when its value is gone. What was gone an hour ago leaves: nobody stores for so long.
static NOTE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local hour = 3600000
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', redis.call('TIME')[1] * 1000 - hour)
local before = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not before or tonumber(before) < tonumber(ARGV[2]) then redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1]) end
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', last[2] + hour))",
    )
});

/// KEYS: a value's. ARGV: the tag that it must have.
static DROP: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('HEXISTS', KEYS[1], 't:' .. ARGV[1]) == 0 then return 0 end
return redis.call('DEL', KEYS[1])",
    )
});

/// Values in Redis, which all processes that reach it share. How much it may hold, and what goes first when it is full, is
/// Redis' own affair: `maxmemory`, and `maxmemory-policy allkeys-lru` or the like.
///
/// A `get`, and a `set` without tags, are one round trip. Redis' clock says when a value is gone. A value with tags lives
/// 30 days at most. Behind a proxy [`clear`](Store::clear) and [`count`](Store::count) are refused: it cannot look
/// through the keys.
///
/// # Example
///
/// ```no_run
/// # async fn doc() -> butterfly_core::Result<()> {
/// use std::time::Duration;
/// use butterfly_model::cache::{Cache, RedisStore};
/// use butterfly_model::redis::Redis;
///
/// let redis = Redis::open("redis://127.0.0.1:6379")?;
/// // 16 MiB of memory above it answer what was asked for within the last second.
/// let cache = Cache::two_level(16 << 20, RedisStore::new(&redis, "pages"));
/// cache.set("front", "<html>", Duration::from_secs(60)).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct RedisStore {
    redis: Redis,
    /// What the keys of values begin with, but for the prefix; and those of tags.
    values: String,
    tags: String,
}

impl RedisStore {
    /// The cache of a name in this Redis, below its prefix.
    #[must_use]
    pub fn new(redis: &Redis, name: &str) -> Self {
        let name = escaped(name);
        Self { redis: redis.clone(), values: format!("cache:{name}"), tags: format!("cachetag:{name}") }
    }

    fn key(&self, key: &str) -> Result<String, CacheError> {
        check_key(key)?;
        Ok(self.redis.key(&self.values, key))
    }

    /// Notes a key at its tags, each in a round trip of its own, all at once.
    async fn note(&self, key: &str, times: Times, tags: &[&str]) -> Result<(), CacheError> {
        check_tags(tags)?;
        let mut notes = JoinSet::new();
        for tag in tags {
            let (redis, tag, key) = (self.redis.clone(), self.redis.key(&self.tags, tag), key.to_owned());
            notes.spawn(async move {
                let fill = |command: &mut Cmd| {
                    command.arg(&key).arg(times.gone_at);
                };
                redis.run(&NOTE, &tag, fill).await.map(drop)
            });
        }
        all(notes).await
    }

    /// Stores a value by one of the scripts that do; gives whether it was stored.
    async fn store(
        &self,
        script: &Script,
        key: &str,
        entry: Entry,
        tags: &[&str],
    ) -> Result<bool, CacheError> {
        let (key, times) = (self.key(key)?, bounded(entry.times, !tags.is_empty()));
        self.note(&key, times, tags).await?;
        let fill = |command: &mut Cmd| {
            command.arg(&entry.value[..]);
            arg_times(command, times);
            command.arg(tags);
        };
        Ok(done(&self.redis.run(script, &key, fill).await?)?)
    }

    async fn try_touch(&self, key: &str, times: Times, force: bool) -> Result<Reply, CacheError> {
        let fill = |command: &mut Cmd| {
            arg_times(command, times);
            command.arg(if force { "1" } else { "" });
        };
        Ok(Reply::new(self.redis.run(&TOUCH, key, fill).await?)?)
    }

    /// Removes those of some values that have a tag.
    async fn drop_tagged(&self, keys: &[String], tag: &str) -> Result<(), CacheError> {
        for part in keys.chunks(ABREAST) {
            let mut drops = JoinSet::new();
            for key in part {
                let (redis, key, tag) = (self.redis.clone(), key.clone(), tag.to_owned());
                drops.spawn(async move {
                    let fill = |command: &mut Cmd| {
                        command.arg(&tag);
                    };
                    redis.run(&DROP, &key, fill).await.map(drop)
                });
            }
            all(drops).await?;
        }
        Ok(())
    }

    /// What all keys of values begin with, and those of no other cache.
    fn start(&self) -> String {
        let key = self.redis.key(&self.values, "k");
        key.strip_suffix("k}").unwrap_or(&key).to_owned()
    }
}

/// Waits for all, also when one has failed.
async fn all(mut tasks: JoinSet<Result<(), RedisError>>) -> Result<(), CacheError> {
    let mut result = Ok(());
    while let Some(joined) = tasks.join_next().await {
        let joined = joined.map_err(|why| CacheError::Refused(why.to_string()));
        result = result.and(joined.and_then(|ran| ran.map_err(CacheError::from)));
    }
    result
}

/// Fresh until, gone at, and that once more as Redis wants it.
fn arg_times(command: &mut Cmd, times: Times) {
    command.arg(times.fresh_until).arg(times.gone_at);
    if times.gone_at >= Times::NEVER {
        command.arg("")
    } else {
        command.arg(times.gone_at)
    };
}

fn bounded(times: Times, tagged: bool) -> Times {
    let most = if tagged { after(now_ms(), TAGGED) } else { Times::NEVER };
    Times { fresh_until: times.fresh_until.min(most), gone_at: times.gone_at.min(most) }
}

/// Reads `v`, `f` and `g`.
fn entry(value: Value) -> Result<Option<Entry>, CacheError> {
    let mut reply = Reply::new(value)?;
    let value = match reply.value()? {
        Value::Nil => return Ok(None),
        Value::BulkString(bytes) => Bytes::from(bytes),
        other => return Err(crate::redis::strange(&other).into()),
    };
    let times = Times { fresh_until: reply.number()?, gone_at: reply.number()? };
    Ok(Some(Entry { value, times }).filter(|entry| entry.times.age() != Age::Gone))
}

impl Store for RedisStore {
    fn get<'a>(&'a self, key: &'a str) -> Pending<'a, Option<Entry>> {
        Box::pin(async move {
            let key = self.key(key)?;
            entry(self.redis.command(cmd("HMGET").arg(key).arg("v").arg("f").arg("g")).await?)
        })
    }

    fn set<'a>(&'a self, key: &'a str, entry: Entry, tags: &'a [&'a str]) -> Pending<'a, ()> {
        Box::pin(async move { self.store(&SET, key, entry, tags).await.map(drop) })
    }

    fn add<'a>(&'a self, key: &'a str, entry: Entry, tags: &'a [&'a str]) -> Pending<'a, bool> {
        Box::pin(self.store(&ADD, key, entry, tags))
    }

    fn touch<'a>(&'a self, key: &'a str, times: Times) -> Pending<'a, bool> {
        Box::pin(async move {
            let key = self.key(key)?;
            let mut reply = self.try_touch(&key, times, false).await?;
            let found = reply.number()? == 1;
            if reply.is_empty() {
                return Ok(found);
            }
            // Its tags must remember it for as long as it lives now.
            let mut tags = Vec::new();
            while !reply.is_empty() {
                tags.push(reply.text()?);
            }
            let (tags, times): (Vec<&str>, _) =
                (tags.iter().map(String::as_str).collect(), bounded(times, true));
            self.note(&key, times, &tags).await?;
            Ok(self.try_touch(&key, times, true).await?.number()? == 1)
        })
    }

    fn delete<'a>(&'a self, key: &'a str) -> Pending<'a, bool> {
        Box::pin(async move {
            let key = self.key(key)?;
            Ok(done(&self.redis.command(cmd("DEL").arg(key)).await?)?)
        })
    }

    fn pop<'a>(&'a self, key: &'a str) -> Pending<'a, Option<Entry>> {
        Box::pin(async move {
            let key = self.key(key)?;
            entry(self.redis.run(&POP, &key, |_| {}).await?)
        })
    }

    fn incr<'a>(&'a self, key: &'a str, by: i64, times: Times) -> Pending<'a, i64> {
        Box::pin(async move {
            let place = self.key(key)?;
            let fill = |command: &mut Cmd| {
                command.arg(by);
                arg_times(command, times);
            };
            let mut reply = Reply::new(self.redis.run(&INCR, &place, fill).await?)?;
            let (added, said) = (reply.number()? == 1, reply.text()?);
            if !added {
                return Err(CacheError::unfit(key, "whole number that this can be added to", said));
            }
            said.parse().map_err(|why| CacheError::unfit(key, "whole number", why))
        })
    }

    fn invalidate_tag<'a>(&'a self, tag: &'a str) -> Pending<'a, ()> {
        Box::pin(async move {
            check_tags(&[tag])?;
            let (place, mut cursor) = (self.redis.key(&self.tags, tag), "0".to_owned());
            loop {
                let mut command = cmd("ZSCAN");
                command.arg(&place).arg(&cursor).arg("COUNT").arg(1000);
                let mut page = Reply::new(self.redis.command(&command).await?)?;
                cursor = page.text()?;
                let (mut members, mut keys) = (Reply::new(page.value()?)?, Vec::new());
                while !members.is_empty() {
                    keys.push(text(members.value()?)?);
                    members.value()?; // when it is gone
                }
                self.drop_tagged(&keys, tag).await?;
                if cursor == "0" {
                    return Ok(());
                }
            }
        })
    }

    fn clear(&self) -> Pending<'_, ()> {
        Box::pin(async move {
            let mut scan = self.redis.scan(&self.start()).await?;
            while let Some(keys) = scan.next().await? {
                for part in keys.chunks(ABREAST) {
                    let mut removals = JoinSet::new();
                    for key in part {
                        let (redis, key) = (self.redis.clone(), key.clone());
                        removals.spawn(async move { redis.command(cmd("UNLINK").arg(key)).await.map(drop) });
                    }
                    all(removals).await?;
                }
            }
            Ok(())
        })
    }

    /// Redis does it by itself.
    fn purge(&self) -> Pending<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn count(&self) -> Pending<'_, u64> {
        Box::pin(async move {
            let (mut scan, mut found) = (self.redis.scan(&self.start()).await?, HashSet::new());
            while let Some(keys) = scan.next().await? {
                found.extend(keys);
            }
            Ok(found.len() as u64)
        })
    }
}

impl From<RedisError> for CacheError {
    fn from(error: RedisError) -> Self {
        let why = error.to_string();
        match error {
            RedisError::Unavailable(_) => Self::Unavailable(why),
            RedisError::NoRoom(_) => Self::NoRoom(why),
            RedisError::WrongType(_) | RedisError::Unreadable(_) => Self::Foreign(why),
            _ => Self::Refused(why),
        }
    }
}
