//! Measures Butterfly's demo beside its peers, in the same run, with one command:
//! `cargo run --release -- access`. See `README.md`.

// What the handler macro writes names the facade; the core has all of it that a handler needs.
extern crate butterfly_core as butterfly;

mod access;
mod cleanup;
mod instructions;
mod lab;
mod load;
mod peer;
mod proc;
mod queue;
mod report;
mod routes;
mod server;
mod start;
mod stats;
mod stream;
mod table;
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::lab::Lab;
use crate::peer::Peer;
use crate::report::Report;

/// Measures Butterfly beside its peers, in the same run
#[derive(Debug, Parser)]
#[command(name = "butterfly-bench")]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Also write every measurement to this file
    #[arg(long, global = true, value_name = "FILE")]
    json: Option<PathBuf>,
    /// A command line to measure in place of the demo; {port}, {threads}, {logs} and {data} are filled in
    #[arg(long, global = true, hide = true, value_name = "CMD")]
    server: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// CPU microseconds of the server for each request
    Access(access::Options),
    /// User-space instructions a request, under valgrind
    Instructions(instructions::Options),
    /// Time from start to the first answer; memory idle and under connections
    Start(start::Options),
    /// Memory while 1 GiB is sent and fetched
    Stream(stream::Options),
    /// Time to find a route among ten and among 100,000
    Routes(routes::Options),
    /// The queue: throughput on Redis and embedded, cost at depth, latency
    #[command(subcommand)]
    Queue(queue::Bench),
    /// Be the queue's contender in one role
    #[command(hide = true, subcommand)]
    Role(queue::Role),
    /// Be a peer
    #[command(hide = true)]
    Peer { peer: Peer, port: u16, threads: usize },
}

/// 0: measured, and the gate held; 1: the gate did not hold; 2: nothing could be measured.
fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(cli: &Cli) -> Result<bool> {
    if let Command::Peer { peer, port, threads } = cli.command {
        peer::serve(peer, port, threads)?;
        return Ok(true);
    }
    if let Command::Role(role) = &cli.command {
        queue::play(role)?;
        return Ok(true);
    }
    let report = measure(cli)?;
    report.print();
    if let Some(path) = &cli.json {
        report.save(path)?;
    }
    Ok(report.passed)
}

fn measure(cli: &Cli) -> Result<Report> {
    if let Command::Routes(options) = &cli.command {
        return routes::run(options);
    }
    if let Command::Queue(bench) = &cli.command {
        return queue::run(bench);
    }
    let lab = Lab::new(cli.server.as_deref())?;
    match &cli.command {
        Command::Access(options) => access::run(&lab, options),
        Command::Instructions(options) => instructions::run(&lab, options),
        Command::Start(options) => start::run(&lab, options),
        Command::Stream(options) => stream::run(&lab, options),
        Command::Routes(_) | Command::Queue(_) | Command::Role(_) | Command::Peer { .. } => {
            anyhow::bail!("a peer measures nothing")
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_gate_is_a_number() {
        let cli = Cli::try_parse_from(["bench", "instructions", "--gate", "12000", "--json", "out"]).unwrap();
        assert!(matches!(cli.command, Command::Instructions(_)));
        assert!(Cli::try_parse_from(["bench", "instructions", "--gate", "many"]).is_err());
        assert!(Cli::try_parse_from(["bench", "access", "--rounds", "0"]).is_err());
    }
}
