//! From the outbox into the queue.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use butterfly_core::{Error, Result};
use butterfly_model::sql::sea_orm::{
    ConnectionTrait, DatabaseConnection, DbErr, IsolationLevel, TransactionOptions, TransactionTrait,
};
use butterfly_model::sql::{DatabaseUrl, Driver};
use rustix::fs::{FlockOperation, flock};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::table::{self, Row, Wanted};
use super::{Outbox, stored};
use crate::engine::EngineError;
use crate::message::NewMessage;
use crate::queue::{Queue, fault};
use crate::topic::Topic;

/// So many rows are handed over in one step.
const BATCH: usize = 256;
/// A transaction begun by hand tells nobody of its commit: it is looked for so often.
const POLL: Duration = Duration::from_secs(1);
/// The table may be made by another process: it is looked for so often.
const LOOK: Duration = Duration::from_secs(60);
/// After a message was written without its commit being told, the table is looked for at each poll, so many times.
const LOOKS: u32 = 120;
/// Another relay is at it.
const BUSY: Duration = Duration::from_millis(50);
/// A full topic is tried again after so long; others go on.
const FULL: Duration = Duration::from_secs(1);
/// The first pause after a failure; each is twice the one before.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(30);
/// At the end of the process a last look may take so long. What is left is for the next process.
const LAST: Duration = Duration::from_secs(2);

/// The relay of a process: a task for each database. It ends when it is dropped.
#[derive(Debug)]
pub struct Relay {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Relay {
    pub(super) fn start(outbox: &Outbox, queue: &Queue) -> Self {
        let stop = watch::Sender::new(false);
        let mut tasks = JoinSet::new();
        for (name, url, db) in outbox.0.databases.iter() {
            let line = Line::new(outbox, queue, name, url, db);
            tasks.spawn(line.run(stop.subscribe()));
        }
        Self { stop, tasks }
    }

    /// Hands over what is there, as far as that is possible in two seconds, and ends.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        // What is not handed over stays in the table.
        let _ = tokio::time::timeout(LAST, ended).await;
    }
}

/// Hands over whatever is there, once.
pub(super) async fn hand_over_all(outbox: &Outbox, queue: &Queue) -> Result<u64> {
    let mut total = 0;
    for (name, url, db) in outbox.0.databases.iter() {
        let mut line = Line::new(outbox, queue, name, url, db);
        loop {
            match line.pass().await {
                Ok(Pass::Took(moved)) => total += moved,
                // Where another relay is at it, it is in good hands.
                Ok(Pass::Idle | Pass::Busy | Pass::NoTable) => break,
                Err(Trouble::Engine(error)) => return Err(fault(error)),
                Err(other) => return Err(Error::server(format!("databases.{name}: {other}"))),
            }
        }
    }
    Ok(total)
}

/// What one look at a database came to.
#[derive(Debug)]
enum Pass {
    /// Rows were taken, and so many of them handed over: there may be more.
    Took(u64),
    Idle,
    /// Another relay has the rows.
    Busy,
    NoTable,
}

#[derive(Debug)]
enum Trouble {
    Database(DbErr),
    Engine(EngineError),
    Other(String),
}

impl From<DbErr> for Trouble {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(error) => error.fmt(f),
            Self::Engine(error) => error.fmt(f),
            Self::Other(why) => f.write_str(why),
        }
    }
}

/// The way from one database into the queue.
struct Line {
    outbox: Outbox,
    queue: Queue,
    name: String,
    url: DatabaseUrl,
    db: DatabaseConnection,
    /// Whether the table is known to be there.
    table: bool,
    /// Full topics, and until when they are left alone.
    full: BTreeMap<Arc<str>, Instant>,
}

/// What became of rows.
#[derive(Debug, Default)]
struct Handed {
    done: Vec<i64>,
    refused: Vec<(i64, String)>,
    trouble: Option<EngineError>,
}

impl Line {
    fn new(outbox: &Outbox, queue: &Queue, name: &str, url: &DatabaseUrl, db: &DatabaseConnection) -> Self {
        Self {
            outbox: outbox.clone(),
            queue: queue.clone(),
            name: name.to_owned(),
            url: url.clone(),
            db: db.clone(),
            table: false,
            full: BTreeMap::new(),
        }
    }

