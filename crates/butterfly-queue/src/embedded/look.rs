//! What people look at.

use std::sync::Arc;

use butterfly_store::StoreError;
use butterfly_store::rusqlite::{self, Connection, OptionalExtension, Row, params};

use super::books::{Books, int, unsigned};
use super::ends::{FAILED, FINISHED};
use super::lease;
use super::record::{self, spec_columns};
use crate::engine::Counts;
use crate::message::{Message, Millis, Spec, State};
use crate::topic::Topic;

/// See [`Engine::topics`](crate::Engine::topics).
pub(super) fn topics(db: &Connection) -> Result<Vec<Arc<str>>, StoreError> {
    let mut find = db.prepare_cached("SELECT path FROM topic WHERE used ORDER BY path")?;
    let paths = find.query_map([], |row| Ok(row.get::<_, String>(0)?.into()))?;
    Ok(paths.collect::<Result<_, _>>()?)
}

/// See [`Engine::counts`](crate::Engine::counts).
pub(super) fn counts(db: &Connection, path: &str) -> Result<Counts, StoreError> {
    let Some(books) = Books::of(db, path)? else { return Ok(Counts::default()) };
    Ok(Counts {
        scheduled: unsigned(books.scheduled),
        queued: unsigned(books.queued),
        started: unsigned(books.started),
        finished: unsigned(books.finished),
        failed: unsigned(books.failed),
        paused: books.paused,
        oldest: if books.queued > 0 { oldest(db, &books)? } else { None },
    })
}

/// The oldest of those that are first in their line: one look for each line and rank that is in use, not for each
/// message.
fn oldest(db: &Connection, books: &Books) -> Result<Option<Millis>, StoreError> {
    let sql = "WITH RECURSIVE line (lane, rank) AS (
                 SELECT * FROM (SELECT lane, rank FROM ready WHERE topic = ?1 ORDER BY lane, rank LIMIT 1)
                 UNION ALL
                 SELECT next.lane, next.rank FROM line JOIN ready next ON next.topic = ?1
                   AND (next.lane, next.rank) = (
                     SELECT lane, rank FROM ready
                     WHERE topic = ?1 AND (lane, rank) > (line.lane, line.rank) ORDER BY lane, rank LIMIT 1)
                   AND next.place = (
                     SELECT min(place) FROM ready WHERE topic = ?1 AND lane = next.lane AND rank = next.rank)
               )
               SELECT min(message.created) FROM line JOIN message ON message.seq = (
                 SELECT seq FROM ready WHERE topic = ?1 AND lane = line.lane AND rank = line.rank
                 ORDER BY place LIMIT 1)";
    let created: Option<i64> = db.prepare_cached(sql)?.query_row([books.topic], |row| row.get(0))?;
    Ok(created.map(unsigned))
}

/// Where a message stands that is there.
pub(super) fn state_of(db: &Connection, topic: i64, seq: i64) -> Result<State, StoreError> {
    let sql = "SELECT end, run_at FROM message WHERE seq = ?1";
    let (end, run_at): (Option<i64>, Option<i64>) =
        db.prepare_cached(sql)?.query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
    match end {
        Some(FINISHED) => return Ok(State::Finished),
        Some(_) => return Ok(State::Failed),
        None => {}
    }
    let sql = "SELECT 1 FROM due WHERE topic = ?1 AND run_at = ?2 AND seq = ?3";
    if run_at.is_some() && db.prepare_cached(sql)?.exists(params![topic, run_at, seq])? {
        return Ok(State::Scheduled);
    }
    Ok(if holder_of(db, topic, seq)?.is_some() { State::Started } else { State::Queued })
}

