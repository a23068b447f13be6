//! The cache as its users see it; on Redis with the feature `live`:
//! `bash .ci/redis cargo test -p butterfly-model --features live --test cache`.

#![cfg(feature = "cache")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "cache/child.rs"]
mod child;
#[path = "cache/contract.rs"]
mod contract;
#[path = "cache/disk.rs"]
mod disk;
#[path = "cache/hostile.rs"]
mod hostile;
#[path = "hostile/mod.rs"]
mod hostile_values;
#[path = "cache/journal.rs"]
mod journal;
#[path = "cache/load.rs"]
mod load;
#[path = "cache/outage.rs"]
mod outage;
#[cfg(all(feature = "live", feature = "redis"))]
#[path = "cache/redis.rs"]
mod redis;
#[path = "cache/two_level.rs"]
mod two_level;
