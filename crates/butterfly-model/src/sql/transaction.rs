//! Transactions that are tried again when another one was in the way.

use std::cell::RefCell;
use std::time::Duration;

use butterfly_core::{Error, Result};
use sea_orm::{DatabaseConnection, SqliteTransactionMode, TransactionOptions, TransactionTrait};

use super::{Failure, Tx};

/// How often a transaction is tried.
const TRIES: u32 = 8;
/// The first pause before the next try; each is twice the one before, and a random part of it.
const PAUSE: Duration = Duration::from_millis(2);

type Hook = Box<dyn FnOnce() + Send>;

tokio::task_local! {
    /// What is to be done once the transaction that runs in this task is committed.
    static AFTER: RefCell<Vec<Hook>>;
}

/// Has something done once the [`transaction()`] that runs in this task is committed; it is forgotten when that is taken
/// back. Gives false, and does nothing, where none runs: in a transaction begun by hand, or in a task of its own.
///
/// # Example
///
/// ```
/// use butterfly_model::sql::sea_orm::{ConnectionTrait, DatabaseConnection};
/// use butterfly_model::sql::{after_commit, transaction};
///
/// async fn close(db: &DatabaseConnection) -> butterfly_core::Result<()> {
///     transaction(db, |tx| async move {
///         tx.execute_unprepared("UPDATE shop SET open = 0").await?;
///         after_commit(|| println!("closed"));
///         Ok(())
///     })
///     .await
/// }
/// ```
pub fn after_commit(hook: impl FnOnce() + Send + 'static) -> bool {
    AFTER.try_with(|hooks| hooks.borrow_mut().push(Box::new(hook))).is_ok()
}

/// Runs a function in a transaction: committed when it gives `Ok`, taken back when it gives an error or is given up.
///
/// When the database says that another transaction was in the way (a serialization failure, a deadlock, a busy file),
/// all of it is done once more, up to eight times with growing pauses. So the function must do nothing but through
/// the transaction that it is given. It lends what it needs, since it may run again: `let title = &title;` before it.
///
/// On SQLite the transaction is a writing one from its beginning: one that reads first and then writes could not wait for
/// another writer.
///
/// # Errors
///
/// What the function gives, or what the database says of the commit.
///
/// # Example
///
/// ```
/// use butterfly_model::sql::sea_orm::{ConnectionTrait, DatabaseConnection};
/// use butterfly_model::sql::transaction;
///
/// async fn move_money(db: &DatabaseConnection) -> butterfly_core::Result<()> {
///     transaction(db, |tx| async move {
///         tx.execute_unprepared("UPDATE account SET cents = cents - 100 WHERE id = 1").await?;
///         tx.execute_unprepared("UPDATE account SET cents = cents + 100 WHERE id = 2").await?;
///         Ok(())
///     })
///     .await
/// }
/// ```
pub async fn transaction<T, F, Fut>(db: &DatabaseConnection, run: F) -> Result<T>
where
    F: Fn(Tx) -> Fut,
    Fut: Future<Output = Result<T>>,
{
    let mut tried = 1;
    loop {
        match once(db, &run).await {
            Err(error) if tried < TRIES && Failure::within(&error) == Failure::Conflict => {
                tokio::time::sleep(pause(tried)).await;
                tried += 1;
            }
            Err(error) if tried > 1 && Failure::within(&error) == Failure::Conflict => {
                tracing::warn!(target: "butterfly::sql", "a transaction was given up after {tried} tries: others are in its way");
                return Err(error);
            }
            done => return done,
        }
    }
}

async fn once<T, F, Fut>(db: &DatabaseConnection, run: &F) -> Result<T>
where
    F: Fn(Tx) -> Fut,
    Fut: Future<Output = Result<T>>,
{
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let tx = Tx::new(db.begin_with_options(options).await?);
    let running = async { (run(tx.clone()).await, AFTER.with(RefCell::take)) };
    let (result, hooks) = AFTER.scope(RefCell::default(), running).await;
    let Some(tx) = tx.into_inner() else {
        return Err(Error::server("a transaction was kept beyond its function: it is taken back"));
    };
    match result {
        Ok(value) => {
            tx.commit().await?;
            hooks.into_iter().for_each(|hook| hook());
            Ok(value)
        }
        Err(error) => {
            // The first error is the one to tell; a connection that is gone takes its transaction along.
            if let Err(second) = tx.rollback().await {
                tracing::debug!(target: "butterfly::sql", "a transaction could not be taken back: {second}");
            }
            Err(error)
        }
    }
}

/// Two that collide do not collide again in step.
fn pause(tried: u32) -> Duration {
    let longest = PAUSE * 2_u32.pow(tried.min(7));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    longest.mul_f64(0.5 + f64::from(now.subsec_nanos() % 1000) / 2000.0)
}
