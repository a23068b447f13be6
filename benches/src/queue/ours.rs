//! Our contender: the queue as its users have it, in one role at a time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use butterfly_core::{App, Registry};
use butterfly_macros::handler;
use butterfly_queue::embedded::Options;
use butterfly_queue::engine::{Owner, Want};
use butterfly_queue::redis::RedisEngine;
use butterfly_queue::{
    Claimed, EmbeddedEngine, End, Engine, Outcome, Queue, Settings, State, Topic, Worker, now_ms,
};
use clap::Subcommand;

use super::driver::Played;
use crate::proc::CpuTime;

/// The work: what it does costs nothing.
#[handler]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Says when it began, in microseconds of the machine's clock.
#[handler]
fn began() -> i64 {
    clock_us()
}

fn clock_us() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec * 1_000_000 + now.tv_nsec / 1000
}

/// The topic of the work.
pub(super) const TOPIC: &str = add::PATH;
/// A job's arguments and result as they are stored, in bytes.
pub(super) const OWN_BYTES: usize = r#"{"a":123456,"b":2}"#.len() + r#"{"stat":"OK","data":123458}"#.len();

/// So many jobs a call that sends many.
const BULK: u64 = 1000;
/// So many messages an exchange.
const CLAIM: u64 = 256;
/// How often it is looked whether all is done.
const LOOK: Duration = Duration::from_millis(2);

/// A role, played by a process of its own.
#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// Sends to Redis, one after the other
    Single { url: String, jobs: u64 },
    /// Sends to Redis in bulk
    Bulk { url: String, jobs: u64 },
    /// Runs from Redis until so many are finished
    Work { url: String, jobs: u64 },
    /// Sends to a file and runs from it, in one process
    Lives { file: PathBuf, jobs: u64, producers: u64 },
    /// Runs what comes, until it is killed
    Serve { at: String },
}

pub(crate) fn play(role: &Role) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let played = runtime.block_on(async {
        match role {
            Role::Single { url, jobs } => single(&Place::redis(url).await?, *jobs).await,
            Role::Bulk { url, jobs } => bulk(&Place::redis(url).await?, *jobs).await,
            Role::Work { url, jobs } => Place::redis(url).await?.work(*jobs).await,
            Role::Serve { at } => serve(&Place::at(at).await?).await,
            Role::Lives { file, jobs, producers } => lives(Place::embedded(file)?, *jobs, *producers).await,
        }
    })?;
    println!("{}", serde_json::to_string(&played)?);
    Ok(())
}

/// A queue, and the program that it belongs to.
pub(super) struct Place {
    pub(super) queue: Queue,
    app: Arc<App>,
}

impl Place {
    pub(super) async fn redis(url: &str) -> Result<Self> {
        Self::on(Arc::new(RedisEngine::connect(url.parse()?).await?))
    }

    pub(super) fn embedded(file: &Path) -> Result<Self> {
        Self::on(Arc::new(EmbeddedEngine::open(file, Options::default())?))
    }

    /// On Redis where it is a URL, else in a file.
    pub(super) async fn at(place: &str) -> Result<Self> {
        if place.starts_with("redis://") {
            Self::redis(place).await
        } else {
            Self::embedded(Path::new(place))
        }
    }

    fn on(engine: Arc<dyn Engine>) -> Result<Self> {
        let registry = Registry::of([&add::HANDLER, &began::HANDLER]).map_err(|error| anyhow!("{error}"))?;
        let mut app = App::new(registry);
        let settings = Settings { max_depth: 10_000_000, concurrency: 10, ..Settings::default() };
        let queue = Queue::new(engine, &app.registry, settings);
        app.state.insert(queue.clone());
        Ok(Self { queue, app: Arc::new(app) })
    }

    pub(super) fn start_worker(&self) -> Result<Worker> {
        Ok(Worker::start(self.queue.clone(), self.app.clone(), None)?)
    }

    /// Runs a worker until `jobs` have been finished.
    async fn work(&self, jobs: u64) -> Result<Played> {
        let span = Span::begin(jobs)?;
        let worker = self.start_worker()?;
        self.finished(jobs).await?;
        let played = span.end()?;
        worker.stop(Duration::from_secs(5)).await;
        Ok(played)
    }

