//! The time of day, as ids see it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The time of day; a test puts in one that it turns by hand.
pub trait Clock: Send + Sync + 'static {
    /// The time since 1970-01-01 UTC.
    fn now(&self) -> Duration;

    /// Waits on this thread until so much time has passed.
    fn sleep(&self, time: Duration);
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}
