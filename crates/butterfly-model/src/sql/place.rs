//! Where a database is, and what its failures mean for whoever runs the program.

use std::error::Error as StdError;

use butterfly_core::Used;
use sea_orm::{ConnAcquireErr, DbErr};
use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlDatabaseError;
use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

use super::{DatabaseUrl, Driver, Failure, fault};

/// A database of the program's: its name in `[databases]`, and its address.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) name: String,
    pub(super) url: DatabaseUrl,
}

impl Used for Place {
    fn advise(&self, cause: &(dyn StdError + 'static)) -> Option<String> {
        let error = fault::within(cause)?;
        let said = fault::of_database(error);
        // A call may use several: one of another kind has not said this.
        if said.is_some_and(|said| driver(said) != Some(self.url.driver())) {
            return None;
        }
        let place = format!("databases.{} ({})", self.name, self.url);
        let more = said.and_then(Trouble::of).or_else(|| Trouble::without_words(error));
        Some(more.map_or_else(|| place.clone(), |trouble| format!("{place}: {}", trouble.advice())))
    }
}

fn driver(said: &dyn DatabaseError) -> Option<Driver> {
    if said.try_downcast_ref::<MySqlDatabaseError>().is_some() {
        Some(Driver::MySql)
    } else if said.try_downcast_ref::<PgDatabaseError>().is_some() {
        Some(Driver::Postgres)
    } else {
        said.try_downcast_ref::<SqliteError>().map(|_| Driver::Sqlite)
    }
}

/// What people can do something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Away,
    Exhausted,
    Login,
    NoDatabase,
    NoRight,
    NoTable,
    NoColumn,
    NarrowColumn,
    OtherType,
    Full,
    ReadOnly,
    NoFile,
    NotADatabase,
    Conflict,
}

impl Trouble {
    fn advice(self) -> &'static str {
        match self {
            Self::Away => "no connection: see that the server runs at this address",
            Self::Exhausted => {
                "no connection in time: the server does not answer, or max_connections are all in use by calls that take long"
            }
            Self::Login => "it refuses the user or the password: set them in this address",
            Self::NoDatabase => "there is no such database: create it, or name another one in this address",
            Self::NoRight => "the user lacks a right: GRANT it",
            Self::NoTable => {
                "a table is missing: run the program with `migrate up`, or have it made at the start by sql.create_tables = true"
            }
            Self::NoColumn => {
                "a table lacks a column of its entity: run the program with `migrate up`, or have it made at the start by \
                 sql.create_tables = true"
            }
            Self::NarrowColumn => "a column takes less than its entity says: the table needs a migration",
            Self::OtherType => {
                "a column holds what its entity's type does not take: the table needs a migration"
            }
            Self::Full => "there is no room left on its disk",
            Self::ReadOnly => {
                "it cannot be written to: see the rights of the file and its folder, or the server's read_only"
            }
            Self::NoFile => {
                "the file cannot be opened: see that its folder is there and may be read and written"
            }
            Self::NotADatabase => "the file is damaged, or none of SQLite's: restore it from a backup",
            Self::Conflict => "other transactions are in the way: use ctx.transaction, which tries again",
        }
    }

    /// What the database's own words mean.
    fn of(said: &dyn DatabaseError) -> Option<Self> {
        if let Some(said) = said.try_downcast_ref::<MySqlDatabaseError>() {
            return Self::of_mysql(said.number());
        }
        let code = said.code().unwrap_or_default();
        if said.try_downcast_ref::<PgDatabaseError>().is_some() {
            return Self::of_postgres(&code);
        }
        Self::of_sqlite(code.parse().unwrap_or_default(), said.message())
    }

    /// What it means when the database said nothing.
    fn without_words(error: &DbErr) -> Option<Self> {
        match error {
            DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => Some(Self::Exhausted),
            DbErr::Type(_) | DbErr::TryIntoErr { .. } | DbErr::Json(_) => Some(Self::OtherType),
            DbErr::Query(_) if fault::is_decoding(error) => Some(Self::OtherType),
            _ if Failure::of(error) == Failure::Unreachable => Some(Self::Away),
            _ => None,
        }
    }

    /// [Error numbers](https://mariadb.com/kb/en/mariadb-error-code-reference/).
    fn of_mysql(number: u16) -> Option<Self> {
        Some(match number {
            1045 | 1251 | 1698 => Self::Login,
            1049 => Self::NoDatabase,
            1044 | 1142 | 1143 | 1227 => Self::NoRight,
            1146 => Self::NoTable,
            1054 => Self::NoColumn,
            1264 | 1406 => Self::NarrowColumn,
            1366 | 1292 => Self::OtherType,
            1021 | 1114 => Self::Full,
            1290 | 1792 | 1836 => Self::ReadOnly,
            1040 | 1203 => Self::Exhausted,
            1205 | 1213 | 1020 => Self::Conflict,
            _ => return None,
        })
    }

    /// [SQLSTATE](https://www.postgresql.org/docs/current/errcodes-appendix.html).
    fn of_postgres(code: &str) -> Option<Self> {
        Some(match code {
            "28000" | "28P01" => Self::Login,
            "3D000" => Self::NoDatabase,
            "42501" => Self::NoRight,
            "42P01" => Self::NoTable,
            "42703" => Self::NoColumn,
            "22001" | "22003" => Self::NarrowColumn,
            "42804" | "22P02" | "22P05" => Self::OtherType,
            "53100" => Self::Full,
            "25006" => Self::ReadOnly,
            "53300" => Self::Exhausted,
            "40001" | "40P01" => Self::Conflict,
            "57P01" | "57P02" | "57P03" => Self::Away,
            _ => return None,
        })
    }

    /// [Result codes](https://sqlite.org/rescode.html); what is wrong with a statement has but one.
    fn of_sqlite(code: u32, message: &str) -> Option<Self> {
        Some(match code & 0xFF {
            1 if message.starts_with("no such table") => Self::NoTable,
            1 if message.starts_with("no such column") || message.contains("has no column named") => {
                Self::NoColumn
            }
            5 | 6 => Self::Conflict,
            8 => Self::ReadOnly,
            13 => Self::Full,
            14 => Self::NoFile,
            11 | 26 => Self::NotADatabase,
            20 => Self::OtherType,
            _ => return None,
        })
    }
}
