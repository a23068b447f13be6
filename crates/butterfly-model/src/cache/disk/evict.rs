//! Making room: what has expired first, then by the rule that was chosen.

use std::collections::HashMap;

use rusqlite::{Connection, Result, params};

use super::statements::{AGAIN, number};
use super::{Disk, Evict, file};
use crate::cache::CacheError;
use crate::cache::entry::now_ms;

/// The size is looked at each time that about this part of the limit was written.
pub(super) const STEPS: u64 = 128;
/// So many values go at once.
const BATCH: u32 = 16;
/// So many values that were stored again are spared in one go.
const CHANCES: u32 = 512;

/// Makes what a rule needs in order to find the first to go.
pub(super) fn make_index(db: &Connection, evict: Evict) -> Result<()> {
    match evict {
        Evict::LeastRecentlyUsed => db.execute_batch("CREATE INDEX IF NOT EXISTS entry_used ON entry (used)"),
        Evict::LeastFrequentlyUsed => {
            db.execute_batch("CREATE INDEX IF NOT EXISTS entry_uses ON entry (uses, used)")
        }
        Evict::LeastRecentlyStored | Evict::Nothing => Ok(()),
    }
}

/// The bytes of the pages in use.
pub(super) fn bytes(db: &Connection) -> Result<u64> {
    let ask = |what: &str| -> Result<u64> {
        let number: i64 = db.prepare_cached(what)?.query_row([], |row| row.get(0))?;
        Ok(u64::try_from(number).unwrap_or(0))
    };
    let pages = ask("PRAGMA page_count")?.saturating_sub(ask("PRAGMA freelist_count")?);
    Ok(pages * ask("PRAGMA page_size")?)
}

/// Removes up to so many values that are gone; gives how many it removed.
pub(super) fn expired(db: &Connection, most: u32) -> Result<u32> {
    // The second bound is the index's own: without it the index would not be used.
    let mut delete = db.prepare_cached(
        "DELETE FROM entry WHERE id IN (SELECT id FROM entry INDEXED BY entry_gone
         WHERE gone_at <= ?1 AND gone_at < 9223372036854775807 ORDER BY gone_at LIMIT ?2)",
    )?;
    Ok(u32::try_from(delete.execute(params![number(now_ms()), most])?).unwrap_or(u32::MAX))
}

/// Brings the size below the limit; false where it was.
pub(super) fn shrink(db: &Connection, disk: &Disk) -> std::result::Result<bool, CacheError> {
    let of_sql = |why| file::of_sql(&disk.path, why);
    let full = |limit: u64| Ok::<_, CacheError>(bytes(db).map_err(of_sql)? > limit);
    if !full(disk.size_limit - disk.size_limit / STEPS)? {
        return Ok(false);
    }
    // A little below, so that not each look finds it full again.
    let goal = disk.size_limit - disk.size_limit / STEPS * 4;
    let mut chances = CHANCES;
    while full(goal)? {
        let spared = match disk.evict {
            Evict::LeastRecentlyStored => spare(db, &mut chances).map_err(of_sql)?,
            _ => 0,
        };
        let gone = expired(db, BATCH).map_err(of_sql)? as usize;
        if gone == 0 && evict(db, disk.evict).map_err(of_sql)? == 0 && spared == 0 {
            break;
        }
    }
    if disk.evict == Evict::Nothing && full(disk.size_limit)? {
        return Err(CacheError::NoRoom(format!(
            "{} has its {} bytes and evicts nothing: raise size_limit, delete something, or choose what it evicts",
            disk.path.display(),
            disk.size_limit
        )));
    }
    Ok(true)
}

/// Of those whose turn it is, gives the ones that were stored again since a new id: they are not the oldest. No more
/// than `chances` in one go, so that a write does not take long where everything was stored again.
fn spare(db: &Connection, chances: &mut u32) -> Result<usize> {
    let most = BATCH.min(*chances);
    let mut again = db.prepare_cached(
        "SELECT id FROM (SELECT id, flags FROM entry ORDER BY id LIMIT ?1) WHERE flags & ?2 LIMIT ?3",
    )?;
    let ids = again.query_map(params![BATCH, AGAIN, most], |row| row.get::<_, i64>(0))?;
    let ids: Vec<i64> = ids.collect::<Result<_>>()?;
    let mut renew = db.prepare_cached(
        "UPDATE entry SET id = (SELECT max(id) + 1 FROM entry), flags = flags - ?2 WHERE id = ?1",
    )?;
    for id in &ids {
        renew.execute([*id, AGAIN])?;
        *chances -= 1;
    }
    Ok(ids.len())
}

/// Removes some values by a rule; gives how many.
fn evict(db: &Connection, evict: Evict) -> Result<usize> {
    let sql = match evict {
        Evict::Nothing => return Ok(0),
        Evict::LeastRecentlyStored => {
            "DELETE FROM entry WHERE id IN (SELECT id FROM entry ORDER BY id LIMIT ?1)"
        }
        Evict::LeastRecentlyUsed => {
            "DELETE FROM entry WHERE id IN (SELECT id FROM entry ORDER BY used, id LIMIT ?1)"
        }
        Evict::LeastFrequentlyUsed => {
            "DELETE FROM entry WHERE id IN (SELECT id FROM entry ORDER BY uses, used, id LIMIT ?1)"
        }
    };
    db.prepare_cached(sql)?.execute([BATCH])
}

/// Writes down which values were read, and how often.
pub(super) fn write_uses(db: &Connection, uses: &HashMap<i64, i64>) -> Result<()> {
    let now = number(now_ms());
    let mut update = db.prepare_cached("UPDATE entry SET used = ?2, uses = uses + ?3 WHERE id = ?1")?;
    for (id, count) in uses {
        update.execute([*id, now, *count])?;
    }
    Ok(())
}
