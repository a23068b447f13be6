//! The table `butterfly_outbox`: made, written, read, cleared.

use std::collections::BTreeSet;
use std::sync::Arc;

use butterfly_core::{Error, Result};
use butterfly_model::sql::sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, QueryResult, Statement, Value,
};
use butterfly_model::sql::{DatabaseUrl, Driver, SchemaLock};

use super::stored;
use crate::message::NewMessage;
use crate::topic::Topic;

/// Numbers are never given twice, not even after the last row is gone.
pub(super) const SQLITE: &str = "CREATE TABLE IF NOT EXISTS butterfly_outbox (\
     id INTEGER PRIMARY KEY AUTOINCREMENT, queue VARCHAR(190) NOT NULL, msg_id VARCHAR(128) NOT NULL, \
     topic VARCHAR(200) NOT NULL, message TEXT NOT NULL, created_ms BIGINT NOT NULL, reqid VARCHAR(40) NOT NULL, \
     caller TEXT, refused TEXT)";
const MYSQL: &str = "CREATE TABLE IF NOT EXISTS butterfly_outbox (\
     id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, queue VARCHAR(190) NOT NULL, msg_id VARCHAR(128) NOT NULL, \
     topic VARCHAR(200) NOT NULL, message LONGTEXT NOT NULL, created_ms BIGINT NOT NULL, reqid VARCHAR(40) NOT NULL, \
     caller TEXT, refused TEXT) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4";
const POSTGRES: &str = "CREATE TABLE IF NOT EXISTS butterfly_outbox (\
     id BIGSERIAL PRIMARY KEY, queue VARCHAR(190) NOT NULL, msg_id VARCHAR(128) NOT NULL, \
     topic VARCHAR(200) NOT NULL, message TEXT NOT NULL, created_ms BIGINT NOT NULL, reqid VARCHAR(40) NOT NULL, \
     caller TEXT, refused TEXT)";

/// The longest reason that a row keeps, in bytes.
const REASON_MAX: usize = 4096;

/// A row, not yet understood.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) msg_id: String,
    pub(super) topic: String,
    pub(super) message: String,
    pub(super) reqid: String,
    pub(super) caller: Option<String>,
}

/// Whether the database has the table. In a transaction this does no harm where it has not.
pub(super) async fn is_there(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let backend = db.get_database_backend();
    let sql = match backend {
        DbBackend::Sqlite => {
            "SELECT COUNT(*) AS n FROM sqlite_master WHERE type = 'table' AND name = 'butterfly_outbox'"
        }
        DbBackend::MySql => {
            "SELECT COUNT(*) AS n FROM information_schema.tables \
             WHERE table_schema = DATABASE() AND table_name = 'butterfly_outbox'"
        }
        // Not by to_regclass: a transaction that has looked once goes on to see what it saw then.
        _ => {
            "SELECT COUNT(*) AS n FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace \
             WHERE relname = 'butterfly_outbox' AND nspname = ANY (current_schemas(false))"
        }
    };
    let row = db.query_one_raw(Statement::from_string(backend, sql)).await?;
    row.map_or(Ok(0_i64), |row| row.try_get("", "n")).map(|count| count > 0)
}

/// Makes the table, outside of every transaction of the user's.
pub(super) async fn make(url: &DatabaseUrl, db: &DatabaseConnection) -> Result<(), DbErr> {
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

pub(super) async fn insert(
    tx: &impl ConnectionTrait,
    home: &str,
    topic: &Topic,
    id: &str,
    mut message: NewMessage,
) -> Result<()> {
    let (created, reqid, user) = (message.spec.created, message.spec.reqid, message.spec.user.take());
    let text = stored::write(message).map_err(|error| Error::server(error.to_string()))?;
    let created = i64::try_from(created).unwrap_or(i64::MAX);
    let backend = tx.get_database_backend();
    let marks = match backend {
        DbBackend::Postgres => "$1, $2, $3, $4, $5, $6, $7",
        _ => "?, ?, ?, ?, ?, ?, ?",
    };
    let sql = format!(
        "INSERT INTO butterfly_outbox (queue, msg_id, topic, message, created_ms, reqid, caller) VALUES ({marks})"
    );
    let values: [Value; 7] = [
        home.into(),
        id.into(),
        topic.path.as_ref().into(),
        text.into(),
        created.into(),
        reqid.as_str().into(),
        user.into(),
    ];
    tx.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    Ok(())
}

/// What a relay may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) home: &'a str,
    /// Not of these topics: they are full.
    pub(super) but: &'a BTreeSet<Arc<str>>,
}

