//! How long an idle worker takes to begin a job that is sent, and what it costs while there is nothing to do.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::json;
use tempfile::TempDir;

use super::load;
use super::ours::{self, Place};
use super::rig::{Keeps, Redis};
use crate::cleanup;
use crate::proc::CpuTime;
use crate::report::Report;
use crate::table::Table;

/// Between the end of a job and the next that is sent: the worker is idle again.
const GAP: Duration = Duration::from_millis(5);

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many jobs are sent, each when the one before has ended
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(100..))]
    samples: u32,
    /// How long the idle worker is watched, in seconds
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    idle: u64,
}

pub(crate) fn run(options: &Options) -> Result<Report> {
    let me = std::env::current_exe()?;
    let scratch = TempDir::with_prefix_in("bench-", me.parent().context("no folder")?)?;
    cleanup::on_signals(scratch.path())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut table =
        Table::new(&["engine", "the worker is in", "p50 ms", "p99 ms", "most ms", "idle CPU ms/s"]);
    let mut records = Vec::new();
    for engine in ["redis", "embedded"] {
        for apart in [false, true] {
            let redis = Redis::start(Keeps::Memory, &scratch)?;
            let file = TempDir::with_prefix_in("queue-", scratch.path())?;
            let at = match engine {
                "redis" => redis.url(),
                _ => file.path().join("queue.db").to_string_lossy().into_owned(),
            };
            let (times, idle) = runtime.block_on(measure(&at, apart, options))?;
            let place = if apart { "another process" } else { "the sender's process" };
            let idle_text = idle.map_or("–".to_owned(), |idle| format!("{idle:.2}"));
            table.row(row(engine, place, &times, idle_text));
            records.push(json!({ "engine": engine, "apart": apart, "ms": times, "idle_cpu_ms_per_s": idle }));
        }
    }
    let floor = floor(options.samples, &scratch)?;
    table.row(row("floor: Redis answers PING", "–", &floor, "–".to_owned()));
    records.push(json!({ "engine": "ping", "ms": floor }));
    let text = format!(
        "From the call that sends until the handler runs, {} jobs, each sent {} ms after the one before has ended (load {})\n\n{table}",
        options.samples,
        GAP.as_millis(),
        load()
    );
    Ok(Report { bench: "queue latency", text, records: json!(records), summary: json!({}), passed: true })
}

fn row(engine: &str, place: &str, times: &[f64], idle: String) -> [String; 6] {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let time = sorted.get(((sorted.len() - 1) as f64 * share) as usize).copied().unwrap_or(f64::NAN);
        format!("{time:.2}")
    };
    [engine.to_owned(), place.to_owned(), at(0.5), at(0.99), at(1.0), idle]
}

/// What this machine's scheduler leaves of one bare exchange with an idle Redis.
fn floor(samples: u32, scratch: &TempDir) -> Result<Vec<f64>> {
    let mut redis = Redis::start(Keeps::Memory, scratch)?;
    let mut times = Vec::new();
    for _ in 0..samples {
        let asked = Instant::now();
        redis.ping()?;
        times.push(asked.elapsed().as_secs_f64() * 1000.0);
        std::thread::sleep(GAP);
    }
    Ok(times)
}

/// The times in milliseconds, and of a worker process its CPU milliseconds a second while it is idle.
async fn measure(at: &str, apart: bool, options: &Options) -> Result<(Vec<f64>, Option<f64>)> {
    let place = Place::at(at).await?;
    if !apart {
        let worker = place.start_worker()?;
        let times = ours::times(&place, options.samples, GAP).await?;
        worker.stop(Duration::from_secs(5)).await;
        return Ok((times, None));
    }
    let worker = Apart::start(at)?;
    let times = ours::times(&place, options.samples, GAP).await?;
    let before = CpuTime::of(worker.child.id())?;
    tokio::time::sleep(Duration::from_secs(options.idle)).await;
    let used = CpuTime::of(worker.child.id())?.since(before);
    Ok((times, Some((used.user + used.system).as_secs_f64() * 1000.0 / options.idle as f64)))
}

/// A worker in a process of its own; it ends with this value.
struct Apart {
    child: Child,
}

impl Apart {
    fn start(at: &str) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["role", "serve", at]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut worker = Self { child: cleanup::spawn(&mut command)? };
        let output = worker.child.stdout.take().context("no standard output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        ensure!(line == "ready\n", "the worker says {line:?}");
        Ok(worker)
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        // The process group is killed; one that is gone already is fine.
        let _ = cleanup::reap(&mut self.child);
    }
}
