//! The lanes of a topic that is limited by key: keys take turns, and each has limits of its own.

use std::borrow::Cow;

use butterfly_store::rusqlite::{OptionalExtension, Row, params};
use butterfly_store::{StoreError, Tx};

use super::books::{Books, int, take_numbers, unsigned};
use super::line::{self, Waiting};
use super::pace;
use crate::message::Millis;
use crate::topic::Limits;

/// A key's line in the file.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    id: i64,
    queued: i64,
    running: i64,
    tat_us: i64,
    last: i64,
}

const COLUMNS: &str = "id, queued, running, tat_us, last";

fn of_row(row: &Row<'_>) -> butterfly_store::rusqlite::Result<Lane> {
    Ok(Lane {
        id: row.get(0)?,
        queued: row.get(1)?,
        running: row.get(2)?,
        tat_us: row.get(3)?,
        last: row.get(4)?,
    })
}

/// Messages without a key have a lane together, which is not that of the empty key.
fn written(key: Option<&str>) -> Cow<'static, str> {
    key.map_or(Cow::Borrowed(""), |key| Cow::Owned(format!("={key}")))
}

impl Lane {
    pub(super) fn id(&self) -> i64 {
        self.id
    }

    /// Whether the limits of the key let one more start.
    fn may_start(&self, limits: &Limits, now: Millis) -> bool {
        let full = limits.key_concurrency.is_some_and(|most| self.running >= i64::from(most));
        !full && self.resumes(limits, now).is_none()
    }

    fn resumes(&self, limits: &Limits, now: Millis) -> Option<Millis> {
        limits.key_rate.and_then(|rate| pace::next(rate, self.tat_us, now))
    }

    /// Writes the line, with its first message if that may start now, or the time when it may.
    fn save(&self, tx: &Tx<'_>, topic: i64, limits: &Limits, now: Millis) -> Result<(), StoreError> {
        let mut head = None;
        let mut resume = None;
        if self.queued > 0 {
            if self.may_start(limits, now) {
                let sql = "SELECT rank, place FROM ready WHERE topic = ?1 AND lane = ?2 ORDER BY rank, place LIMIT 1";
                let of_row = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
                head = tx.prepare_cached(sql)?.query_row([topic, self.id], of_row).optional()?;
            } else if limits.key_concurrency.is_none_or(|most| self.running < i64::from(most)) {
                resume = self.resumes(limits, now).map(int);
            }
        }
        let sql = "UPDATE lane SET queued = ?2, running = ?3, tat_us = ?4, last = ?5, rank = ?6, place = ?7, \
                   resume = ?8, seen = ?9 WHERE id = ?1";
        tx.prepare_cached(sql)?.execute(params![
            self.id,
            self.queued,
            self.running,
            self.tat_us,
            self.last,
            head.map(|head| head.0),
            head.map(|head| head.1),
            resume,
            int(now),
        ])?;
        Ok(())
    }
}

/// The lane of a key, if there is one.
pub(super) fn find(tx: &Tx<'_>, books: &Books, key: Option<&str>) -> Result<Option<Lane>, StoreError> {
    if books.lanes == 0 {
        return Ok(None);
    }
    let sql = "SELECT id, queued, running, tat_us, last FROM lane WHERE topic = ?1 AND key = ?2";
    Ok(tx.prepare_cached(sql)?.query_row(params![books.topic, written(key)], of_row).optional()?)
}

fn make(tx: &Tx<'_>, books: &mut Books, key: Option<&str>) -> Result<Lane, StoreError> {
    if let Some(lane) = find(tx, books, key)? {
        return Ok(lane);
    }
    books.lanes += 1;
    let sql = "INSERT INTO lane (topic, key) VALUES (?1, ?2)";
    tx.prepare_cached(sql)?.execute(params![books.topic, written(key)])?;
    Ok(Lane { id: tx.last_insert_rowid(), queued: 0, running: 0, tat_us: 0, last: 0 })
}

/// Puts a message into the lane of its key.
pub(super) fn enter(
    tx: &Tx<'_>,
    books: &mut Books,
    limits: &Limits,
    who: &Waiting,
    (rank, place): (i64, i64),
    now: Millis,
) -> Result<(), StoreError> {
    let mut lane = make(tx, books, who.key.as_deref())?;
    line::insert(tx, books.topic, lane.id, rank, place, who.seq)?;
    books.laned += 1;
    lane.queued += 1;
    lane.save(tx, books.topic, limits, now)
}

/// One that waited in a lane has left the queue. What the lane's limits are is not known here: it is looked at again
/// when the topic is.
pub(super) fn left(tx: &Tx<'_>, books: &mut Books, lane: Lane) -> Result<(), StoreError> {
    books.laned -= 1;
    let sql = "UPDATE lane SET queued = queued - 1, rank = NULL, place = NULL, resume = 0 WHERE id = ?1";
    tx.prepare_cached(sql)?.execute([lane.id])?;
    Ok(())
}

/// A message of this key began to run, wherever it stood.
pub(super) fn began(
    tx: &Tx<'_>,
    books: &mut Books,
    limits: &Limits,
    key: Option<&str>,
    now: Millis,
) -> Result<(), StoreError> {
    let mut lane = make(tx, books, key)?;
    begin(tx, &mut lane, limits, now)?;
    lane.save(tx, books.topic, limits, now)
}

