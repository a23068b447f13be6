//! Ids: numbers and UUIDs that are never given twice, and that sort by the time they were made.
//!
//! [`Snowflakes`] makes numbers of 63 bits that fit a `BIGINT`; [`uuid_v7`] makes UUIDs, which need nothing prepared.
//!
//! ```
//! use butterfly_model::ids::{FileWorkers, Snowflakes, uuid_v7};
//!
//! # let data = tempfile::tempdir()?;
//! let ids = Snowflakes::start(FileWorkers::new(data.path().join("ids")))?;
//! let first = ids.next_id()?;
//! let second = ids.next_id()?;
//! assert!(first < second);
//! assert_eq!((first.datacenter(), first.worker()), (0, 0));
//! assert!(first.time() <= std::time::SystemTime::now() + std::time::Duration::from_millis(1));
//!
//! assert!(uuid_v7() < uuid_v7());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The layout of a snowflake
//!
//! ```text
//!   1 bit   zero, so that the number is positive everywhere
//!  41 bits  milliseconds since 2020-01-01 UTC (until the year 2089)
//!   5 bits  datacenter
//!   5 bits  worker
//!  12 bits  sequence within the millisecond: 4096 ids
//! ```
//!
//! # Why no id comes twice
//!
//! - *The worker number is leased, not configured.* Whoever makes ids holds a number that nobody else holds:
//!   [`FileWorkers`] gives numbers to the processes of one machine, by a lock that the kernel lets go of when its process
//!   dies. Machines that share a datacenter number need a [`WorkerNumbers`] that they share too (`RedisWorkers`,
//!   with the feature `redis`); else each machine needs a datacenter number of its own.
//! - *Times are reserved ahead.* Before the first id of a block of time is handed out, the lease notes the block's end where
//!   it survives. The next holder of the number starts there, whatever its clock says.
//! - *A clock that goes backwards* changes nothing for the ids: they go on from the last time, at most 4096 for each
//!   millisecond that passes, until the clock has caught up. Where it is further behind than
//!   [`max_behind`](Options::max_behind) (ten minutes), ids would say a time that is plainly wrong: the call fails with
//!   [`IdError::ClockBehind`] until the clock is right, and a start takes another worker number.

mod clock;
mod error;
mod file_workers;
#[cfg(feature = "redis")]
mod redis_workers;
mod snowflake;
mod snowflakes;
mod uuid;
mod workers;

pub use self::clock::{Clock, SystemClock};
pub use self::error::IdError;
pub use self::file_workers::FileWorkers;
#[cfg(feature = "redis")]
pub use self::redis_workers::RedisWorkers;
pub use self::snowflake::{EPOCH_MS, ParseSnowflakeError, Snowflake};
pub use self::snowflakes::{Options, Snowflakes};
pub use self::uuid::{uuid_v7, uuid_v7_time};
pub use self::workers::{WorkerLease, WorkerNumbers};
