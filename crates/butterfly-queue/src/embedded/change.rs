//! What people change: cancel, requeue, delete, empty, pause.

use std::sync::Arc;

use butterfly_store::rusqlite::{Connection, OptionalExtension, params};
use butterfly_store::{StoreError, Tx};

use super::books::{Books, int, unsigned};
use super::line::{self, Waiting};
use super::look;
use super::wakes::Wakes;
use super::{ends, record};
use crate::engine::{Changed, Edited};
use crate::message::{Millis, MsgId, State};
use crate::topic::{Limits, Topic};

/// The number of a message of a topic, if it is there.
pub(super) fn seq_of(
    db: &Connection,
    books: &Books,
    topic: &Topic,
    id: &MsgId,
) -> Result<Option<i64>, StoreError> {
    if let MsgId::Ours { tag, seq } = id
        && *tag == topic.tag
    {
        let sql = "SELECT seq FROM message WHERE seq = ?1 AND topic = ?2 AND id IS NULL";
        let found =
            db.prepare_cached(sql)?.query_row([int(*seq), books.topic], |row| row.get(0)).optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    // A sender's own id may look like one of ours.
    let sql = "SELECT seq FROM given WHERE topic = ?1 AND id = ?2";
    Ok(db
        .prepare_cached(sql)?
        .query_row(params![books.topic, id.to_string()], |row| row.get(0))
        .optional()?)
}

/// A message that somebody wants to change.
struct Found {
    books: Books,
    before: Books,
    seq: i64,
    state: State,
}

fn find(tx: &Tx<'_>, topic: &Topic, id: &MsgId) -> Result<Option<Found>, StoreError> {
    let Some(books) = Books::of(tx, &topic.path)? else { return Ok(None) };
    let Some(seq) = seq_of(tx, &books, topic, id)? else { return Ok(None) };
    let state = look::state_of(tx, books.topic, seq)?;
    Ok(Some(Found { before: books.clone(), books, seq, state }))
}

/// See [`Engine::cancel`](crate::Engine::cancel).
pub(super) fn cancel(
    tx: &Tx<'_>,
    wakes: &Arc<Wakes>,
    topic: &Topic,
    id: &MsgId,
    error: &str,
    now: Millis,
) -> Result<Changed, StoreError> {
    let Some(Found { mut books, before, seq, state }) = find(tx, topic, id)? else {
        return Ok(Changed::Missing);
    };
    let changed = match state {
        State::Scheduled | State::Queued => {
            line::leave(tx, &mut books, seq)?;
            // It has left its line and its count: the end counts from where it stands.
            *books.count(state) += 1;
            ends::fail(tx, wakes, &mut books, topic, seq, state, error, now)?;
            Changed::Done
        }
        State::Started => {
            let sql = "INSERT OR IGNORE INTO cancelled VALUES (?1, ?2)";
            let new = tx.prepare_cached(sql)?.execute(params![seq, error])?;
            books.cancels += new as i64;
            let sql = "UPDATE cancelled SET error = ?2 WHERE seq = ?1";
            tx.prepare_cached(sql)?.execute(params![seq, error])?;
            wakes.cancelled(tx, &topic.path, unsigned(seq));
            Changed::Told
        }
        ended => return Ok(Changed::NotIn(ended)),
    };
    books.save(tx, &before)?;
    Ok(changed)
}

/// See [`Engine::requeue`](crate::Engine::requeue).
pub(super) fn requeue(
    tx: &Tx<'_>,
    wakes: &Arc<Wakes>,
    topic: &Topic,
    id: &MsgId,
    edited: Option<Edited<'_>>,
    now: Millis,
) -> Result<Changed, StoreError> {
    let Some(Found { mut books, before, seq, state }) = find(tx, topic, id)? else {
        return Ok(Changed::Missing);
    };
    if !matches!(state, State::Finished | State::Failed) {
        return Ok(Changed::NotIn(state));
    }
    let ttl = spec_of(tx, seq)?.and_then(|spec| spec.ttl_ms);
    let sql = "UPDATE message SET args = coalesce(?2, args), expires = ?3, run_at = NULL, attempts = 0, deaths = 0, \
               ran = NULL, worker = NULL, started = NULL, cost_us = NULL, end = NULL, ended_us = NULL, stat = NULL, \
               result = NULL, error = NULL, progress = NULL WHERE seq = ?1";
    let expires = ttl.map(|ttl| int(now.saturating_add(ttl)));
    tx.prepare_cached(sql)?.execute(params![seq, edited.map(|edited| edited.args), expires])?;
    if let Some(Edited { key, .. }) = edited {
        tx.prepare_cached("UPDATE message SET key = ?2 WHERE seq = ?1")?.execute(params![seq, key])?;
    }
    books.moved(state, State::Queued);
    if let Some(who) = Waiting::of(tx, seq)? {
        // Whether the topic is limited by key is not known here; the next claim arranges it.
        line::join_again(tx, &mut books, &Limits::default(), &who, now)?;
    }
    books.save(tx, &before)?;
    wakes.touch(tx, &topic.path);
    Ok(Changed::Done)
}

fn spec_of(tx: &Tx<'_>, seq: i64) -> Result<Option<crate::Spec>, StoreError> {
    let sql = concat!("SELECT ", record::spec_columns!(), " FROM message m WHERE m.seq = ?1");
    let spec = tx.prepare_cached(sql)?.query_row([seq], |row| Ok(record::spec(row, 0))).optional()?;
    Ok(spec.and_then(Result::ok))
}

/// See [`Engine::delete`](crate::Engine::delete).
pub(super) fn delete(tx: &Tx<'_>, topic: &Topic, id: &MsgId) -> Result<Changed, StoreError> {
    let Some(Found { mut books, before, seq, state }) = find(tx, topic, id)? else {
        return Ok(Changed::Missing);
    };
    if state == State::Started {
        return Ok(Changed::NotIn(state));
    }
    drop_one(tx, &mut books, topic, seq, state)?;
    books.save(tx, &before)?;
    Ok(Changed::Done)
}

/// Removes a message that does not run, and its count.
pub(super) fn drop_one(
    tx: &Tx<'_>,
    books: &mut Books,
    topic: &Topic,
    seq: i64,
    state: State,
) -> Result<(), StoreError> {
    match state {
        State::Scheduled | State::Queued => {
            line::leave(tx, books, seq)?;
        }
        ended => *books.count(ended) -= 1,
    }
    let sql = "SELECT id FROM message WHERE seq = ?1";
    let given: Option<String> =
        tx.prepare_cached(sql)?.query_row([seq], |row| row.get(0)).optional()?.flatten();
    ends::remove(tx, books, seq, &record::id(topic.tag, seq, given))
}

/// See [`Engine::empty`](crate::Engine::empty).
pub(super) fn empty(tx: &Tx<'_>, topic: &Topic, state: State, limit: u64) -> Result<u64, StoreError> {
    if state == State::Started {
        return Ok(0);
    }
    let Some(mut books) = Books::of(tx, &topic.path)? else { return Ok(0) };
    let before = books.clone();
    let seqs = look::page(tx, &books, state, 0, limit)?;
    for seq in &seqs {
        drop_one(tx, &mut books, topic, *seq, state)?;
    }
    books.save(tx, &before)?;
    Ok(seqs.len() as u64)
}

/// See [`Engine::set_paused`](crate::Engine::set_paused).
pub(super) fn set_paused(
    tx: &Tx<'_>,
    wakes: &Arc<Wakes>,
    topic: &Topic,
    paused: bool,
) -> Result<(), StoreError> {
    let mut books = Books::make(tx, &topic.path)?;
    let before = books.clone();
    books.paused = paused;
    books.save(tx, &before)?;
    if !paused {
        wakes.touch(tx, &topic.path);
    }
    Ok(())
}
