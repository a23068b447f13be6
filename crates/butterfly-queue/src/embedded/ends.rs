//! How a message ends, and what follows from it.

use std::sync::Arc;

use butterfly_store::rusqlite::{OptionalExtension, params};
use butterfly_store::{StoreError, Tx};

use super::books::{Books, int};
use super::lease::{self, Holding};
use super::line::{self, Waiting};
use super::record::{self, spec_columns};
use super::wakes::Wakes;
use crate::engine::{Owner, Settled};
use crate::message::{End, Millis, MsgId, Outcome, State};
use crate::topic::Topic;

/// The column `end`.
pub(super) const FINISHED: i64 = 1;
pub(super) const FAILED: i64 = 2;

/// Puts the end of a run into the books, if the message is in its owner's lease.
pub(super) fn settle(
    tx: &Tx<'_>,
    wakes: &Arc<Wakes>,
    books: &mut Books,
    topic: &Topic,
    holding: &mut Holding,
    outcome: &Outcome,
    now: Millis,
) -> Result<Settled, StoreError> {
    let seq = int(outcome.message.seq);
    if !holding.has(seq) {
        return known(tx, holding.owner, outcome);
    }
    let counted = match &outcome.end {
        End::Finished { stat, result } => {
            finished(tx, wakes, books, holding.owner, outcome, (stat, result), now)?
        }
        End::Failed { error } => failed(tx, wakes, books, holding.owner, outcome, error, now)?,
        End::Retry { at, error, counts } => {
            retried(tx, wakes, books, topic, holding.owner, outcome, (*at, error, *counts), now)?
        }
        End::Released => {
            lease::return_one(tx, wakes, books, topic, seq, Some(holding.owner), now)?;
            holding.release(seq);
            return Ok(Settled::Done);
        }
    };
    if !counted {
        return known(tx, holding.owner, outcome);
    }
    holding.release(seq);
    lease::lane_ended(tx, books, topic, outcome.message.spec.key.as_deref(), now)?;
    Ok(Settled::Done)
}

/// Whether an end that cannot count now is the one that counted: an exchange whose answer was lost is repeated. What
/// runs again by now is another's, and a run like this one: nobody can tell whether it ended before.
fn known(tx: &Tx<'_>, owner: i64, outcome: &Outcome) -> Result<Settled, StoreError> {
    let sql = "SELECT 1 FROM message WHERE seq = ?1 AND worker = ?2 AND ran = ?3 AND deaths = ?4 AND NOT EXISTS \
               (SELECT 1 FROM lease, json_each(lease.held) WHERE lease.topic = message.topic \
                AND json_each.value = message.seq)";
    let message = &outcome.message;
    let values = params![int(message.seq), owner, message.attempts, message.deaths];
    Ok(if tx.prepare_cached(sql)?.exists(values)? { Settled::Done } else { Settled::Lost })
}

/// The same for all ends of an owner that holds nothing.
pub(super) fn known_of(tx: &Tx<'_>, owner: &Owner, done: &[Outcome]) -> Result<Vec<Settled>, StoreError> {
    if done.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT id FROM owner WHERE instance = ?1 AND epoch = ?2";
    let values = params![&*owner.instance, int(owner.epoch)];
    let owner: Option<i64> = tx.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()?;
    match owner {
        Some(owner) => done.iter().map(|outcome| known(tx, owner, outcome)).collect(),
        None => Ok(vec![Settled::Lost; done.len()]),
    }
}

fn finished(
    tx: &Tx<'_>,
    wakes: &Arc<Wakes>,
    books: &mut Books,
    owner: i64,
    outcome: &Outcome,
    (stat, result): (&str, &str),
    now: Millis,
) -> Result<bool, StoreError> {
    let message = &outcome.message;
    let keep = message.spec.result_ttl_ms;
    let sql = "UPDATE message SET end = 1, ended_us = ?2, started = ?3, cost_us = ?4, worker = ?5, ran = attempts, \
               stat = ?6, result = ?7, error = NULL, expires = ?8, room = NULL WHERE seq = ?1 AND attempts = ?9";
    let changed = tx.prepare_cached(sql)?.execute(params![
        int(message.seq),
        books.end_us(now),
        int(outcome.started),
        int(outcome.cost_us),
        owner,
        stat,
        result,
        keep.map(|ms| int(now.saturating_add(ms))),
        message.attempts,
    ])?;
    if changed > 0 {
        books.moved(State::Started, State::Finished);
        ended(tx, wakes, books, int(message.seq), &message.id, message.spec.notify.as_ref(), keep, FINISHED)?;
    }
    Ok(changed > 0)
}

fn failed(
    tx: &Tx<'_>,
    wakes: &Arc<Wakes>,
    books: &mut Books,
    owner: i64,
    outcome: &Outcome,
    error: &str,
    now: Millis,
) -> Result<bool, StoreError> {
    let message = &outcome.message;
    let keep = message.spec.failure_ttl_ms;
    let sql = "UPDATE message SET end = 2, ended_us = ?2, started = ?3, cost_us = ?4, worker = ?5, ran = attempts, \
               error = ?6, expires = ?7, room = NULL WHERE seq = ?1 AND attempts = ?8";
    let changed = tx.prepare_cached(sql)?.execute(params![
        int(message.seq),
        books.end_us(now),
        int(outcome.started),
        int(outcome.cost_us),
        owner,
        error,
        keep.map(|ms| int(now.saturating_add(ms))),
        message.attempts,
    ])?;
    if changed > 0 {
        books.moved(State::Started, State::Failed);
        ended(tx, wakes, books, int(message.seq), &message.id, message.spec.notify.as_ref(), keep, FAILED)?;
    }
    Ok(changed > 0)
}

