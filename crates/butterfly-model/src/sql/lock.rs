//! One process at a time changes a database's tables.

use std::fs::{File, TryLockError};
use std::io;
use std::time::{Duration, Instant};

use sea_orm::{
    ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel,
    Statement, TransactionTrait,
};

use super::databases::connect_options;
use super::{DatabaseUrl, Driver};

/// MySQL's locks are of the whole server, so that the name has the database in it; a name has 64 characters at most.
const TAKE_MYSQL: &str =
    "SELECT GET_LOCK(CONCAT('butterfly.schema.', MD5(COALESCE(DATABASE(), ''))), 0) AS taken";
const GIVE_MYSQL: &str = "SELECT RELEASE_LOCK(CONCAT('butterfly.schema.', MD5(COALESCE(DATABASE(), ''))))";
/// PostgreSQL's are numbers: this one is "butterfl".
const NUMBER: i64 = 0x6275_7474_6572_666C;
/// A server may end those who wait for nothing it knows of.
const STAY_POSTGRES: &str = "SET LOCAL idle_in_transaction_session_timeout = 0";
/// Others may take so long.
const PATIENCE: Duration = Duration::from_secs(600);
/// Whoever waits asks so often.
const PAUSE: Duration = Duration::from_millis(50);

/// The right to change a database's tables: one process has it at a time, and its end gives it back, whatever that is.
///
/// PostgreSQL and MySQL lock by a connection of the lock's own, SQLite by a file beside the database's.
#[derive(Debug)]
pub struct SchemaLock(Held);

#[derive(Debug)]
enum Held {
    /// Locked as long as it is open.
    File(#[allow(dead_code, reason = "held for its drop")] File),
    /// The transaction keeps the one connection.
    Connection(DatabaseTransaction, DatabaseConnection),
    /// Nobody else sees it.
    Memory,
}

impl SchemaLock {
    /// Waits until it has the lock.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached, the file cannot be locked, or another process keeps it for ten minutes.
    pub async fn take(url: &DatabaseUrl) -> Result<Self, DbErr> {
        match url.driver() {
            Driver::Sqlite => by_file(url).await,
            // Boxed: handlers that get here are nested deep enough for the compiler.
            Driver::MySql | Driver::Postgres => Box::pin(by_connection(url)).await,
        }
        .map(Self)
    }

    /// Gives the lock back.
    pub async fn release(self) {
        if let Held::Connection(tx, db) = self.0 {
            if tx.get_database_backend() == DbBackend::MySql
                && let Err(error) = tx.execute_unprepared(GIVE_MYSQL).await
            {
                tracing::debug!(target: "butterfly::sql", "the connection's end gives the lock back: {error}");
            }
            // A connection that is gone has given the lock back.
            let _ = tx.commit().await;
            let _ = db.close().await;
        }
    }
}

/// Waits between one try and the next: whoever waited within a statement would have a snapshot, for whose end PostgreSQL's
/// `CREATE INDEX CONCURRENTLY` waits, which the one with the lock may be at.
async fn pause(begun: Instant) -> Result<(), DbErr> {
    if begun.elapsed() >= PATIENCE {
        let why = format!("another process changes the tables and did not end within {PATIENCE:?}");
        return Err(DbErr::Custom(why));
    }
    tokio::time::sleep(PAUSE).await;
    Ok(())
}

/// By a connection that nobody else has, so that a pool of one is enough for whoever works.
async fn by_connection(url: &DatabaseUrl) -> Result<Held, DbErr> {
    let mut options = connect_options(url)?;
    options.max_connections(1);
    let db = Database::connect(options).await?;
    // Between its statements such a transaction has no snapshot, whatever the server's default is.
    let tx = db.begin_with_config(Some(IsolationLevel::ReadCommitted), None).await?;
    let sql = match db.get_database_backend() {
        DbBackend::Postgres => {
            tx.execute_unprepared(STAY_POSTGRES).await?;
            format!("SELECT CASE WHEN pg_try_advisory_xact_lock({NUMBER}) THEN 1 ELSE 0 END AS taken")
        }
        _ => TAKE_MYSQL.to_owned(),
    };
    let begun = Instant::now();
    loop {
        let row = tx.query_one_raw(Statement::from_string(db.get_database_backend(), &sql)).await?;
        // MySQL counts in 64 bits, PostgreSQL in 32.
        let taken = row.and_then(|row| {
            row.try_get::<i64>("", "taken").or_else(|_| row.try_get::<i32>("", "taken").map(i64::from)).ok()
        });
        if taken == Some(1) {
            return Ok(Held::Connection(tx, db));
        }
        pause(begun).await?;
    }
}

async fn by_file(url: &DatabaseUrl) -> Result<Held, DbErr> {
    let Some(file) = url.file() else { return Ok(Held::Memory) };
    let mut path = file.as_os_str().to_owned();
    path.push(".lock");
    let failed = |error: io::Error| {
        DbErr::Custom(format!("cannot lock {}: {error}", std::path::Path::new(&path).display()))
    };
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Held::File(file)),
            Err(TryLockError::WouldBlock) => pause(begun).await?,
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
}