/// The name of the worker that has a message.
fn holder_of(db: &Connection, topic: i64, seq: i64) -> Result<Option<String>, StoreError> {
    let sql = "SELECT lease.held, owner.worker FROM lease JOIN owner ON owner.id = lease.owner WHERE lease.topic = ?1";
    let mut find = db.prepare_cached(sql)?;
    let mut rows = find.query([topic])?;
    while let Some(row) = rows.next()? {
        if lease::read(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?.binary_search(&seq).is_ok()
        {
            return Ok(Some(row.get(1)?));
        }
    }
    Ok(None)
}

/// The numbers of a page of messages in a state.
pub(super) fn page(
    db: &Connection,
    books: &Books,
    state: State,
    offset: u64,
    limit: u64,
) -> Result<Vec<i64>, StoreError> {
    let sql = match state {
        State::Started => return started(db, books, offset, limit),
        State::Scheduled => "SELECT seq FROM due WHERE topic = ?1 ORDER BY run_at, seq LIMIT ?3 OFFSET ?2",
        // In one line the index has the order; several lines are sorted together.
        State::Queued if books.laned == 0 && books.suspects == 0 => {
            "SELECT seq FROM ready WHERE topic = ?1 AND lane = 0 ORDER BY rank, place LIMIT ?3 OFFSET ?2"
        }
        State::Queued => "SELECT seq FROM ready WHERE topic = ?1 ORDER BY rank, place LIMIT ?3 OFFSET ?2",
        State::Finished => {
            "SELECT seq FROM message WHERE topic = ?1 AND end = 1 ORDER BY ended_us DESC LIMIT ?3 OFFSET ?2"
        }
        State::Failed => {
            "SELECT seq FROM message WHERE topic = ?1 AND end = 2 ORDER BY ended_us DESC LIMIT ?3 OFFSET ?2"
        }
    };
    let mut find = db.prepare_cached(sql)?;
    let seqs = find.query_map([books.topic, int(offset), int(limit)], |row| row.get(0))?;
    Ok(seqs.collect::<Result<_, _>>()?)
}

fn started(db: &Connection, books: &Books, offset: u64, limit: u64) -> Result<Vec<i64>, StoreError> {
    let mut find = db.prepare_cached("SELECT held FROM lease WHERE topic = ?1")?;
    let mut rows = find.query([books.topic])?;
    let mut seqs = Vec::new();
    while let Some(row) = rows.next()? {
        seqs.extend(lease::read(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?);
    }
    seqs.sort_unstable();
    let (offset, limit) =
        (usize::try_from(offset).unwrap_or(usize::MAX), usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(seqs.into_iter().skip(offset).take(limit).collect())
}

/// See [`Engine::list`](crate::Engine::list).
pub(super) fn list(
    db: &Connection,
    topic: &Topic,
    state: State,
    offset: u64,
    limit: u64,
) -> Result<Vec<Message>, StoreError> {
    let Some(books) = Books::of(db, &topic.path)? else { return Ok(Vec::new()) };
    let mut messages = Vec::new();
    for seq in page(db, &books, state, offset, limit)? {
        messages.extend(message(db, &books, topic, seq, state)?);
    }
    Ok(messages)
}

/// See [`Engine::get`](crate::Engine::get).
pub(super) fn get(db: &Connection, topic: &Topic, id: &crate::MsgId) -> Result<Option<Message>, StoreError> {
    let Some(books) = Books::of(db, &topic.path)? else { return Ok(None) };
    let Some(seq) = super::change::seq_of(db, &books, topic, id)? else { return Ok(None) };
    let state = state_of(db, books.topic, seq)?;
    message(db, &books, topic, seq, state)
}

const MESSAGE: &str = concat!(
    "SELECT m.id, m.run_at, m.started, m.ended_us, m.attempts, m.deaths, owner.worker, m.cost_us, m.stat, m.result, \
     m.error, m.progress, ",
    spec_columns!(),
    " FROM message m LEFT JOIN owner ON owner.id = m.worker WHERE m.seq = ?1"
);

fn message(
    db: &Connection,
    books: &Books,
    topic: &Topic,
    seq: i64,
    state: State,
) -> Result<Option<Message>, StoreError> {
    let found =
        db.prepare_cached(MESSAGE)?.query_row([seq], |row| read(row, topic, seq, state)).optional()?;
    let Some(mut message) = found else { return Ok(None) };
    if state == State::Started {
        message.worker = holder_of(db, books.topic, seq)?;
    }
    Ok(Some(message))
}

fn read(row: &Row<'_>, topic: &Topic, seq: i64, state: State) -> rusqlite::Result<Message> {
    let time = |at: usize| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(at)?.map(unsigned));
    let mut error: Option<String> = row.get(10)?;
    // One that this version cannot read is shown as far as it can be, and says so.
    let spec = record::spec(row, 12).or_else(|why| {
        error = Some(format!("it cannot be read by this version of the program: {why}"));
        // Arguments that are no text have nothing to show, and do not hide the rest of their page.
        Ok::<_, rusqlite::Error>(Spec::new(row.get::<_, String>(12).unwrap_or_default()))
    })?;
    Ok(Message {
        topic: topic.path.clone(),
        seq: unsigned(seq),
        id: record::id(topic.tag, seq, row.get(0)?),
        state,
        spec,
        run_at: time(1)?.filter(|_| state == State::Scheduled),
        started: time(2)?,
        ended: time(3)?.map(|us| us / 1000),
        attempts: row.get(4)?,
        deaths: row.get(5)?,
        worker: row.get(6)?,
        cost_us: row.get::<_, Option<i64>>(7)?.map_or(0, unsigned),
        stat: row.get(8)?,
        result: row.get(9)?,
        error,
        progress: row.get(11)?,
    })
}

/// Why `FAILED` is here: a page names both ends by their numbers.
const _: () = assert!(FINISHED == 1 && FAILED == 2);
