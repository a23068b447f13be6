//! The line of a topic: its counts, which every change keeps.

use butterfly_store::rusqlite::{Connection, OptionalExtension, Row, params};
use butterfly_store::{StoreError, Tx};

use crate::message::State;

/// A topic's line in the file, as it is within a transaction. [`save`](Self::save) writes what was changed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Books {
    pub(super) topic: i64,
    pub(super) used: bool,
    pub(super) paused: bool,
    pub(super) scheduled: i64,
    pub(super) queued: i64,
    pub(super) started: i64,
    pub(super) finished: i64,
    pub(super) failed: i64,
    pub(super) suspects: i64,
    pub(super) laned: i64,
    pub(super) lanes: i64,
    pub(super) uniques: i64,
    pub(super) cancels: i64,
    pub(super) tat_us: i64,
    pub(super) last_end_us: i64,
}

const SELECT: &str = "SELECT id, used, paused, scheduled, queued, started, finished, failed, suspects, laned, lanes, \
                      uniques, cancels, tat_us, last_end_us FROM topic WHERE path = ?1";

fn of_row(row: &Row<'_>) -> butterfly_store::rusqlite::Result<Books> {
    Ok(Books {
        topic: row.get(0)?,
        used: row.get(1)?,
        paused: row.get(2)?,
        scheduled: row.get(3)?,
        queued: row.get(4)?,
        started: row.get(5)?,
        finished: row.get(6)?,
        failed: row.get(7)?,
        suspects: row.get(8)?,
        laned: row.get(9)?,
        lanes: row.get(10)?,
        uniques: row.get(11)?,
        cancels: row.get(12)?,
        tat_us: row.get(13)?,
        last_end_us: row.get(14)?,
    })
}

impl Books {
    /// The books of a topic, if it was ever used.
    pub(super) fn of(db: &Connection, path: &str) -> Result<Option<Self>, StoreError> {
        Ok(db.prepare_cached(SELECT)?.query_row([path], of_row).optional()?)
    }

    /// The books of a topic, made where they are missing.
    pub(super) fn make(tx: &Tx<'_>, path: &str) -> Result<Self, StoreError> {
        if let Some(books) = Self::of(tx, path)? {
            return Ok(books);
        }
        tx.execute("INSERT INTO topic (path) VALUES (?1)", [path])?;
        Ok(tx.prepare_cached(SELECT)?.query_row([path], of_row)?)
    }

    /// Writes the line if it differs from what it was.
    pub(super) fn save(&self, tx: &Tx<'_>, before: &Self) -> Result<(), StoreError> {
        if self == before {
            return Ok(());
        }
        let sql = "UPDATE topic SET used = ?2, paused = ?3, scheduled = ?4, queued = ?5, started = ?6, finished = ?7, \
                   failed = ?8, suspects = ?9, laned = ?10, lanes = ?11, uniques = ?12, cancels = ?13, tat_us = ?14, \
                   last_end_us = ?15 WHERE id = ?1";
        tx.prepare_cached(sql)?.execute(params![
            self.topic,
            self.used,
            self.paused,
            self.scheduled,
            self.queued,
            self.started,
            self.finished,
            self.failed,
            self.suspects,
            self.laned,
            self.lanes,
            self.uniques,
            self.cancels,
            self.tat_us,
            self.last_end_us,
        ])?;
        Ok(())
    }

    /// The count of a state, to be changed.
    pub(super) fn count(&mut self, state: State) -> &mut i64 {
        match state {
            State::Scheduled => &mut self.scheduled,
            State::Queued => &mut self.queued,
            State::Started => &mut self.started,
            State::Finished => &mut self.finished,
            State::Failed => &mut self.failed,
        }
    }

    /// A message goes from a state to another.
    pub(super) fn moved(&mut self, from: State, to: State) {
        *self.count(from) -= 1;
        *self.count(to) += 1;
    }

    /// The time of an end, later than that of every end before: so they stay in order within a millisecond.
    pub(super) fn end_us(&mut self, now_ms: u64) -> i64 {
        const SECOND_US: i64 = 1_000_000;
        let now_us = int(now_ms) * 1000;
        // Where the clock was put back, the truth is worth more than the order.
        let goes_on = self.last_end_us < now_us + SECOND_US;
        self.last_end_us = if goes_on { now_us.max(self.last_end_us + 1) } else { now_us };
        self.last_end_us
    }
}

/// Takes numbers that nobody had before; gives the first of them.
pub(super) fn take_numbers(tx: &Tx<'_>, count: usize) -> Result<i64, StoreError> {
    let sql = "UPDATE queue SET next = next + ?1 RETURNING next - ?1";
    Ok(tx.prepare_cached(sql)?.query_row([int(count as u64)], |row| row.get(0))?)
}

/// SQLite's numbers are signed; ours are far from the end of either.
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The other way.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
