//! How long a step may take: its own limit, or what is left of the whole.

use std::time::Duration;

use tokio::time::Instant;

#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Option<Instant>);

impl Deadline {
    pub(super) fn after(left: Option<Duration>) -> Self {
        Self(left.and_then(|left| Instant::now().checked_add(left)))
    }

    /// The time for a step, and whether it is the whole's and not the step's own.
    pub(super) fn limit(self, step: Duration) -> (Duration, bool) {
        match self.0.map(|at| at.saturating_duration_since(Instant::now())) {
            Some(left) if left < step => (left, true),
            _ => (step, false),
        }
    }
}
