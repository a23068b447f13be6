//! Messages sent within a transaction of a SQL database: in the queue if and only if the transaction is committed.
//!
//! The queue lives elsewhere, in a file of its own or in Redis, so no commit can reach both. The message is written into
//! the table `butterfly_outbox` by the transaction itself; a relay in every process hands over what is committed, under an
//! id that was made when it was written, and then removes it from the table.
//!
//! ```
//! use butterfly_core::{Ctx, Job, Result};
//! use butterfly_model::sql::prelude::*;
//! use butterfly_queue::TxEnqueueExt;
//!
//! async fn order(ctx: &Ctx, tea: u64) -> Result<()> {
//!     ctx.transaction(|tx| async move {
//!         tx.execute_unprepared("UPDATE stock SET cups = cups - 1").await?;
//!         tx.enqueue(ctx, Job::<()>::new("/shop/brew").arg("tea", &tea)).priority(9).await?;
//!         Ok(())
//!     })
//!     .await
//! }
//! ```
//!
//! # Handed over once
//!
//! | the process dies | then |
//! | --- | --- |
//! | before the commit | the database takes all back: no message |
//! | between the commit and the hand-over | the next relay hands it over: this process's after its restart, or another's |
//! | between the engine's yes and the row's removal | it is handed over again, and the engine knows its id: it is left as it is |
//!
//! The engine knows an id as long as the message is kept. So one that is not kept once it finished (`result_ttl` zero, or
//! shorter than the time until the next relay) may run once more after a death in that last moment: what the queue's "at
//! least once" allows. While all live, each row has one relay: it is locked on MySQL/MariaDB (10.6, 8.0) and PostgreSQL by `FOR UPDATE
//! SKIP LOCKED`, on SQLite by a file beside the database's.
//!
//! # What does not go through
//!
//! When the engine is out of reach or a topic is full, rows stay and are tried again. A row that cannot be handed over as it
//! is (no handler has its topic any more, its arguments do not fit, a newer version wrote it) is set aside: the column
//! `refused` says why, the log has it as an error, and the others go on. Set `refused` to NULL to have it tried again.

mod home;
mod relay;
mod stored;
mod table;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use butterfly_core::{Ctx, Error, Job, Result};
use butterfly_model::sql::sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend};
use butterfly_model::sql::{DEFAULT, Databases, Driver, after_commit};
use tokio::sync::{Mutex, watch};

pub use home::Home;
pub use relay::Relay;

use crate::enqueue::{Enqueue, EnqueueExt};
use crate::message::{MsgId, NewMessage};
use crate::queue::Queue;
use crate::topic::Topic;

/// The outbox of a process: the databases whose transactions may send, and the queue that they send to. Cheap to clone.
#[derive(Clone)]
pub struct Outbox(Arc<Inner>);

struct Inner {
    databases: Databases,
    home: Home,
    /// Moves when something was written: relays look at once.
    written: watch::Sender<u64>,
    /// Whether the table is known to be there, where a backend has one database.
    made: [AtomicBool; 2],
    /// One relay of this process at a time, where databases do not lock rows.
    turn: Mutex<()>,
}

impl Outbox {
    /// The outbox of a queue: from now on its messages may be sent within transactions of these databases. What is written
    /// is relayed by [`relay`](Self::relay).
    ///
    /// A queue has one outbox: a second one is not taken, and the first is given.
    #[must_use]
    pub fn open(queue: &Queue, databases: Databases, home: Home) -> Self {
        let inner = Inner {
            databases,
            home,
            written: watch::Sender::new(0),
            made: Default::default(),
            turn: Mutex::default(),
        };
        queue.0.outbox.get_or_init(|| Self(Arc::new(inner))).clone()
    }

    /// Starts to hand over what is committed, what was left over first. Must be called in a tokio runtime.
    #[must_use = "relaying ends when it is dropped"]
    pub fn relay(&self, queue: &Queue) -> Relay {
        Relay::start(self, queue)
    }

    /// Hands over what is committed now, without a relay: for programs that end. Gives the count.
    ///
    /// # Errors
    ///
    /// When a database or the engine fails: what is left stays for the next relay.
    pub async fn hand_over(&self, queue: &Queue) -> Result<u64> {
        relay::hand_over_all(self, queue).await
    }

