//! What is asked of the file, statement by statement.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::{Age, Entry, Times};
use crate::cache::entry::now_ms;

/// A value as it lies in the file.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) id: i64,
    pub(super) entry: Entry,
}

/// The id of a value that was remembered when it was set: of no entry.
pub(super) const UNKNOWN: i64 = 0;

/// The value of a key, unless it is gone.
pub(super) fn get(db: &Connection, key: &str) -> Result<Option<Found>> {
    let mut get = db.prepare_cached("SELECT id, fresh_until, gone_at, value FROM entry WHERE key = ?1")?;
    let found = get.query_row([key], |row| {
        let times = Times { fresh_until: time(row.get(1)?), gone_at: time(row.get(2)?) };
        // What is gone is not copied.
        if times.age() == Age::Gone {
            return Ok(None);
        }
        let value = Bytes::copy_from_slice(row.get_ref(3)?.as_bytes()?);
        Ok(Some(Found { id: row.get(0)?, entry: Entry { value, times } }))
    });
    Ok(found.optional()?.flatten())
}

/// What `flags` says of an entry: it has tags.
const TAGGED: i64 = 1;
/// It was stored again since it got its id, so it is younger than its id says.
pub(super) const AGAIN: i64 = 2;

pub(super) fn set(db: &Connection, key: &str, entry: &Entry, tags: &[String]) -> Result<()> {
    let Times { fresh_until, gone_at } = entry.times;
    let (fresh_until, gone_at, now) = (number(fresh_until), number(gone_at), number(now_ms()));
    if tags.is_empty() {
        // In its place, if it is there: fewer pages change than by a new entry.
        let mut set = db.prepare_cached(
            "INSERT INTO entry (key, fresh_until, gone_at, used, uses, flags, value)
             VALUES (?1, ?2, ?3, ?4, 0, 0, ?6)
             ON CONFLICT DO UPDATE SET fresh_until = ?2, gone_at = ?3, used = ?4, uses = 0, flags = ?5, value = ?6
             WHERE flags & 1 = 0",
        )?;
        if set.execute(params![key, fresh_until, gone_at, now, AGAIN, &*entry.value])? > 0 {
            return Ok(());
        }
    }
    let flags = if tags.is_empty() { 0 } else { TAGGED };
    db.prepare_cached(
        "REPLACE INTO entry (key, fresh_until, gone_at, used, uses, flags, value)
         VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6)",
    )?
    .execute(params![key, fresh_until, gone_at, now, flags, &*entry.value])?;
    if !tags.is_empty() {
        let id = db.last_insert_rowid();
        let mut tagged = db.prepare_cached("INSERT OR IGNORE INTO tagged (tag, id) VALUES (?1, ?2)")?;
        for tag in tags {
            tagged.execute(params![tag, id])?;
        }
    }
    Ok(())
}

/// Which generation of the journal is in the tables.
pub(super) fn settled(db: &Connection) -> Result<u64> {
    db.prepare_cached("SELECT settled FROM journal")?.query_row([], |row| row.get(0)).map(time)
}

/// Says that a generation of the journal is in the tables.
pub(super) fn settle(db: &Connection, generation: u64) -> Result<()> {
    db.prepare_cached("UPDATE journal SET settled = ?1")?.execute([number(generation)]).map(drop)
}

pub(super) fn add_uses(db: &Connection, key: &str, uses: u32) -> Result<()> {
    db.prepare_cached("UPDATE entry SET uses = uses + ?2 WHERE key = ?1")?
        .execute(params![key, uses])
        .map(drop)
}

pub(super) fn touch(db: &Connection, id: i64, times: Times) -> Result<bool> {
    let mut touch = db.prepare_cached("UPDATE entry SET fresh_until = ?2, gone_at = ?3 WHERE id = ?1")?;
    Ok(touch.execute([id, number(times.fresh_until), number(times.gone_at)])? > 0)
}

pub(super) fn replace_value(db: &Connection, id: i64, value: &[u8]) -> Result<()> {
    db.prepare_cached("UPDATE entry SET value = ?2 WHERE id = ?1")?.execute(params![id, value]).map(drop)
}

/// Removes a key; true if it was there and not gone.
pub(super) fn delete(db: &Connection, key: &str) -> Result<bool> {
    let mut delete = db.prepare_cached("DELETE FROM entry WHERE key = ?1 RETURNING gone_at")?;
    let gone_at = delete.query_row([key], |row| row.get(0)).optional()?;
    Ok(gone_at.is_some_and(|gone_at| time(gone_at) > now_ms()))
}

pub(super) fn delete_tag(db: &Connection, tag: &str) -> Result<()> {
    db.prepare_cached("DELETE FROM entry WHERE id IN (SELECT id FROM tagged WHERE tag = ?1)")?
        .execute([tag])
        .map(drop)
}

pub(super) fn clear(db: &Connection) -> Result<()> {
    // The tags first: the trigger finds none then.
    db.execute_batch("DELETE FROM tagged; DELETE FROM entry;")
}

pub(super) fn count(db: &Connection) -> Result<u64> {
    let mut count = db.prepare_cached("SELECT count(*) FROM entry WHERE gone_at > ?1")?;
    let number: i64 = count.query_row([number(now_ms())], |row| row.get(0))?;
    Ok(u64::try_from(number).unwrap_or(0))
}

/// A time as the file has it: [`Times::NEVER`] is its largest number.
pub(super) fn number(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

fn time(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
