//! What kind of failure a database's error is.

use std::error::Error as StdError;

use butterfly_core::{Error, Fault};
use sea_orm::{DbErr, RuntimeErr};

/// What kind of failure it is, and so what helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Another transaction was in the way: doing it all once more helps.
    Conflict,
    /// No connection to the server, or none free in time: it may be there in a moment.
    Unreachable,
    /// The server is there and does not let us in, or has no such database: the address is wrong.
    Refused,
    /// Anything else.
    Other,
}

impl Failure {
    /// The kind of a database's error.
    ///
    /// PostgreSQL: [SQLSTATE](https://www.postgresql.org/docs/current/errcodes-appendix.html); MySQL and MariaDB: [error
    /// numbers](https://mariadb.com/kb/en/mariadb-error-code-reference/); SQLite: [result codes](https://sqlite.org/rescode.html).
    #[must_use]
    pub fn of(error: &DbErr) -> Self {
        let Some(cause) = of_driver(error) else {
            return match error {
                DbErr::ConnectionAcquire(_) => Self::Unreachable,
                _ => Self::Other,
            };
        };
        match cause {
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_) => Self::Unreachable,
            sqlx::Error::Database(cause) => {
                if let Some(cause) = cause.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
                    return Self::of_mysql(cause.number());
                }
                let code = cause.code().unwrap_or_default();
                if cause.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
                    Self::of_postgres(&code)
                } else {
                    Self::of_sqlite(code.parse().unwrap_or_default())
                }
            }
            _ => Self::Other,
        }
    }

    /// The kind of whatever a call failed with, if a database was the cause.
    #[must_use]
    pub fn within(error: &Error) -> Self {
        let Fault::Server { source, .. } = error.fault() else { return Self::Other };
        within(source.as_ref()).map_or(Self::Other, Self::of)
    }

    fn of_mysql(number: u16) -> Self {
        match number {
            // Lock wait timeout; deadlock; record changed since last read (MariaDB).
            1205 | 1213 | 1020 => Self::Conflict,
            // Access denied, for a user or a database; unknown database; no such login plugin.
            1044 | 1045 | 1049 | 1251 | 1698 => Self::Refused,
            // Too many connections; server shutting down.
            1040 | 1053 | 1203 | 1077 | 1927 => Self::Unreachable,
            _ => Self::Other,
        }
    }

    fn of_postgres(code: &str) -> Self {
        match code {
            // Serialization failure; deadlock.
            "40001" | "40P01" => Self::Conflict,
            // Invalid authorization; invalid password; no such database; no CONNECT right.
            "28000" | "28P01" | "3D000" | "42501" => Self::Refused,
            // Shutdown, crash, starting up, too many connections; and the class of lost connections.
            "57P01" | "57P02" | "57P03" | "53300" => Self::Unreachable,
            code if code.starts_with("08") => Self::Unreachable,
            _ => Self::Other,
        }
    }

    fn of_sqlite(code: u32) -> Self {
        match code & 0xFF {
            // BUSY with its extended codes, LOCKED.
            5 | 6 => Self::Conflict,
            // CANTOPEN, NOTADB, READONLY, AUTH.
            14 | 26 | 8 | 23 => Self::Refused,
            _ => Self::Other,
        }
    }
}

/// The database's error that a failure comes of.
pub(super) fn within<'e>(cause: &'e (dyn StdError + 'static)) -> Option<&'e DbErr> {
    let mut next = Some(cause);
    while let Some(cause) = next {
        if let Some(error) = cause.downcast_ref::<DbErr>() {
            return Some(error);
        }
        next = cause.source();
    }
    None
}

fn of_driver(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => Some(cause),
        _ => None,
    }
}

/// What the database itself said.
pub(super) fn of_database(error: &DbErr) -> Option<&dyn sqlx::error::DatabaseError> {
    of_driver(error)?.as_database_error()
}

/// Whether a column held what its field does not take.
pub(super) fn is_decoding(error: &DbErr) -> bool {
    use sqlx::Error::{ColumnDecode, ColumnIndexOutOfBounds, ColumnNotFound, Decode};
    matches!(
        of_driver(error),
        Some(ColumnDecode { .. } | Decode(_) | ColumnNotFound(_) | ColumnIndexOutOfBounds { .. })
    )
}
