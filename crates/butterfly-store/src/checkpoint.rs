//! Folds the write-ahead log back into the file, beside the writer.
//!
//! The bulk is done by a thread of its own while the writer goes on. What was written meanwhile is little, and the
//! writer folds that itself between two transactions; then the log begins again at its start.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use rusqlite::Connection;

use crate::{Options, StoreError, file};

/// So many pages in the log, and it is folded back.
const PAGES: u32 = 4096;

thread_local! {
    /// The pages in the log after this thread's last commit. SQLite's hook is a plain function: it has no other place.
    static LOG_PAGES: Cell<u32> = const { Cell::new(0) };
}

/// What the writer knows of the log.
pub(crate) struct Checkpoint {
    bulk: SyncSender<()>,
    bulk_done: Arc<AtomicBool>,
    bulk_runs: bool,
    next_at: u32,
}

impl Checkpoint {
    /// Call it on the writer's thread.
    pub(crate) fn start(file: &Path, writer: &Connection, options: &Options) -> Result<Self, StoreError> {
        writer.wal_hook(Some(|_, pages| {
            LOG_PAGES.set(u32::try_from(pages).unwrap_or(0));
            Ok(())
        }));
        let db = file::writer(file, options)?;
        let (bulk, asked) = sync_channel(1);
        let bulk_done = Arc::new(AtomicBool::new(false));
        let done = Arc::clone(&bulk_done);
        std::thread::Builder::new()
            .name("store-checkpoint".into())
            .spawn(move || run(&db, &asked, &done))
            .map_err(|error| StoreError::of_io(file, "cannot start a thread for", &error))?;
        Ok(Self { bulk, bulk_done, bulk_runs: false, next_at: PAGES })
    }

    /// After each commit, between two transactions.
    pub(crate) fn look(&mut self, writer: &Connection) {
        let pages = LOG_PAGES.get();
        if self.bulk_runs {
            if self.bulk_done.swap(false, Ordering::Acquire) {
                self.bulk_runs = false;
                let all = fold(writer);
                // A reader that still looks at the old log keeps it from beginning again: try again later.
                self.next_at = if all { PAGES } else { pages.saturating_add(PAGES) };
            }
        } else if pages >= self.next_at {
            self.bulk_runs = self.bulk.try_send(()).is_ok();
        } else if pages < PAGES {
            self.next_at = PAGES;
        }
    }
}

fn run(db: &Connection, asked: &Receiver<()>, done: &AtomicBool) {
    while asked.recv().is_ok() {
        // The second time takes what came during the first, so that little is left to the writer.
        fold(db);
        fold(db);
        done.store(true, Ordering::Release);
    }
}

/// Folds what can be folded without waiting for anybody; true if that was all.
fn fold(db: &Connection) -> bool {
    let counts = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
    });
    match counts {
        Ok((busy, log, folded)) => busy == 0 && log == folded,
        // Nothing is lost: the log keeps what could not be folded, and the next time tries again.
        Err(error) => {
            tracing::warn!("the store's log could not be folded back into its file: {error}");
            false
        }
    }
}
