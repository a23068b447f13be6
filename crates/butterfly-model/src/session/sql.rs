//! Sessions in a table: SQLite, MySQL or MariaDB, PostgreSQL.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use butterfly_core::{Error, Result};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, QueryResult, Statement, Value};
use tokio::sync::OnceCell;

use super::store::{Pending, SessionStore, Stored};
use crate::sql::{DatabaseUrl, Databases, Driver, SchemaLock};

const SQLITE: &str = "CREATE TABLE IF NOT EXISTS butterfly_session (\
     id CHAR(64) NOT NULL PRIMARY KEY, owner CHAR(64), version BIGINT NOT NULL, expires BIGINT NOT NULL, \
     ends BIGINT NOT NULL, record TEXT NOT NULL); \
     CREATE INDEX IF NOT EXISTS butterfly_session_owner ON butterfly_session (owner); \
     CREATE INDEX IF NOT EXISTS butterfly_session_expires ON butterfly_session (expires)";
const MYSQL: &str = "CREATE TABLE IF NOT EXISTS butterfly_session (\
     id CHAR(64) CHARACTER SET ascii NOT NULL PRIMARY KEY, owner CHAR(64) CHARACTER SET ascii, \
     version BIGINT NOT NULL, expires BIGINT NOT NULL, ends BIGINT NOT NULL, record LONGTEXT NOT NULL, \
     KEY butterfly_session_owner (owner), KEY butterfly_session_expires (expires)) \
     ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4";
const POSTGRES: &str = "CREATE TABLE IF NOT EXISTS butterfly_session (\
     id CHAR(64) NOT NULL PRIMARY KEY, owner CHAR(64), version BIGINT NOT NULL, expires BIGINT NOT NULL, \
     ends BIGINT NOT NULL, record TEXT NOT NULL); \
     CREATE INDEX IF NOT EXISTS butterfly_session_owner ON butterfly_session (owner); \
     CREATE INDEX IF NOT EXISTS butterfly_session_expires ON butterfly_session (expires)";

const COLUMNS: &str = "id, owner, version, expires, ends, record";
/// A statement on a file of its own that takes so long is logged as slow.
const SLOW: Duration = Duration::from_millis(200);

/// Sessions in the table `butterfly_session`, which is made when it is first used.
///
/// # Example
///
/// ```
/// use butterfly_model::session::{SessionStore, SqlSessions};
///
/// # #[tokio::main]
/// # async fn main() -> butterfly_core::Result<()> {
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let store = SqlSessions::file(&folder.join("sessions.db"))?;
/// assert_eq!(store.load("no such id").await?, None);
/// # Ok(())
/// # }
/// ```
pub struct SqlSessions {
    name: String,
    url: DatabaseUrl,
    /// Where it is not given, it is connected when it is first used.
    given: Option<DatabaseConnection>,
    ready: OnceCell<DatabaseConnection>,
}

impl SqlSessions {
    /// Sessions in a database of the program's, by its name.
    ///
    /// # Errors
    ///
    /// When there is no database of this name.
    pub fn new(databases: &Databases, name: &str) -> Result<Self> {
        let found = databases.iter().find(|(known, ..)| *known == name);
        let (_, url, db) = found.ok_or_else(|| {
            Error::server(format!("sessions have no database {name:?}: set databases.{name}"))
        })?;
        Ok(Self {
            name: format!("databases.{name}"),
            url: url.clone(),
            given: Some(db.clone()),
            ready: OnceCell::new(),
        })
    }

    /// Sessions in an SQLite file of their own, which processes of one machine can share.
    ///
    /// # Errors
    ///
    /// When the path cannot be part of an address: it is no text.
    pub fn file(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let slashes = if path.is_absolute() { "sqlite:///" } else { "sqlite://" };
        let url: std::result::Result<DatabaseUrl, String> =
            format!("{slashes}{}", butterfly_core::escape_path(path)).parse();
        let url =
            url.map_err(|why| Error::server(format!("sessions cannot be in the file {name}: {why}")))?;
        Ok(Self { name, url, given: None, ready: OnceCell::new() })
    }

    /// The database, with the table in it.
    async fn db(&self) -> Result<&DatabaseConnection> {
        let made = self.ready.get_or_try_init(|| async {
            let db = match &self.given {
                Some(db) => db.clone(),
                None => self.connect().await?,
            };
            // Whoever may not make tables may find one that was made for him.
            if db.execute_unprepared("SELECT version FROM butterfly_session WHERE id = ''").await.is_err() {
                make(&self.url, &db).await?;
            }
            Ok::<_, DbErr>(db)
        });
        made.await.map_err(|error| self.failed(error))
    }

    /// Opens the file, which is made for its owner alone.
    async fn connect(&self) -> Result<DatabaseConnection, DbErr> {
        if let Some(file) = self.url.file() {
            let made = async {
                if let Some(folder) = file.parent() {
                    tokio::fs::create_dir_all(folder).await?;
                }
                tokio::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(file).await
            };
            made.await.map_err(|error| DbErr::Custom(format!("cannot make it: {error}")))?;
        }
        let mut databases = Databases::new();
        databases.add("sessions", self.url.clone(), SLOW).await?;
        databases.get("sessions").cloned().ok_or_else(|| DbErr::Custom("it was not added".into()))
    }

