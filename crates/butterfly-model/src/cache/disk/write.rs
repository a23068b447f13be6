//! Writing: one at a time, at once if nobody else writes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::runtime::Handle;

use super::journal::{Seen, Turn};
use super::{DiskStore, Entry, Evict, Inner, evict, file, statements};
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

pub(super) struct State {
    db: Connection,
    /// About how many bytes were written since the size was last looked at.
    unseen: u64,
    /// Writes since expired values were last looked for.
    writes: u32,
    /// Whether it is on a thread that may wait.
    may_wait: bool,
}

/// The log is folded back when it has about so many bytes: pages that changed many times are then written once.
const LOG_MAX: u64 = 32 << 20;
/// What a small write adds to the log: the pages that it touches.
const LOG_LEAST: u64 = 10 << 10;
/// What a value of the journal adds to it beside itself.
const LOG_NOTED: u64 = 1 << 10;
/// So many values of the journal are settled where it stands; more, on a thread that may wait.
const MANY: usize = 64;
/// How often a turn is asked for before that is done by a thread that may wait.
const SPINS: u32 = 64;
/// How long such a thread sleeps while others write.
const SOON: Duration = Duration::from_micros(50);
const LATER: Duration = Duration::from_millis(2);
/// Expired values are looked for once in so many writes.
const PURGE_EACH: u32 = 64;
/// Uses are written down when so many values were read.
const USES_MAX: usize = 1024;

