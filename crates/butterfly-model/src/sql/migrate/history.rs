//! The table in which a database keeps what was done to it.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};

use super::files::Script;
use super::read::live_tables;
use super::schema::quoted;
use crate::sql::Driver;

/// The table's name.
pub(super) const TABLE: &str = "butterfly_migrations";

/// A migration that the database knows.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) checksum: String,
    pub(super) state: State,
    /// How many statements were done, of one that is in between.
    pub(super) done: usize,
    /// The checksum of those.
    pub(super) prefix: String,
    /// Why it stopped; empty when its process ended without a word.
    pub(super) error: String,
    pub(super) at: String,
    pub(super) took_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Applied,
    /// Being applied, statement by statement.
    Up,
    /// Being taken back.
    Down,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// What the database knows, oldest first; nothing where it has no such table.
pub(super) async fn read(db: &impl ConnectionTrait, driver: Driver) -> Result<Vec<Entry>, DbErr> {
    if !live_tables(db, driver).await?.iter().any(|name| name == TABLE) {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT name, checksum, state, done, prefix, error, applied_at, took_ms FROM {}",
        quoted(driver, TABLE)
    );
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let mut entries = rows
        .iter()
        .map(|row| {
            let state = match row.try_get::<String>("", "state")?.as_str() {
                "up" => State::Up,
                "down" => State::Down,
                _ => State::Applied,
            };
            Ok(Entry {
                name: row.try_get("", "name")?,
                checksum: row.try_get("", "checksum")?,
                state,
                done: usize::try_from(row.try_get::<i64>("", "done")?).unwrap_or_default(),
                prefix: row.try_get("", "prefix")?,
                error: row.try_get("", "error")?,
                at: row.try_get("", "applied_at")?,
                took_ms: row.try_get("", "took_ms")?,
            })
        })
        .collect::<Result<Vec<_>, DbErr>>()?;
    // As files are sorted: a database has an order of letters of its own.
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(entries)
}

pub(super) async fn make(db: &impl ConnectionTrait, driver: Driver) -> Result<(), DbErr> {
    let sql = format!(
        "CREATE TABLE IF NOT EXISTS {} (name VARCHAR(200) NOT NULL PRIMARY KEY, checksum VARCHAR(64) NOT NULL, \
         state VARCHAR(10) NOT NULL, done BIGINT NOT NULL, prefix VARCHAR(64) NOT NULL, error VARCHAR(2000) NOT NULL, \
         applied_at VARCHAR(40) NOT NULL, took_ms BIGINT NOT NULL)",
        quoted(driver, TABLE)
    );
    db.execute_unprepared(&sql).await.map(drop)
}

/// Puts a migration's entry in place of the one that is there.
pub(super) async fn put(db: &impl ConnectionTrait, entry: &Entry) -> Result<(), DbErr> {
    remove(db, &entry.name).await?;
    let mut error = entry.error.clone();
    error.truncate(error.floor_char_boundary(1900));
    let values: Vec<Value> = vec![
        entry.name.clone().into(),
        entry.checksum.clone().into(),
        entry.state.word().into(),
        i64::try_from(entry.done).unwrap_or_default().into(),
        entry.prefix.clone().into(),
        error.into(),
        entry.at.clone().into(),
        entry.took_ms.into(),
    ];
    let sql = format!(
        "INSERT INTO {TABLE} (name, checksum, state, done, prefix, error, applied_at, took_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    );
    db.execute_raw(statement(db, &sql, values)).await.map(drop)
}

pub(super) async fn remove(db: &impl ConnectionTrait, name: &str) -> Result<(), DbErr> {
    let sql = format!("DELETE FROM {TABLE} WHERE name = ?");
    db.execute_raw(statement(db, &sql, vec![name.into()])).await.map(drop)
}

/// A statement with `?` where PostgreSQL has `$1`.
fn statement(db: &impl ConnectionTrait, sql: &str, values: Vec<Value>) -> Statement {
    let backend = db.get_database_backend();
    let mut sql = sql.to_owned();
    if backend == DbBackend::Postgres {
        for number in 1..=values.len() {
            sql = sql.replacen('?', &format!("${number}"), 1);
        }
    }
    Statement::from_sql_and_values(backend, sql, values)
}

impl Entry {
    /// An entry of a migration on its way, none of it done yet.
    pub(super) fn begun(name: &str, script: &Script, state: State) -> Self {
        Self {
            name: name.to_owned(),
            checksum: script.checksum.clone(),
            state,
            done: 0,
            prefix: script.prefix(0),
            error: String::new(),
            at: now(),
            took_ms: 0,
        }
    }
}

/// The time, as people read it: `2026-11-27T10:15:00Z`.
pub(super) fn now() -> String {
    let now = time::OffsetDateTime::now_utc();
    now.replace_nanosecond(0)
        .ok()
        .and_then(|now| now.format(&time::format_description::well_known::Rfc3339).ok())
        .unwrap_or_default()
}

/// The time so many seconds from now, as names of files begin: `20261127_101500`.
pub(super) fn stamp(seconds: i64) -> String {
    let now = time::OffsetDateTime::now_utc() + time::Duration::seconds(seconds);
    now.format(time::macros::format_description!("[year][month][day]_[hour][minute][second]"))
        .unwrap_or_default()
}
