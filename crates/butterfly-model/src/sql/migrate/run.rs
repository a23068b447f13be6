//! Migrations applied and taken back.
//!
//! SQLite and PostgreSQL take a migration and its entry in the history in one transaction: all of it or nothing. MySQL
//! commits by itself at each change of a table, so there each statement is noted when it is done, and one that stopped
//! goes on from there.

use std::time::Instant;

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};

use super::error::{FailedStatement, MigrateError};
use super::files::{Migration, Script};
use super::history::{self, Entry, State};
use super::script::Statement;
use crate::sql::Driver;

/// The part of a statement that an error shows, in bytes.
const SHOWN: usize = 400;

/// One connection, and what it is of.
pub(super) struct Runner<'a> {
    pub(super) db: &'a DatabaseConnection,
    pub(super) driver: Driver,
}

impl Runner<'_> {
    /// Applies a migration, or what is left of one that stopped.
    pub(super) async fn up(&self, migration: &Migration, before: Option<&Entry>) -> Result<(), MigrateError> {
        let script = &migration.up;
        self.run(&migration.name, script, State::Up, before).await
    }

    /// Takes a migration back.
    pub(super) async fn down(
        &self,
        name: &str,
        script: &Script,
        before: Option<&Entry>,
    ) -> Result<(), MigrateError> {
        self.run(name, script, State::Down, before).await
    }

    async fn run(
        &self,
        name: &str,
        script: &Script,
        way: State,
        before: Option<&Entry>,
    ) -> Result<(), MigrateError> {
        history::make(self.db, self.driver).await?;
        // One that was begun step by step goes on so.
        let before = before.filter(|entry| entry.state == way);
        if self.driver == Driver::MySql || script.apart || before.is_some() {
            self.by_steps(name, script, way, before).await
        } else {
            self.at_once(name, script, way).await
        }
    }

    /// All in one transaction.
    async fn at_once(&self, name: &str, script: &Script, way: State) -> Result<(), MigrateError> {
        let begun = Instant::now();
        // A table that is made anew would take along what refers to it.
        self.keys(false).await?;
        let result = async {
            let tx = self.db.begin_with_options(immediate()).await?;
            let before = self.broken_keys(&tx).await?;
            for statement in &script.statements {
                if let Err(cause) = tx.execute_unprepared(&statement.sql).await {
                    // A connection that is gone has taken it back.
                    let _ = tx.rollback().await;
                    return Err(failed(script, statement, cause, "nothing of it was kept"));
                }
            }
            let after = self.broken_keys(&tx).await?;
            if after > before {
                let _ = tx.rollback().await;
                return Err(MigrateError::Refused(format!(
                    "{}: {} rows would refer to rows that are not there (PRAGMA foreign_key_check); nothing of it was kept",
                    script.file(),
                    after - before
                )));
            }
            self.note_end(&tx, name, script, way, begun).await?;
            tx.commit().await?;
            Ok(())
        };
        let result = result.await;
        let watched = self.keys(true).await;
        result?;
        Ok(watched?)
    }

    /// One statement after the other, each noted.
    async fn by_steps(
        &self,
        name: &str,
        script: &Script,
        way: State,
        before: Option<&Entry>,
    ) -> Result<(), MigrateError> {
        let begun = Instant::now();
        let mut entry = match before {
            Some(before) => {
                same_beginning(script, before)?;
                Entry { error: String::new(), ..before.clone() }
            }
            None => Entry { checksum: script.checksum.clone(), ..Entry::begun(name, script, way) },
        };
        // It ended without a word: the next statement may have been done, and not noted.
        let mut unsure = before.is_some_and(|before| before.error.is_empty());
        self.note(&entry).await?;
        for (at, statement) in script.statements.iter().enumerate().skip(entry.done) {
            entry.done = at + 1;
            entry.prefix = script.prefix(at + 1);
            match self.step(statement, &entry, script.apart && self.driver != Driver::MySql).await {
                Ok(()) => {}
                Err(cause) if unsure && says_done(&cause) => {
                    tracing::info!(
                        target: "butterfly::sql",
                        "{}, line {}: was done already before its process ended: {cause}",
                        script.file(), statement.line
                    );
                    self.note(&entry).await?;
                }
                Err(cause) => {
                    entry.done = at;
                    entry.prefix = script.prefix(at);
                    entry.error = format!("statement {} (line {}): {cause}", at + 1, statement.line);
                    self.note(&entry).await?;
                    return Err(failed(script, statement, cause, &left(script, at)));
                }
            }
            unsure = false;
        }
        let tx = self.db.begin().await?;
        self.note_end(&tx, name, script, way, begun).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Notes how far it is: the entry is there before and after, whatever happens.
    async fn note(&self, entry: &Entry) -> Result<(), DbErr> {
        let tx = self.db.begin().await?;
        history::put(&tx, entry).await?;
        tx.commit().await
    }

    /// A statement and its note; in one transaction, as far as the statement has one.
    async fn step(&self, statement: &Statement, entry: &Entry, apart: bool) -> Result<(), DbErr> {
        if apart {
            self.db.execute_unprepared(&statement.sql).await?;
            return self.note(entry).await;
        }
        let tx = self.db.begin().await?;
        let done = async {
            tx.execute_unprepared(&statement.sql).await?;
            history::put(&tx, entry).await
        };
        match done.await {
            Ok(()) => tx.commit().await,
            Err(error) => {
                let _ = tx.rollback().await;
                Err(error)
            }
        }
    }

    async fn note_end(
        &self,
        tx: &DatabaseTransaction,
        name: &str,
        script: &Script,
        way: State,
        begun: Instant,
    ) -> Result<(), DbErr> {
        if way == State::Down {
            return history::remove(tx, name).await;
        }
        let took_ms = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        let count = script.statements.len();
        let entry = Entry {
            took_ms,
            done: count,
            prefix: script.prefix(count),
            ..Entry::begun(name, script, State::Applied)
        };
        history::put(tx, &entry).await
    }

    /// SQLite's foreign keys watch, or not. Within a transaction it cannot be told.
    async fn keys(&self, watch: bool) -> Result<(), DbErr> {
        if self.driver == Driver::Sqlite {
            let word = if watch { "ON" } else { "OFF" };
            self.db.execute_unprepared(&format!("PRAGMA foreign_keys = {word}")).await?;
        }
        Ok(())
    }

    /// SQLite's rows that refer to nothing.
    async fn broken_keys(&self, tx: &DatabaseTransaction) -> Result<usize, DbErr> {
        if self.driver != Driver::Sqlite {
            return Ok(0);
        }
        let sql = "SELECT count(*) AS many FROM pragma_foreign_key_check";
        let row = tx.query_one_raw(sea_orm::Statement::from_string(tx.get_database_backend(), sql)).await?;
        let many = row.map(|row| row.try_get::<i64>("", "many")).transpose()?.unwrap_or_default();
        Ok(usize::try_from(many).unwrap_or_default())
    }
}