impl Writer {
    pub(super) fn new(db: Connection) -> rusqlite::Result<Self> {
        db.busy_timeout(Duration::ZERO)?;
        // The first write looks at the size: the limit may have been higher before.
        let state = State { db, unseen: u64::MAX, writes: 0, may_wait: false };
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

/// What is done in one's turn to write; it may be done twice, the first time in vain.
pub(super) type Job<T> = dyn Fn(&Inner, &mut State) -> Result<T, CacheError> + Send;

impl DiskStore {
    /// Changes the tables in one transaction: at once where that needs no waiting, else on a thread that may wait.
    ///
    /// `size` is about how many bytes are written. The closure may be run twice.
    pub(super) async fn write<T, F>(&self, size: u64, change: F) -> Result<T, CacheError>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Changed<T> + Send + 'static,
    {
        self.in_turn(Box::new(move |inner, state| inner.write(state, size, None, &change))).await
    }

    /// Stores a value without tags: in the journal, if it may be there.
    pub(super) async fn note(&self, key: String, entry: Entry, size: u64) -> Result<(), CacheError> {
        self.in_turn(Box::new(move |inner, state| {
            if inner.note(state, &key, &entry, size)? {
                return Ok(());
            }
            inner
                .write(state, size, Some((&key, &entry)), |db| statements::set(db, &key, &entry, &[]).map(Ok))
        }))
        .await
    }

    async fn in_turn<T: Send + 'static>(&self, job: Box<Job<T>>) -> Result<T, CacheError> {
        let done = match self.inner.at_once(&*job) {
            Err(CacheError::Busy(_)) => {
                let inner = self.inner.clone();
                blocking(move || inner.waiting(&*job)).await
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
    fn at_once<T>(&self, job: &Job<T>) -> Result<T, CacheError> {
        // Another turn takes a microsecond as a rule: less than to hand this to another thread.
        for _ in 0..SPINS {
            let mut state = match self.writer.state.try_lock() {
                Ok(state) => state,
                Err(TryLockError::Poisoned(state)) => state.into_inner(),
                Err(TryLockError::WouldBlock) => {
                    std::hint::spin_loop();
                    continue;
                }
            };
            if let Some(_turn) = self.turn(&state, false)? {
                return job(self, &mut state);
            }
            std::hint::spin_loop();
        }
        Err(CacheError::Busy(String::new()))
    }

    fn waiting<T>(&self, job: &Job<T>) -> Result<T, CacheError> {
        let mut state = self.writer.state.lock().unwrap_or_else(PoisonError::into_inner);
        let patience = |state: &State, time| {
            state.db.busy_timeout(time).map_err(|why| file::of_sql(&self.disk.path, why))
        };
        let _turn = self.wait_for_turn(&state, false)?;
        patience(&state, self.disk.lock_timeout)?;
        state.may_wait = true;
        let done = job(self, &mut state);
        state.may_wait = false;
        patience(&state, Duration::ZERO)?;
        done
    }

    /// The turn to write, with all read that others noted; `is_new` when this process just opened the file.
    fn turn(&self, state: &State, is_new: bool) -> Result<Option<Turn<'_>>, CacheError> {
        let Some(turn) = self.journal.turn().map_err(|why| self.of_journal(&why))? else { return Ok(None) };
        let settled = || statements::settled(&state.db).map_err(|why| file::of_sql(&self.disk.path, why));
        self.journal.catch_up(is_new, settled, |why| self.of_journal(&why))?;
        Ok(Some(turn))
    }

    /// As [`turn`](Self::turn), when the others had theirs.
    fn wait_for_turn(&self, state: &State, is_new: bool) -> Result<Turn<'_>, CacheError> {
        let begun = Instant::now();
        loop {
            if let Some(turn) = self.turn(state, is_new)? {
                return Ok(turn);
            }
            let waited = begun.elapsed();
            if waited >= self.disk.lock_timeout {
                return Err(CacheError::Busy(format!(
                    "{}: another process has been writing for too long",
                    self.journal.path.display()
                )));
            }
            std::thread::sleep(waited.clamp(SOON, LATER));
        }
    }

    /// Settles what was left behind, where it was settled already, and reads the rest.
    pub(super) fn catch_up(&self) -> Result<(), CacheError> {
        let state = self.writer.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.wait_for_turn(&state, true).map(drop)
    }

    /// Appends to the journal; false where the tables must be written.
    fn note(&self, state: &mut State, key: &str, entry: &Entry, size: u64) -> Result<bool, CacheError> {
        let unseen = state.unseen.saturating_add(size);
        // One that evicts nothing must know the size to the byte.
        if self.disk.evict == Evict::Nothing || unseen >= self.disk.size_limit / evict::STEPS {
            return Ok(false);
        }
        let noted = self.journal.append(key, entry).map_err(|why| self.of_journal(&why))?;
        if noted {
            state.unseen = unseen;
            state.writes += 1;
        }
        Ok(noted)
    }

    /// Changes the tables; `set` is what the change sets, where it does nothing else.
    fn write<T>(
        &self,
        state: &mut State,
        size: u64,
        set: Option<(&str, &Entry)>,
        change: impl Fn(&Connection) -> Changed<T>,
    ) -> Result<T, CacheError> {
        let of_sql = |why| file::of_sql(&self.disk.path, why);
        let of_journal = |why| self.of_journal(&why);
        if self.journal.seen().sets.len() > MANY && !state.may_wait {
            return Err(CacheError::Busy(String::new()));
        }
        let tx = Tx::begin(&state.db).map_err(of_sql)?;
        let before = self.recent.stamp();
        let noted = self.journal.settle().map_err(of_journal)?;
        if let Some(noted) = &noted {
            settle(tx.0, noted).map_err(of_sql)?;
        }
        let done = change(tx.0).map_err(of_sql)??;
        state.unseen = state.unseen.saturating_add(size);
        state.writes = state.writes.saturating_add(1);
        let sees = size > 0
            && (self.disk.evict == Evict::Nothing || state.unseen >= self.disk.size_limit / evict::STEPS);
        let uses = self.writer.take_uses(if sees { 1 } else { USES_MAX });
        if !uses.is_empty() {
            evict::write_uses(tx.0, &uses).map_err(of_sql)?;
        }
        let purges = state.writes >= PURGE_EACH;
        if purges {
            evict::expired(tx.0, 2 * state.writes).map_err(of_sql)?;
        }
        let shrunk = sees && evict::shrink(tx.0, &self.disk)?;
        tx.commit().map_err(of_sql)?;
        if purges {
            state.writes = 0;
        }
        if sees {
            state.unseen = 0;
        }
        // What was evicted is not known.
        if let (Some(set), Some(before), false) = (set, before, shrunk)
            && let Some(after) = self.recent.stamp()
        {
            let noted = noted.iter().flat_map(|noted| noted.in_order());
            let sets: Vec<_> = noted.map(|(key, noted)| (key, &noted.entry)).chain([set]).collect();
            // Whose uses are counted has an id, which is not known here.
            self.recent.go_on(&before, after, &sets, !self.disk.counts_uses());
        }
        let mut logged = size + LOG_LEAST;
        if let Some(noted) = noted {
            logged += noted.bytes() + noted.sets.len() as u64 * LOG_NOTED;
            drop(noted);
            self.journal.settled().map_err(of_journal)?;
        }
        self.writer.logged.fetch_add(logged, Ordering::Relaxed);
        Ok(done)
    }

    pub(super) fn of_journal(&self, why: &std::io::Error) -> CacheError {
        file::of_io(&self.journal.path, "cannot read or write", why)
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
    /// Writes down what was read: it counts after a restart too. What was set goes along.
    fn drop(&mut self) {
        let uses = self.writer.take_uses(1);
        if uses.is_empty() && self.journal.seen().is_empty() {
            return;
        }
        let Ok(mut state) = self.writer.state.lock() else { return };
        // Another process that writes just now goes first, and these uses are lost: they are a hint.
        if let Ok(Some(_turn)) = self.turn(&state, false) {
            state.may_wait = true;
            let _ = self.write(&mut state, 0, None, |db| evict::write_uses(db, &uses).map(Ok));
        }
    }
}

/// Brings into the tables what is in the journal.
fn settle(db: &Connection, noted: &Seen) -> rusqlite::Result<()> {
    for (key, noted) in noted.in_order() {
        statements::set(db, key, &noted.entry, &[])?;
        let uses = noted.uses.load(Ordering::Relaxed);
        if uses > 0 {
            statements::add_uses(db, key, uses)?;
        }
    }
    statements::settle(db, noted.generation())
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