    /// Whether this process has written a message, be it committed or not.
    #[must_use]
    pub fn is_used(&self) -> bool {
        *self.0.written.borrow() > 0
    }

    /// Has the relays look at once.
    fn wake(&self) {
        self.0.written.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Makes the table where it is missing.
    async fn ensure(&self, tx: &DatabaseTransaction) -> Result<()> {
        let (made, driver) = match tx.get_database_backend() {
            // Made by the transaction itself: no other connection could while it writes, and it is taken back with it.
            DbBackend::Sqlite => {
                tx.execute_unprepared(table::SQLITE).await?;
                return Ok(());
            }
            DbBackend::MySql => (&self.0.made[0], Driver::MySql),
            _ => (&self.0.made[1], Driver::Postgres),
        };
        if made.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut candidates: Vec<_> =
            self.0.databases.iter().filter(|(_, url, _)| url.driver() == driver).collect();
        // The default one first; which one the transaction is of, it does not say.
        candidates.sort_by_key(|(name, ..)| *name != DEFAULT);
        let alone = candidates.len() == 1;
        let mut next = candidates.into_iter();
        while !table::is_there(tx).await? {
            let Some((_, url, db)) = next.next() else {
                return Err(Error::server(
                    "the transaction is of a database that is not in [databases]: its outbox would not be relayed",
                ));
            };
            table::make(url, db).await?;
            if alone {
                // A transaction with a snapshot would not find it, and yet can write to it.
                break;
            }
        }
        made.store(alone, Ordering::Relaxed);
        Ok(())
    }

    fn forget_made(&self) {
        self.0.made.iter().for_each(|made| made.store(false, Ordering::Relaxed));
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.databases.iter().map(|(name, ..)| name).collect();
        write!(f, "Outbox({})", names.join(", "))
    }
}

/// The queue from inside a transaction.
pub trait TxEnqueueExt {
    /// Sends a call of a handler with this transaction: `ctx.enqueue(job).within(tx)`.
    ///
    /// It takes what every [`Enqueue`] takes, waits excepted. Await it inside the transaction: its error is the one to give
    /// back, and takes the transaction back. A `unique` key is looked at when the message is handed over; the receipt's
    /// `new` is always true.
    ///
    /// # Example
    ///
    /// ```
    /// # use butterfly_core::{Ctx, Job, Result};
    /// use std::time::Duration;
    /// use butterfly_model::sql::DbExt;
    /// use butterfly_queue::TxEnqueueExt;
    ///
    /// async fn remind(ctx: &Ctx, order: u64) -> Result<()> {
    ///     ctx.transaction(|tx| async move {
    ///         let job = Job::<()>::new("/shop/remind").arg("order", &order);
    ///         tx.enqueue(ctx, job).delay(Duration::from_secs(3600)).await?;
    ///         Ok(())
    ///     })
    ///     .await
    /// }
    /// ```
    fn enqueue<'c, R>(&'c self, ctx: &'c Ctx, job: Job<R>) -> Enqueue<'c, R>;
}

impl TxEnqueueExt for DatabaseTransaction {
    fn enqueue<'c, R>(&'c self, ctx: &'c Ctx, job: Job<R>) -> Enqueue<'c, R> {
        ctx.enqueue(job).within(self)
    }
}

/// Writes a message into the outbox, as a part of the transaction.
pub(crate) async fn write(
    queue: &Queue,
    tx: &DatabaseTransaction,
    topic: &Topic,
    message: NewMessage,
) -> Result<MsgId> {
    let outbox = queue.0.outbox.get().ok_or_else(|| {
        Error::server("this process has no outbox: nothing can be sent within a transaction (Outbox::open)")
    })?;
    let home = outbox.0.home.id(queue)?;
    outbox.ensure(tx).await?;
    let id = message
        .id
        .clone()
        .unwrap_or_else(|| format!("tx-{}", butterfly_model::ids::uuid_v7().as_simple()).into());
    if let Err(error) = table::insert(tx, home, topic, &id, message).await {
        // Somebody may have dropped the table: the next one looks again.
        outbox.forget_made();
        return Err(error);
    }
    let waking = outbox.clone();
    if !after_commit(move || waking.wake()) {
        // A transaction begun by hand tells nobody of its commit: the relays look from now on.
        outbox.wake();
    }
    Ok(MsgId::Given(id))
}
