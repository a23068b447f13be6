//! What is over goes.

use std::sync::Arc;

use butterfly_store::{StoreError, Tx};

use super::books::{Books, int};
use super::wakes::Wakes;
use super::{change, ends, lanes, line, look};
use crate::message::{Millis, State};
use crate::topic::Topic;

/// The most that one call drops.
const SWEEP_MAX: i64 = 1000;
/// How long an owner that holds nothing is remembered.
const LEASE_MS: u64 = 86_400_000;

/// See [`Engine::sweep`](crate::Engine::sweep).
pub(super) fn sweep(tx: &Tx<'_>, wakes: &Arc<Wakes>, topic: &Topic, now: Millis) -> Result<u64, StoreError> {
    let Some(mut books) = Books::of(tx, &topic.path)? else { return Ok(0) };
    let before = books.clone();
    let sql = "SELECT seq FROM message WHERE topic = ?1 AND expires <= ?2 ORDER BY expires LIMIT ?3";
    let over: Vec<i64> = tx
        .prepare_cached(sql)?
        .query_map([books.topic, int(now), SWEEP_MAX], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for seq in &over {
        match look::state_of(tx, books.topic, *seq)? {
            ended @ (State::Finished | State::Failed) => {
                change::drop_one(tx, &mut books, topic, *seq, ended)?;
            }
            waits => {
                line::leave(tx, &mut books, *seq)?;
                // It has left its line and its count: the end counts from where it stands.
                *books.count(waits) += 1;
                ends::fail(
                    tx,
                    wakes,
                    &mut books,
                    topic,
                    *seq,
                    waits,
                    "no worker took it within its ttl",
                    now,
                )?;
            }
        }
    }
    let sql = "DELETE FROM uniq WHERE topic = ?1 AND key IN \
               (SELECT key FROM uniq WHERE topic = ?1 AND until <= ?2 LIMIT ?3)";
    tx.prepare_cached(sql)?.execute([books.topic, int(now), SWEEP_MAX])?;
    let sql = "DELETE FROM lease WHERE topic = ?1 AND held = '[]' AND seen < ?2";
    tx.prepare_cached(sql)?.execute([books.topic, int(now.saturating_sub(LEASE_MS))])?;
    lanes::sweep(tx, &mut books, now)?;
    books.save(tx, &before)?;
    Ok(over.len() as u64)
}
