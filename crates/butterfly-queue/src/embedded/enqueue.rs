//! In.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use butterfly_store::rusqlite::{OptionalExtension, params};
use butterfly_store::{StoreError, Tx};

use super::books::{Books, int, take_numbers, unsigned};
use super::line::{self, Waiting};
use super::record;
use super::wakes::Wakes;
use crate::engine::EngineError;
use crate::message::{Accepted, Hold, Millis, MsgId, NewMessage, Second, State, Unique};
use crate::topic::Topic;

/// What was answered to each message of a batch.
pub(super) type Answers = Vec<Result<Accepted, EngineError>>;

/// Messages on their way in, and what can be worked out before their turn.
pub(super) struct Batch {
    pub(super) number: u64,
    pub(super) topic: Topic,
    messages: Arc<Vec<NewMessage>>,
    options: Vec<Option<String>>,
}

impl Batch {
    pub(super) fn new(number: u64, topic: &Topic, messages: Arc<Vec<NewMessage>>) -> Self {
        let options = messages.iter().map(|new| record::options(&new.spec)).collect();
        Self { number, topic: topic.clone(), messages, options }
    }
}

/// The answers of this process's last batches.
#[derive(Default)]
pub(super) struct Recent {
    answers: Mutex<(HashMap<u64, Answers>, VecDeque<u64>)>,
}

impl Recent {
    /// So many batches are known again.
    const KEPT: usize = 1024;

    /// What was answered to a batch, if its transaction has not been rolled back: only the file knows that.
    fn answered(&self, tx: &Tx<'_>, batch: u64) -> Result<Option<Answers>, StoreError> {
        let sql = "SELECT 1 FROM temp.batch WHERE batch = ?1";
        if !tx.prepare_cached(sql)?.exists([batch as i64])? {
            return Ok(None);
        }
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(answers.0.get(&batch).cloned())
    }

    fn keep(&self, tx: &Tx<'_>, batch: u64, answers: &Answers) -> Result<(), StoreError> {
        let mut kept = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.0.insert(batch, answers.clone()).is_none() {
            kept.1.push_back(batch);
        }
        tx.prepare_cached("INSERT INTO temp.batch VALUES (?1)")?.execute([batch as i64])?;
        while kept.1.len() > Self::KEPT {
            let Some(oldest) = kept.1.pop_front() else { break };
            kept.0.remove(&oldest);
            tx.prepare_cached("DELETE FROM temp.batch WHERE batch = ?1")?.execute([oldest as i64])?;
        }
        Ok(())
    }
}

/// See [`Engine::enqueue`](crate::Engine::enqueue).
pub(super) fn enqueue(
    tx: &Tx<'_>,
    wakes: &Arc<Wakes>,
    recent: &Recent,
    batch: &Batch,
    now: Millis,
) -> Result<Answers, StoreError> {
    if let Some(answers) = recent.answered(tx, batch.number)? {
        return Ok(answers);
    }
    let mut books = Books::make(tx, &batch.topic.path)?;
    let before = books.clone();
    let numbers = take_numbers(tx, batch.messages.len())?..;
    let mut answers = Vec::with_capacity(batch.messages.len());
    for ((new, options), seq) in batch.messages.iter().zip(&batch.options).zip(numbers) {
        answers.push(accept(tx, &mut books, &batch.topic, new, options.as_deref(), seq, now)?);
    }
    books.save(tx, &before)?;
    recent.keep(tx, batch.number, &answers)?;
    wakes.touch(tx, &batch.topic.path);
    Ok(answers)
}

fn accept(
    tx: &Tx<'_>,
    books: &mut Books,
    topic: &Topic,
    new: &NewMessage,
    options: Option<&str>,
    seq: i64,
    now: Millis,
) -> Result<Result<Accepted, EngineError>, StoreError> {
    if let Some(id) = there_already(tx, books, topic, new, options, now)? {
        return Ok(Ok(Accepted { id, new: false }));
    }
    let depth = unsigned(books.queued + books.scheduled);
    if let Some(limit) = topic.limits.depth.filter(|limit| depth >= *limit) {
        return Ok(Err(EngineError::Full { depth, limit }));
    }
    let run_at = new.run_at.filter(|at| *at > now);
    insert(tx, books.topic, new, options, seq, run_at, now)?;
    if let Some(id) = &new.id {
        let sql = "INSERT INTO given VALUES (?1, ?2, ?3)";
        tx.prepare_cached(sql)?.execute(params![books.topic, id, seq])?;
    }
    if let Some(unique) = &new.unique {
        take_unique(tx, books, unique, new.id.as_deref(), seq, now)?;
    }
    wait(tx, books, topic, new, seq, run_at, now)?;
    books.used = true;
    let id = match &new.id {
        Some(given) => MsgId::Given(given.clone()),
        None => MsgId::Ours { tag: topic.tag, seq: unsigned(seq) },
    };
    Ok(Ok(Accepted { id, new: true }))
}

