//! How many may start in a time (GCRA): the state is one number, when the next start would be due were all starts spread
//! evenly, in Unix microseconds.

use super::books::int;
use crate::message::Millis;
use crate::topic::Rate;

fn interval(rate: Rate) -> i64 {
    int(rate.interval_us())
}

/// How far starts may run ahead of their even spread: after a pause, `count` may start at once.
fn ahead(rate: Rate) -> i64 {
    interval(rate).saturating_mul(i64::from(rate.count.saturating_sub(1)))
}

/// How many may start now.
pub(super) fn room(rate: Rate, tat_us: i64, now: Millis) -> u32 {
    let now_us = int(now) * 1000;
    let left = now_us + ahead(rate) - tat_us.max(now_us);
    if left < 0 { 0 } else { u32::try_from(left / interval(rate) + 1).unwrap_or(u32::MAX) }
}

/// The state after so many starts.
pub(super) fn started(rate: Rate, tat_us: i64, now: Millis, count: u32) -> i64 {
    tat_us.max(int(now) * 1000) + interval(rate) * i64::from(count)
}

/// When the next one may start, if not now.
pub(super) fn next(rate: Rate, tat_us: i64, now: Millis) -> Option<Millis> {
    let at = (tat_us - ahead(rate)).max(0) as u64;
    Some(at.div_ceil(1000)).filter(|at| *at > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_evenly() {
        let rate = Rate { count: 5, per_ms: 1000 };
        let (mut tat_us, mut now, mut starts) = (0, 10_000, vec![]);
        for _ in 0..8 {
            now = next(rate, tat_us, now).unwrap_or(now);
            assert!(room(rate, tat_us, now) >= 1);
            tat_us = started(rate, tat_us, now, 1);
            starts.push(now - 10_000);
        }
        assert_eq!(starts, [0, 0, 0, 0, 0, 200, 400, 600]);
        assert_eq!(room(rate, tat_us, now), 0);
        assert_eq!(room(rate, tat_us, now + 10_000), 5);
    }
}
