//! When a failed run is tried again, and how a handler says so itself.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use butterfly_core::{Error, Fault};

/// No pause is longer.
const LONGEST: Duration = Duration::from_secs(3600);

/// The pause before attempt number `attempt` (the first repetition is 1): it doubles from `first`, up to an hour, and a
/// fifth of it, up or down, is chance, so that messages that failed together do not come back together.
#[must_use]
pub(crate) fn pause(first: Duration, attempt: u32, chance: f64) -> Duration {
    let doubled = first.saturating_mul(1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX));
    doubled.min(LONGEST).mul_f64(0.8 + 0.4 * chance)
}

/// Asks for another run after a time, whatever the message's retries: the handler's own wish does not count against
/// them.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use butterfly_core::Result;
///
/// fn fetch(quota: u32) -> Result<()> {
///     if quota == 0 {
///         return Err(butterfly_queue::retry_after(Duration::from_secs(30), "the quota is used up"));
///     }
///     Ok(())
/// }
/// assert_eq!(fetch(0).unwrap_err().stat().as_str(), "ERR_BUSY");
/// ```
#[must_use]
pub fn retry_after(after: Duration, reason: impl Into<String>) -> Error {
    Fault::Busy { reason: reason.into(), retry_after: after }.into()
}

/// Fails the message for good: what the error says will not change by trying again.
///
/// # Example
///
/// ```
/// use butterfly_core::{Result, Stat};
///
/// fn charge(card: &str) -> Result<u32> {
///     card.parse().map_err(butterfly_queue::never_retry)
/// }
/// assert_eq!(charge("x").unwrap_err().stat(), Stat::ERR_SERVER_EXCEPTION);
/// ```
pub fn never_retry(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
    Error::server(NeverRetry(error.into()))
}

/// An error that another run would meet again.
#[derive(Debug)]
struct NeverRetry(Box<dyn StdError + Send + Sync>);

impl fmt::Display for NeverRetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for NeverRetry {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

/// Whether another run may end otherwise.
pub(crate) fn may_help(fault: &Fault) -> bool {
    match fault {
        Fault::Server { source, .. } => !source.is::<NeverRetry>(),
        Fault::Timeout(_) | Fault::File(..) => true,
        // Arguments do not change by waiting.
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_to_an_hour() {
        let first = Duration::from_secs(1);
        let exact = |attempt| pause(first, attempt, 0.5).as_secs_f64().round();
        assert_eq!(
            [1, 2, 3, 10, 12, 13, 40, u32::MAX].map(exact),
            [1., 2., 4., 512., 2048., 3600., 3600., 3600.]
        );
    }

    #[test]
    fn chance_moves_a_pause_by_a_fifth() {
        let first = Duration::from_secs(10);
        assert_eq!(pause(first, 1, 0.0), Duration::from_secs(8));
        assert_eq!(pause(first, 1, 1.0), Duration::from_secs(12));
    }

    #[test]
    fn what_will_not_change_is_not_tried_again() {
        assert!(may_help(Error::server("down").fault()));
        assert!(!may_help(never_retry("wrong card").fault()));
        assert!(!may_help(crate::catalog::bad("a", "missing").fault()));
        assert_eq!(
            never_retry("wrong card").chain(),
            "ERR_SERVER_EXCEPTION: API Processing Exception: wrong card"
        );
    }
}
