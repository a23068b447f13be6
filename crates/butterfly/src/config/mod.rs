//! Configuration: what may be set, where each value came from, and what is wrong with it.
//!
//! Four layers, each over the one before: defaults, `butterfly.toml`, environment, command line.
//!
//! | layer | how | note |
//! | --- | --- | --- |
//! | defaults | built in, see [`KEYS`] | every key has one |
//! | file | `--config FILE`, else `BUTTERFLY_CONFIG`, else `./butterfly.toml` | a file that is named must exist |
//! | `PORT`, `RUST_LOG`, `NO_COLOR` | what platforms set | the port of `http.listen`, `log.level`, `log.color` |
//! | environment | `BUTTERFLY_HTTP__LISTEN=…` | `__` between levels; `…_FILE` reads the value from a file |
//! | command line | `--set http.listen=…` | |
//!
//! Nothing is taken on trust: an unknown key, in any layer, is an error that names the nearest known one, and all that
//! is wrong is told at once, each with its file and line, variable or flag. A secret is never printed.
//!
//! The names in `[redis]` are the user's: `redis.default = "redis://…"` is a server, which `queue.engine`, `session.store`
//! and `cache.store` can name. So are those in `[databases]`, which `session.store` can name.
//!
//! The `[app]` table belongs to the application; [`Config::app`] reads a part of it into the application's own type.
//! A variable that ends in `_FILE` always names a file to read there too, so a field whose own name ends in `_file` is
//! set from `butterfly.toml` or the command line.
//!
//! # Example
//!
//! ```
//! use butterfly::config::Loader;
//!
//! let env = [("BUTTERFLY_LOG__FORMAT".to_owned(), "json".to_owned())];
//! let flags = vec![("http.listen".to_owned(), "127.0.0.1:0".to_owned())];
//! let loaded = Loader::new("demo").env(env).flags(flags).load()?;
//! assert_eq!(loaded.config.http.listen.port(), 0);
//! assert!(loaded.report().contains("BUTTERFLY_LOG__FORMAT"));
//! # Ok::<(), butterfly::config::ConfigError>(())
//! ```

mod address;
mod app;
mod app_de;
mod databases;
mod env;
mod error;
mod file;
mod keys;
mod load;
mod merge;
mod network;
mod queue;
mod redis;
mod report;
mod setting;
mod stat_adaptor;
mod stores;
mod suggest;
#[cfg(test)]
mod tests;
mod types;
mod units;

pub use address::AddressTable;
pub use app::AppTable;
pub use databases::{DatabaseTable, DatabaseUrl};
pub use error::{ConfigError, Origin, Problem, ProblemKind};
pub use keys::{
    CacheConfig, Config, HttpConfig, KEYS, Key, LogConfig, OpsConfig, QueueConfig, SessionConfig, SqlConfig,
};
pub use load::{Loaded, Loader};
pub use network::Network;
pub use queue::{Instance, QueueEngine, TopicPattern};
pub use redis::{RedisTable, RedisUrl};
pub use report::reference;
pub use stat_adaptor::StatAdaptor;
pub use stores::{CacheStore, CookieName, SessionStore};
pub use types::{
    Durability, ErrorStyle, HeaderName, LogFilter, LogFormat, Role, Secret, SecureCookie, UrlPrefix,
};
pub use units::{ByteSize, Span};
