//! One process at a time changes a database's tables.

use std::fs::File;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, Statement, TransactionTrait};

use super::{DatabaseUrl, Driver};

/// What the lock is called: a name on MySQL, a number on PostgreSQL (the first bytes of "butterfl").
const NAME: &str = "butterfly.schema";
const NUMBER: i64 = 0x6275_7474_6572_666C;
/// Others may take so long.
const PATIENCE: Duration = Duration::from_secs(600);

/// The right to change a database's tables: one process has it at a time, and its end gives it back, whatever that is.
///
/// PostgreSQL and MySQL lock by a connection of the lock's own, SQLite by a file beside the database's.
#[derive(Debug)]
pub struct SchemaLock(Held);

#[derive(Debug)]
enum Held {
    /// Locked as long as it is open.
    File(#[allow(dead_code, reason = "held for its drop")] File),
    Transaction(DatabaseTransaction),
    /// Nobody else sees it.
    Memory,
}

impl SchemaLock {
    /// Waits until it has the lock.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached, the file cannot be locked, or another process keeps it for ten minutes.
    pub async fn take(url: &DatabaseUrl, db: &DatabaseConnection) -> Result<Self, DbErr> {
        let sql = match url.driver() {
            Driver::Sqlite => return by_file(url).await,
            Driver::MySql => format!("SELECT GET_LOCK('{NAME}', {}) AS taken", PATIENCE.as_secs()),
            Driver::Postgres => format!("SELECT 1 AS taken FROM pg_advisory_xact_lock({NUMBER})"),
        };
        let tx = db.begin().await?;
        let query = tx.query_one_raw(Statement::from_string(db.get_database_backend(), sql));
        let row = tokio::time::timeout(PATIENCE, query).await.map_err(|_| kept())??;
        // MySQL counts in 64 bits, PostgreSQL in 32.
        let taken = row.and_then(|row| {
            row.try_get::<i64>("", "taken").or_else(|_| row.try_get::<i32>("", "taken").map(i64::from)).ok()
        });
        if taken == Some(1) { Ok(Self(Held::Transaction(tx))) } else { Err(kept()) }
    }

    /// Gives the lock back.
    pub async fn release(self) {
        if let Held::Transaction(tx) = self.0 {
            if tx.get_database_backend() == sea_orm::DbBackend::MySql {
                // Else it would stay with the connection in the pool.
                let sql = format!("SELECT RELEASE_LOCK('{NAME}')");
                if let Err(error) = tx.execute_unprepared(&sql).await {
                    tracing::warn!(target: "butterfly::sql", "the lock {NAME} was not given back: {error}");
                }
            }
            // A connection that is gone has given the lock back.
            let _ = tx.commit().await;
        }
    }
}

fn kept() -> DbErr {
    DbErr::Custom(format!("another process changes the tables and did not end within {PATIENCE:?}"))
}

async fn by_file(url: &DatabaseUrl) -> Result<SchemaLock, DbErr> {
    let Some(file) = url.file() else { return Ok(SchemaLock(Held::Memory)) };
    let mut path = file.as_os_str().to_owned();
    path.push(".lock");
    let shown = std::path::PathBuf::from(&path);
    let locked = tokio::task::spawn_blocking(move || {
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        flock(&file, FlockOperation::LockExclusive)?;
        Ok::<_, std::io::Error>(file)
    });
    match locked.await {
        Ok(Ok(file)) => Ok(SchemaLock(Held::File(file))),
        Ok(Err(error)) => Err(DbErr::Custom(format!("cannot lock {}: {error}", shown.display()))),
        Err(error) => Err(DbErr::Custom(format!("cannot lock {}: {error}", shown.display()))),
    }
}
