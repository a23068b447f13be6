//! Sessions in Redis.

use std::sync::LazyLock;

use butterfly_core::Result;
use redis::{Cmd, Value, cmd};
use tokio::task::JoinSet;

use super::store::{Pending, SessionStore, Stored};
use crate::redis::{Redis, RedisError, Reply, Script, number};

/// KEYS: a session. ARGV: version, owner, expires, ends, record.
static INSERT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "redis.call('HSET', KEYS[1], 'version', ARGV[1], 'owner', ARGV[2], 'expires', ARGV[3], 'ends', ARGV[4], 'record', ARGV[5])
return redis.call('PEXPIREAT', KEYS[1], ARGV[3])",
    )
});

/// KEYS: a session. ARGV: the version that must be there, version, expires, record.
static REPLACE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('HGET', KEYS[1], 'version') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'expires', ARGV[3], 'record', ARGV[4])
redis.call('PEXPIREAT', KEYS[1], ARGV[3])
return 1",
    )
});

/// KEYS: a session. ARGV: the version that must be there, or nothing. Answers whether it was, and its owner.
static REMOVE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local found = redis.call('HMGET', KEYS[1], 'version', 'owner')
if not found[1] or (ARGV[1] ~= '' and found[1] ~= ARGV[1]) then return {0, ''} end
redis.call('DEL', KEYS[1])
return {1, found[2] or ''}",
    )
});

/// KEYS: the sessions of an owner. ARGV: an id, when it ends. Those that have ended leave the list, which lasts as long as
/// the longest of them.
static NOTE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', redis.call('TIME')[1] * 1000)
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', last[2]))",
    )
});

/// Sessions in Redis: one server, Sentinel, a cluster, or behind a proxy. Each is a key of its own, and expires by itself;
/// a list for each user tells which are his.
///
/// A Redis that evicts keys when its memory is full evicts sessions too: give it `maxmemory-policy noeviction` or room.
///
/// # Example
///
/// ```
/// use butterfly_model::redis::Redis;
/// use butterfly_model::session::RedisSessions;
///
/// # fn main() -> Result<(), butterfly_model::redis::RedisError> {
/// let store = RedisSessions::new(&Redis::open("redis://127.0.0.1:6379")?);
/// # drop(store);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct RedisSessions(Redis);

impl RedisSessions {
    /// Sessions in this Redis, below its prefix.
    #[must_use]
    pub fn new(redis: &Redis) -> Self {
        Self(redis.clone())
    }

    fn key(&self, id: &str) -> String {
        self.0.key("session", id)
    }

    /// The key of the list of an owner's sessions.
    fn list_key(&self, owner: &str) -> String {
        self.0.key("sessions", owner)
    }

    async fn read(&self, id: &str) -> Result<Option<Stored>, RedisError> {
        let fields = ["version", "owner", "expires", "ends", "record"];
        let mut reply = Reply::new(self.0.command(cmd("HMGET").arg(self.key(id)).arg(&fields)).await?)?;
        let version = match reply.value()? {
            Value::Nil => return Ok(None),
            found => number(&found)?,
        };
        Ok(Some(Stored {
            version,
            owner: reply.optional()?,
            expires: reply.number()?,
            ends: reply.number()?,
            record: reply.text()?,
        }))
    }
}

impl SessionStore for RedisSessions {
    fn load<'a>(&'a self, id: &'a str) -> Pending<'a, Option<Stored>> {
        Box::pin(async move { Ok(self.read(id).await?) })
    }

    fn insert<'a>(&'a self, id: &'a str, session: Stored) -> Pending<'a, ()> {
        Box::pin(async move {
            // On the list first: a session that is not there does no harm on it, and one that is not on it could not be
            // revoked.
            if let Some(owner) = &session.owner {
                let fill = |command: &mut Cmd| {
                    command.arg(id).arg(session.ends);
                };
                self.0.run(&NOTE, &self.list_key(owner), fill).await?;
            }
            let Stored { version, owner, expires, ends, record } = &session;
            let fill = |command: &mut Cmd| {
                command.arg(version).arg(owner.as_deref().unwrap_or_default());
                command.arg(expires).arg(ends).arg(record);
            };
            self.0.run(&INSERT, &self.key(id), fill).await?;
            Ok(())
        })
    }

    fn replace<'a>(&'a self, id: &'a str, session: Stored) -> Pending<'a, bool> {
        Box::pin(async move {
            let Stored { version, expires, record, .. } = &session;
            let before = version.saturating_sub(1);
            let fill = |command: &mut Cmd| {
                command.arg(before).arg(version).arg(expires).arg(record);
            };
            Ok(number(&self.0.run(&REPLACE, &self.key(id), fill).await?)? == 1)
        })
    }

    fn remove<'a>(&'a self, id: &'a str, version: Option<u64>) -> Pending<'a, bool> {
        Box::pin(async move {
            let version = version.map(|version| version.to_string()).unwrap_or_default();
            let fill = |command: &mut Cmd| {
                command.arg(&version);
            };
            let mut reply = Reply::new(self.0.run(&REMOVE, &self.key(id), fill).await?)?;
            let (removed, owner) = (reply.number()? == 1, reply.optional()?);
            if let Some(owner) = owner {
                self.0.command(cmd("ZREM").arg(self.list_key(&owner)).arg(id)).await?;
            }
            Ok(removed)
        })
    }

    fn list<'a>(&'a self, owner: &'a str) -> Pending<'a, Vec<(String, Stored)>> {
        Box::pin(async move {
            let ids: Vec<String> =
                self.0.query(cmd("ZRANGE").arg(self.list_key(owner)).arg(0).arg(-1)).await?;
            // They are in several slots of a cluster: asked for one by one, all at once.
            let mut reads = JoinSet::new();
            for id in ids {
                let store = self.clone();
                reads.spawn(async move { store.read(&id).await.map(|found| (id, found)) });
            }
            let mut all = Vec::new();
            while let Some(read) = reads.join_next().await {
                let (id, found) = read??;
                all.extend(found.map(|stored| (id, stored)));
            }
            Ok(all)
        })
    }

    fn purge(&self, _: u64) -> Pending<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}
