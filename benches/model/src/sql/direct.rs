//! SeaORM, used directly, with the pool's settings that ours has.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use butterfly::model::sql::prelude::*;
use sea_orm::{ConnectOptions, Database, DatabaseConnection, SqliteTransactionMode, TransactionOptions};
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};

use super::{Operation, ROWS, key};
use crate::todo;

#[derive(Debug)]
pub(super) struct Direct(DatabaseConnection);

impl Direct {
    pub(super) async fn open(file: &Path) -> Result<Self> {
        let mut options = ConnectOptions::new("sqlite://");
        let file = file.to_owned();
        options.sqlx_logging(false).max_connections(8).test_before_acquire(false).map_sqlx_sqlite_opts(
            move |sqlite| {
                sqlite
                    .filename(&file)
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .busy_timeout(Duration::from_secs(10))
                    .synchronous(SqliteSynchronous::Normal)
            },
        );
        let db = Database::connect(options).await?;
        fill(&db).await?;
        Ok(Self(db))
    }

    pub(super) async fn run(&self, operation: Operation, times: usize) -> Result<()> {
        for number in 0..times {
            match operation {
                Operation::Transaction => {
                    let options = TransactionOptions {
                        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                        ..Default::default()
                    };
                    let tx = self.0.begin_with_options(options).await?;
                    one(&tx, Operation::Get, number).await?;
                    one(&tx, Operation::Update, number).await?;
                    tx.commit().await?;
                }
                operation => one(&self.0, operation, number).await?,
            }
        }
        Ok(())
    }
}

/// Makes the table, and the rows that are there before anything is measured.
pub(super) async fn fill(db: &DatabaseConnection) -> Result<()> {
    db.execute_unprepared(
        "CREATE TABLE todo (id INTEGER PRIMARY KEY AUTOINCREMENT, title VARCHAR(200) NOT NULL,
         done BOOLEAN NOT NULL DEFAULT FALSE, due TEXT)",
    )
    .await?;
    let rows = (0..ROWS as usize).map(new);
    todo::Entity::insert_many(rows).exec(db).await?;
    Ok(())
}

fn new(number: usize) -> todo::ActiveModel {
    let due = time::OffsetDateTime::UNIX_EPOCH + time::Duration::hours(500_000 + number as i64);
    todo::ActiveModel {
        id: NotSet,
        title: Set(format!("task {number}")),
        done: Set(number.is_multiple_of(2)),
        due: Set(Some(due)),
    }
}

/// One statement, as SeaORM's users write it.
pub(super) async fn one(db: &impl ConnectionTrait, operation: Operation, number: usize) -> Result<(), DbErr> {
    match operation {
        Operation::Insert => {
            let row = new(number).insert(db).await?;
            right(row.id > ROWS)?;
        }
        Operation::Get | Operation::Transaction => {
            let row = todo::Entity::find_by_id(key(number)).one(db).await?;
            right(row.is_some_and(|row| row.id == key(number)))?;
        }
        Operation::List => {
            let rows = todo::Entity::find()
                .filter(todo::Column::Done.eq(false))
                .order_by_desc(todo::Column::Id)
                .limit(20)
                .all(db)
                .await?;
            right(rows.len() == 20)?;
        }
        Operation::Update => {
            let row = todo::ActiveModel {
                id: Unchanged(key(number)),
                title: Set(format!("changed {number}")),
                ..Default::default()
            };
            right(row.update(db).await?.id == key(number))?;
        }
    }
    Ok(())
}

fn right(answer: bool) -> Result<(), DbErr> {
    if answer { Ok(()) } else { Err(DbErr::Custom("another row than was asked for".into())) }
}
