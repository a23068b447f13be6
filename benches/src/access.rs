//! The main figure: CPU microseconds of the server for each request, over keep-alive connections.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::lab::{Contender, Lab};
use crate::load::{Generator, micros_each};
use crate::proc::{CpuTime, raise_file_limit};
use crate::report::Report;
use crate::server::{HELLO, Server};
use crate::stats::{Spread, ratios};
use crate::table::{Table, grouped};
use crate::wire::get_request;

/// How long a server may take to start.
const START_LIMIT: Duration = Duration::from_secs(10);
/// Load before each measurement, so that caches, pools and the branch predictor are in steady state.
const WARM_UP: Duration = Duration::from_millis(500);
/// Requests under way on each connection, and the share of the time that goes to it.
const MODES: [(usize, f64); 2] = [(1, 1.0), (16, 0.5)];

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How often each server is started and measured, in turn with the others
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds of each measurement (half of it for the pipelined one)
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Keep-alive connections
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,
    /// Worker threads of each server
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

/// One server, measured once. Times are in microseconds a request.
#[derive(Debug, Clone, Serialize)]
struct Record {
    server: &'static str,
    depth: usize,
    round: u32,
    connections: u16,
    answers: u64,
    user_us: f64,
    system_us: f64,
    cpu_us: f64,
    requests_per_second: f64,
}

/// Runs the rounds and compares.
pub(crate) fn run(lab: &Lab, options: &Options) -> Result<Report> {
    Duration::try_from_secs_f64(options.seconds).context("--seconds")?;
    raise_file_limit(u64::from(options.connections) + 64)?;
    let mut records = Vec::new();
    for round in 1..=options.rounds {
        for who in Contender::ALL {
            eprint!("round {round} of {}: {:<10}", options.rounds, who.name());
            let measured = measure_all(lab, who, round, options)?;
            let figures: Vec<_> = measured.iter().map(|r| format!("{:6.2} µs", r.cpu_us)).collect();
            eprintln!("{}", figures.join(" "));
            records.extend(measured);
        }
    }
    report(&records, options)
}

/// Measures a fresh process of `who` in every mode, and then counts the lines of its access log.
fn measure_all(lab: &Lab, who: Contender, round: u32, options: &Options) -> Result<Vec<Record>> {
    let mut server = lab.start(who, options.threads, &[])?;
    let (body, _) = server.ready(START_LIMIT)?;
    let mut asked = 1;
    let mut records = Vec::new();
    for (depth, share) in MODES {
        let request = get_request(HELLO);
        let connections = options.connections.into();
        let mut generator = Generator::connect(server.address(), connections, depth, &request, &body)?;
        asked += generator.run(WARM_UP).context("during warm-up")?.answers;
        let duration = Duration::from_secs_f64(options.seconds * share);
        let record = measure(&server, &mut generator, duration, (depth, round, options.connections))?;
        asked += record.answers;
        records.push(record);
    }
    server.stop()?;
    if lab.keeps_log(who) {
        check_log(&server, asked)?;
    }
    Ok(records)
}

fn measure(
    server: &Server,
    generator: &mut Generator,
    duration: Duration,
    (depth, round, connections): (usize, u32, u16),
) -> Result<Record> {
    let before = CpuTime::of(server.pid())?;
    let run = generator.run(duration)?;
    let spent = CpuTime::of(server.pid())?.since(before);
    Ok(Record {
        server: server.name(),
        depth,
        round,
        connections,
        answers: run.answers,
        user_us: micros_each(spent.user, run)?,
        system_us: micros_each(spent.system, run)?,
        cpu_us: micros_each(spent.user + spent.system, run)?,
        requests_per_second: run.answers as f64 / run.elapsed.as_secs_f64(),
    })
}

/// A server that answers faster than it logs would win unfairly.
fn check_log(server: &Server, asked: u64) -> Result<()> {
    let lines = server.log_lines("/demo_api/hello")?;
    ensure!(lines == asked, "the access log has {lines} lines for {asked} requests");
    Ok(())
}

