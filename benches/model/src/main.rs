//! Measures the model beside its peers, in the same run. `benches/model/run` installs what it needs and starts it.

mod cost;
mod crud;
mod disk;
mod memory;
mod redis;
mod sql;

#[allow(unreachable_pub, reason = "SeaORM makes the parts of an entity public")]
#[path = "../../../examples/todo/src/handlers/todo.rs"]
mod todo;

// What both benches have: servers, load, figures.
#[allow(dead_code, reason = "shared with the other benches, which use more of it")]
#[path = "../../src/cleanup.rs"]
mod cleanup;
#[allow(dead_code, reason = "shared with the other benches, which use more of it")]
#[path = "../../src/load.rs"]
mod load;
#[allow(dead_code, reason = "shared with the other benches, which use more of it")]
#[path = "../../src/proc.rs"]
mod proc;
#[path = "../../src/report.rs"]
mod report;
#[allow(dead_code, reason = "shared with the other benches, which use more of it")]
#[path = "../../src/queue/rig.rs"]
mod rig;
#[allow(dead_code, reason = "shared with the other benches, which use more of it")]
#[path = "../../src/server.rs"]
mod server;
#[allow(dead_code, reason = "shared with the other benches, which use more of it")]
#[path = "../../src/stats.rs"]
mod stats;
#[allow(dead_code, reason = "shared with the other benches, which use more of it")]
#[path = "../../src/table.rs"]
mod table;
#[allow(dead_code, reason = "shared with the other benches, which use more of it")]
#[path = "../../src/wire.rs"]
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use tempfile::TempDir;

use crate::report::Report;

/// Measures Butterfly's model beside its peers, in the same run
#[derive(Debug, Parser)]
#[command(name = "butterfly-bench-model")]
struct Cli {
    #[command(subcommand)]
    bench: Bench,
    /// Also write every measurement to this file
    #[arg(long, global = true, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Rounds, in each of which every contender is measured in turn
    #[arg(long, global = true, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// Our layer over SeaORM, and SeaORM over sqlx
    Sql,
    /// Our cache in memory over moka alone
    Memory,
    /// Our cache on disk beside diskcache
    Disk(disk::Options),
    /// Round trips of a Redis model
    Redis,
    /// A list of 20 rows beside Django REST framework and FastAPI: CPU of the server a request
    Crud(crud::Options),
}

/// 0: measured; 2: nothing could be measured.
fn main() -> ExitCode {
    let cli = Cli::parse();
    let report = run(&cli).and_then(|report| {
        report.print();
        cli.json.as_deref().map_or(Ok(()), |path| report.save(path))
    });
    match report {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(cli: &Cli) -> Result<Report> {
    let me = std::env::current_exe()?;
    // Beside this binary: the system's folder for such things may be memory.
    let scratch = TempDir::with_prefix_in("bench-", me.parent().context("no folder")?)?;
    cleanup::on_signals(scratch.path())?;
    match &cli.bench {
        Bench::Sql => sql::run(cli.rounds, &scratch),
        Bench::Memory => memory::run(cli.rounds),
        Bench::Disk(options) => disk::run(options, cli.rounds, &scratch),
        Bench::Redis => redis::run(&scratch),
        Bench::Crud(options) => crud::run(options, cli.rounds, &scratch),
    }
}
