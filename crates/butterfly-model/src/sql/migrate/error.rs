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
    Failed(Box<FailedStatement>),
}

/// A statement that failed, and what has become of its migration.
#[derive(Debug)]
#[non_exhaustive]
pub struct FailedStatement {
    /// The file.
    pub file: String,
    /// The line of it on which the statement begins.
    pub line: usize,
    /// The statement, cut.
    pub sql: String,
    /// What the database says.
    pub cause: DbErr,
    /// What was kept, and how to go on.
    pub state: String,
}

impl MigrateError {
    /// What kind of failure it is.
    pub fn failure(&self) -> Failure {
        match self {
            Self::Database(error) => Failure::of(error),
            Self::Failed(failed) => Failure::of(&failed.cause),
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
            Self::Failed(failed) => {
                let FailedStatement { file, line, sql, cause, state } = &**failed;
                write!(f, "{file}, line {line}: {cause}\n    {}\n{state}", sql.replace('\n', "\n    "))
            }
        }
    }
}

impl std::error::Error for MigrateError {}