    /// Waits until `jobs` have been finished.
    pub(super) async fn finished(&self, jobs: u64) -> Result<()> {
        loop {
            let counts = self.queue.counts(TOPIC).await.map_err(said)?;
            ensure!(counts.failed == 0, "{} jobs failed", counts.failed);
            if counts.finished >= jobs {
                ensure!(counts.finished == jobs, "{} jobs finished of {jobs}", counts.finished);
                return self.check_result().await;
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Place {
    /// What is kept of the job that finished last is its result.
    async fn check_result(&self) -> Result<()> {
        let last = self.queue.list(TOPIC, State::Finished, 0, 1).await.map_err(said)?;
        let last = last.first().context("no finished job is listed")?;
        let (args, result) = (last.spec.args.as_str(), last.result.as_deref().unwrap_or_default());
        let a: i64 =
            serde_json::from_str::<serde_json::Value>(args)?["a"].as_i64().context("no argument a")?;
        let kept = serde_json::from_str::<serde_json::Value>(result).with_context(|| result.to_owned())?;
        ensure!(kept["data"] == a + 2, "the result of {args} is {result}");
        ensure!(args.len() + result.len() == OWN_BYTES, "{args} and {result} are not {OWN_BYTES} bytes");
        Ok(())
    }
}

async fn single(place: &Place, jobs: u64) -> Result<Played> {
    let span = Span::begin(jobs)?;
    for number in 0..jobs {
        place.queue.enqueue(&job(number)).await.map_err(said)?;
    }
    span.end()
}

async fn bulk(place: &Place, jobs: u64) -> Result<Played> {
    let span = Span::begin(jobs)?;
    fill(place, jobs).await?;
    span.end()
}

/// Queues `jobs`, with two calls under way.
pub(super) async fn fill(place: &Place, jobs: u64) -> Result<()> {
    let next = Arc::new(AtomicU64::new(0));
    let sender = |next: Arc<AtomicU64>, queue: Queue| async move {
        loop {
            let first = next.fetch_add(BULK, Ordering::Relaxed);
            if first >= jobs {
                return Ok::<(), anyhow::Error>(());
            }
            queue.enqueue_many((first..jobs.min(first + BULK)).map(job)).await.map_err(said)?;
        }
    };
    let senders = [(); 2].map(|()| tokio::spawn(sender(next.clone(), place.queue.clone())));
    for sender in senders {
        sender.await??;
    }
    Ok(())
}

/// Producers send one after the other, each when its last is on disk, while a worker of the same process runs them.
async fn lives(place: Place, jobs: u64, producers: u64) -> Result<Played> {
    let worker = place.start_worker()?;
    let span = Span::begin(jobs)?;
    let next = Arc::new(AtomicU64::new(0));
    let producer = |next: Arc<AtomicU64>, queue: Queue| async move {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= jobs {
                return Ok::<(), anyhow::Error>(());
            }
            queue.enqueue(&job(number)).await.map_err(said)?;
        }
    };
    let producers: Vec<_> =
        (0..producers).map(|_| tokio::spawn(producer(next.clone(), place.queue.clone()))).collect();
    for producer in producers {
        producer.await??;
    }
    place.finished(jobs).await?;
    // What the counts show is committed; when the worker has stopped, it is on disk.
    worker.stop(Duration::from_secs(5)).await;
    span.end()
}

/// A worker for others, which says when it is there.
async fn serve(place: &Place) -> Result<Played> {
    let _worker = place.start_worker()?;
    println!("ready");
    std::future::pending().await
}

/// Sends job after job, each some time after the one before has ended; how many milliseconds each took to begin.
pub(super) async fn times(place: &Place, samples: u32, gap: Duration) -> Result<Vec<f64>> {
    // The first ones make connections.
    const WARM_UP: usize = 10;
    let mut times = Vec::new();
    while times.len() < WARM_UP + samples as usize {
        let sent = clock_us();
        let began: i64 = place.queue.enqueue(&began::job()).wait().await.map_err(said)?;
        times.push((began - sent) as f64 / 1000.0);
        tokio::time::sleep(gap).await;
    }
    Ok(times.split_off(WARM_UP))
}

/// Claims and finishes exactly `jobs` messages by the engine alone, as a worker does: the ends of one batch travel with
/// the claim of the next.
pub(super) async fn exchange(place: &Place, jobs: u64) -> Result<()> {
    let left = Arc::new(AtomicU64::new(jobs));
    let line = |instance: &'static str| {
        let (engine, left) = (place.queue.engine().clone(), left.clone());
        let topic = Topic::new(TOPIC);
        async move {
            let owner = Owner { instance: instance.into(), epoch: 1, worker: instance.into() };
            let topic = topic.map_err(anyhow::Error::msg)?;
            let mut ends = Vec::new();
            loop {
                let count = take(&left, CLAIM);
                if count == 0 && ends.is_empty() {
                    return Ok::<(), anyhow::Error>(());
                }
                let want = Want { count: count as u32, last_chance: false };
                let given =
                    engine.exchange(&owner, &topic, Arc::new(std::mem::take(&mut ends)), want).await?;
                let lacking = count - given.claimed.len() as u64;
                ensure!(lacking == 0, "{lacking} messages that should wait could not be claimed");
                ends = given.claimed.into_iter().map(end).collect();
            }
        }
    };
    let lines = ["one", "two"].map(|instance| tokio::spawn(line(instance)));
    for line in lines {
        line.await??;
    }
    Ok(())
}

/// Takes at most `most` of what is left.
fn take(left: &AtomicU64, most: u64) -> u64 {
    let before =
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(most)));
    before.map_or(0, |before| before.min(most))
}

fn end(message: Claimed) -> Outcome {
    let end = End::Finished { stat: "OK".into(), result: r#"{"data":123458,"stat":"OK"}"#.into() };
    Outcome { message, started: now_ms(), cost_us: 50, end }
}

pub(super) fn job(number: u64) -> butterfly_core::Job<i64> {
    // All of them have as many digits.
    add::job(100_000 + i64::try_from(number % 900_000).unwrap_or_default(), 2)
}

pub(super) fn said(error: butterfly_core::Error) -> anyhow::Error {
    anyhow!("{error}")
}

/// A stretch of time of this process.
struct Span {
    jobs: u64,
    cpu: CpuTime,
    started: Instant,
}

impl Span {
    fn begin(jobs: u64) -> Result<Self> {
        Ok(Self { jobs, cpu: CpuTime::of(std::process::id())?, started: Instant::now() })
    }

    fn end(&self) -> Result<Played> {
        let seconds = self.started.elapsed().as_secs_f64();
        let cpu = CpuTime::of(std::process::id())?.since(self.cpu);
        let cpu_seconds = (cpu.user + cpu.system).as_secs_f64();
        Ok(Played { jobs: self.jobs as f64, seconds, cpu_seconds })
    }
}
