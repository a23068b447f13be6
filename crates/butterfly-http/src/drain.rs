//! The word that goes to every connection when the server stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

/// Tells connections to end, and the server when the last one has.
#[derive(Debug, Default)]
pub(crate) struct Drain {
    stopping: AtomicBool,
    stop: Arc<Notify>,
    open: AtomicUsize,
    empty: Notify,
}

impl Drain {
    pub(crate) fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub(crate) fn begin(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.stop.notify_waiters();
    }

    /// Completes when the stop begins; made before `stopping` is asked, it misses nothing.
    pub(crate) fn begun(&self) -> OwnedNotified {
        self.stop.clone().notified_owned()
    }

    /// Counts a connection until the guard is dropped; `None` when there are `max` already.
    pub(crate) fn enter(self: &Arc<Self>, max: usize) -> Option<Open> {
        if self.open.fetch_add(1, Ordering::Relaxed) >= max {
            self.leave();
            return None;
        }
        Some(Open(self.clone()))
    }

    fn leave(&self) {
        if self.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.empty.notify_waiters();
        }
    }

    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    /// Waits until no connection is open.
    pub(crate) async fn emptied(&self) {
        loop {
            let empty = self.empty.notified();
            if self.open() == 0 {
                return;
            }
            empty.await;
        }
    }
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Open(Arc<Drain>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.leave();
    }
}