    async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut written = self.outbox.0.written.subscribe();
        let (mut failures, mut looks) = (0_u32, 0_u32);
        loop {
            let done = self.pass().await;
            self.tell(&done, &mut failures);
            let wait = match done {
                Ok(Pass::Took(_)) => continue,
                Ok(Pass::Idle) => POLL,
                Ok(Pass::Busy) => BUSY,
                Ok(Pass::NoTable) if looks > 0 => {
                    looks -= 1;
                    POLL
                }
                Ok(Pass::NoTable) => LOOK,
                Err(_) => (PAUSE * 2_u32.pow(failures.min(8))).min(LONGEST),
            };
            if *stop.borrow() {
                return;
            }
            tokio::select! {
                // One more look: it may have been written since.
                _ = stop.wait_for(|stop| *stop) => {}
                // What fails is not tried more often because there is more of it.
                _ = written.changed(), if failures == 0 => looks = LOOKS,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// A failure is told once, and its end.
    fn tell(&self, done: &Result<Pass, Trouble>, failures: &mut u32) {
        match done {
            Err(trouble) => {
                if *failures == 0 && self.table {
                    tracing::error!(
                        target: "butterfly::queue",
                        "the outbox of databases.{} is not relayed: {trouble}; its messages stay and are tried again", self.name
                    );
                }
                *failures = failures.saturating_add(1);
            }
            Ok(_) if *failures > 0 => {
                if self.table {
                    tracing::info!(target: "butterfly::queue", "the outbox of databases.{} is relayed again", self.name);
                }
                *failures = 0;
            }
            Ok(_) => {}
        }
    }

    /// Takes some rows and hands them over.
    async fn pass(&mut self) -> Result<Pass, Trouble> {
        if !self.table {
            // A file that nobody made is not made to be asked.
            if self.url.file().is_some_and(|file| !file.exists()) || !table::is_there(&self.db).await? {
                return Ok(Pass::NoTable);
            }
            self.table = true;
        }
        let now = Instant::now();
        self.full.retain(|_, until| *until > now);
        let but: BTreeSet<Arc<str>> = self.full.keys().cloned().collect();
        let outbox = self.outbox.clone();
        let home = outbox.0.home.id(&self.queue).map_err(|error| Trouble::Other(error.to_string()))?;
        let wanted = Wanted { home, but: &but };
        if !table::has(&self.db, wanted).await? {
            return Ok(Pass::Idle);
        }
        match self.url.driver() {
            Driver::Sqlite => self.by_file(wanted).await,
            Driver::MySql | Driver::Postgres => self.by_rows(wanted).await,
        }
    }

    /// SQLite has one writer: a transaction held over the hand-over would hold up the whole program. One relay at a time
    /// is taken care of by a file; nobody waits for it.
    async fn by_file(&mut self, wanted: Wanted<'_>) -> Result<Pass, Trouble> {
        let outbox = self.outbox.clone();
        let Ok(_turn) = outbox.0.turn.try_lock() else { return Ok(Pass::Busy) };
        let _lock = match self.url.file() {
            None => None,
            Some(file) => match try_lock(file) {
                Ok(Some(lock)) => Some(lock),
                Ok(None) => return Ok(Pass::Busy),
                Err(error) => {
                    let file = file.display();
                    return Err(Trouble::Other(format!("cannot lock {file}.outbox: {error}")));
                }
            },
        };
        let rows = table::oldest(&self.db, wanted, BATCH, false).await?;
        let handed = self.hand_over(rows).await;
        let db = self.db.clone();
        self.settle(&db, handed).await
    }

    /// Other databases lock rows, from the look at them until they are removed.
    async fn by_rows(&mut self, wanted: Wanted<'_>) -> Result<Pass, Trouble> {
        // MySQL would lock the gaps between rows as well, and hold up those who write new ones.
        let options = TransactionOptions {
            isolation_level: Some(IsolationLevel::ReadCommitted),
            ..TransactionOptions::default()
        };
        let tx = self.db.begin_with_options(options).await?;
        let rows = table::oldest(&tx, wanted, BATCH, true).await?;
        if rows.is_empty() {
            tx.rollback().await?;
            return Ok(Pass::Busy);
        }
        let handed = self.hand_over(rows).await;
        let settled = self.settle(&tx, handed).await;
        if !matches!(settled, Err(Trouble::Database(_))) {
            tx.commit().await?;
        }
        settled
    }

    /// Hands rows over, in their order within a topic.
    async fn hand_over(&mut self, rows: Vec<Row>) -> Handed {
        let mut handed = Handed::default();
        let mut topics: Vec<(Topic, Vec<i64>, Vec<NewMessage>)> = Vec::new();
        for row in rows {
            let id = row.id;
            match self.understand(row) {
                Err(why) => handed.refused.push((id, why)),
                Ok((topic, message)) => {
                    let at = topics.iter().position(|(known, ..)| known.path == topic.path);
                    let at = at.unwrap_or_else(|| {
                        topics.push((topic, Vec::new(), Vec::new()));
                        topics.len() - 1
                    });
                    topics[at].1.push(id);
                    topics[at].2.push(message);
                }
            }
        }
        for (topic, ids, messages) in topics {
            let answers = self.queue.0.sender.send_many(&topic, messages).await;
            for (id, answer) in ids.into_iter().zip(answers) {
                match answer {
                    // A message that was there already is this one, from a hand-over whose end was not seen.
                    Ok(_) => handed.done.push(id),
                    Err(EngineError::Full { .. }) => {
                        self.full.insert(topic.path.clone(), Instant::now() + FULL);
                    }
                    Err(error) => handed.trouble = Some(error),
                }
            }
            if handed.trouble.is_some() {
                break;
            }
        }
        handed
    }

    fn understand(&self, row: Row) -> Result<(Topic, NewMessage), String> {
        let catalog = &self.queue.0.catalog;
        let (topic, entry) = catalog.topic(&row.topic).map_err(|error| error.to_string())?;
        let message = stored::read(&row.message, &row.msg_id, &row.reqid, row.caller)?;
        catalog.check(entry, &message.spec.args).map_err(|error| error.to_string())?;
        Ok((topic, message))
    }

    /// Removes what is in the queue, sets aside what will never be.
    async fn settle(&self, db: &impl ConnectionTrait, handed: Handed) -> Result<Pass, Trouble> {
        table::remove(db, &handed.done).await?;
        for (id, why) in &handed.refused {
            table::refuse(db, *id, why).await?;
            tracing::error!(
                target: "butterfly::queue",
                "row {id} of butterfly_outbox in databases.{} is set aside: {why}; set its column refused to NULL to have it \
                 tried again", self.name
            );
        }
        match handed.trouble {
            Some(error) => Err(Trouble::Engine(error)),
            None => Ok(Pass::Took(handed.done.len() as u64)),
        }
    }
}

/// The right to relay from a SQLite file, if nobody has it; the end of the process gives it back.
fn try_lock(database: &Path) -> io::Result<Option<File>> {
    let mut path = database.as_os_str().to_owned();
    path.push(".outbox");
    let file = File::options().create(true).truncate(false).write(true).open(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
