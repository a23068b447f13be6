//! Redis: models, containers, services.
//!
//! | to read about | look at |
//! | --- | --- |
//! | which Redis, and how it is reached | [`RedisOptions`], [`Mode`], [`Tls`] |
//! | commands and scripts | [`Redis`], [`Script`], [`Reply`] |
//! | records with indexes and queries | [`RedisModel`], [`Models`], [`Query`], and [`model`] |
//! | containers | [`Single`], [`Counter`], [`Hash`](struct@Hash), [`List`], [`Set`], [`SortedSet`], [`HyperLogLog`], [`Bitmap`], [`BloomFilter`], [`Array`] |
//! | services | [`Lock`], [`RateLimiter`], [`Stream`], [`ConsumerGroup`], [`TimeSeries`], [`FullText`], [`Autocomplete`], [`Graph`] |
//! | how values are written | [`Stored`], [`Json`] |
//! | what can go wrong | [`RedisError`] |

mod autocomplete;
mod connection;
mod containers;
mod error;
mod graph;
mod lock;
pub mod model;
mod options;
mod rate_limit;
mod reply;
#[cfg(feature = "cache")]
mod scan;
mod script;
mod slot;
mod stored;
mod stream;
mod text;
mod time_series;
mod tls;

/// The client this stands on: for what is not wrapped here.
pub use ::redis::{self as driver, Cmd, Value, cmd};

pub use self::text::{Found, FullText, Hit};
pub use autocomplete::{Autocomplete, Suggestion};
/// Derives [`model::RedisModel`], where its attributes are described.
pub use butterfly_macros::RedisModel;
#[cfg(feature = "cache")]
pub(crate) use connection::escaped;
pub use connection::{Redis, Waiting};
pub use containers::{
    Array, Bitmap, BloomFilter, Counter, Hash, HyperLogLog, List, ListReader, Order, Set, Single, SortedSet,
};
pub use error::{RedisError, strange};
pub use graph::{Graph, Term, Triple};
pub use lock::{Lock, LockGuard};
pub use model::{Filter, Models, Page, Query, RedisModel};
pub use options::{Mode, RedisOptions};
pub use rate_limit::{Decision, RateLimiter};
pub use reply::{Reply, number, text};
#[cfg(feature = "cache")]
pub(crate) use scan::done;
pub use script::Script;
pub use slot::slot;
pub use stored::{Json, Stored};
pub use stream::{Consumer, ConsumerGroup, Entry, Fields, Pending, Stream, StreamId, StreamReader};
pub use time_series::TimeSeries;
pub use tls::Tls;
