//! apalis-sqlite in its role: `queue-peer-apalis off|full FILE JOBS PRODUCERS`.
//!
//! `off` waits for no disk, as its own setup has it; `full` waits for the disk at each commit, as ours does. Producers
//! send one after the other while a worker of the same process runs what they sent; one line of JSON says how long it
//! took.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use apalis::prelude::*;
use apalis_sqlite::{Config, SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteStorage};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};

type Any<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Add {
    a: i64,
    b: i64,
}

async fn add(add: Add) -> Result<i64, BoxDynError> {
    Ok(add.a + add.b)
}

#[tokio::main]
async fn main() -> Any<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [synchronous, file, jobs, producers] = &words[..] else {
        return Err("give: off|full FILE JOBS PRODUCERS".into());
    };
    let synchronous = match synchronous.as_str() {
        "off" => SqliteSynchronous::Off,
        _ => SqliteSynchronous::Full,
    };
    let pool = open(file, synchronous).await?;
    lives(&pool, jobs.parse()?, producers.parse()?).await
}

async fn open(file: &str, synchronous: SqliteSynchronous) -> Any<SqlitePool> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .busy_timeout(Duration::from_secs(60))
        .journal_mode(SqliteJournalMode::Wal);
    // Its setup changes the one connection that it happens to use: that is another pool's.
    let first = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
    SqliteStorage::setup(&first).await?;
    first.close().await;
    Ok(SqlitePoolOptions::new().max_connections(10).connect_with(options.synchronous(synchronous)).await?)
}

async fn lives(pool: &SqlitePool, jobs: u64, producers: u64) -> Any<()> {
    let config = Config { batch_size: 100, ..Config::default() };
    let backend = SqliteStorage::<Add>::new(pool).with_config(config);
    // Left to itself it may look only at its heartbeat, each 30 seconds.
    let looks = backend.clone().poll_with_interval(Duration::from_millis(1));
    let worker = WorkerBuilder::new("bench").backend(looks).concurrency(10).build(add);
    let worker = tokio::spawn(worker.run());
    let (started, cpu) = (Instant::now(), cpu_seconds()?);
    let next = Arc::new(AtomicU64::new(0));
    let senders: Vec<_> = (0..producers)
        .map(|_| {
            let (next, mut backend) = (next.clone(), backend.clone());
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= jobs {
                        return Ok::<(), Box<dyn Error + Send + Sync>>(());
                    }
                    backend.push(Add { a: 100_000 + number as i64, b: 2 }).await.map_err(|error| error.to_string())?;
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await??;
    }
    // It may keep back the ends of the last few until its next heartbeat: they are left out, at no cost to it.
    let mut ended = 0;
    while ended < jobs - jobs / 20 {
        ended = finished(pool).await?;
        if worker.is_finished() {
            return Err("its worker ended".into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (seconds, cpu_seconds) = (started.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    println!("{{\"jobs\":{ended},\"seconds\":{seconds},\"cpu_seconds\":{cpu_seconds}}}");
    Ok(())
}

async fn finished(pool: &SqlitePool) -> Any<u64> {
    let sql = "SELECT count(*) FROM Jobs WHERE status = 'Done'";
    let (count,): (i64,) = sqlx::query_as(sql).fetch_one(pool).await?;
    Ok(count.try_into()?)
}

/// User and system time of this process.
fn cpu_seconds() -> Any<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit_once(')').ok_or("no name")?.1.split_ascii_whitespace();
    let ticks = fields.skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}
