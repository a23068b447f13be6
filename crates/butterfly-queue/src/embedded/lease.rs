//! Who holds what.

use std::sync::Arc;

use butterfly_store::rusqlite::{Connection, OptionalExtension, params};
use butterfly_store::{StoreError, Tx};

use super::books::{Books, int, take_numbers, unsigned};
use super::ends;
use super::line::{self, Waiting};
use super::wakes::Wakes;
use crate::engine::{DEATHS_MAX, Held, Lease, Owner, Reaped, Renewed};
use crate::message::{Millis, Seq, State};
use crate::topic::Topic;

/// An owner's lease of a topic, within a transaction: what it holds, in one line.
#[derive(Debug)]
pub(super) struct Holding {
    id: Option<i64>,
    pub(super) owner: i64,
    beat: i64,
    held: Vec<i64>,
    changed: bool,
}

impl Holding {
    /// What an owner holds of a topic; `None` for an owner that never held anything.
    pub(super) fn of(tx: &Tx<'_>, topic: i64, owner: &Owner) -> Result<Option<Self>, StoreError> {
        let sql = "SELECT lease.id, owner.id, lease.beat, lease.held FROM owner JOIN lease ON lease.owner = owner.id \
                   WHERE owner.instance = ?1 AND owner.epoch = ?2 AND lease.topic = ?3";
        let row = tx
            .prepare_cached(sql)?
            .query_row(params![&*owner.instance, int(owner.epoch), topic], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, String>(3)?))
            })
            .optional()?;
        let Some((id, owner, beat, held)) = row else { return Ok(None) };
        Ok(Some(Self { id: Some(id), owner, beat, held: read(&held)?, changed: false }))
    }

    /// The lease of an owner that has none yet.
    pub(super) fn new(tx: &Tx<'_>, owner: &Owner, process: &str) -> Result<Self, StoreError> {
        let owner = owner_id(tx, owner, process)?;
        // No beat that was ever there: who watched an earlier lease of this owner does not take it for this one.
        let beat = take_numbers(tx, 1)? << 10;
        Ok(Self { id: None, owner, beat, held: Vec::new(), changed: true })
    }

    pub(super) fn has(&self, seq: i64) -> bool {
        self.held.binary_search(&seq).is_ok()
    }

    pub(super) fn release(&mut self, seq: i64) {
        if let Ok(at) = self.held.binary_search(&seq) {
            self.held.remove(at);
            self.changed = true;
        }
    }

    pub(super) fn take(&mut self, seqs: impl Iterator<Item = i64>) {
        let before = self.held.len();
        self.held.extend(seqs);
        if self.held.len() > before {
            self.held.sort_unstable();
            self.changed = true;
        }
    }

    pub(super) fn save(&self, tx: &Tx<'_>, topic: i64, now: Millis) -> Result<(), StoreError> {
        if !self.changed {
            return Ok(());
        }
        let held = write(&self.held);
        match self.id {
            Some(id) => {
                let sql = "UPDATE lease SET beat = ?2, seen = ?3, held = ?4 WHERE id = ?1";
                tx.prepare_cached(sql)?.execute(params![id, self.beat, int(now), held])?;
            }
            None => {
                let sql = "INSERT INTO lease (topic, owner, beat, seen, held) VALUES (?1, ?2, ?3, ?4, ?5)";
                tx.prepare_cached(sql)?.execute(params![topic, self.owner, self.beat, int(now), held])?;
            }
        }
        Ok(())
    }
}

fn write(held: &[i64]) -> String {
    let mut text = String::with_capacity(2 + held.len() * 17);
    text.push('[');
    for (at, seq) in held.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(&seq.to_string());
    }
    text.push(']');
    text
}

pub(super) fn read(held: &str) -> Result<Vec<i64>, StoreError> {
    serde_json::from_str(held)
        .map_err(|error| StoreError::Foreign(format!("a lease is not readable: {error}: {held:?}")))
}

