//! The one thread that writes: all closures that wait share a transaction.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::checkpoint::Checkpoint;
use crate::sync::{Committed, Sync};
use crate::turn::Turn;
use crate::tx::Hook;
use crate::{Durability, Options, StoreError, Tx};

/// A closure that waits, whatever it answers with.
pub(crate) trait Job: Send {
    /// Runs it and keeps its answer; the error if it failed.
    fn run(&mut self, tx: &Tx<'_>) -> Result<(), StoreError>;
    /// Gives the answer that was kept, or the error of the whole.
    fn answer(self: Box<Self>, whole: Result<(), StoreError>);
}

/// A closure and who waits for its answer.
pub(crate) struct Write<F, T> {
    change: F,
    kept: Option<T>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Write<F, T> {
    pub(crate) fn new(change: F, answer: oneshot::Sender<Result<T, StoreError>>) -> Self {
        Self { change, kept: None, answer }
    }
}

impl<F, T> Job for Write<F, T>
where
    T: Send,
    F: FnMut(&Tx<'_>) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, tx: &Tx<'_>) -> Result<(), StoreError> {
        self.kept = Some((self.change)(tx)?);
        Ok(())
    }

    fn answer(self: Box<Self>, whole: Result<(), StoreError>) {
        let Self { kept, answer, .. } = *self;
        let lost = || StoreError::Unavailable("the closure was not run".into());
        // Who has stopped waiting does not want to know.
        let _ = answer.send(whole.and_then(|()| kept.ok_or_else(lost)));
    }
}

pub(crate) struct Writer {
    db: Connection,
    turn: Turn,
    checkpoint: Checkpoint,
    sync: Option<Sync>,
    waiting: mpsc::Receiver<Box<dyn Job>>,
}

/// So many closures share a transaction at most.
const SHARED_MAX: usize = 256;

impl Writer {
    pub(crate) fn start(
        file: &Path,
        db: Connection,
        options: &Options,
        waiting: mpsc::Receiver<Box<dyn Job>>,
    ) -> Result<(), StoreError> {
        // `Turn` waits by itself, in small steps.
        db.busy_timeout(std::time::Duration::ZERO)?;
        let turn = Turn::open(file, options.lock_timeout)?;
        let checkpoint = Checkpoint::start(file, &db, options)?;
        let sync = match options.durability {
            Durability::Full => Some(Sync::start(file)?),
            Durability::Normal => None,
        };
        let writer = Self { db, turn, checkpoint, sync, waiting };
        std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || writer.run())
            .map_err(|error| StoreError::of_io(file, "cannot start a thread for", &error))?;
        Ok(())
    }

    fn run(mut self) {
        while let Some(first) = self.waiting.blocking_recv() {
            let mut jobs = vec![first];
            while !jobs.is_empty() {
                jobs = self.transaction(jobs);
            }
            self.checkpoint.look(&self.db);
        }
    }

    /// Runs jobs, and those that come meanwhile, in one transaction. Gives back those to be run again, without one
    /// that failed.
    fn transaction(&mut self, mut jobs: Vec<Box<dyn Job>>) -> Vec<Box<dyn Job>> {
        if let Err(error) = self.turn.begin(&self.db) {
            answer_all(jobs, &error);
            return Vec::new();
        }
        let start = self.db.total_changes();
        let mut done = Done::default();
        let mut at = 0;
        while at < jobs.len() || self.take_another(&mut jobs) {
            let before = self.db.total_changes();
            match done.run(&self.db, &mut *jobs[at]) {
                Ok(()) => at += 1,
                Err(error) => {
                    jobs.remove(at).answer(Err(error));
                    if self.db.total_changes() != before || self.db.is_autocommit() {
                        self.roll_back();
                        return jobs;
                    }
                }
            }
        }
        let changed = self.db.total_changes() != start;
        self.commit(jobs, done, changed);
        Vec::new()
    }

    fn take_another(&mut self, jobs: &mut Vec<Box<dyn Job>>) -> bool {
        if jobs.len() >= SHARED_MAX {
            return false;
        }
        self.waiting.try_recv().map(|job| jobs.push(job)).is_ok()
    }

    fn commit(&mut self, jobs: Vec<Box<dyn Job>>, done: Done, changed: bool) {
        if let Err(error) = self.db.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([])) {
            self.roll_back();
            return answer_all(jobs, &error.into());
        }
        done.visible.into_iter().for_each(|hook| hook());
        let (now, jobs): (Vec<_>, Vec<_>) =
            jobs.into_iter().zip(done.relaxed).partition(|(_, relaxed)| *relaxed);
        now.into_iter().for_each(|(job, _)| job.answer(Ok(())));
        let jobs = jobs.into_iter().map(|(job, _)| job).collect();
        let committed = Committed { jobs, hooks: done.durable };
        match &self.sync {
            Some(sync) if changed && !committed.is_empty() => sync.hand_over(committed),
            _ => committed.answer(&Ok(())),
        }
    }

    fn roll_back(&self) {
        // SQLite has done it already where the disk is full or broken.
        if !self.db.is_autocommit()
            && let Err(error) = self.db.execute_batch("ROLLBACK")
        {
            tracing::error!("the store could not roll a transaction back: {error}");
        }
    }
}

/// What the jobs of a transaction leave to be done.
#[derive(Default)]
struct Done {
    visible: Vec<Hook>,
    durable: Vec<Hook>,
    /// Of each job, whether its answer need not wait for the disk.
    relaxed: Vec<bool>,
}

impl Done {
    fn run(&mut self, db: &Connection, job: &mut dyn Job) -> Result<(), StoreError> {
        let tx = Tx::new(db);
        let ran = catch_unwind(AssertUnwindSafe(|| job.run(&tx)));
        ran.unwrap_or_else(|_| Err(StoreError::Refused("a closure panicked".into())))?;
        let (visible, durable, relaxed) = tx.into_hooks();
        self.visible.extend(visible);
        self.durable.extend(durable);
        self.relaxed.push(relaxed);
        Ok(())
    }
}

fn answer_all(jobs: Vec<Box<dyn Job>>, error: &StoreError) {
    jobs.into_iter().for_each(|job| job.answer(Err(error.clone())));
}
