//! What handlers tell the test, and what the test tells handlers.

use std::sync::{Condvar, Mutex};
use std::time::Instant;

use super::DEADLINE;

/// A list that grows, and those who wait for it.
#[derive(Default)]
pub(crate) struct Events {
    list: Mutex<Vec<String>>,
    grown: Condvar,
}

impl Events {
    pub(crate) fn push(&self, event: impl Into<String>) {
        self.list.lock().unwrap().push(event.into());
        self.grown.notify_all();
    }

    /// Waits until an event fits.
    pub(crate) fn wait(&self, what: &str, fits: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + DEADLINE;
        let mut list = self.list.lock().unwrap();
        loop {
            if let Some(found) = list.iter().find(|event| fits(event)) {
                return found.clone();
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{what} did not come; there are {:#?}", *list);
            list = self.grown.wait_timeout(list, left).unwrap().0;
        }
    }

    /// Waits for this very event.
    pub(crate) fn expect(&self, event: &str) {
        self.wait(event, |known| known == event);
    }

    pub(crate) fn list(&self) -> Vec<String> {
        self.list.lock().unwrap().clone()
    }
}

/// Holds handlers back until the test lets them go.
pub(crate) struct Gate(tokio::sync::Semaphore);

impl Default for Gate {
    fn default() -> Self {
        Self(tokio::sync::Semaphore::new(0))
    }
}

impl Gate {
    /// Waits until one call is let go: this one, or another.
    pub(crate) async fn pass(&self) {
        self.0.acquire().await.unwrap().forget();
    }

    pub(crate) fn open(&self, calls: usize) {
        self.0.add_permits(calls);
    }
}
