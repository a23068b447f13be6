//! The embedded engine passes the suite: every case is a test here.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::Arc;

use butterfly_queue::conformance::{Place, Subject};
use butterfly_queue::embedded::{EmbeddedEngine, Options};
use butterfly_queue::engine::{Engine, EngineFuture};
use tempfile::TempDir;

/// A folder for each case.
struct Embedded;

impl Subject for Embedded {
    fn fresh(&self) -> EngineFuture<'_, Box<dyn Place>> {
        Box::pin(async { Ok(Box::new(Folder(tempfile::tempdir().unwrap())) as Box<dyn Place>) })
    }
}

/// The handles of a folder share its file alone, as those of several processes do. What a crash cuts off is shown with
/// processes that are killed, elsewhere.
struct Folder(TempDir);

impl Place for Folder {
    fn open(&self) -> EngineFuture<'_, Arc<dyn Engine>> {
        Box::pin(async {
            let engine = EmbeddedEngine::open(self.0.path().join("queue.db"), Options::default())?;
            Ok(Arc::new(engine) as Arc<dyn Engine>)
        })
    }
}

butterfly_queue::conformance!(Embedded);
