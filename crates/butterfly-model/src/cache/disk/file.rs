//! The file of a disk cache: how it is made, opened, and told from others.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use super::journal::Journal;
use crate::cache::CacheError;

/// "BFca": the mark of our files in the header of SQLite's.
const APPLICATION_ID: i64 = 0x4246_6361;
/// The form of the tables. In the first there was no journal.
const VERSION: i64 = 2;

/// The value comes last, so that the columns before it are read without it. The lowest id was stored first.
const TABLES: &str = "
CREATE TABLE entry (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    fresh_until INTEGER NOT NULL,
    gone_at INTEGER NOT NULL,
    used INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    value BLOB NOT NULL
);
CREATE INDEX entry_gone ON entry (gone_at) WHERE gone_at < 9223372036854775807;
CREATE TABLE tagged (tag TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (tag, id)) WITHOUT ROWID;
CREATE INDEX tagged_id ON tagged (id);
CREATE TRIGGER entry_untag AFTER DELETE ON entry WHEN old.flags & 1
BEGIN
    DELETE FROM tagged WHERE id = old.id;
END;
";

/// The journal that belongs to these tables, and which generation of it is in them.
const JOURNAL: &str = "
CREATE TABLE journal (owner INTEGER NOT NULL, settled INTEGER NOT NULL);
INSERT INTO journal VALUES (random(), 0);
";

/// Opens the file for writing, making it where it is missing.
pub(super) fn prepare(path: &Path, lock_timeout: Duration) -> Result<Connection, CacheError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|why| of_io(folder, "cannot make the folder", &why))?;
    }
    // For its owner alone: what is cached may be secret. SQLite gives what it puts beside it the same rights.
    let made = File::options().create_new(true).write(true).mode(0o600).open(path);
    if let Err(why) = made
        && why.kind() != ErrorKind::AlreadyExists
    {
        return Err(of_io(path, "cannot make the file", &why));
    }
    let db = connect(path)?;
    db.busy_timeout(lock_timeout).map_err(|why| of_sql(path, why))?;
    check(path, &db)?;
    let mode: String =
        db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(|why| of_sql(path, why))?;
    if mode != "wal" {
        return Err(CacheError::Refused(format!(
            "{} cannot have a write-ahead log (its journal mode stays {mode:?}): choose a folder on a local disk",
            path.display()
        )));
    }
    make_tables(&db).map_err(|why| of_sql(path, why))?;
    check(path, &db)?;
    Ok(db)
}

/// One more connection to a file that is prepared.
pub(super) fn connect(path: &Path) -> Result<Connection, CacheError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let db = Connection::open_with_flags(path, flags)?;
        db.busy_timeout(Duration::from_secs(1))?;
        db.set_prepared_statement_cache_capacity(64);
        // NORMAL leaves out the wait for the disk at each commit: a power cut may undo the last changes.
        // The log is folded back away from those who write: see `tend`. The number here is for when that fails.
        db.execute_batch(
            "PRAGMA synchronous = NORMAL; PRAGMA mmap_size = 67108864; PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -8192; PRAGMA recursive_triggers = ON; PRAGMA wal_autocheckpoint = 16384;",
        )?;
        Ok(db)
    };
    open().map_err(|why| of_sql(path, why))
}

/// Refuses what is no cache of ours. An empty file is to become one.
fn check(path: &Path, db: &Connection) -> Result<(), CacheError> {
    let ask = |what: &str| -> Result<i64, CacheError> {
        db.query_row(what, [], |row| row.get(0)).map_err(|why| of_sql(path, why))
    };
    let (mark, version) = (ask("PRAGMA application_id")?, ask("PRAGMA user_version")?);
    if mark == APPLICATION_ID && version > VERSION {
        return Err(CacheError::Foreign(format!(
            "{} was written by a newer version (form {version}, this one knows {VERSION}): delete the file, it is but a cache",
            path.display()
        )));
    }
    if mark != APPLICATION_ID && (mark != 0 || ask("SELECT count(*) FROM sqlite_schema")? > 0) {
        return Err(CacheError::Foreign(format!(
            "{} is a database of something else: choose another path",
            path.display()
        )));
    }
    Ok(())
}

/// Makes the tables, unless another process did. What a file of the first form holds stays.
fn make_tables(db: &Connection) -> rusqlite::Result<()> {
    let version = |db: &Connection| db.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0));
    if version(db)? == VERSION {
        return Ok(());
    }
    let tx = Transaction::new_unchecked(db, TransactionBehavior::Immediate)?;
    let found = version(&tx)?;
    if found == 0 {
        tx.execute_batch(TABLES)?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    if found < VERSION {
        tx.execute_batch(JOURNAL)?;
        tx.pragma_update(None, "user_version", VERSION)?;
    }
    tx.commit()
}

/// The error of the database about its file.
pub(super) fn of_sql(path: &Path, error: rusqlite::Error) -> CacheError {
    let why = format!("{}: {error}", path.display());
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => CacheError::NoRoom(format!("{why}; free some space on that disk")),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            CacheError::Busy(format!("{why}; another process has been writing for too long"))
        }
        Some(ErrorCode::NotADatabase) => {
            CacheError::Foreign(format!("{why}; choose another path, or delete the file if it was a cache"))
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            CacheError::Foreign(format!("{why}; delete the file, it is but a cache"))
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            CacheError::Unavailable(format!("{why}; make the file and its folder writable"))
        }
        Some(ErrorCode::TooBig) => CacheError::TooLarge(why),
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::OutOfMemory) => {
            CacheError::Unavailable(why)
        }
        _ => CacheError::Refused(why),
    }
}

/// Opens the journal of these tables.
pub(super) fn journal(path: &Path, db: &Connection) -> Result<Journal, CacheError> {
    let owner = db.query_row("SELECT owner FROM journal", [], |row| row.get(0));
    let owner = owner.map_err(|why| of_sql(path, why))?;
    Journal::open(path, owner).map_err(|why| of_io(path, "cannot make the file -sets beside", &why))
}

/// The error of the system about a file.
pub(super) fn of_io(path: &Path, doing: &str, error: &std::io::Error) -> CacheError {
    let why = format!("{doing} {}: {error}", path.display());
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => CacheError::NoRoom(why),
        _ => CacheError::Unavailable(why),
    }
}
