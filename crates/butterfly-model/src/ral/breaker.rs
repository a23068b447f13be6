//! A circuit breaker: an address that fails again and again is left in peace, then tried with one call.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A year: as good as for ever.
const REST_MAX: Duration = Duration::from_secs(365 * 24 * 3600);

#[derive(Debug)]
pub(super) struct Breaker {
    /// Opens after so many failures in a row.
    limit: u32,
    /// Stays open for so long.
    rest: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Calls go through; so many have failed in a row.
    Closed(u32),
    /// No call goes through before this time.
    Open(Instant),
    /// One call is on its way to find out.
    Probing,
}

/// The right to one call. One that is dropped without a word has found out nothing.
#[derive(Debug)]
pub(super) struct Pass {
    breaker: Arc<Breaker>,
    since: Instant,
    probe: bool,
    told: bool,
}

impl Breaker {
    pub(super) fn new(limit: u32, rest: Duration) -> Self {
        // So that no clock overflows.
        let rest = rest.min(REST_MAX);
        Self { limit, rest, state: Mutex::new(State::Closed(0)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether calls are kept away just now.
    pub(super) fn is_open(&self) -> bool {
        !matches!(*self.state(), State::Closed(_))
    }

    pub(super) fn admit(self: &Arc<Self>, now: Instant) -> Option<Pass> {
        let mut state = self.state();
        let probe = match *state {
            State::Closed(_) => false,
            State::Open(until) if until <= now => true,
            State::Open(_) | State::Probing => return None,
        };
        if probe {
            *state = State::Probing;
        }
        drop(state);
        Some(Pass { breaker: self.clone(), since: now, probe, told: false })
    }
}

impl Pass {
    /// The address has answered.
    pub(super) fn good(mut self) {
        self.told = true;
        let mut state = self.breaker.state();
        // A call from before the breaker opened says nothing about now.
        if self.probe || matches!(*state, State::Closed(_)) {
            *state = State::Closed(0);
        }
    }

    /// The address has failed. Tells whether it is left in peace from now on.
    pub(super) fn bad(mut self, now: Instant) -> bool {
        self.told = true;
        let mut state = self.breaker.state();
        let failures = match *state {
            State::Closed(failures) => failures.saturating_add(1),
            _ if self.probe => self.breaker.limit,
            _ => return false,
        };
        let opens = failures >= self.breaker.limit;
        *state = if opens { State::Open(now + self.breaker.rest) } else { State::Closed(failures) };
        opens
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.probe && !self.told {
            *self.breaker.state() = State::Open(self.since);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Duration = Duration::from_secs(2);

    fn opened(now: Instant) -> Arc<Breaker> {
        let breaker = Arc::new(Breaker::new(3, REST));
        let opened: Vec<bool> = (0..3).map(|_| breaker.admit(now).unwrap().bad(now)).collect();
        assert_eq!(opened, [false, false, true]);
        breaker
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_lets_one_probe_through() {
        let now = Instant::now();
        let breaker = opened(now);
        assert!(breaker.admit(now).is_none() && breaker.is_open());
        let now = now + REST;
        let probe = breaker.admit(now).unwrap();
        assert!(breaker.admit(now).is_none(), "one probe at a time");
        assert!(probe.bad(now));
        assert!(breaker.admit(now).is_none(), "it rests again");
        let now = now + REST;
        breaker.admit(now).unwrap().good();
        assert!(!breaker.is_open());
        assert!(!breaker.admit(now).unwrap().bad(now), "the count starts anew");
    }

    #[test]
    fn a_rest_for_ever_is_no_overflow() {
        let breaker = Arc::new(Breaker::new(1, Duration::MAX));
        let now = Instant::now();
        assert!(breaker.admit(now).unwrap().bad(now));
        assert!(breaker.admit(now + Duration::from_secs(3600)).is_none());
    }

    #[test]
    fn a_probe_that_is_given_up_makes_way_for_another() {
        let now = Instant::now();
        let breaker = opened(now);
        let now = now + REST;
        drop(breaker.admit(now).unwrap());
        assert!(breaker.admit(now).is_some());
    }

    #[test]
    fn a_success_between_failures_keeps_it_closed_and_old_calls_do_not_count() {
        let now = Instant::now();
        let breaker = Arc::new(Breaker::new(2, REST));
        for _ in 0..5 {
            assert!(!breaker.admit(now).unwrap().bad(now));
            breaker.admit(now).unwrap().good();
        }
        let (old_good, old_bad) = (breaker.admit(now).unwrap(), breaker.admit(now).unwrap());
        breaker.admit(now).unwrap().bad(now);
        breaker.admit(now).unwrap().bad(now);
        old_good.good();
        assert!(breaker.is_open());
        assert!(!old_bad.bad(now));
    }
}
