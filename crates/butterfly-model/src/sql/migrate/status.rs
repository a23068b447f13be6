//! How a database stands to its migrations and to the entities.

use std::path::PathBuf;

use super::files::Migration;
use super::history::{Entry, State};

/// What [`Migrations::make`](super::Migrations::make) has written.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Made {
    /// The migration's name.
    pub name: String,
    /// Its two files.
    pub files: [PathBuf; 2],
    /// What they do.
    pub steps: Vec<Step>,
}

/// One step between the database and the entities.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Step {
    /// What is done: `add column todo.due date`.
    pub says: String,
    /// What rows lose by it, if anything.
    pub loses: Option<String>,
    /// What may stand in its way.
    pub note: Option<String>,
}

/// How a migration stands.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Standing {
    /// Its name.
    pub name: String,
    /// Whether it is applied, and what is wrong with it.
    pub state: MigrationState,
    /// When it was applied: `2026-11-27T10:15:00Z`; empty before.
    pub applied_at: String,
    /// Milliseconds that it took.
    pub took_ms: i64,
    /// What applying it loses.
    pub loses: Vec<String>,
    /// Why it stopped, if it did.
    pub error: String,
}

/// Where a migration is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MigrationState {
    /// Applied, as its file says.
    Applied,
    /// Not applied yet.
    Pending,
    /// Applied, and its file has changed since.
    Changed,
    /// Applied, and its file is not there.
    Missing,
    /// It stopped, after so many of so many statements, when it was applied or taken back.
    Stopped {
        /// Statements that are done.
        done: usize,
        /// All statements.
        of: usize,
        /// Whether it was being taken back.
        back: bool,
    },
}

/// How a database stands to its migrations and to the entities.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Status {
    /// All migrations, in order.
    pub migrations: Vec<Standing>,
    /// What lies between the database and the entities.
    pub drift: Vec<Step>,
    /// Tables that no entity and no migration made.
    pub alone: Vec<String>,
}

impl Status {
    /// Those that `up` would apply.
    pub fn pending(&self) -> impl Iterator<Item = &Standing> {
        let pending =
            |state| matches!(state, MigrationState::Pending | MigrationState::Stopped { back: false, .. });
        self.migrations.iter().filter(move |one| pending(one.state))
    }

    /// Whether nothing is to be done.
    #[must_use]
    pub fn in_order(&self) -> bool {
        self.drift.is_empty() && self.migrations.iter().all(|one| one.state == MigrationState::Applied)
    }
}

/// How each migration stands, in order of their names.
pub(super) fn standings(files: &[Migration], history: &[Entry]) -> Vec<Standing> {
    let mut all: Vec<Standing> = files
        .iter()
        .map(|file| {
            let entry = history.iter().find(|entry| entry.name == file.name);
            let state = match entry {
                None => MigrationState::Pending,
                Some(entry) => state(file, entry),
            };
            standing(&file.name, state, entry, file.up.losses.clone())
        })
        .collect();
    let missing = history.iter().filter(|entry| !files.iter().any(|file| file.name == entry.name));
    all.extend(missing.map(|entry| standing(&entry.name, MigrationState::Missing, Some(entry), Vec::new())));
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}

fn state(file: &Migration, entry: &Entry) -> MigrationState {
    let stopped = |of, back| MigrationState::Stopped { done: entry.done, of, back };
    match entry.state {
        State::Up => stopped(file.up.statements.len(), false),
        State::Down => stopped(file.down.as_ref().map_or(0, |down| down.statements.len()), true),
        State::Applied if entry.checksum != file.up.checksum => MigrationState::Changed,
        State::Applied => MigrationState::Applied,
    }
}

fn standing(name: &str, state: MigrationState, entry: Option<&Entry>, loses: Vec<String>) -> Standing {
    Standing {
        name: name.to_owned(),
        state,
        applied_at: entry.map(|entry| entry.at.clone()).unwrap_or_default(),
        took_ms: entry.map_or(0, |entry| entry.took_ms),
        loses,
        error: entry.map(|entry| entry.error.clone()).unwrap_or_default(),
    }
}
