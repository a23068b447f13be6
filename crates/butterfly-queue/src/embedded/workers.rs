//! Which workers are here.

use butterfly_store::rusqlite::{Connection, params};
use butterfly_store::{StoreError, Tx};

use super::books::int;
use crate::engine::WorkerInfo;
use crate::message::Millis;

/// See [`Engine::put_worker`](crate::Engine::put_worker).
pub(super) fn put(tx: &Tx<'_>, worker: &WorkerInfo, until: Millis, now: Millis) -> Result<(), StoreError> {
    // A power cut may forget it: it is told again and again.
    tx.relax();
    let info = serde_json::to_string(worker).map_err(|error| StoreError::Refused(error.to_string()))?;
    tx.prepare_cached("DELETE FROM worker WHERE until <= ?1")?.execute([int(now)])?;
    let sql = "INSERT OR REPLACE INTO worker VALUES (?1, ?2, ?3)";
    tx.prepare_cached(sql)?.execute(params![worker.name, info, int(until)])?;
    Ok(())
}

/// See [`Engine::remove_worker`](crate::Engine::remove_worker).
pub(super) fn remove(tx: &Tx<'_>, name: &str) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM worker WHERE name = ?1")?.execute([name])?;
    Ok(())
}

/// See [`Engine::workers`](crate::Engine::workers).
pub(super) fn list(db: &Connection, now: Millis) -> Result<Vec<WorkerInfo>, StoreError> {
    let mut find = db.prepare_cached("SELECT info FROM worker WHERE until > ?1 ORDER BY name")?;
    let infos = find.query_map([int(now)], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    // One of a newer version that cannot be read is passed over; the others are shown.
    Ok(infos.iter().filter_map(|info| serde_json::from_str(info).ok()).collect())
}
