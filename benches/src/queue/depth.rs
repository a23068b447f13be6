//! What an operation costs with few messages in the queue and with very many: it should be the same.

use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;
use serde::Serialize;
use serde_json::json;
use tempfile::TempDir;

use super::load;
use super::ours::{self, Place};
use super::rig::{Keeps, Redis};
use crate::cleanup;
use crate::report::Report;
use crate::stats::{Spread, ratios};
use crate::table::{Table, grouped};

/// What lies in the queue to be compared with.
const FEW: u64 = 1000;
/// Messages of one measurement.
const SAMPLE: u64 = 20_000;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How often each place is measured
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How many messages are very many
    #[arg(long, default_value_t = 2_000_000, value_parser = clap::value_parser!(u64).range(10_000..))]
    many: u64,
}

/// Microseconds a message: to enqueue it, and to claim and finish it.
#[derive(Debug, Clone, Copy, Serialize)]
struct Cost {
    enqueue: f64,
    claim_and_finish: f64,
}

/// A queue with few messages, and one of the same engine with very many: measured in turn, for the machine drifts.
struct Pair {
    engine: &'static str,
    few: Place,
    many: Place,
}

/// One round of a pair.
#[derive(Debug, Clone, Copy, Serialize)]
struct Round {
    few: Cost,
    many: Cost,
}

pub(crate) fn run(options: &Options) -> Result<Report> {
    let me = std::env::current_exe()?;
    let scratch = TempDir::with_prefix_in("bench-", me.parent().context("no folder")?)?;
    cleanup::on_signals(scratch.path())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut table =
        Table::new(&["engine", "beside it", "enqueue µs", "ratio", "claim and finish µs", "ratio"]);
    let mut records = Vec::new();
    let servers = [Redis::start(Keeps::Memory, &scratch)?, Redis::start(Keeps::Memory, &scratch)?];
    let files = ["few.db", "many.db"].map(|name| scratch.path().join(name).to_string_lossy().into_owned());
    for (engine, [few, many]) in [("redis", servers.each_ref().map(Redis::url)), ("embedded", files)] {
        let stages = runtime.block_on(async {
            let pair = Pair { engine, few: Place::at(&few).await?, many: Place::at(&many).await? };
            pair.stages(options).await.with_context(|| engine.to_owned())
        })?;
        for (stage, rounds) in stages {
            table.row(row(engine, &stage, &rounds)?);
            records.push(json!({ "engine": engine, "stage": stage, "rounds": rounds }));
        }
    }
    let text = format!(
        "Microseconds a message with very many beside it, and the ratio to the same with {FEW} queued, measured in turn:\n\
         median of {} rounds of {SAMPLE} messages (load {})\n\n{table}",
        options.rounds,
        load()
    );
    Ok(Report { bench: "queue depth", text, records: json!(records), summary: json!({}), passed: true })
}

fn row(engine: &str, stage: &str, rounds: &[Round]) -> Result<[String; 6]> {
    let median = |samples: Vec<f64>| Spread::of(samples).map(|spread| spread.median).context("no rounds");
    let of = |cost: fn(&Cost) -> f64| -> Result<(f64, f64)> {
        let few: Vec<f64> = rounds.iter().map(|round| cost(&round.few)).collect();
        let many: Vec<f64> = rounds.iter().map(|round| cost(&round.many)).collect();
        Ok((median(many.clone())?, median(ratios(&many, &few))?))
    };
    let (enqueue, enqueue_ratio) = of(|cost| cost.enqueue)?;
    let (finish, finish_ratio) = of(|cost| cost.claim_and_finish)?;
    Ok([
        engine.to_owned(),
        stage.to_owned(),
        format!("{enqueue:.2}"),
        format!("{enqueue_ratio:.2}"),
        format!("{finish:.2}"),
        format!("{finish_ratio:.2}"),
    ])
}

impl Pair {
    /// Very many queued; then very many finished and kept, few queued.
    async fn stages(&self, options: &Options) -> Result<Vec<(String, Vec<Round>)>> {
        let many = options.many;
        eprintln!("{}: filling", self.engine);
        ours::fill(&self.few, FEW).await?;
        ours::fill(&self.many, many).await?;
        let queued = self.rounds(options.rounds).await?;
        eprintln!("{}: draining", self.engine);
        ours::exchange(&self.many, many - FEW).await?;
        let finished = self.rounds(options.rounds).await?;
        let millions = grouped(many as f64);
        Ok(vec![(format!("{millions} queued"), queued), (format!("{millions} finished"), finished)])
    }

    async fn rounds(&self, count: u32) -> Result<Vec<Round>> {
        let mut rounds = Vec::new();
        for _ in 0..count {
            rounds.push(Round { few: cost(&self.few).await?, many: cost(&self.many).await? });
        }
        Ok(rounds)
    }
}

/// The depth is the same after it as before.
async fn cost(place: &Place) -> Result<Cost> {
    let enqueue = timed(ours::fill(place, SAMPLE)).await?;
    Ok(Cost { enqueue, claim_and_finish: timed(ours::exchange(place, SAMPLE)).await? })
}

async fn timed(work: impl Future<Output = Result<()>>) -> Result<f64> {
    let started = Instant::now();
    work.await?;
    Ok(started.elapsed().as_secs_f64() * 1e6 / SAMPLE as f64)
}
