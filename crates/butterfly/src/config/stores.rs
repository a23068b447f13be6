//! Where sessions and the cache are kept: here, in a file, or in an entry of `[databases]` or `[redis]`.

use toml::Value;

use super::address::Address;
use super::databases::DatabaseUrl;
use super::error::{Origin, Problem, ProblemKind};
use super::keys::Config;
use super::queue::{QueueEngine, is_name};
use super::redis::RedisUrl;
use super::setting::{Setting, list_to_value, toml_value, wrong_type};
use super::types::Secret;

const MEMORY: &str = "memory";
const DISK: &str = "disk";

/// Where sessions are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionStore {
    /// The memory of each process.
    Memory,
    /// A file in the data folder.
    Disk,
    /// The database of this name in `[databases]`.
    Database(String),
    /// The Redis of this name in `[redis]`.
    Redis(String),
}

impl SessionStore {
    /// Where sessions are unless told otherwise: a file, and in memory where a program was built without the feature sql.
    pub fn unset() -> Self {
        if cfg!(feature = "sql") { Self::Disk } else { Self::Memory }
    }
}

/// Where the cache keeps its values.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheStore {
    /// The memory of each process.
    Memory,
    /// A file in the data folder.
    Disk,
    /// The Redis of this name in `[redis]`.
    Redis(String),
}

/// The name behind `table`: `redis.cache`, or `redis` alone for the entry `default`.
fn entry(text: &str, table: &str) -> Option<String> {
    match text.strip_prefix(table)? {
        "" => Some("default".to_owned()),
        rest => rest.strip_prefix('.').filter(|name| is_name(name)).map(str::to_owned),
    }
}

impl Setting for SessionStore {
    const ACCEPTS: &'static str =
        "memory, disk, or an entry of [databases] or [redis] such as databases.default or redis.default";

    fn from_text(text: &str) -> Result<Self, String> {
        let text = text.trim();
        match text {
            MEMORY => return Ok(Self::Memory),
            DISK => return Ok(Self::Disk),
            _ => {}
        }
        let database = entry(text, DatabaseUrl::TABLE).map(Self::Database);
        database.or_else(|| entry(text, RedisUrl::TABLE).map(Self::Redis)).ok_or_else(String::new)
    }

    fn to_value(&self) -> Value {
        Value::String(match self {
            Self::Memory => MEMORY.to_owned(),
            Self::Disk => DISK.to_owned(),
            Self::Database(name) => format!("{}.{name}", DatabaseUrl::TABLE),
            Self::Redis(name) => format!("{}.{name}", RedisUrl::TABLE),
        })
    }
}

impl Setting for CacheStore {
    const ACCEPTS: &'static str = "memory, disk, or an entry of [redis] such as redis.default";

    fn from_text(text: &str) -> Result<Self, String> {
        match text.trim() {
            MEMORY => Ok(Self::Memory),
            DISK => Ok(Self::Disk),
            text => entry(text, RedisUrl::TABLE).map(Self::Redis).ok_or_else(String::new),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(match self {
            Self::Memory => MEMORY.to_owned(),
            Self::Disk => DISK.to_owned(),
            Self::Redis(name) => format!("{}.{name}", RedisUrl::TABLE),
        })
    }
}

/// Secrets, none of which is ever told.
impl Setting for Vec<Secret> {
    const ACCEPTS: &'static str =
        "a list of secrets, each of 16 or more characters: ASCII, no spaces, no commas";
    const SECRET: bool = true;

    fn from_text(text: &str) -> Result<Self, String> {
        if text.trim_start().starts_with('[') {
            return Self::from_value(&toml_value(text).ok_or("the list is not well formed")?);
        }
        text.split(',').map(str::trim).filter(|secret| !secret.is_empty()).map(Secret::from_text).collect()
    }

    fn from_value(value: &Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Self::from_text(text),
            Value::Array(items) => items.iter().map(Secret::from_value).collect(),
            other => Err(wrong_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        list_to_value(self)
    }
}

/// The name of a cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieName(String);

impl CookieName {
    /// `sid`.
    pub fn sid() -> Self {
        Self("sid".to_owned())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for CookieName {
    const ACCEPTS: &'static str = "a name of letters, digits, - and _, at most 64";

    fn from_text(text: &str) -> Result<Self, String> {
        let name = text.trim();
        if is_name(name) { Ok(Self(name.to_owned())) } else { Err(String::new()) }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// What stands on an entry that is not configured: the key, the entry's table and name, and what needs no entry.
pub(super) fn missing(config: &Config, origin: impl Fn(&str) -> Origin) -> Vec<Problem> {
    let redis = |name: &String| config.redis.get(name).is_none().then(|| (RedisUrl::TABLE, name.clone()));
    let queue = match &config.queue.engine {
        QueueEngine::Redis(name) => redis(name),
        QueueEngine::Embedded => None,
    };
    let session = match &config.session.store {
        SessionStore::Redis(name) => redis(name),
        SessionStore::Database(name) => {
            config.database(name).is_none().then(|| (DatabaseUrl::TABLE, name.clone()))
        }
        SessionStore::Memory | SessionStore::Disk => None,
    };
    let cache = match &config.cache.store {
        CacheStore::Redis(name) => redis(name),
        CacheStore::Memory | CacheStore::Disk => None,
    };
    let all = [
        ("queue.engine", QueueEngine::EMBEDDED, queue),
        ("session.store", DISK, session),
        ("cache.store", MEMORY, cache),
    ];
    let missing = all.into_iter().filter_map(|(key, without, entry)| Some((key, without, entry?)));
    missing
        .map(|(key, without, (table, name))| {
            let mut names: Vec<&str> = match table {
                DatabaseUrl::TABLE => config.all_databases().map(|(name, _)| name).collect(),
                _ => config.redis.names().collect(),
            };
            names.sort_unstable();
            let known = match names.as_slice() {
                [] => format!("[{table}] has no entry"),
                names => format!("[{table}] has {}", names.join(", ")),
            };
            let (what, scheme) =
                if table == RedisUrl::TABLE { ("Redis", "redis") } else { ("database", "mysql") };
            let message = format!(
                "`{key}` names the {what} {name:?}, but {known}; set {table}.{name} = \"{scheme}://…\", or {key} = \
                 \"{without}\""
            );
            Problem::new(ProblemKind::BadValue, origin(key), message).of_key(key)
        })
        .collect()
}
