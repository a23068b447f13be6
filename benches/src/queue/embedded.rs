//! Whole job lives in one file, by one process: sent, run and finished, each acknowledged when it is on disk.

use std::path::{Path, PathBuf};

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
    /// Where `queue/run` has put the peers; without it, ours alone is measured
    #[arg(long, value_name = "DIR")]
    peers: Option<PathBuf>,
}

/// Somebody who is measured: `program file jobs producers`.
#[derive(Debug)]
struct Contender {
    name: &'static str,
    program: Vec<String>,
    /// How many times fewer jobs it is given, as it is slower.
    fewer: u64,
    /// With fewer producers than these it is not measured.
    producers: u64,
}

fn contenders(options: &Options) -> Result<Vec<Contender>> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let me = text(&std::env::current_exe()?);
    let mut all = vec![Contender {
        name: "butterfly",
        program: [me.as_str(), "role", "lives"].map(String::from).into(),
        fewer: 1,
        producers: 1,
    }];
    if let Some(peers) = &options.peers {
        let apalis = text(&peers.join("target/apalis/release/queue-peer-apalis"));
        // Its worker falls asleep, at times for half a minute, when producers are so few that it finds nothing.
        let peer = |name, mode: &str| Contender {
            name,
            program: vec![apalis.clone(), mode.into()],
            fewer: 64,
            producers: 10,
        };
        all.push(peer("apalis-sqlite, synchronous=FULL", "full"));
        all.push(peer("apalis-sqlite, as it sets itself up: no sync", "off"));
    }
    Ok(all)
}

pub(crate) fn run(options: &Options) -> Result<Report> {
    let me = std::env::current_exe()?;
    // Beside this binary: the system's folder for such things may be memory, and this is about the disk.
    let scratch = TempDir::with_prefix_in("bench-", me.parent().context("no folder")?)?;
    cleanup::on_signals(scratch.path())?;
    let mut table = Table::new(&["queue", "producers", "lives/s", "min–max", "CPU µs a life"]);
    let mut records = Vec::new();
    let contenders = contenders(options)?;
    for producers in PRODUCERS {
        let mut samples = vec![Vec::new(); contenders.len()];
        for round in 0..options.rounds {
            for (contender, samples) in contenders.iter().zip(&mut samples) {
                if producers < contender.producers {
                    continue;
                }
                let name = contender.name;
                eprintln!("round {} of {}: {name}, {producers} producers", round + 1, options.rounds);
                let jobs = (options.jobs * producers / 64 / contender.fewer).max(2000);
                let sample =
                    measure(contender, jobs, producers, &scratch).with_context(|| name.to_owned())?;
                samples.push(sample);
            }
        }
        for (contender, samples) in contenders.iter().zip(samples).filter(|(_, samples)| !samples.is_empty())
        {
            table.row(row(contender.name, producers, &samples)?);
            records.push(json!({ "queue": contender.name, "producers": producers, "samples": samples }));
        }
    }
    let text = format!(
        "Embedded, whole job lives in one process, 10 at once: median of {} rounds (load {})\n\n{table}",
        options.rounds,
        load()
    );
    Ok(Report { bench: "queue embedded", text, records: json!(records), summary: json!({}), passed: true })
}

fn measure(contender: &Contender, jobs: u64, producers: u64, scratch: &TempDir) -> Result<Played> {
    let dir = TempDir::with_prefix_in("queue-", scratch.path())?;
    let mut words = contender.program.clone();
    words.push(dir.path().join("queue.db").to_string_lossy().into_owned());
    words.extend([jobs.to_string(), producers.to_string()]);
    play(&words)
}

fn row(name: &str, producers: u64, samples: &[Played]) -> Result<[String; 5]> {
    let spread = |figure: fn(Played) -> f64| {
        Spread::of(samples.iter().map(|sample| figure(*sample))).context("nothing was measured")
    };
    let (lives, cpu) = (spread(Played::per_second)?, spread(Played::cpu_us)?);
    Ok([
        name.to_owned(),
        producers.to_string(),
        grouped(lives.median),
        format!("{}–{}", grouped(lives.min), grouped(lives.max)),
        format!("{:.1}", cpu.median),
    ])
}