#[expect(clippy::too_many_arguments, reason = "what an end is about, and the four of every change")]
fn retried(
    tx: &Tx<'_>,
    wakes: &Arc<Wakes>,
    books: &mut Books,
    topic: &Topic,
    owner: i64,
    outcome: &Outcome,
    (at, error, counts): (Millis, &str, bool),
    now: Millis,
) -> Result<bool, StoreError> {
    let message = &outcome.message;
    let seq = int(message.seq);
    let sql = "UPDATE message SET started = ?2, cost_us = ?3, worker = ?4, ran = attempts, attempts = attempts + ?5, \
               error = ?6, run_at = ?7 WHERE seq = ?1 AND attempts = ?8";
    let changed = tx.prepare_cached(sql)?.execute(params![
        seq,
        int(outcome.started),
        int(outcome.cost_us),
        owner,
        u32::from(counts),
        error,
        int(at),
        message.attempts,
    ])?;
    if changed == 0 {
        return Ok(false);
    }
    if let Some(error) = cancel_of(tx, books, seq)? {
        fail(tx, wakes, books, topic, seq, State::Started, &error, now)?;
        return Ok(true);
    }
    if at > now {
        books.moved(State::Started, State::Scheduled);
        line::wait_until(tx, books, seq, at)?;
    } else if let Some(who) = Waiting::of(tx, seq)? {
        books.moved(State::Started, State::Queued);
        line::join_again(tx, books, &topic.limits, &who, now)?;
    }
    wakes.touch(tx, &topic.path);
    Ok(true)
}

/// What somebody who cancelled a running message wants it to fail with. It is forgotten.
pub(super) fn cancel_of(tx: &Tx<'_>, books: &mut Books, seq: i64) -> Result<Option<String>, StoreError> {
    if books.cancels == 0 {
        return Ok(None);
    }
    let sql = "DELETE FROM cancelled WHERE seq = ?1 RETURNING error";
    let error = tx.prepare_cached(sql)?.query_row([seq], |row| row.get(0)).optional()?;
    books.cancels -= i64::from(error.is_some());
    Ok(error)
}

/// Fails a message that does not run, or whose run is over: it waited too long, was cancelled, its worker died.
#[expect(clippy::too_many_arguments, reason = "what an end is about, and the four of every change")]
pub(super) fn fail(
    tx: &Tx<'_>,
    wakes: &Arc<Wakes>,
    books: &mut Books,
    topic: &Topic,
    seq: i64,
    from: State,
    error: &str,
    now: Millis,
) -> Result<(), StoreError> {
    let sql = concat!("SELECT m.id, ", spec_columns!(), " FROM message m WHERE m.seq = ?1");
    let row = tx
        .prepare_cached(sql)?
        .query_row([seq], |row| Ok((record::id(topic.tag, seq, row.get(0)?), record::spec(row, 1))))
        .optional()?;
    let Some((id, spec)) = row else {
        *books.count(from) -= 1;
        return Ok(());
    };
    // One that cannot be read is kept for whoever can.
    let keep = spec.as_ref().map_or(None, |spec| spec.failure_ttl_ms);
    let sql =
        "UPDATE message SET end = 2, ended_us = ?2, error = ?3, expires = ?4, room = NULL WHERE seq = ?1";
    let expires = keep.map(|ms| int(now.saturating_add(ms)));
    tx.prepare_cached(sql)?.execute(params![seq, books.end_us(now), error, expires])?;
    books.moved(from, State::Failed);
    let notify = spec.as_ref().ok().and_then(|spec| spec.notify.as_ref());
    ended(tx, wakes, books, seq, &id, notify, keep, FAILED)
}

/// What every end is followed by.
#[expect(clippy::too_many_arguments, reason = "what an end is about, and the four of every change")]
fn ended(
    tx: &Tx<'_>,
    wakes: &Arc<Wakes>,
    books: &mut Books,
    seq: i64,
    id: &MsgId,
    notify: Option<&Arc<str>>,
    keep: Option<u64>,
    end: i64,
) -> Result<(), StoreError> {
    free_unique(tx, books, seq)?;
    cancel_of(tx, books, seq)?;
    if let Some(inbox) = notify {
        wakes.ended(tx, inbox, id);
    }
    if keep == Some(0) {
        let count = if end == FINISHED { &mut books.finished } else { &mut books.failed };
        *count -= 1;
        remove(tx, books, seq, id)?;
    }
    Ok(())
}

/// The unique key that a message held while it was alive is free.
fn free_unique(tx: &Tx<'_>, books: &mut Books, seq: i64) -> Result<(), StoreError> {
    if books.uniques > 0 {
        let sql = "DELETE FROM uniq WHERE seq = ?1 AND until IS NULL";
        books.uniques -= tx.prepare_cached(sql)?.execute([seq])? as i64;
    }
    Ok(())
}

/// Removes a message that stands in no line and in no lease. Its count is the caller's.
pub(super) fn remove(tx: &Tx<'_>, books: &mut Books, seq: i64, id: &MsgId) -> Result<(), StoreError> {
    free_unique(tx, books, seq)?;
    tx.prepare_cached("DELETE FROM message WHERE seq = ?1")?.execute([seq])?;
    if let MsgId::Given(id) = id {
        let sql = "DELETE FROM given WHERE topic = ?1 AND id = ?2";
        tx.prepare_cached(sql)?.execute(params![books.topic, id])?;
    }
    Ok(())
}
