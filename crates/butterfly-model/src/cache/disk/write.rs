//! Writing: one at a time, at once if nobody else writes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, TryLockError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::runtime::Handle;

use super::{DiskStore, Evict, Inner, evict, file};
use crate::cache::CacheError;

/// The connection that writes, and what it is to do beside.
pub(super) struct Writer {
    state: Mutex<State>,
    /// How often values were read since that was last written down, by their ids.
    uses: Mutex<HashMap<i64, i64>>,
    /// About how many bytes were written since the log was last folded back.
    logged: AtomicU64,
    folding: AtomicBool,
}

struct State {
    db: Connection,
    /// About how many bytes were written since the size was last looked at.
    unseen: u64,
    /// Writes since expired values were last looked for.
    writes: u32,
}

/// The log is folded back when it has about so many bytes: pages that changed many times are then written once.
const LOG_MAX: u64 = 32 << 20;
/// What a small write adds to the log: the pages that it touches.
const LOG_LEAST: u64 = 10 << 10;
/// Expired values are looked for once in so many writes.
const PURGE_EACH: u32 = 64;
/// Uses are written down when so many values were read.
const USES_MAX: usize = 1024;

impl Writer {
    pub(super) fn new(db: Connection) -> rusqlite::Result<Self> {
        db.busy_timeout(Duration::ZERO)?;
        // The first write looks at the size: the limit may have been higher before.
        let state = State { db, unseen: u64::MAX, writes: 0 };
        Ok(Self {
            state: Mutex::new(state),
            uses: Mutex::default(),
            logged: AtomicU64::new(0),
            folding: AtomicBool::new(false),
        })
    }

    pub(super) fn note_use(&self, id: i64) {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        // Where nobody writes it stays bounded: what is read first counts.
        if uses.len() < USES_MAX * 16 || uses.contains_key(&id) {
            *uses.entry(id).or_default() += 1;
        }
    }

    fn take_uses(&self, least: usize) -> HashMap<i64, i64> {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        if uses.len() < least { HashMap::new() } else { std::mem::take(&mut *uses) }
    }
}

/// A change that is made in a transaction; what it refuses is not kept.
pub(super) type Changed<T> = rusqlite::Result<Result<T, CacheError>>;

impl DiskStore {
    /// Changes the file in one transaction: at once where that needs no waiting, else on a thread that may wait.
    ///
    /// `size` is about how many bytes are written. The closure may be run twice.
    pub(super) async fn write<T, F>(&self, size: u64, change: F) -> Result<T, CacheError>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Changed<T> + Send + 'static,
    {
        let done = match self.inner.write_at_once(size, &change) {
            Err(CacheError::Busy(_)) => {
                let inner = self.inner.clone();
                blocking(move || inner.write_waiting(size, &change)).await
            }
            done => done,
        };
        if self.inner.is_to_fold() {
            let inner = self.inner.clone();
            let fold = move || inner.fold();
            match Handle::try_current() {
                Ok(runtime) => drop(runtime.spawn_blocking(fold)),
                Err(_) => fold(),
            }
        }
        done
    }
}

/// Runs what waits, where waiting holds up nobody.
async fn blocking<T: Send + 'static>(
    run: impl FnOnce() -> Result<T, CacheError> + Send + 'static,
) -> Result<T, CacheError> {
    match Handle::try_current() {
        Ok(runtime) => runtime
            .spawn_blocking(run)
            .await
            .map_err(|_| CacheError::Unavailable("the program ends: nothing is written any more".into()))?,
        Err(_) => run(),
    }
}

impl Inner {
    fn write_at_once<T>(
        &self,
        size: u64,
        change: impl Fn(&Connection) -> Changed<T>,
    ) -> Result<T, CacheError> {
        match self.writer.state.try_lock() {
            Ok(mut state) => self.write(&mut state, size, change),
            Err(TryLockError::Poisoned(state)) => self.write(&mut state.into_inner(), size, change),
            Err(TryLockError::WouldBlock) => Err(CacheError::Busy(String::new())),
        }
    }

