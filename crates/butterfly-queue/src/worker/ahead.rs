//! How many messages a worker claims beyond what it can run at once.
//!
//! Where runs are short, the way to the engine would cost more than the run: some messages wait here, at most for
//! [`AHEAD`]. Where they are long, none does: another worker may have them sooner.

use std::time::Duration;

/// Messages wait here at most about so long.
const AHEAD: Duration = Duration::from_millis(5);
/// At most so many of a topic are here at once.
const MOST: u32 = 512;
/// One exchange claims at most so many.
pub(super) const CLAIM_MAX: u32 = 256;

/// The mean duration of a topic's runs: a moving average, in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace(Option<f64>);

impl Pace {
    pub(super) fn ran(&mut self, cost_us: u64) {
        let cost = cost_us.max(1) as f64;
        // The first run may be slow for other reasons, and the last ones count most.
        self.0 = Some(self.0.map_or(cost, |mean| mean + (cost - mean) * 0.05));
    }

    /// How many messages of this pace `runners` run in [`AHEAD`].
    pub(super) fn ahead(self, runners: usize) -> u32 {
        let Some(mean) = self.0 else { return 0 };
        let count = AHEAD.as_micros() as f64 * runners as f64 / mean;
        // What would be less than one message for each runner is not worth the wait.
        if count < runners as f64 { 0 } else { (count as u32).min(MOST) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ahead_of(cost_us: u64) -> u32 {
        let mut pace = Pace::default();
        (0..200).for_each(|_| pace.ran(cost_us));
        pace.ahead(10)
    }

    #[test]
    fn short_runs_are_fetched_ahead_and_long_ones_are_not() {
        assert_eq!(Pace::default().ahead(10), 0);
        assert_eq!(ahead_of(1), MOST);
        assert_eq!(ahead_of(1000), 50);
        assert_eq!(ahead_of(10_000), 0);
        assert_eq!(ahead_of(60_000_000), 0);
    }
}