fn insert(
    tx: &Tx<'_>,
    topic: i64,
    new: &NewMessage,
    options: Option<&str>,
    seq: i64,
    run_at: Option<Millis>,
    now: Millis,
) -> Result<(), StoreError> {
    let spec = &new.spec;
    let sql = "INSERT INTO message (seq, topic, id, priority, key, args, created, reqid, options, run_at, expires) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    tx.prepare_cached(sql)?.execute(params![
        seq,
        topic,
        new.id,
        spec.priority,
        spec.key,
        spec.args,
        int(spec.created),
        spec.reqid.as_str(),
        options,
        run_at.map(int),
        expires(new, now),
    ])?;
    Ok(())
}

/// When a message fails, if it has not begun to run before.
fn expires(new: &NewMessage, now: Millis) -> Option<i64> {
    new.spec.ttl_ms.map(|ttl| int(new.spec.created.min(now).saturating_add(ttl)))
}

/// Puts a message where it waits.
fn wait(
    tx: &Tx<'_>,
    books: &mut Books,
    topic: &Topic,
    new: &NewMessage,
    seq: i64,
    run_at: Option<Millis>,
    now: Millis,
) -> Result<(), StoreError> {
    if let Some(at) = run_at {
        books.scheduled += 1;
        return line::wait_until(tx, books, seq, at);
    }
    books.queued += 1;
    line::join(tx, books, &topic.limits, &waiting(new, seq), now)
}

fn waiting(new: &NewMessage, seq: i64) -> Waiting {
    // Only where keys take turns is the key looked at; it need not be copied elsewhere.
    Waiting { seq, priority: new.spec.priority.into(), deaths: 0, key: new.spec.key.clone() }
}

/// The message that stands for a new one: by its id, or by its unique key.
fn there_already(
    tx: &Tx<'_>,
    books: &mut Books,
    topic: &Topic,
    new: &NewMessage,
    options: Option<&str>,
    now: Millis,
) -> Result<Option<MsgId>, StoreError> {
    if let Some(id) = &new.id {
        let sql = "SELECT 1 FROM given WHERE topic = ?1 AND id = ?2";
        if tx.prepare_cached(sql)?.exists(params![books.topic, id])? {
            return Ok(Some(MsgId::Given(id.clone())));
        }
    }
    let Some(unique) = &new.unique else { return Ok(None) };
    let sql = "SELECT seq, id FROM uniq WHERE topic = ?1 AND key = ?2 AND (until IS NULL OR until > ?3)";
    let taken: Option<(i64, Option<String>)> = tx
        .prepare_cached(sql)?
        .query_row(params![books.topic, unique.key, int(now)], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((seq, id)) = taken else { return Ok(None) };
    if unique.second == Second::Replaces {
        replace(tx, books, topic, new, options, seq, now)?;
    }
    Ok(Some(record::id(topic.tag, seq, id)))
}

/// Puts what a second message says in the place of the first, if that is still scheduled.
fn replace(
    tx: &Tx<'_>,
    books: &mut Books,
    topic: &Topic,
    new: &NewMessage,
    options: Option<&str>,
    seq: i64,
    now: Millis,
) -> Result<(), StoreError> {
    let sql = "DELETE FROM due WHERE topic = ?1 AND seq = ?2 AND run_at = (SELECT run_at FROM message WHERE seq = ?2)";
    if tx.prepare_cached(sql)?.execute([books.topic, seq])? == 0 {
        return Ok(());
    }
    let (spec, run_at) = (&new.spec, new.run_at.filter(|at| *at > now));
    let sql = "UPDATE message SET priority = ?2, key = ?3, args = ?4, created = ?5, reqid = ?6, options = ?7, \
               run_at = ?8, expires = ?9 WHERE seq = ?1";
    tx.prepare_cached(sql)?.execute(params![
        seq,
        spec.priority,
        spec.key,
        spec.args,
        int(spec.created),
        spec.reqid.as_str(),
        options,
        run_at.map(int),
        expires(new, now),
    ])?;
    if let Some(at) = run_at {
        return line::wait_until(tx, books, seq, at);
    }
    books.moved(State::Scheduled, State::Queued);
    line::join_again(tx, books, &topic.limits, &waiting(new, seq), now)
}

fn take_unique(
    tx: &Tx<'_>,
    books: &mut Books,
    unique: &Unique,
    id: Option<&str>,
    seq: i64,
    now: Millis,
) -> Result<(), StoreError> {
    let until = match unique.hold {
        Hold::WhileAlive => {
            books.uniques += 1;
            None
        }
        Hold::For(ms) => Some(int(now.saturating_add(ms))),
    };
    // What stands there is over: its time has passed.
    let sql = "INSERT OR REPLACE INTO uniq VALUES (?1, ?2, ?3, ?4, ?5)";
    tx.prepare_cached(sql)?.execute(params![books.topic, unique.key, seq, id, until])?;
    Ok(())
}
