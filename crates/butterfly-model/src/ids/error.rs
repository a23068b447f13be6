//! Why there is no id.

use std::fmt;
use std::time::Duration;

/// Why there is no id. No id was used up.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdError {
    /// The clock is so far behind the ids made before that new ones would say a wrong time.
    ClockBehind {
        /// How far it is behind.
        by: Duration,
        /// How far it may be.
        allowed: Duration,
    },
    /// The clock says a time that an id cannot hold: before 2020 or after 2089.
    ClockWrong {
        /// What it says, in milliseconds since 1970.
        unix_ms: u64,
    },
    /// Every worker number is taken.
    NoNumber(String),
    /// The worker number is somebody else's now: this process was out of touch for longer than its lease.
    Lost(String),
    /// What keeps the worker numbers cannot be read or written.
    Unavailable(String),
    /// An option has a value that cannot be.
    BadOption(String),
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClockBehind { by, allowed } => write!(
                f,
                "the clock is {by:?} behind the last id, more than the {allowed:?} that are allowed: set the clock \
                 right, or start again, which takes another worker number"
            ),
            Self::ClockWrong { unix_ms } => write!(
                f,
                "the clock says {unix_ms} ms since 1970, and ids hold the years 2020 to 2089: set the clock right"
            ),
            Self::NoNumber(why) => write!(f, "no worker number is free: {why}"),
            Self::Lost(why) => write!(f, "the lease of the worker number is lost: {why}"),
            Self::Unavailable(why) => write!(f, "the worker numbers are out of reach: {why}"),
            Self::BadOption(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for IdError {}
