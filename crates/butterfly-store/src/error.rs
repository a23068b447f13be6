//! Why the store did not do as told.

use std::fmt;
use std::path::Path;

use rusqlite::ErrorCode;

/// Why the store did not do as told. But for [`Unavailable`](Self::Unavailable), nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// The file could not be read or written, or the store is closed. Whether a change was done is not known.
    Unavailable(String),
    /// Another process has held the file's write lock for too long. Nothing was changed; trying again may help.
    Busy(String),
    /// There is no room left for the file, on its disk or under its limit. Nothing was changed.
    NoRoom(String),
    /// The file may not be written, or its folder may not.
    ReadOnly(String),
    /// The file is not what this program can use: no store, of a newer version, or damaged.
    Foreign(String),
    /// The database refused a statement, or a closure refused to go on.
    Refused(String),
}

impl StoreError {
    /// The error of something that was done to a file.
    pub(crate) fn of_file(file: &Path, doing: &str, error: rusqlite::Error) -> Self {
        Self::from(error).map(|why| format!("{doing} {}: {why}", file.display()))
    }

    /// The error of the system about a file.
    pub(crate) fn of_io(file: &Path, doing: &str, error: &std::io::Error) -> Self {
        let why = format!("{doing} {}: {error}", file.display());
        match error.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                Self::ReadOnly(why)
            }
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::NoRoom(why),
            _ => Self::Unavailable(why),
        }
    }

    fn map(self, say: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Unavailable(why) => Self::Unavailable(say(why)),
            Self::Busy(why) => Self::Busy(say(why)),
            Self::NoRoom(why) => Self::NoRoom(say(why)),
            Self::ReadOnly(why) => Self::ReadOnly(say(why)),
            Self::Foreign(why) => Self::Foreign(say(why)),
            Self::Refused(why) => Self::Refused(say(why)),
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) => write!(f, "the store is out of reach: {why}"),
            Self::Busy(why) => write!(f, "the store is busy: {why}"),
            Self::NoRoom(why) => write!(f, "the store has no room left: {why}"),
            Self::ReadOnly(why) => write!(f, "the store may not be written: {why}"),
            Self::Foreign(why) => write!(f, "the store cannot be used: {why}"),
            Self::Refused(why) => write!(f, "the store refused: {why}"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let why = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::NoRoom(why),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy(why),
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly(why),
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Self::Foreign(why),
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::OutOfMemory) => {
                Self::Unavailable(why)
            }
            _ => Self::Refused(why),
        }
    }
}
