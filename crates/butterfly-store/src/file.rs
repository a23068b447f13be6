//! How the file is opened: the same settings for each connection, and proof that they hold.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::{Options, Schema, StoreError, schema};

/// How long a connection waits for a lock that others hold for moments only: while they open or close the file.
const MOMENT: Duration = Duration::from_secs(5);

/// The pages that a writing connection keeps, in KiB. Not more: a transaction that balanced a tree by renumbering pages
/// looks at each page in the cache when it is committed (SQLite parks one under the number of the lock-byte page, and
/// `pcache1Truncate` then takes the file for one that shrank). What falls out is in the system's own cache.
const CACHE_KIB: i64 = 8192;

/// Opens the file, making it and its folder where they are missing, and brings its tables up to date.
pub(crate) fn prepare(file: &Path, schemas: &[Schema], options: &Options) -> Result<Connection, StoreError> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .map_err(|error| StoreError::of_io(folder, "cannot make the folder", &error))?;
    }
    make(file)?;
    let mut db = open(file, OpenFlags::empty())?;
    schema::check(file, &db)?;
    let mode: String = db
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .map_err(|error| StoreError::of_file(file, "cannot write", error))?;
    if mode != "wal" {
        return Err(StoreError::ReadOnly(format!(
            "{} cannot have a write-ahead log (its journal mode stays {mode:?}): choose a folder on a local disk",
            file.display()
        )));
    }
    settle(file, &db, options)?;
    schema::migrate(file, &mut db, schemas)?;
    Ok(db)
}

/// Makes the file, for its owner alone: what is stored may be secret. SQLite gives what it puts beside it the same rights.
fn make(file: &Path) -> Result<(), StoreError> {
    let made = File::options().create_new(true).write(true).mode(0o600).open(file);
    match made {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(StoreError::of_io(file, "cannot make the file", &error))
        }
        _ => Ok(()),
    }
}

/// One more connection that writes.
pub(crate) fn writer(file: &Path, options: &Options) -> Result<Connection, StoreError> {
    let db = open(file, OpenFlags::empty())?;
    settle(file, &db, options)?;
    Ok(db)
}

/// A connection that reads.
pub(crate) fn reader(file: &Path) -> Result<Connection, StoreError> {
    let db = open(file, OpenFlags::empty())?;
    db.pragma_update(None, "query_only", true)
        .map_err(|error| StoreError::of_file(file, "cannot read", error))?;
    Ok(db)
}

/// The write-ahead log beside the file.
pub(crate) fn log(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

fn open(file: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let flags = flags | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let of_file = |error| StoreError::of_file(file, "cannot open", error);
    let db = Connection::open_with_flags(file, flags).map_err(of_file)?;
    db.busy_timeout(MOMENT).map_err(of_file)?;
    db.set_prepared_statement_cache_capacity(256);
    Ok(db)
}

/// Sets what a writing connection needs, and looks whether it was taken: SQLite passes over what it does not know.
fn settle(file: &Path, db: &Connection, options: &Options) -> Result<(), StoreError> {
    // NORMAL leaves out one thing: the wait for the disk at each commit. `sync` does that for many at once.
    set(file, db, "synchronous", 1)?;
    // The log is folded back by `checkpoint`.
    set(file, db, "wal_autocheckpoint", 0)?;
    set(file, db, "temp_store", 2)?;
    set(file, db, "cache_size", -CACHE_KIB)?;
    match options.max_bytes {
        Some(bytes) => {
            let page: u64 = ask(file, db, "page_size")?.try_into().unwrap_or(4096);
            set(file, db, "max_page_count", i64::try_from(bytes.div_ceil(page)).unwrap_or(i64::MAX))
        }
        None => Ok(()),
    }
}

fn ask(file: &Path, db: &Connection, name: &str) -> Result<i64, StoreError> {
    db.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
        .map_err(|error| StoreError::of_file(file, "cannot read", error))
}

fn set(file: &Path, db: &Connection, name: &str, value: i64) -> Result<(), StoreError> {
    let of_file = |error| StoreError::of_file(file, "cannot set up", error);
    db.execute_batch(&format!("PRAGMA {name} = {value}")).map_err(of_file)?;
    let found = ask(file, db, name)?;
    if found == value || (name == "max_page_count" && found > value) {
        return Ok(());
    }
    Err(StoreError::Refused(format!("{}: {name} is {found} and cannot be made {value}", file.display())))
}
