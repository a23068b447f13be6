//! Redis: models, containers, services.
//!
//! | to read about | look at |
//! | --- | --- |
//! | which Redis, and how it is reached | [`RedisOptions`], [`Mode`] |
//! | commands and scripts | [`Redis`], [`Script`], [`Reply`] |
//! | containers | [`Single`], [`Counter`], [`Hash`], [`List`], [`Set`], [`SortedSet`], [`HyperLogLog`], [`Bitmap`], [`BloomFilter`], [`Array`] |
//! | how values are written | [`Stored`], [`Json`] |
//! | what can go wrong | [`RedisError`] |

mod connection;
mod containers;
mod error;
mod options;
mod reply;
mod script;
mod slot;
mod stored;

/// The client this stands on: for what is not wrapped here.
pub use ::redis::{self as driver, Cmd, Value, cmd};

pub use connection::{Redis, Waiting};
pub use containers::{
    Array, Bitmap, BloomFilter, Counter, Hash, HyperLogLog, List, ListReader, Order, Set, Single, SortedSet,
};
pub use error::{RedisError, strange};
pub use options::{Mode, RedisOptions};
pub use reply::{Reply, number, text};
pub use script::Script;
pub use slot::slot;
pub use stored::{Json, Stored};
