//! What all calls of a process share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::ctx::States;
use crate::later::Later;
use crate::metrics::Metrics;
use crate::registry::Registry;
use crate::replies::Replies;

/// An app: its handlers, its state, its figures.
#[derive(Debug)]
pub struct App {
    /// The name shown in documents and listings.
    pub name: String,
    /// The program's version.
    pub version: String,
    /// The handlers by path.
    pub registry: Registry,
    /// The program's own state, by type.
    pub state: States,
    /// Counts and durations by handler.
    pub metrics: Metrics,
    /// The secret that lets operators in from other machines.
    pub ops_token: Option<String>,
    /// What takes in calls to be made later; `None` where there is no queue.
    pub later: Option<Box<dyn Later>>,
    /// What keeps the answers of handlers with the option `cache`; `None` where none are kept.
    pub replies: Option<Box<dyn Replies>>,
    /// When the process began.
    pub since: Instant,
    ready: AtomicBool,
}

impl App {
    /// An app of these handlers.
    #[must_use]
    pub fn new(registry: Registry) -> Self {
        Self {
            name: "butterfly".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            metrics: Metrics::new(registry.handlers().len()),
            registry,
            state: States::default(),
            ops_token: None,
            later: None,
            replies: None,
            since: Instant::now(),
            ready: AtomicBool::new(false),
        }
    }

    /// True while the process takes calls: after the start, before the drain.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// Says whether the process takes calls.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
    }
}

impl Default for App {
    fn default() -> Self {
        Self::new(Registry::default())
    }
}
