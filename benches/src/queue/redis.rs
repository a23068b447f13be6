//! Contenders on a Redis of their own: what they send and drain a second, and what a job costs.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use serde::Serialize;
use serde_json::json;
use tempfile::TempDir;

use super::driver::{Played, play};
use super::rig::{Keeps, Redis};
use super::{load, ours};
use crate::cleanup;
use crate::report::Report;
use crate::stats::Spread;
use crate::table::{Table, grouped};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How often everything is measured
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Jobs our own queue runs in a round; the peers run fewer, as they are slower
    #[arg(long, default_value_t = 300_000, value_parser = clap::value_parser!(u64).range(1000..))]
    jobs: u64,
    /// Where `queue/run` has put the peers; without it, ours alone is measured
    #[arg(long, value_name = "DIR")]
    peers: Option<PathBuf>,
}

/// Somebody who is measured: `program role url jobs` plays a role.
#[derive(Debug)]
struct Contender {
    name: String,
    program: Vec<String>,
    keeps: Keeps,
    jobs: u64,
    /// What a job's arguments and its result take, in bytes: it is not the queue's own.
    payload: usize,
    samples: Vec<Sample>,
}

/// One round of a contender.
#[derive(Debug, Clone, Copy, Serialize)]
struct Sample {
    single: Played,
    bulk: Played,
    work: Played,
    redis_us_to_send: f64,
    redis_us_to_work: f64,
    bytes: f64,
}

pub(crate) fn run(options: &Options) -> Result<Report> {
    let me = std::env::current_exe()?;
    let scratch = TempDir::with_prefix_in("bench-", me.parent().context("no folder")?)?;
    cleanup::on_signals(scratch.path())?;
    let mut contenders = contenders(options)?;
    for round in 0..options.rounds {
        for contender in &mut contenders {
            eprintln!("round {} of {}: {}", round + 1, options.rounds, contender.name);
            let sample = measure(contender, &scratch).with_context(|| contender.name.clone())?;
            contender.samples.push(sample);
        }
    }
    report(&contenders, options.rounds)
}

fn contenders(options: &Options) -> Result<Vec<Contender>> {
    let me = std::env::current_exe()?.to_string_lossy().into_owned();
    let ours = |name: &str, keeps| Contender {
        name: name.to_owned(),
        program: vec![me.clone(), "role".to_owned()],
        keeps,
        jobs: options.jobs,
        payload: ours::OWN_BYTES,
        samples: Vec::new(),
    };
    let mut all = vec![ours("butterfly", Keeps::Memory), ours("butterfly, fsync always", Keeps::Always)];
    let Some(peers) = &options.peers else { return Ok(all) };
    let bullmq = peers.join("bullmq.mjs");
    all.push(Contender {
        name: "BullMQ".to_owned(),
        program: vec!["node".to_owned(), bullmq.to_string_lossy().into_owned()],
        keeps: Keeps::Memory,
        jobs: (options.jobs / 10).max(1000),
        payload: r#"{"a":123456,"b":2}"#.len() + "123458".len(),
        samples: Vec::new(),
    });
    Ok(all)
}

fn measure(contender: &Contender, scratch: &TempDir) -> Result<Sample> {
    let mut redis = Redis::start(contender.keeps, scratch)?;
    let url = redis.url();
    let role = |role: &str, jobs: u64| {
        let mut words = contender.program.clone();
        words.extend([role.to_owned(), url.clone(), jobs.to_string()]);
        play::<Played>(&words).with_context(|| role.to_owned())
    };
    let single = role("single", contender.jobs / 20)?;
    redis.flush()?;
    let (memory, cpu) = (redis.memory()?, redis.cpu()?);
    let bulk = role("bulk", contender.jobs)?;
    let between = redis.cpu()?;
    let work = role("work", contender.jobs)?;
    let after = redis.cpu()?;
    let per_job = |amount: f64| amount / contender.jobs as f64;
    Ok(Sample {
        single,
        bulk,
        work,
        redis_us_to_send: per_job((between - cpu) * 1e6),
        redis_us_to_work: per_job((after - between) * 1e6),
        bytes: per_job(redis.memory()? - memory) - contender.payload as f64,
    })
}

fn report(contenders: &[Contender], rounds: u32) -> Result<Report> {
    let mut table = Table::new(&[
        "queue",
        "single/s",
        "bulk/s",
        "drained/s",
        "min–max",
        "Redis µs a job",
        "worker µs a job",
        "bytes a job",
    ]);
    let mut records = Vec::new();
    for contender in contenders {
        let spread = |figure: fn(&Sample) -> f64| {
            Spread::of(contender.samples.iter().map(figure)).context("nothing was measured")
        };
        let drained = spread(|sample| sample.work.per_second())?;
        let (to_send, to_work) =
            (spread(|sample| sample.redis_us_to_send)?, spread(|sample| sample.redis_us_to_work)?);
        table.row([
            contender.name.clone(),
            grouped(spread(|sample| sample.single.per_second())?.median),
            grouped(spread(|sample| sample.bulk.per_second())?.median),
            grouped(drained.median),
            format!("{}–{}", grouped(drained.min), grouped(drained.max)),
            format!("{:.1} + {:.1}", to_send.median, to_work.median),
            format!("{:.1}", spread(|sample| sample.work.cpu_us())?.median),
            grouped(spread(|sample| sample.bytes)?.median),
        ]);
        records.push(json!({ "queue": contender.name, "samples": contender.samples }));
    }
    let text = format!(
        "Redis, one worker process, 10 at once, state and result kept: median of {rounds} rounds (load {})\n\
         Redis µs: to send in bulk + to run; bytes: of a finished job in Redis, beyond its arguments and result\n\n\
         {table}",
        load()
    );
    Ok(Report { bench: "queue redis", text, records: json!(records), summary: json!({}), passed: true })
}
