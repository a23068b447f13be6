//! Why a migration was not made or not applied.

use std::fmt;

use sea_orm::DbErr;

use crate::sql::Failure;

/// Why a migration was not made, applied or taken back: a text for whoever runs it.
#[derive(Debug)]
#[non_exhaustive]
pub enum MigrateError {
    /// The database said so; [`failure`](Self::failure) says of what kind it is.
    Database(DbErr),
    /// Something has to be done first, or otherwise; nothing was changed.
    Refused(String),
    /// A statement of a file failed.
    Failed {
        /// The file.
        file: String,
        /// The line of it on which the statement begins.
        line: usize,
        /// The statement, cut.
        sql: String,
        /// What the database says.
        cause: DbErr,
        /// What has become of the rest.
        state: String,
    },
}

impl MigrateError {
    /// What kind of failure it is.
    pub fn failure(&self) -> Failure {
        match self {
            Self::Database(error) | Self::Failed { cause: error, .. } => Failure::of(error),
            Self::Refused(_) => Failure::Other,
        }
    }
}

impl From<DbErr> for MigrateError {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}

impl fmt::Display for MigrateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(error) => write!(f, "{error}"),
            Self::Refused(why) => f.write_str(why),
            Self::Failed { file, line, sql, cause, state } => {
                write!(f, "{file}, line {line}: {cause}\n    {}\n{state}", sql.replace('\n', "\n    "))
            }
        }
    }
}

impl std::error::Error for MigrateError {}
