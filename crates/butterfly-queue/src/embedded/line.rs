//! Where messages wait: the line of their topic, the lane of their key, or the timetable.

use butterfly_store::rusqlite::{OptionalExtension, params};
use butterfly_store::{StoreError, Tx};

use super::books::{Books, int, take_numbers};
use super::lanes;
use crate::engine::DEATHS_MAX;
use crate::message::{Millis, PRIORITY_MAX, State};
use crate::topic::Limits;

/// The plain line.
pub(super) const PLAIN: i64 = 0;
/// Where those stand that have one death left.
pub(super) const SUSPECTS: i64 = -1;

/// The most that is moved from one line to another in one call.
const MOVE_MAX: i64 = 1000;

/// A message on its way into a line.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) seq: i64,
    pub(super) priority: i64,
    pub(super) deaths: u32,
    pub(super) key: Option<String>,
}

impl Waiting {
    /// What the row says that a line needs to know.
    pub(super) fn of(tx: &Tx<'_>, seq: i64) -> Result<Option<Self>, StoreError> {
        let sql = "SELECT priority, deaths, key FROM message WHERE seq = ?1";
        let of_row = |row: &butterfly_store::rusqlite::Row<'_>| {
            Ok(Self { seq, priority: row.get(0)?, deaths: row.get(1)?, key: row.get(2)? })
        };
        Ok(tx.prepare_cached(sql)?.query_row([seq], of_row).optional()?)
    }

    fn below(&self) -> i64 {
        i64::from(PRIORITY_MAX) - self.priority
    }
}

/// Puts a message at this place among its equals. The count of queued ones is the caller's.
fn stand(
    tx: &Tx<'_>,
    books: &mut Books,
    limits: &Limits,
    who: &Waiting,
    (rank, place): (i64, i64),
    now: Millis,
) -> Result<(), StoreError> {
    let lane = if who.deaths + 1 >= DEATHS_MAX {
        books.suspects += 1;
        SUSPECTS
    } else if limits.keyed {
        return lanes::enter(tx, books, limits, who, (rank, place), now);
    } else {
        PLAIN
    };
    insert(tx, books.topic, lane, rank, place, who.seq)
}

pub(super) fn insert(
    tx: &Tx<'_>,
    topic: i64,
    lane: i64,
    rank: i64,
    place: i64,
    seq: i64,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO ready VALUES (?1, ?2, ?3, ?4, ?5)";
    tx.prepare_cached(sql)?.execute([topic, lane, rank, place, seq])?;
    Ok(())
}

/// Puts a new message at the end of its line: its number is its place.
pub(super) fn join(
    tx: &Tx<'_>,
    books: &mut Books,
    limits: &Limits,
    who: &Waiting,
    now: Millis,
) -> Result<(), StoreError> {
    stand(tx, books, limits, who, (10 + who.below(), who.seq), now)
}

/// Puts a message that was elsewhere at the end of its line.
pub(super) fn join_again(
    tx: &Tx<'_>,
    books: &mut Books,
    limits: &Limits,
    who: &Waiting,
    now: Millis,
) -> Result<(), StoreError> {
    let place = take_numbers(tx, 1)?;
    tx.prepare_cached("UPDATE message SET place = ?2 WHERE seq = ?1")?.execute([who.seq, place])?;
    stand(tx, books, limits, who, (10 + who.below(), place), now)
}

/// Puts a message that came back before all that stand in line.
pub(super) fn come_back(
    tx: &Tx<'_>,
    books: &mut Books,
    limits: &Limits,
    who: &Waiting,
    now: Millis,
) -> Result<(), StoreError> {
    stand(tx, books, limits, who, (who.below(), who.seq), now)
}

/// Puts a message on the timetable.
pub(super) fn wait_until(tx: &Tx<'_>, books: &Books, seq: i64, run_at: Millis) -> Result<(), StoreError> {
    tx.prepare_cached("INSERT INTO due VALUES (?1, ?2, ?3)")?.execute([books.topic, int(run_at), seq])?;
    Ok(())
}