fn owner_id(tx: &Tx<'_>, owner: &Owner, process: &str) -> Result<i64, StoreError> {
    let sql = "INSERT INTO owner (instance, epoch, worker, process) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT DO UPDATE SET worker = excluded.worker, process = excluded.process RETURNING id";
    let values = params![&*owner.instance, int(owner.epoch), &*owner.worker, process];
    Ok(tx.prepare_cached(sql)?.query_row(values, |row| row.get(0))?)
}

/// See [`Engine::renew`](crate::Engine::renew).
pub(super) fn renew(
    tx: &Tx<'_>,
    owner: &Owner,
    topic: &Topic,
    held: &[Held],
    now: Millis,
) -> Result<Renewed, StoreError> {
    let lost = Renewed { held: false, cancelled: Vec::new() };
    let Some(books) = Books::of(tx, &topic.path)? else { return Ok(lost) };
    let Some(mut holding) = Holding::of(tx, books.topic, owner)? else { return Ok(lost) };
    holding.beat += 1;
    holding.changed = true;
    holding.save(tx, books.topic, now)?;
    for run in held.iter().filter(|run| holding.has(int(run.seq))) {
        let sql = "UPDATE message SET started = ?2, progress = ?3 WHERE seq = ?1";
        tx.prepare_cached(sql)?.execute(params![int(run.seq), int(run.started), run.progress])?;
    }
    let mut cancelled = Vec::new();
    if books.cancels > 0 {
        let mut find = tx.prepare_cached("SELECT 1 FROM cancelled WHERE seq = ?1")?;
        for seq in &holding.held {
            if find.exists([seq])? {
                cancelled.push(unsigned(*seq));
            }
        }
    }
    Ok(Renewed { held: true, cancelled })
}

/// See [`Engine::reconcile`](crate::Engine::reconcile).
pub(super) fn reconcile(
    tx: &Tx<'_>,
    wakes: &Arc<Wakes>,
    owner: &Owner,
    topic: &Topic,
    known: &[Seq],
    now: Millis,
) -> Result<u64, StoreError> {
    let Some(mut books) = Books::of(tx, &topic.path)? else { return Ok(0) };
    let Some(mut holding) = Holding::of(tx, books.topic, owner)? else { return Ok(0) };
    let before = books.clone();
    let unknown: Vec<i64> =
        holding.held.iter().copied().filter(|seq| !known.contains(&unsigned(*seq))).collect();
    for seq in &unknown {
        holding.release(*seq);
        return_one(tx, wakes, &mut books, topic, *seq, Some(holding.owner), now)?;
    }
    holding.save(tx, books.topic, now)?;
    books.save(tx, &before)?;
    if !unknown.is_empty() {
        wakes.touch(tx, &topic.path);
    }
    Ok(unknown.len() as u64)
}

/// A message comes back from a worker: it is queued before all others, or failed if somebody cancelled it.
pub(super) fn return_one(
    tx: &Tx<'_>,
    wakes: &Arc<Wakes>,
    books: &mut Books,
    topic: &Topic,
    seq: i64,
    worker: Option<i64>,
    now: Millis,
) -> Result<State, StoreError> {
    let Some(who) = Waiting::of(tx, seq)? else {
        books.started -= 1;
        return Ok(State::Failed);
    };
    lane_ended(tx, books, topic, who.key.as_deref(), now)?;
    if let Some(error) = ends::cancel_of(tx, books, seq)? {
        ends::fail(tx, wakes, books, topic, seq, State::Started, &error, now)?;
        return Ok(State::Failed);
    }
    // An end that is told after this is none: it forgets the run whose end counted last.
    let sql = "UPDATE message SET worker = coalesce(?2, worker), ran = NULL WHERE seq = ?1";
    tx.prepare_cached(sql)?.execute(params![seq, worker])?;
    books.moved(State::Started, State::Queued);
    line::come_back(tx, books, &topic.limits, &who, now)?;
    Ok(State::Queued)
}

/// The run of a message is over, as far as the limits of its key are concerned.
pub(super) fn lane_ended(
    tx: &Tx<'_>,
    books: &Books,
    topic: &Topic,
    key: Option<&str>,
    now: Millis,
) -> Result<(), StoreError> {
    if books.lanes == 0 {
        return Ok(());
    }
    super::lanes::ended(tx, books, &topic.limits, key, now)
}

