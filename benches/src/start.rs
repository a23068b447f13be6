//! From nothing to the first answer, and the memory that takes: idle, and under many connections.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::lab::{Contender, Lab};
use crate::proc::{Memory, raise_file_limit};
use crate::report::Report;
use crate::server::{HELLO, Server};
use crate::stats::Spread;
use crate::table::{Table, mib};
use crate::wire::{Client, get_request};

const START_LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How often each server is started, in turn with the others
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    times: u32,
    /// Keep-alive connections that each make one request and stay
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,
    /// Worker threads of each server
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

/// One start of one server; the memory under connections is taken in the last round only.
#[derive(Debug, Clone, Serialize)]
struct Record {
    server: &'static str,
    round: u32,
    start_ms: f64,
    idle_bytes: u64,
    connected_bytes: Option<u64>,
}

/// Starts every contender again and again.
pub(crate) fn run(lab: &Lab, options: &Options) -> Result<Report> {
    raise_file_limit(u64::from(options.connections) + 64)?;
    let mut records = Vec::new();
    for round in 1..=options.times {
        for who in Contender::ALL {
            records.push(measure(lab, who, round, options)?);
        }
    }
    report(&records, options)
}

fn measure(lab: &Lab, who: Contender, round: u32, options: &Options) -> Result<Record> {
    let mut server = lab.start(who, options.threads, &[])?;
    let (body, took) = server.ready(START_LIMIT)?;
    let idle_bytes = Memory::of(server.pid())?.now;
    let last = round == options.times;
    let connected_bytes = last.then(|| under_connections(&server, options.connections, &body)).transpose()?;
    server.stop()?;
    Ok(Record { server: who.name(), round, start_ms: took.as_secs_f64() * 1e3, idle_bytes, connected_bytes })
}

/// Resident memory while `count` connections, each with one request behind it, are open.
fn under_connections(server: &Server, count: u16, body: &[u8]) -> Result<u64> {
    let request = get_request(HELLO);
    let mut open = Vec::new();
    for _ in 0..count {
        let mut client = Client::connect(server.address())?;
        ensure!(client.ask(&request)? == body, "an answer differs from the first");
        open.push(client);
    }
    let memory = Memory::of(server.pid())?;
    // All must still be served, or the memory read is not that of so many connections.
    for client in &mut open {
        ensure!(client.ask(&request).context("a connection was dropped")? == body, "a wrong answer");
    }
    Ok(memory.now)
}

fn report(records: &[Record], options: &Options) -> Result<Report> {
    let connected = format!("RSS under {} connections MiB", options.connections);
    let mut table =
        Table::new(&["server", "min ms", "median ms", "max ms", "RSS idle MiB", connected.as_str()]);
    let mut summary = Vec::new();
    for who in Contender::ALL {
        let own = || records.iter().filter(|record| record.server == who.name());
        let start = Spread::of(own().map(|record| record.start_ms)).context("no rounds")?;
        let idle = Spread::of(own().map(|record| record.idle_bytes as f64)).context("no rounds")?.median;
        let connected = own().find_map(|record| record.connected_bytes).context("no connections")?;
        let times = [start.min, start.median, start.max].map(|ms| format!("{ms:.1}"));
        let memory = [mib(idle), mib(connected as f64)];
        table.row(std::iter::once(who.label().to_owned()).chain(times).chain(memory));
        summary.push(json!({
            "server": who.name(), "start_ms": start, "idle_bytes": idle, "connected_bytes": connected,
        }));
    }
    let text =
        format!("From start to the first good answer, {} starts, and memory\n\n{table}", options.times);
    Ok(Report { bench: "start", text, records: json!(records), summary: json!(summary), passed: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_takes_medians_and_the_one_reading_under_connections() {
        let mut records = Vec::new();
        for (round, start_ms) in [(1, 9.0), (2, 3.0), (3, 4.0)] {
            for who in Contender::ALL {
                let connected_bytes = (round == 3).then_some(8 << 20);
                records.push(Record {
                    server: who.name(),
                    round,
                    start_ms,
                    idle_bytes: 4 << 20,
                    connected_bytes,
                });
            }
        }
        let options = Options { times: 3, connections: 10, threads: 2 };
        let report = report(&records, &options).unwrap();
        assert_eq!(report.summary[0]["start_ms"]["median"], 4.0);
        assert_eq!(report.summary[2]["connected_bytes"], 8 << 20);
        assert!(report.text.contains("RSS under 10 connections MiB"), "{}", report.text);
    }
}
