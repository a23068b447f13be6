//! Whole job lives in one file, by one process: sent, run and finished, each acknowledged when it is on disk.

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use tempfile::TempDir;

use super::driver::{Played, play};
use super::load;
use crate::cleanup;
use crate::report::Report;
use crate::stats::Spread;
use crate::table::{Table, grouped};

/// How many send at the same time.
const PRODUCERS: [u64; 3] = [1, 10, 64];

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How often everything is measured
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Jobs that 64 producers send in a round; fewer producers send fewer
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1000..))]
    jobs: u64,
}

pub(crate) fn run(options: &Options) -> Result<Report> {
    let me = std::env::current_exe()?;
    // Beside this binary: the system's folder for such things may be memory, and this is about the disk.
    let scratch = TempDir::with_prefix_in("bench-", me.parent().context("no folder")?)?;
    cleanup::on_signals(scratch.path())?;
    let mut table = Table::new(&["queue", "producers", "lives/s", "min–max", "CPU µs a life"]);
    let mut records = Vec::new();
    for producers in PRODUCERS {
        let mut samples = Vec::new();
        for round in 0..options.rounds {
            eprintln!("round {} of {}: {producers} producers", round + 1, options.rounds);
            let dir = TempDir::with_prefix_in("queue-", scratch.path())?;
            let file = dir.path().join("queue.db").to_string_lossy().into_owned();
            let jobs = (options.jobs * producers / 64).max(1000).to_string();
            let words = [me.to_string_lossy().into_owned(), "role".into(), "lives".into(), file, jobs];
            let words: Vec<String> = words.into_iter().chain([producers.to_string()]).collect();
            samples.push(play::<Played>(&words)?);
        }
        let spread = |figure: fn(Played) -> f64| {
            Spread::of(samples.iter().map(|sample| figure(*sample))).context("nothing was measured")
        };
        let (lives, cpu) = (spread(Played::per_second)?, spread(Played::cpu_us)?);
        table.row([
            "butterfly".to_owned(),
            producers.to_string(),
            grouped(lives.median),
            format!("{}–{}", grouped(lives.min), grouped(lives.max)),
            format!("{:.1}", cpu.median),
        ]);
        records.push(json!({ "queue": "butterfly", "producers": producers, "samples": samples }));
    }
    let text = format!(
        "Embedded, whole job lives in one process, 10 at once: median of {} rounds (load {})\n\n{table}",
        options.rounds,
        load()
    );
    Ok(Report { bench: "queue embedded", text, records: json!(records), summary: json!({}), passed: true })
}
