//! Waits for the disk, for many transactions at once.
//!
//! A commit has written its pages to the log, and SQLite (with `synchronous = FULL`) would now wait for the disk before
//! the next transaction may begin. Here the next one begins at once, while another thread waits for the disk and then
//! answers all whose commits came before its wait. What they are told is the same: the log is on disk up to their
//! commit, and SQLite's recovery takes each commit in the log that is whole. The rest of SQLite's promise is not
//! touched: it still waits for the disk itself where the order matters, before and after the log is folded back.

use std::fs::File;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use crate::tx::Hook;
use crate::writer::Job;
use crate::{StoreError, file};

/// What a commit leaves to be done when it is on disk.
pub(crate) struct Committed {
    pub(crate) jobs: Vec<Box<dyn Job>>,
    pub(crate) hooks: Vec<Hook>,
}

impl Committed {
    pub(crate) fn is_empty(&self) -> bool {
        self.jobs.is_empty() && self.hooks.is_empty()
    }

    pub(crate) fn answer(self, result: &Result<(), StoreError>) {
        if result.is_ok() {
            self.hooks.into_iter().for_each(|hook| hook());
        }
        self.jobs.into_iter().for_each(|job| job.answer(result.clone()));
    }
}

/// The thread that waits for the disk.
pub(crate) struct Sync {
    commits: Option<Sender<Committed>>,
    thread: Option<JoinHandle<()>>,
}

impl Sync {
    /// `file`'s log must exist: some connection of this process has it open, and keeps it.
    pub(crate) fn start(file: &Path) -> Result<Self, StoreError> {
        let log = file::log(file);
        let of_io = |error| StoreError::of_io(&log, "cannot open", &error);
        let opened = File::options().write(true).open(&log).map_err(of_io)?;
        let (commits, waiting) = channel();
        let thread = std::thread::Builder::new()
            .name("store-sync".into())
            .spawn(move || run(&opened, &waiting))
            .map_err(of_io)?;
        Ok(Self { commits: Some(commits), thread: Some(thread) })
    }

    pub(crate) fn hand_over(&self, committed: Committed) {
        let Some(commits) = &self.commits else { return };
        if let Err(unsent) = commits.send(committed) {
            unsent
                .0
                .answer(&Err(StoreError::Unavailable("the thread that waits for the disk is gone".into())));
        }
    }
}

impl Drop for Sync {
    fn drop(&mut self) {
        self.commits = None;
        if let Some(thread) = self.thread.take() {
            // It ends when it has answered all; it cannot have panicked, and nobody would be there to tell.
            let _ = thread.join();
        }
    }
}

fn run(log: &File, waiting: &Receiver<Committed>) {
    let mut broken = None;
    while let Ok(first) = waiting.recv() {
        let all: Vec<_> = std::iter::once(first).chain(waiting.try_iter()).collect();
        let result = match &broken {
            None => log.sync_data().map_err(|error| {
                // After a failure the system may have forgotten what it could not write, and say yes the next time.
                StoreError::Unavailable(format!(
                    "the disk does not take what is written ({error}); the last changes may be lost. Mend the disk, \
                     then start again"
                ))
            }),
            Some(error) => Err(StoreError::clone(error)),
        };
        if let Err(error) = &result {
            broken = Some(error.clone());
        }
        all.into_iter().for_each(|committed| committed.answer(&result));
    }
}
