//! What the queue costs on Redis: `cargo run --release -p butterfly-queue --example redis_speed [jobs] [backlog]`.
//!
//! It starts a `redis-server` of its own (`BUTTERFLY_BENCH_REDIS_ARGS` gives it further arguments, such as
//! `--appendonly yes --appendfsync always`), or uses the one at `BUTTERFLY_BENCH_REDIS`, which it empties.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use butterfly_queue::engine::{Next, Owner, Want};

use butterfly_queue::redis::RedisEngine;
use butterfly_queue::{End, Engine, NewMessage, Outcome, Spec, State, Topic, now_ms};

const BATCH: usize = 128;

type Any<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

struct Server {
    url: String,
    child: Option<Child>,
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn server() -> Any<Server> {
    if let Ok(url) = std::env::var("BUTTERFLY_BENCH_REDIS") {
        return Ok(Server { url, child: None });
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let more = std::env::var("BUTTERFLY_BENCH_REDIS_ARGS").unwrap_or_default();
    let folder = std::env::temp_dir().join(format!("redis-speed-{port}"));
    std::fs::create_dir_all(&folder)?;
    let child = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--save", "", "--bind", "127.0.0.1", "--dir"])
        .arg(&folder)
        .args(more.split_whitespace())
        .stdout(Stdio::null())
        .spawn()?;
    Ok(Server { url: format!("redis://127.0.0.1:{port}"), child: Some(child) })
}

struct Meter {
    connection: redis::aio::MultiplexedConnection,
}

impl Meter {
    async fn new(url: &str) -> Any<Self> {
        // To empty a full server takes longer than the client waits by itself.
        let patient = redis::AsyncConnectionConfig::new().set_response_timeout(None);
        let connection =
            redis::Client::open(url)?.get_multiplexed_async_connection_with_config(&patient).await?;
        Ok(Self { connection })
    }

    async fn info(&mut self, section: &str, name: &str) -> Any<f64> {
        let info: String = redis::cmd("INFO").arg(section).query_async(&mut self.connection).await?;
        let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        Ok(line.ok_or("no such line")?.parse()?)
    }

    async fn cpu(&mut self) -> Any<f64> {
        let user = self.info("cpu", "used_cpu_user").await?;
        Ok(user + self.info("cpu", "used_cpu_sys").await?)
    }

    async fn flush(&mut self) -> Any<()> {
        Ok(redis::cmd("FLUSHALL").query_async(&mut self.connection).await?)
    }

    async fn memory(&mut self) -> Any<f64> {
        self.info("memory", "used_memory").await
    }
}

fn args(number: u64) -> String {
    format!("{{\"account_id\":{number},\"text\":\"hi\"}}")
}

const RESULT: &str = "{\"data\":\"hi\",\"stat\":\"OK\"}";

async fn fill(engine: &RedisEngine, topic: &Topic, jobs: u64) -> Any<Duration> {
    static BATCHES: AtomicU64 = AtomicU64::new(0);
    let start = Instant::now();
    let sent = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::new();
    for _ in 0..2 {
        let (engine, topic, sent) = (engine.clone(), topic.clone(), sent.clone());
        tasks.push(tokio::spawn(async move {
            loop {
                let from = sent.fetch_add(BATCH as u64, Ordering::Relaxed);
                if from >= jobs {
                    return Ok::<(), butterfly_queue::EngineError>(());
                }
                let to = jobs.min(from + BATCH as u64);
                let batch: Vec<NewMessage> = (from..to).map(|n| Spec::new(args(n)).into()).collect();
                let number = BATCHES.fetch_add(1, Ordering::Relaxed);
                engine.enqueue(&topic, number, Arc::new(batch)).await?;
            }
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(start.elapsed())
}

/// Takes and finishes jobs, two exchanges in flight. Gives the time.
async fn drain(engine: &RedisEngine, topic: &Topic, jobs: u64) -> Any<Duration> {
    let start = Instant::now();
    let done = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::new();
    for _ in 0..2 {
        let (engine, topic, done) = (engine.clone(), topic.clone(), done.clone());
        let owner = Owner { instance: "bench".into(), epoch: 1, worker: "host-1:8585:12345".into() };
        tasks.push(tokio::spawn(async move {
            let want = Want { count: BATCH as u32, last_chance: false };
            let mut ends = Vec::new();
            loop {
                let last = done.load(Ordering::Relaxed) >= jobs;
                let asked = if last { Want::default() } else { want };
                let given =
                    engine.exchange(&owner, &topic, Arc::new(std::mem::take(&mut ends)), asked).await?;
                done.fetch_add(given.claimed.len() as u64, Ordering::Relaxed);
                let started = now_ms();
                let finished = given.claimed.into_iter().map(|message| Outcome {
                    message,
                    started,
                    cost_us: 85,
                    end: End::Finished { stat: "OK".into(), result: RESULT.into() },
                });
                ends = finished.collect();
                if ends.is_empty() && (last || given.next == Next::Wake) {
                    return Ok::<(), butterfly_queue::EngineError>(());
                }
            }
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(start.elapsed())
}

async fn measure(server: &Server, jobs: u64, backlog: u64) -> Any<()> {
    let mut meter = Meter::new(&server.url).await?;
    meter.flush().await?;
    let engine = RedisEngine::connect(server.url.parse()?).await?;
    let topic = Topic::new("/bench/hello")?;
    fill(&engine, &topic, backlog).await?;
    let (cpu, memory) = (meter.cpu().await?, meter.memory().await?);
    let filled = fill(&engine, &topic, jobs).await?;
    let between = meter.cpu().await?;
    let drained = drain(&engine, &topic, jobs).await?;
    let after = meter.cpu().await?;
    let bytes = (meter.memory().await? - memory) / jobs as f64;
    let own = bytes - (args(jobs).len() + RESULT.len()) as f64;
    let counts = engine.counts(&topic.path).await?;
    let page = Instant::now();
    let listed = engine.list(&topic.path, State::Finished, counts.finished / 2, 20).await?.len();
    println!(
        "backlog {backlog:>8}: enqueue {:>7.0}/s  drain {:>7.0}/s  Redis {:.2} + {:.2} us a job  {own:.0} bytes a \
         finished job beside args and result; {} finished, {} queued; a page of {listed} in the middle {:?}",
        jobs as f64 / filled.as_secs_f64(),
        jobs as f64 / drained.as_secs_f64(),
        (between - cpu) * 1e6 / jobs as f64,
        (after - between) * 1e6 / jobs as f64,
        counts.finished,
        counts.queued,
        page.elapsed(),
    );
    Ok(())
}

async fn latency(server: &Server) -> Any<()> {
    Meter::new(&server.url).await?.flush().await?;
    let engine = RedisEngine::connect(server.url.parse()?).await?;
    let topic = Topic::new("/bench/idle")?;
    let mut ear = engine.listen("bench".into())?;
    let owner = Owner { instance: "bench".into(), epoch: 1, worker: "host-1:8585:12345".into() };
    let one = Want { count: 1, last_chance: false };
    ear.recv().await;
    let mut times = Vec::new();
    let mut ends = Vec::new();
    for number in 0..2000 {
        engine.exchange(&owner, &topic, Arc::new(std::mem::take(&mut ends)), one).await?;
        let start = Instant::now();
        let sent = engine.enqueue(&topic, 1_000_000 + number, Arc::new(vec![Spec::new("{}").into()]));
        let woken = async {
            ear.recv().await;
            engine.exchange(&owner, &topic, Arc::default(), one).await
        };
        let (sent, given) = tokio::join!(sent, woken);
        sent?;
        times.push(start.elapsed());
        let end = End::Finished { stat: "OK".into(), result: RESULT.into() };
        let done = |message| Outcome { message, started: now_ms(), cost_us: 1, end: end.clone() };
        ends = given?.claimed.into_iter().map(done).collect();
        if ends.is_empty() {
            return Err("woken for nothing".into());
        }
    }
    times.sort();
    println!("idle: enqueue to start p50 {:?}  p99 {:?}", times[1000], times[1980]);
    Ok(())
}

#[tokio::main]
async fn main() -> Any<()> {
    let number = |place: usize| std::env::args().nth(place).and_then(|text| text.parse().ok());
    let jobs = number(1).unwrap_or(500_000);
    let server = server()?;
    for _ in 0..200 {
        if RedisEngine::connect(server.url.parse()?).await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for backlog in number(2).map_or(vec![1000, 2_000_000], |backlog| vec![backlog]) {
        measure(&server, jobs, backlog).await?;
    }
    latency(&server).await
}
