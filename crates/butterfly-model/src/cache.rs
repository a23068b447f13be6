//! A cache: memory, disk and Redis behind one trait, with loading, tags and expiry above it.
//!
//! ```
//! use std::time::Duration;
//!
//! use butterfly_model::cache::{Cache, Keep};
//!
//! # #[tokio::main]
//! # async fn main() -> butterfly_core::Result<()> {
//! let cache = Cache::memory(64 << 20);
//! cache.set("greeting", "hello", Duration::from_secs(60)).await?;
//! assert_eq!(cache.get::<String>("greeting").await?.as_deref(), Some("hello"));
//!
//! // Loaded once, however many ask for it at the same time.
//! let keep = Keep::fresh(Duration::from_secs(30)).tags(&["user:7"]);
//! let name: String = cache.get_or_load("name:7", keep, || async { Ok("Ada".to_owned()) }).await?;
//! assert_eq!(name, "Ada");
//!
//! cache.invalidate_tag("user:7").await?;
//! assert_eq!(cache.get::<String>("name:7").await?, None);
//! # Ok(())
//! # }
//! ```
//!
//! # Which one
//!
//! | cache | made by | holds |
//! | --- | --- | --- |
//! | memory | [`Cache::memory`] | what this process put in, by bytes; the least used goes first |
//! | disk | [`Cache::disk`], [`Disk`] | a file that survives restarts and that processes of one machine share |
//! | Redis | `RedisStore` | what all processes that reach a Redis share |
//! | two levels | [`Cache::two_level`] | memory above another store |
//! | your own | [`Cache::of`] | anything that is a [`Store`] |
//!
//! ```
//! use std::time::Duration;
//!
//! use butterfly_model::cache::{Cache, Disk, Evict};
//!
//! # #[tokio::main]
//! # async fn main() -> butterfly_core::Result<()> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let file = Disk::at(folder.join("cache.db")).size_limit(512 << 20).evict(Evict::LeastRecentlyUsed).open()?;
//! let cache = Cache::two_level(32 << 20, file);
//! let visits = cache.incr("visits", 1, Duration::from_secs(86_400)).await?;
//! assert_eq!(visits, 1);
//! # Ok(())
//! # }
//! ```
//!
//! # What to know
//!
//! - Values are JSON, so that other programs can read them, and so that a type may gain a field. What does not fit the
//!   type any more is an error of [`get`](Cache::get); [`get_or_load`](Cache::get_or_load) loads it anew.
//!   [`get_bytes`](Cache::get_bytes) and [`set_bytes`](Cache::set_bytes) take bytes as they are.
//! - [`Keep`] says how long: fresh for a time, then perhaps stale for a time. A stale value is given to those who can
//!   load a new one, while one of them does: a slow loader is waited for once, when there is nothing yet. With
//!   [`get_or_refresh`](Cache::get_or_refresh) nobody waits even then.
//! - A change outdates loads: what was being loaded when its key was set or deleted, or its tag invalidated, goes to
//!   those who wait already, and is not stored. This holds within one process.
//! - A failing store never fails [`get_or_load`](Cache::get_or_load): the value is loaded, the failure is counted in
//!   [`Counters::error`] and written to the log. All other methods say what failed, as [`CacheError`].
//! - [`at_hand`](Cache::at_hand) looks into memory without waiting and without an allocation.
//! - [`Cache::counters`] tells hits, misses, stale values and loads; those of a [named](Cache::named) cache are in
//!   `/metrics`.
//! - [`Cache::flight`] is the single flight alone, for what is made and stored in a way of its own.
//!
//! A function that remembers is made by [`Cache::memoize`].

mod counters;
mod disk;
mod entry;
mod error;
mod flight;
mod handle;
mod keep;
mod load;
mod memo;
mod memory;
mod named;
#[cfg(feature = "redis")]
mod redis;
mod store;
mod turn;

pub use counters::Counters;
pub use disk::{Disk, DiskStore, Evict};
pub use entry::{Age, Entry, Times};
pub use error::CacheError;
pub use handle::Cache;
pub use keep::Keep;
pub use memo::Memo;
pub use memory::MemoryStore;
pub use named::prometheus;
#[cfg(feature = "redis")]
pub use redis::RedisStore;
pub use store::{KEY_MAX, Pending, Store};
pub use turn::{Flight, Landing};
