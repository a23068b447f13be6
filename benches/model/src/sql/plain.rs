//! sqlx, used directly: prepared statements written by hand.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use time::OffsetDateTime;

use super::{Operation, ROWS, key};

type Row = (i64, String, bool, Option<OffsetDateTime>);

#[derive(Debug)]
pub(super) struct Plain(SqlitePool);

impl Plain {
    pub(super) async fn open(file: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(Duration::from_secs(10))
            .synchronous(SqliteSynchronous::Normal);
        let pool = SqlitePoolOptions::new()
            .max_connections(8)
            .test_before_acquire(false)
            .connect_with(options)
            .await?;
        sqlx::query(
            "CREATE TABLE todo (id INTEGER PRIMARY KEY AUTOINCREMENT, title VARCHAR(200) NOT NULL,
             done BOOLEAN NOT NULL DEFAULT FALSE, due TEXT)",
        )
        .execute(&pool)
        .await?;
        let mut tx = pool.begin().await?;
        for number in 0..ROWS as usize {
            one(&mut tx, Operation::Insert, number).await?;
        }
        tx.commit().await?;
        Ok(Self(pool))
    }

    pub(super) async fn run(&self, operation: Operation, times: usize) -> Result<()> {
        for number in 0..times {
            if operation == Operation::Transaction {
                let mut tx = self.0.begin_with("BEGIN IMMEDIATE").await?;
                one(&mut tx, Operation::Get, number).await?;
                one(&mut tx, Operation::Update, number).await?;
                tx.commit().await?;
            } else {
                one(&mut *self.0.acquire().await?, operation, number).await?;
            }
        }
        Ok(())
    }
}

async fn one(db: &mut SqliteConnection, operation: Operation, number: usize) -> Result<()> {
    match operation {
        Operation::Insert => {
            let due = OffsetDateTime::UNIX_EPOCH + time::Duration::hours(500_000 + number as i64);
            let row: Row = sqlx::query_as(
                "INSERT INTO todo (title, done, due) VALUES (?, ?, ?) RETURNING id, title, done, due",
            )
            .bind(format!("task {number}"))
            .bind(number.is_multiple_of(2))
            .bind(Some(due))
            .fetch_one(db)
            .await?;
            ensure!(row.0 > 0, "no key");
        }
        Operation::Get | Operation::Transaction => {
            let row: Row = sqlx::query_as("SELECT id, title, done, due FROM todo WHERE id = ? LIMIT 1")
                .bind(key(number))
                .fetch_one(db)
                .await?;
            ensure!(row.0 == key(number), "another row");
        }
        Operation::List => {
            let rows: Vec<Row> = sqlx::query_as(
                "SELECT id, title, done, due FROM todo WHERE done = ? ORDER BY id DESC LIMIT 20",
            )
            .bind(false)
            .fetch_all(db)
            .await?;
            ensure!(rows.len() == 20, "{} rows", rows.len());
        }
        Operation::Update => {
            let row: Row =
                sqlx::query_as("UPDATE todo SET title = ? WHERE id = ? RETURNING id, title, done, due")
                    .bind(format!("changed {number}"))
                    .bind(key(number))
                    .fetch_one(db)
                    .await?;
            ensure!(row.0 == key(number), "another row");
        }
    }
    Ok(())
}
