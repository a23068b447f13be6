//! A process that commits a row and a message together, again and again, and relays.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use butterfly::messages::outbox::Home;
use butterfly::messages::{Outbox, Queue, Settings};
use butterfly::model::sql::sea_orm::{ConnectionTrait, DatabaseConnection, TransactionTrait};
use butterfly::model::sql::{DEFAULT, Databases, transaction};
use butterfly::{Error, Registry, Result, serde_json};
use serde::{Deserialize, Serialize};

use crate::handlers::torture;
use crate::place::Place;

/// The table of what was committed.
pub(super) const TABLE: &str = "torture_paid";
/// So many transactions are on their way at once.
const AT_ONCE: u64 = 3;
/// The numbers of one life.
const NUMBERS: u64 = 1_000_000;

/// What a process is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Errand {
    pub(super) place: Place,
    pub(super) database: String,
    /// Which life of which process this is: no other has its numbers.
    pub(super) life: u64,
    pub(super) work: Work,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Work {
    /// Commits until it is killed.
    Commit,
    /// Hands over what is left, and ends.
    HandOver,
}

/// The process: `torture commit ERRAND`.
pub(crate) fn main() -> ExitCode {
    let run = || -> std::result::Result<(), Box<dyn std::error::Error>> {
        let errand: Errand = serde_json::from_str(&std::env::args().nth(2).ok_or("commit needs an errand")?)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        Ok(runtime.block_on(work(errand)).map_err(|error| error.chain())?)
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => crate::failed(error),
    }
}

async fn work(errand: Errand) -> Result<()> {
    let home = match &errand.place {
        Place::Embedded(folder) => Home::file(folder.join("queue.db")),
        Place::Redis(url) => Home::shared(url.clone()),
    };
    let settings = Settings { instance: format!("c{}", errand.life).into(), ..Settings::default() };
    let queue = Queue::new(errand.place.open().await?, &Registry::collect()?, settings);
    let mut databases = Databases::new();
    databases
        .add(
            DEFAULT,
            errand.database.parse().map_err(|why: String| Error::server(why))?,
            Duration::from_secs(5),
        )
        .await?;
    let outbox = Outbox::open(&queue, databases.clone(), home);
    if errand.work == Work::HandOver {
        println!("ready");
        while outbox.hand_over(&queue).await? > 0 {}
        return Ok(());
    }
    let relay = outbox.relay(&queue);
    let db = databases.get(DEFAULT).ok_or_else(|| Error::server("there is no database"))?.clone();
    let committer = Arc::new(Committer { db, queue });
    let first = errand.life * NUMBERS;
    committer.once(first).await?;
    println!("ready");
    let mut tasks = tokio::task::JoinSet::new();
    for lane in 1..=AT_ONCE {
        let committer = committer.clone();
        tasks.spawn(async move {
            for step in 0.. {
                committer.once(first + lane + step * AT_ONCE).await?;
            }
            Ok::<(), Error>(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    relay.stop().await;
    Ok(())
}

struct Committer {
    db: DatabaseConnection,
    queue: Queue,
}

impl Committer {
    /// Commits a row and its message; one in four is taken back, one in five is begun by hand.
    async fn once(&self, n: u64) -> Result<()> {
        let job = &torture::plain::job(n, 0);
        let taken_back = n % 4 == 1;
        if n % 5 == 2 {
            let tx = self.db.begin().await?;
            tx.execute_unprepared(&insert(n)).await?;
            self.queue.enqueue(job).within(&tx).await?;
            let ended = if taken_back { tx.rollback().await } else { tx.commit().await };
            return Ok(ended?);
        }
        let done = transaction(&self.db, |tx| async move {
            tx.execute_unprepared(&insert(n)).await?;
            self.queue.enqueue(job).within(&tx).await?;
            if taken_back { Err(Error::business("ERR_TAKEN_BACK")) } else { Ok(()) }
        });
        match done.await {
            Err(error) if taken_back && error.stat().as_str() == "ERR_TAKEN_BACK" => Ok(()),
            done => done,
        }
    }
}

fn insert(n: u64) -> String {
    format!("INSERT INTO {TABLE} VALUES ({n})")
}