/// See [`Engine::reap`](crate::Engine::reap).
pub(super) fn reap(
    tx: &Tx<'_>,
    wakes: &Arc<Wakes>,
    topic: &Topic,
    owner: &Owner,
    beat: u64,
    now: Millis,
) -> Result<Reaped, StoreError> {
    let mut reaped = Reaped::default();
    let Some(mut books) = Books::of(tx, &topic.path)? else { return Ok(reaped) };
    let Some(holding) = Holding::of(tx, books.topic, owner)? else { return Ok(reaped) };
    if holding.beat != int(beat) {
        return Ok(reaped);
    }
    let before = books.clone();
    tx.prepare_cached("DELETE FROM lease WHERE id = ?1")?.execute([holding.id])?;
    for seq in holding.held {
        let sql = "UPDATE message SET deaths = deaths + 1 WHERE seq = ?1 RETURNING deaths";
        let deaths: Option<u32> = tx.prepare_cached(sql)?.query_row([seq], |row| row.get(0)).optional()?;
        match bury(tx, wakes, &mut books, topic, seq, (deaths.unwrap_or(0), holding.owner), now)? {
            State::Queued => reaped.returned += 1,
            _ => reaped.failed += 1,
        }
    }
    books.save(tx, &before)?;
    wakes.touch(tx, &topic.path);
    Ok(reaped)
}

fn bury(
    tx: &Tx<'_>,
    wakes: &Arc<Wakes>,
    books: &mut Books,
    topic: &Topic,
    seq: i64,
    (deaths, worker): (u32, i64),
    now: Millis,
) -> Result<State, StoreError> {
    if deaths < DEATHS_MAX {
        return return_one(tx, wakes, books, topic, seq, Some(worker), now);
    }
    if let Some(who) = Waiting::of(tx, seq)? {
        lane_ended(tx, books, topic, who.key.as_deref(), now)?;
    }
    let died = || format!("its worker died {DEATHS_MAX} times while it ran");
    let error = ends::cancel_of(tx, books, seq)?.unwrap_or_else(died);
    tx.prepare_cached("UPDATE message SET worker = ?2, ran = NULL WHERE seq = ?1")?.execute([seq, worker])?;
    ends::fail(tx, wakes, books, topic, seq, State::Started, &error, now)?;
    Ok(State::Failed)
}

/// See [`Engine::leases`](crate::Engine::leases).
pub(super) fn list(db: &Connection, path: &str) -> Result<Vec<Lease>, StoreError> {
    let sql = "SELECT owner.instance, owner.epoch, owner.worker, lease.beat FROM topic \
               JOIN lease ON lease.topic = topic.id JOIN owner ON owner.id = lease.owner \
               WHERE topic.path = ?1 AND lease.held <> '[]'";
    let leases = db
        .prepare_cached(sql)?
        .query_map([path], |row| Ok(Lease { owner: owner_of(row)?, beat: unsigned(row.get(3)?) }))?
        .collect::<Result<_, _>>()?;
    Ok(leases)
}

fn owner_of(row: &butterfly_store::rusqlite::Row<'_>) -> butterfly_store::rusqlite::Result<Owner> {
    Ok(Owner {
        instance: row.get::<_, String>(0)?.into(),
        epoch: unsigned(row.get(1)?),
        worker: row.get::<_, String>(2)?.into(),
    })
}

/// The owners that hold messages, and their processes.
pub(super) fn holders(db: &Connection) -> Result<Vec<(Owner, String)>, StoreError> {
    let sql = "SELECT DISTINCT owner.instance, owner.epoch, owner.worker, owner.process FROM lease \
               JOIN owner ON owner.id = lease.owner WHERE lease.held <> '[]'";
    let holders = db
        .prepare_cached(sql)?
        .query_map([], |row| Ok((owner_of(row)?, row.get(3)?)))?
        .collect::<Result<_, _>>()?;
    Ok(holders)
}