impl Wanted<'_> {
    fn sql(self, backend: DbBackend, columns: &str, rest: &str) -> Statement {
        let mark = |at: usize| match backend {
            DbBackend::Postgres => format!("${at}"),
            _ => "?".to_owned(),
        };
        let mut sql =
            format!("SELECT {columns} FROM butterfly_outbox WHERE queue = {} AND refused IS NULL", mark(1));
        if !self.but.is_empty() {
            let marks: Vec<String> = (2..self.but.len() + 2).map(mark).collect();
            sql += &format!(" AND topic NOT IN ({})", marks.join(", "));
        }
        sql += rest;
        let values = std::iter::once(self.home).chain(self.but.iter().map(AsRef::as_ref)).map(Value::from);
        Statement::from_sql_and_values(backend, sql, values)
    }
}

/// Whether there is anything to be taken: locks nothing.
pub(super) async fn has(db: &impl ConnectionTrait, wanted: Wanted<'_>) -> Result<bool, DbErr> {
    let sql = wanted.sql(db.get_database_backend(), "id", " LIMIT 1");
    Ok(db.query_one_raw(sql).await?.is_some())
}

/// The oldest rows; `locked` keeps them from other relays until the transaction ends.
pub(super) async fn oldest(
    db: &impl ConnectionTrait,
    wanted: Wanted<'_>,
    limit: usize,
    locked: bool,
) -> Result<Vec<Row>, DbErr> {
    let lock = if locked { " FOR UPDATE SKIP LOCKED" } else { "" };
    let columns = "id, msg_id, topic, message, reqid, caller";
    let sql = wanted.sql(db.get_database_backend(), columns, &format!(" ORDER BY id LIMIT {limit}{lock}"));
    db.query_all_raw(sql).await?.iter().map(row).collect()
}

fn row(row: &QueryResult) -> Result<Row, DbErr> {
    Ok(Row {
        id: row.try_get("", "id")?,
        msg_id: row.try_get("", "msg_id")?,
        topic: row.try_get("", "topic")?,
        message: row.try_get("", "message")?,
        reqid: row.try_get("", "reqid")?,
        caller: row.try_get("", "caller")?,
    })
}

/// Removes rows that are in the queue.
pub(super) async fn remove(db: &impl ConnectionTrait, ids: &[i64]) -> Result<(), DbErr> {
    if ids.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    db.execute_unprepared(&format!("DELETE FROM butterfly_outbox WHERE id IN ({})", ids.join(", ")))
        .await
        .map(drop)
}

/// Sets a row aside.
pub(super) async fn refuse(db: &impl ConnectionTrait, id: i64, why: &str) -> Result<(), DbErr> {
    let backend = db.get_database_backend();
    let sql = match backend {
        DbBackend::Postgres => "UPDATE butterfly_outbox SET refused = $1 WHERE id = $2",
        _ => "UPDATE butterfly_outbox SET refused = ? WHERE id = ?",
    };
    // PostgreSQL has no NUL in texts.
    let why = why[..why.floor_char_boundary(REASON_MAX)].replace('\0', "");
    db.execute_raw(Statement::from_sql_and_values(backend, sql, [why.into(), id.into()])).await.map(drop)
}