    async fn rows(&self, sql: &str, values: Vec<Value>) -> Result<Vec<(String, Stored)>> {
        let rows = self.db().await?.query_all_raw(self.statement(sql, values)).await;
        let read = rows.and_then(|rows| rows.iter().map(row).collect());
        read.map_err(|error| self.failed(error))
    }

    /// Changes rows; gives how many.
    async fn change(&self, sql: &str, values: Vec<Value>) -> Result<u64> {
        let done = self.db().await?.execute_raw(self.statement(sql, values)).await;
        done.map(|done| done.rows_affected()).map_err(|error| self.failed(error))
    }

    fn statement(&self, sql: &str, values: Vec<Value>) -> Statement {
        match self.url.driver() {
            Driver::Sqlite => Statement::from_sql_and_values(DbBackend::Sqlite, sql, values),
            Driver::MySql => Statement::from_sql_and_values(DbBackend::MySql, sql, values),
            Driver::Postgres => Statement::from_sql_and_values(DbBackend::Postgres, numbered(sql), values),
        }
    }

    fn failed(&self, error: DbErr) -> Error {
        Error::server(format!("the sessions in {} cannot be used: {error}", self.name))
    }
}

async fn make(url: &DatabaseUrl, db: &DatabaseConnection) -> Result<(), DbErr> {
    let lock = SchemaLock::take(url).await?;
    let sql = match url.driver() {
        Driver::Sqlite => SQLITE,
        Driver::MySql => MYSQL,
        Driver::Postgres => POSTGRES,
    };
    let made = db.execute_unprepared(sql).await;
    lock.release().await;
    made.map(drop)
}

/// PostgreSQL numbers its marks.
fn numbered(sql: &str) -> String {
    let mut count = 0;
    let parts = sql.split_inclusive('?').map(|part| match part.strip_suffix('?') {
        Some(before) => {
            count += 1;
            format!("{before}${count}")
        }
        None => part.to_owned(),
    });
    parts.collect()
}

fn row(row: &QueryResult) -> Result<(String, Stored), DbErr> {
    // Times and versions are never below 0.
    let number = |name: &str| row.try_get::<i64>("", name).map(i64::unsigned_abs);
    let stored = Stored {
        version: number("version")?,
        owner: row.try_get("", "owner")?,
        expires: number("expires")?,
        ends: number("ends")?,
        record: row.try_get("", "record")?,
    };
    Ok((row.try_get("", "id")?, stored))
}

fn value(number: u64) -> Value {
    i64::try_from(number).unwrap_or(i64::MAX).into()
}

impl SessionStore for SqlSessions {
    fn load<'a>(&'a self, id: &'a str) -> Pending<'a, Option<Stored>> {
        Box::pin(async move {
            let sql = format!("SELECT {COLUMNS} FROM butterfly_session WHERE id = ?");
            Ok(self.rows(&sql, vec![id.into()]).await?.pop().map(|(_, stored)| stored))
        })
    }

    fn insert<'a>(&'a self, id: &'a str, session: Stored) -> Pending<'a, ()> {
        Box::pin(async move {
            let sql = format!("INSERT INTO butterfly_session ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)");
            let Stored { version, owner, expires, ends, record } = session;
            let values =
                vec![id.into(), owner.into(), value(version), value(expires), value(ends), record.into()];
            self.change(&sql, values).await.map(drop)
        })
    }

    fn replace<'a>(&'a self, id: &'a str, session: Stored) -> Pending<'a, bool> {
        Box::pin(async move {
            let sql = "UPDATE butterfly_session SET version = ?, expires = ?, record = ? WHERE id = ? AND version = ?";
            let Stored { version, expires, record, .. } = session;
            let before = value(version.saturating_sub(1));
            let values = vec![value(version), value(expires), record.into(), id.into(), before];
            Ok(self.change(sql, values).await? == 1)
        })
    }

    fn remove<'a>(&'a self, id: &'a str, version: Option<u64>) -> Pending<'a, bool> {
        Box::pin(async move {
            let done = match version {
                None => self.change("DELETE FROM butterfly_session WHERE id = ?", vec![id.into()]).await?,
                Some(version) => {
                    let sql = "DELETE FROM butterfly_session WHERE id = ? AND version = ?";
                    self.change(sql, vec![id.into(), value(version)]).await?
                }
            };
            Ok(done == 1)
        })
    }

    fn list<'a>(&'a self, owner: &'a str) -> Pending<'a, Vec<(String, Stored)>> {
        Box::pin(async move {
            let sql = format!("SELECT {COLUMNS} FROM butterfly_session WHERE owner = ?");
            self.rows(&sql, vec![owner.into()]).await
        })
    }

    fn purge(&self, now: u64) -> Pending<'_, ()> {
        Box::pin(async move {
            let sql = "DELETE FROM butterfly_session WHERE expires <= ?";
            self.change(sql, vec![value(now)]).await.map(drop)
        })
    }
}

impl fmt::Debug for SqlSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqlSessions({})", self.name)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_may_have_any_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a b?c=1#%20@é/sessions.db");
        let store = SqlSessions::file(&path).unwrap();
        assert_eq!(store.load("x").await.unwrap(), None);
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600, "it is its owner's alone");
    }

    #[test]
    fn marks_are_numbered() {
        assert_eq!(numbered("a = ? AND b = ? OR c"), "a = $1 AND b = $2 OR c");
    }
}