    fn write_waiting<T>(
        &self,
        size: u64,
        change: impl Fn(&Connection) -> Changed<T>,
    ) -> Result<T, CacheError> {
        let mut state = self.writer.state.lock().unwrap_or_else(PoisonError::into_inner);
        let patience = |state: &State, time| {
            state.db.busy_timeout(time).map_err(|why| file::of_sql(&self.disk.path, why))
        };
        patience(&state, self.disk.lock_timeout)?;
        let done = self.write(&mut state, size, change);
        patience(&state, Duration::ZERO)?;
        done
    }

    fn write<T>(
        &self,
        state: &mut State,
        size: u64,
        change: impl Fn(&Connection) -> Changed<T>,
    ) -> Result<T, CacheError> {
        let of_sql = |why| file::of_sql(&self.disk.path, why);
        let tx = Tx::begin(&state.db).map_err(of_sql)?;
        let done = change(tx.0).map_err(of_sql)??;
        state.unseen = state.unseen.saturating_add(size);
        state.writes += 1;
        let sees = size > 0
            && (self.disk.evict == Evict::Nothing || state.unseen >= self.disk.size_limit / evict::STEPS);
        let uses = self.writer.take_uses(if sees { 1 } else { USES_MAX });
        if !uses.is_empty() {
            evict::write_uses(tx.0, &uses).map_err(of_sql)?;
        }
        if state.writes >= PURGE_EACH {
            evict::expired(tx.0, 2 * PURGE_EACH).map_err(of_sql)?;
            state.writes = 0;
        }
        if sees {
            evict::shrink(tx.0, &self.disk)?;
        }
        tx.commit().map_err(of_sql)?;
        if sees {
            state.unseen = 0;
        }
        self.writer.logged.fetch_add(size + LOG_LEAST, Ordering::Relaxed);
        Ok(done)
    }

    fn is_to_fold(&self) -> bool {
        self.writer.logged.load(Ordering::Relaxed) >= LOG_MAX
            && !self.writer.folding.swap(true, Ordering::AcqRel)
    }

    /// Folds the log back into the file, most of it while others write. A failure shows at the next write.
    fn fold(&self) {
        const FOLD: &str = "PRAGMA wal_checkpoint(PASSIVE)";
        let fold = |db: &Connection| db.query_row(FOLD, [], |_| Ok(())).is_ok();
        self.writer.logged.store(0, Ordering::Relaxed);
        if file::connect(&self.disk.path).is_ok_and(|db| fold(&db)) {
            // What was written meanwhile is little; once nothing is left, the log begins anew.
            fold(&self.writer.state.lock().unwrap_or_else(PoisonError::into_inner).db);
        }
        self.writer.folding.store(false, Ordering::Release);
    }
}

impl Drop for Inner {
    /// Writes down what was read: it counts after a restart too.
    fn drop(&mut self) {
        let uses = self.writer.take_uses(1);
        let state = self.writer.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if !uses.is_empty()
            && let Ok(tx) = Tx::begin(&state.db)
            && evict::write_uses(tx.0, &uses).is_ok()
        {
            // Another process that writes just now goes first, and these uses are lost: they are a hint.
            let _ = tx.commit();
        }
    }
}

/// A transaction; undone when it is dropped.
struct Tx<'a>(&'a Connection);

impl<'a> Tx<'a> {
    fn begin(db: &'a Connection) -> rusqlite::Result<Self> {
        db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        Ok(Self(db))
    }

    fn commit(self) -> rusqlite::Result<()> {
        self.0.prepare_cached("COMMIT")?.execute([]).map(drop)
    }
}

impl Drop for Tx<'_> {
    fn drop(&mut self) {
        if !self.0.is_autocommit() {
            // Where this fails, the next BEGIN says why.
            let _ = self.0.execute_batch("ROLLBACK");
        }
    }
}
