//! The cache as its users see it.

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
#[path = "cache/load.rs"]
mod load;
#[path = "cache/outage.rs"]
mod outage;
#[path = "cache/two_level.rs"]
mod two_level;