/// Takes a message from where it waits, whichever place that is; its counts are kept. `None` if it does not wait.
pub(super) fn leave(tx: &Tx<'_>, books: &mut Books, seq: i64) -> Result<Option<State>, StoreError> {
    let sql = "SELECT priority, place, run_at, key FROM message WHERE seq = ?1";
    let row = tx
        .prepare_cached(sql)?
        .query_row([seq], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, Option<i64>>(1)?,
                row.get::<_, Option<i64>>(2)?,
                row.get::<_, Option<String>>(3)?,
            ))
        })
        .optional()?;
    let Some((priority, place, run_at, key)) = row else { return Ok(None) };
    let due = "DELETE FROM due WHERE topic = ?1 AND run_at = ?2 AND seq = ?3";
    if tx.prepare_cached(due)?.execute(params![books.topic, run_at, seq])? > 0 {
        books.scheduled -= 1;
        return Ok(Some(State::Scheduled));
    }
    let lane = lanes::find(tx, books, key.as_deref())?;
    let below = i64::from(PRIORITY_MAX) - priority;
    let lines = [PLAIN, SUSPECTS].into_iter().chain(lane.as_ref().map(lanes::Lane::id));
    let ready = "DELETE FROM ready WHERE topic = ?1 AND lane = ?2 AND rank = ?3 AND place = ?4 AND seq = ?5";
    for line in lines {
        for (rank, place) in [(10 + below, place.unwrap_or(seq)), (below, seq)] {
            if tx.prepare_cached(ready)?.execute([books.topic, line, rank, place, seq])? == 0 {
                continue;
            }
            books.queued -= 1;
            match (line, lane) {
                (SUSPECTS, _) => books.suspects -= 1,
                (PLAIN, _) | (_, None) => {}
                (_, Some(lane)) => lanes::left(tx, books, lane)?,
            }
            return Ok(Some(State::Queued));
        }
    }
    Ok(None)
}

/// Queues those whose time has come.
pub(super) fn promote(
    tx: &Tx<'_>,
    books: &mut Books,
    limits: &Limits,
    now: Millis,
) -> Result<(), StoreError> {
    if books.scheduled == 0 {
        return Ok(());
    }
    let sql = "SELECT due.run_at, due.seq, m.priority, m.deaths, m.key FROM due LEFT JOIN message m ON m.seq = due.seq \
               WHERE due.topic = ?1 AND due.run_at <= ?2 ORDER BY due.run_at, due.seq LIMIT ?3";
    let due: Vec<(i64, Waiting)> = tx
        .prepare_cached(sql)?
        .query_map([books.topic, int(now), MOVE_MAX], |row| {
            let priority = row.get::<_, Option<i64>>(2)?.unwrap_or(0);
            let deaths = row.get::<_, Option<u32>>(3)?.unwrap_or(0);
            Ok((row.get(0)?, Waiting { seq: row.get(1)?, priority, deaths, key: row.get(4)? }))
        })?
        .collect::<Result<_, _>>()?;
    for (run_at, who) in due {
        let sql = "DELETE FROM due WHERE topic = ?1 AND run_at = ?2 AND seq = ?3";
        tx.prepare_cached(sql)?.execute([books.topic, run_at, who.seq])?;
        join_again(tx, books, limits, &who, now)?;
        books.moved(State::Scheduled, State::Queued);
    }
    Ok(())
}

/// When the next one's time comes.
pub(super) fn next_due(tx: &Tx<'_>, books: &Books) -> Result<Option<Millis>, StoreError> {
    if books.scheduled == 0 {
        return Ok(None);
    }
    let sql = "SELECT run_at FROM due WHERE topic = ?1 ORDER BY run_at LIMIT 1";
    let at: Option<i64> = tx.prepare_cached(sql)?.query_row([books.topic], |row| row.get(0)).optional()?;
    Ok(at.map(super::books::unsigned))
}

/// Brings messages into the kind of line that the topic now has: `limit_by` may have come or gone with a new version of
/// the program, and who requeues does not know of it.
pub(super) fn arrange(
    tx: &Tx<'_>,
    books: &mut Books,
    limits: &Limits,
    now: Millis,
) -> Result<(), StoreError> {
    let plain = books.queued - books.suspects - books.laned;
    if limits.keyed && plain > 0 {
        return into_lanes(tx, books, limits, now);
    }
    if !limits.keyed && books.laned > 0 { lanes::dissolve(tx, books, MOVE_MAX) } else { Ok(()) }
}

fn into_lanes(tx: &Tx<'_>, books: &mut Books, limits: &Limits, now: Millis) -> Result<(), StoreError> {
    let sql = "SELECT r.rank, r.place, r.seq, m.key FROM ready r LEFT JOIN message m ON m.seq = r.seq \
               WHERE r.topic = ?1 AND r.lane = 0 ORDER BY r.rank, r.place LIMIT ?2";
    let rows: Vec<(i64, i64, i64, Option<String>)> = tx
        .prepare_cached(sql)?
        .query_map([books.topic, MOVE_MAX], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
        .collect::<Result<_, _>>()?;
    for (rank, place, seq, key) in rows {
        let sql = "DELETE FROM ready WHERE topic = ?1 AND lane = 0 AND rank = ?2 AND place = ?3 AND seq = ?4";
        tx.prepare_cached(sql)?.execute([books.topic, rank, place, seq])?;
        let who = Waiting { seq, priority: 0, deaths: 0, key };
        lanes::enter(tx, books, limits, &who, (rank, place), now)?;
    }
    Ok(())
}
