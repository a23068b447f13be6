//! What stores hold: bytes and two times.

use std::time::Duration;

use bytes::Bytes;

use super::Keep;

/// A value as stores hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The value: JSON, where it came by a typed call.
    pub value: Bytes,
    /// How long it is kept.
    pub times: Times,
}

/// Until when a value is good, in Unix milliseconds.
///
/// Processes share stores, so these are times of day: a step of the clock moves them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// From then on it should be loaded anew; [`NEVER`](Self::NEVER) when never.
    pub fresh_until: u64,
    /// From then on it is gone, never earlier than `fresh_until`; [`NEVER`](Self::NEVER) when never.
    pub gone_at: u64,
}

/// What a value is good for just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// It counts.
    Fresh,
    /// It may be shown while a new one is loaded.
    Stale,
    /// It is as if it were not there.
    Gone,
}

impl Times {
    /// The time that does not come; it fits a signed number of 64 bits, which is what databases have.
    pub const NEVER: u64 = i64::MAX as u64;
    /// Kept until removed.
    pub const FOREVER: Self = Self { fresh_until: Self::NEVER, gone_at: Self::NEVER };

    /// The times of a value that is stored now.
    #[must_use]
    pub fn of(keep: &Keep<'_>) -> Self {
        let Some(fresh) = keep.fresh else { return Self::FOREVER };
        let fresh_until = after(now_ms(), fresh);
        Self { fresh_until, gone_at: after(fresh_until, keep.stale) }
    }

    /// What a value with these times is good for just now. The clock is read only where it matters.
    #[must_use]
    pub fn age(self) -> Age {
        if self.fresh_until >= Self::NEVER {
            return Age::Fresh;
        }
        match now_ms() {
            now if now < self.fresh_until => Age::Fresh,
            now if now < self.gone_at => Age::Stale,
            _ => Age::Gone,
        }
    }
}

pub(super) fn after(time: u64, span: Duration) -> u64 {
    let ms = u64::try_from(span.as_millis()).unwrap_or(Times::NEVER);
    time.saturating_add(ms).min(Times::NEVER)
}

/// Unix milliseconds.
/// The time of day, to the kernel's tick where it has such a clock: a look-up in memory takes some 300 ns, and the
/// exact time would be a tenth of that. Who sets a value and who reads it use the same.
pub(super) fn now_ms() -> u64 {
    #[cfg(target_os = "linux")]
    {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
        let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
        seconds * 1000 + u64::try_from(now.tv_nsec).unwrap_or(0) / 1_000_000
    }
    #[cfg(not(target_os = "linux"))]
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(Times::NEVER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_is_too_long_is_never() {
        let times = Times::of(&Keep::fresh(Duration::MAX).stale(Duration::MAX));
        assert_eq!(times, Times::FOREVER);
    }

    #[test]
    fn a_value_is_fresh_then_stale_then_gone() {
        let now = now_ms();
        let at = |fresh_until, gone_at| Times { fresh_until, gone_at }.age();
        assert_eq!(at(now + 60_000, now + 60_000), Age::Fresh);
        assert_eq!(at(now, now + 60_000), Age::Stale);
        assert_eq!(at(now, now), Age::Gone);
        assert_eq!(Times::FOREVER.age(), Age::Fresh);
        assert_eq!(Times::of(&Keep::fresh(Duration::ZERO)).age(), Age::Gone);
    }
}
