//! Processes that write to one file take turns.
//!
//! SQLite's own lock is free for whoever asks first, which is again and again the process that just gave it back. So
//! who wants it first takes the lock of a file beside the store, keeps that while it waits for SQLite's, and gives it
//! back once it has it: the one that wrote last finds it taken and comes after.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};

use crate::StoreError;

pub(crate) struct Turn {
    next: File,
    timeout: Duration,
}

const FIRST_PAUSE: Duration = Duration::from_micros(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(1);

impl Turn {
    pub(crate) fn open(file: &Path, timeout: Duration) -> Result<Self, StoreError> {
        let mut name = file.as_os_str().to_owned();
        name.push("-turn");
        let next = File::options().create(true).truncate(false).write(true).open(&name);
        let next = next.map_err(|error| StoreError::of_io(Path::new(&name), "cannot open", &error))?;
        Ok(Self { next, timeout })
    }

    /// Begins a transaction that may write.
    pub(crate) fn begin(&self, db: &Connection) -> Result<(), StoreError> {
        let waited = Waited::new(self.timeout);
        self.wait_for_turn(waited)?;
        let begun = begin(db, waited);
        self.next.unlock().map_err(|error| StoreError::Unavailable(error.to_string()))?;
        begun
    }

    fn wait_for_turn(&self, mut waited: Waited) -> Result<(), StoreError> {
        loop {
            match self.next.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) => waited.pause()?,
                Err(TryLockError::Error(error)) => return Err(StoreError::Unavailable(error.to_string())),
            }
        }
    }
}

fn begin(db: &Connection, mut waited: Waited) -> Result<(), StoreError> {
    loop {
        match db.prepare_cached("BEGIN IMMEDIATE")?.execute([]) {
            Ok(_) => return Ok(()),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => waited.pause()?,
            Err(error) => return Err(error.into()),
        }
    }
}

/// How long somebody waits for a lock, asking at growing distances.
#[derive(Clone, Copy)]
struct Waited {
    since: Instant,
    timeout: Duration,
    pause: Duration,
}

impl Waited {
    fn new(timeout: Duration) -> Self {
        Self { since: Instant::now(), timeout, pause: FIRST_PAUSE }
    }

    fn pause(&mut self) -> Result<(), StoreError> {
        if self.since.elapsed() > self.timeout {
            let seconds = self.timeout.as_secs_f32();
            return Err(StoreError::Busy(format!(
                "another process has kept its write lock for {seconds} s: look for one that hangs or is stopped"
            )));
        }
        std::thread::sleep(self.pause);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }
}