fn immediate() -> TransactionOptions {
    TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    }
}

/// A migration that stopped goes on only with what was done of it as it was.
fn same_beginning(script: &Script, before: &Entry) -> Result<(), MigrateError> {
    if before.done <= script.statements.len() && script.prefix(before.done) == before.prefix {
        return Ok(());
    }
    Err(MigrateError::Refused(format!(
        "{}: it stopped after {} statements, and those have changed since; put them back as they were: what is \
         behind them may change",
        script.file(),
        before.done
    )))
}

fn left(script: &Script, done: usize) -> String {
    let all = script.statements.len();
    if done == 0 {
        return format!("none of its {all} statements was done; mend the file and run it again");
    }
    let (first, last) = (&script.statements[0], &script.statements[done - 1]);
    format!(
        "its first {done} of {all} statements (lines {} to {}) are done and stay; mend the rest of the file and run it \
         again: it goes on behind them",
        first.line, last.line
    )
}

fn failed(script: &Script, statement: &Statement, cause: DbErr, state: &str) -> MigrateError {
    let mut sql = statement.sql.clone();
    if sql.len() > SHOWN {
        sql.truncate(sql.floor_char_boundary(SHOWN));
        sql.push('…');
    }
    MigrateError::Failed(Box::new(FailedStatement {
        file: script.file(),
        line: statement.line,
        sql,
        cause,
        state: state.to_owned(),
    }))
}

/// Whether MySQL says that what was asked for is there already, or gone already.
fn says_done(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause))) = error
    else {
        return false;
    };
    let sqlx::Error::Database(cause) = &**cause else { return false };
    let Some(cause) = cause.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() else { return false };
    // Table, column, key, foreign key exists; unknown table, column, key; more than one primary key; trigger exists, is gone.
    matches!(cause.number(), 1050 | 1060 | 1061 | 1826 | 1022 | 1051 | 1054 | 1091 | 1068 | 1359 | 1360)
        || (cause.number() == 1005 && cause.message().contains("errno: 121"))
}
