//! How many may start in a time (GCRA).

use crate::message::Millis;
use crate::topic::Rate;

/// When the next start would be due, were all starts spread evenly: in Unix microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace(u64);

impl Pace {
    /// When the next one may start: now, or a later time. A pace that has fallen behind lets `count` start at once.
    pub(super) fn next(self, rate: &Rate, now: Millis) -> Millis {
        let ahead = rate.interval_us() * u64::from(rate.count.saturating_sub(1));
        self.0.saturating_sub(ahead).div_ceil(1000).max(now)
    }

    /// Counts a start.
    pub(super) fn start(&mut self, rate: &Rate, now: Millis) {
        self.0 = self.0.max(now * 1000) + rate.interval_us();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_evenly() {
        let rate = Rate { count: 5, per_ms: 1000 };
        let (mut pace, mut now, mut starts) = (Pace::default(), 10_000, vec![]);
        for _ in 0..8 {
            now = pace.next(&rate, now);
            pace.start(&rate, now);
            starts.push(now - 10_000);
        }
        assert_eq!(starts, [0, 0, 0, 0, 0, 200, 400, 600]);
    }
}
