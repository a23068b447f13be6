//! Who keeps tables in the file, and in which version.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use crate::StoreError;

/// The tables of one user of the store: the queue, the schedule, ...
///
/// The version of a file's tables is how many of the steps it has gone through. A step that was released is never
/// changed: what is to be different becomes another step.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// The user's name: `queue`.
    pub name: &'static str,
    /// The SQL that made the first version, then the SQL from each version to the next.
    pub steps: &'static [&'static str],
    /// The SQL that makes what each process keeps for itself, in memory, beside its writes: `CREATE TEMP TABLE ..`.
    pub own: &'static str,
}

/// `Btfl`: says in the file's head that it is a store of ours.
const APPLICATION: i32 = 0x4274_666c;
/// The version of what the store itself keeps.
const FORMAT: i32 = 1;

/// Refuses a file that is not ours or too new.
pub(crate) fn check(file: &Path, db: &Connection) -> Result<(), StoreError> {
    let read = |sql| db.query_row(sql, [], |row| row.get::<_, i32>(0));
    let of_file = |error| StoreError::of_file(file, "cannot read", error);
    let application = read("PRAGMA application_id").map_err(of_file)?;
    let tables = read("SELECT count(*) FROM sqlite_master").map_err(of_file)?;
    if application == 0 && tables == 0 {
        return Ok(());
    }
    if application != APPLICATION {
        return Err(StoreError::Foreign(format!(
            "{} is a database of something else: move it away, or choose another file",
            file.display()
        )));
    }
    let format = read("PRAGMA user_version").map_err(of_file)?;
    if format > FORMAT { Err(newer(file, "the store", format as usize, FORMAT as usize)) } else { Ok(()) }
}

fn newer(file: &Path, what: &str, found: usize, known: usize) -> StoreError {
    StoreError::Foreign(format!(
        "{} was written by a newer version of this program: {what} has version {found} there, and this program knows \
         up to {known}. Use the newer program, or another file",
        file.display()
    ))
}

/// Brings the tables of each user to the version that this program knows, all or none.
pub(crate) fn migrate(file: &Path, db: &mut Connection, schemas: &[Schema]) -> Result<(), StoreError> {
    let of_file = |error| StoreError::of_file(file, "cannot prepare the tables of", error);
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(of_file)?;
    // Another process may have been here since the first look.
    check(file, &tx)?;
    tx.execute_batch(&format!(
        "PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {FORMAT};
         CREATE TABLE IF NOT EXISTS schema (name TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID;"
    ))
    .map_err(of_file)?;
    for schema in schemas {
        migrate_one(file, &tx, schema)?;
    }
    tx.commit().map_err(of_file)?;
    schemas.iter().try_for_each(|schema| db.execute_batch(schema.own)).map_err(of_file)
}

fn migrate_one(file: &Path, db: &Connection, schema: &Schema) -> Result<(), StoreError> {
    let of_file = |error| StoreError::of_file(file, "cannot prepare the tables of", error);
    let version: Option<u32> = db
        .query_row("SELECT version FROM schema WHERE name = ?1", [schema.name], |row| row.get(0))
        .optional()
        .map_err(of_file)?;
    let version = version.unwrap_or(0) as usize;
    if version > schema.steps.len() {
        return Err(newer(file, &format!("the part {:?}", schema.name), version, schema.steps.len()));
    }
    for step in &schema.steps[version..] {
        db.execute_batch(step).map_err(of_file)?;
    }
    if version < schema.steps.len() {
        let sql = "INSERT INTO schema VALUES (?1, ?2) ON CONFLICT DO UPDATE SET version = excluded.version";
        db.execute(sql, (schema.name, schema.steps.len() as u32)).map_err(of_file)?;
    }
    Ok(())
}