fn report(records: &[Record], options: &Options) -> Result<Report> {
    let mut text = String::new();
    let mut summary = Vec::new();
    for (depth, share) in MODES {
        let how = if depth == 1 { String::new() } else { format!(", pipelined x{depth}") };
        writeln!(
            text,
            "CPU time of the server for each request: {} keep-alive connections{how}, {} rounds of {} s\n",
            options.connections,
            options.rounds,
            options.seconds * share,
        )?;
        let mode: Vec<&Record> = records.iter().filter(|record| record.depth == depth).collect();
        writeln!(text, "{}", table(&mode)?)?;
        for peer in [Contender::Axum, Contender::Actix] {
            let rounds = ratios(&each(&mode, Contender::Butterfly, cpu), &each(&mode, peer, cpu));
            let spread = Spread::of(rounds.clone()).context("no rounds")?;
            writeln!(text, "{}", ratio_line(peer, &rounds, spread))?;
            summary.push(json!({
                "depth": depth,
                "ratio": format!("butterfly/{}", peer.name()),
                "spread": spread,
                "rounds": rounds,
            }));
        }
        text.push('\n');
    }
    Ok(Report { bench: "access", text, records: json!(records), summary: json!(summary), passed: true })
}

fn table(records: &[&Record]) -> Result<Table> {
    let mut table =
        Table::new(&["server", "min µs", "median µs", "max µs", "user µs", "system µs", "requests/s"]);
    for who in Contender::ALL {
        let spread = |figure| Spread::of(each(records, who, figure)).context("no rounds");
        let total = spread(cpu)?;
        let micros = [
            total.min,
            total.median,
            total.max,
            spread(|record| record.user_us)?.median,
            spread(|record| record.system_us)?.median,
        ];
        let rate = grouped(spread(|record| record.requests_per_second)?.median);
        let figures = micros.map(|micros| format!("{micros:.2}")).into_iter().chain([rate]);
        table.row(std::iter::once(who.label().to_owned()).chain(figures));
    }
    Ok(table)
}

fn cpu(record: &Record) -> f64 {
    record.cpu_us
}

/// One figure of one server, in the order of the rounds.
fn each(records: &[&Record], who: Contender, figure: fn(&Record) -> f64) -> Vec<f64> {
    records.iter().filter(|record| record.server == who.name()).map(|record| figure(record)).collect()
}

fn ratio_line(peer: Contender, rounds: &[f64], spread: Spread) -> String {
    let rounds: Vec<_> = rounds.iter().map(|ratio| format!("{ratio:.2}")).collect();
    let pair = format!("butterfly / {}", peer.name());
    format!("  {pair:<17}  median {:.2}   by round: {}", spread.median, rounds.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(server: &'static str, depth: usize, round: u32, cpu_us: f64) -> Record {
        Record {
            server,
            depth,
            round,
            connections: 64,
            answers: 1000,
            user_us: cpu_us / 4.0,
            system_us: cpu_us * 0.75,
            cpu_us,
            requests_per_second: 12_345.0,
        }
    }

    #[test]
    fn report_compares_round_by_round() {
        let mut records = Vec::new();
        for (round, drift) in [(1, 1.0), (2, 2.0), (3, 1.5)] {
            for (depth, _) in MODES {
                records.push(record("butterfly", depth, round, 4.0 * drift));
                records.push(record("axum", depth, round, 5.0 * drift));
                records.push(record("actix", depth, round, 8.0 * drift));
            }
        }
        let options = Options { rounds: 3, seconds: 3.0, connections: 64, threads: 2 };
        let report = report(&records, &options).unwrap();
        let line = "butterfly / axum   median 0.80   by round: 0.80 0.80 0.80";
        assert_eq!(report.text.matches(line).count(), 2, "{}", report.text);
        assert_eq!(report.summary[1]["spread"]["median"], 0.5);
        assert!(report.text.contains("axum, bare          5.00        7.50    10.00"), "{}", report.text);
    }
}