fn begin(tx: &Tx<'_>, lane: &mut Lane, limits: &Limits, now: Millis) -> Result<(), StoreError> {
    lane.running += 1;
    lane.last = take_numbers(tx, 1)?;
    if let Some(rate) = limits.key_rate {
        lane.tat_us = pace::started(rate, lane.tat_us, now, 1);
    }
    Ok(())
}

/// Whether the limits of a key let one more start.
pub(super) fn may_start(
    tx: &Tx<'_>,
    books: &Books,
    limits: &Limits,
    key: Option<&str>,
    now: Millis,
) -> Result<bool, StoreError> {
    Ok(find(tx, books, key)?.is_none_or(|lane| lane.may_start(limits, now)))
}

/// A message of this key runs no longer.
pub(super) fn ended(
    tx: &Tx<'_>,
    books: &Books,
    limits: &Limits,
    key: Option<&str>,
    now: Millis,
) -> Result<(), StoreError> {
    let Some(mut lane) = find(tx, books, key)? else { return Ok(()) };
    // It may have begun when the topic was not yet limited by key.
    lane.running = (lane.running - 1).max(0);
    lane.save(tx, books.topic, limits, now)
}

/// Looks again at lanes that a rate held back, and at those that were changed by somebody who did not know the limits.
pub(super) fn resume(tx: &Tx<'_>, books: &Books, limits: &Limits, now: Millis) -> Result<(), StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM lane WHERE topic = ?1 AND resume <= ?2 LIMIT 1000");
    let lanes: Vec<Lane> =
        tx.prepare_cached(&sql)?.query_map([books.topic, int(now)], of_row)?.collect::<Result<_, _>>()?;
    lanes.iter().try_for_each(|lane| lane.save(tx, books.topic, limits, now))
}

/// When the first lane that a rate holds back may go on.
pub(super) fn next_resume(tx: &Tx<'_>, books: &Books) -> Result<Option<Millis>, StoreError> {
    let sql = "SELECT resume FROM lane WHERE topic = ?1 AND resume IS NOT NULL ORDER BY resume LIMIT 1";
    let at: Option<i64> = tx.prepare_cached(sql)?.query_row([books.topic], |row| row.get(0)).optional()?;
    Ok(at.map(unsigned))
}

/// The lane whose turn it is: by the rank of its first message, then the one whose last turn is longest ago.
pub(super) fn next(
    tx: &Tx<'_>,
    books: &Books,
    limits: &Limits,
    now: Millis,
) -> Result<Option<Lane>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM lane WHERE topic = ?1 AND rank IS NOT NULL ORDER BY rank, last, place LIMIT 1"
    );
    loop {
        let lane = tx.prepare_cached(&sql)?.query_row([books.topic], of_row).optional()?;
        match lane {
            // Limits that became tighter since it was written: it is written anew.
            Some(lane) if !lane.may_start(limits, now) => lane.save(tx, books.topic, limits, now)?,
            other => return Ok(other),
        }
    }
}

/// The first message of a lane has left its line, to run or to fail.
pub(super) fn took(
    tx: &Tx<'_>,
    books: &mut Books,
    limits: &Limits,
    mut lane: Lane,
    runs: bool,
    now: Millis,
) -> Result<(), StoreError> {
    books.laned -= 1;
    lane.queued -= 1;
    if runs {
        begin(tx, &mut lane, limits, now)?;
    }
    lane.save(tx, books.topic, limits, now)
}

/// Puts messages of lanes back into the plain line.
pub(super) fn dissolve(tx: &Tx<'_>, books: &mut Books, most: i64) -> Result<(), StoreError> {
    let sql = "SELECT lane, rank, place, seq FROM ready WHERE topic = ?1 AND lane > 0 LIMIT ?2";
    let rows: Vec<(i64, i64, i64, i64)> = tx
        .prepare_cached(sql)?
        .query_map([books.topic, most], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
        .collect::<Result<_, _>>()?;
    for (lane, rank, place, seq) in rows {
        let sql = "UPDATE ready SET lane = 0 WHERE topic = ?1 AND lane = ?2 AND rank = ?3 AND place = ?4 AND seq = ?5";
        tx.prepare_cached(sql)?.execute([books.topic, lane, rank, place, seq])?;
        let sql =
            "UPDATE lane SET queued = queued - 1, rank = NULL, place = NULL, resume = NULL WHERE id = ?1";
        tx.prepare_cached(sql)?.execute([lane])?;
        books.laned -= 1;
    }
    Ok(())
}

/// Drops lanes that nobody has used for a while.
pub(super) fn sweep(tx: &Tx<'_>, books: &mut Books, now: Millis) -> Result<u64, StoreError> {
    const WHILE_MS: u64 = 600_000;
    if books.lanes == 0 {
        return Ok(0);
    }
    let sql = "DELETE FROM lane WHERE id IN (SELECT id FROM lane WHERE topic = ?1 AND queued = 0 AND running = 0 \
               AND seen < ?2 AND tat_us < ?3 LIMIT 1000)";
    let before = int(now.saturating_sub(WHILE_MS));
    let gone = tx.prepare_cached(sql)?.execute([books.topic, before, int(now) * 1000])? as i64;
    books.lanes -= gone;
    Ok(unsigned(gone))
}
