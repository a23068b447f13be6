//! User-space instructions a request, counted by callgrind: they repeat exactly, so they can be a gate.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::lab::{Contender, Lab};
use crate::report::Report;
use crate::server::{HELLO, Server};
use crate::table::{Table, grouped};
use crate::wire::{Client, get_request};

/// Start, stop and the first requests cost the same in both counts, so the difference is free of them.
const FEW: u64 = 1_000;
const MANY: u64 = 6_000;
/// Everything is some fifty times slower under callgrind.
const START_LIMIT: Duration = Duration::from_secs(120);
/// What the demo answers from its cache, for 30 seconds: all but the first of a life.
const KEPT: &str = "/demo_api/report?of=meetbill";
const FROM_CACHE: &str = "butterfly, a kept answer";
const CALLGRIND: [&str; 3] = ["valgrind", "--tool=callgrind", "--callgrind-out-file={dir}/callgrind.out"];

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// End with status 1 when butterfly needs more instructions a request than this
    #[arg(long, value_name = "MOST")]
    gate: Option<u64>,
}

#[derive(Debug, Clone, Serialize)]
struct Record {
    server: &'static str,
    few: u64,
    many: u64,
    instructions: u64,
}

/// Counts for every contender.
pub(crate) fn run(lab: &Lab, options: &Options) -> Result<Report> {
    let mut records = Vec::new();
    for who in Contender::ALL {
        eprint!("counting: {:<10}", who.name());
        let record = Record::of(who.name(), count(lab, who, HELLO, FEW)?, count(lab, who, HELLO, MANY)?)?;
        eprintln!("{}", record.instructions);
        records.push(record);
    }
    let kept = |requests| count(lab, Contender::Butterfly, KEPT, requests);
    records.push(Record::of(FROM_CACHE, kept(FEW)?, kept(MANY)?)?);
    report(&records, options.gate)
}

impl Record {
    fn of(server: &'static str, few: u64, many: u64) -> Result<Self> {
        let more = many.checked_sub(few).context("more requests took fewer instructions")?;
        Ok(Self { server, few, many, instructions: more / (MANY - FEW) })
    }
}

/// The instructions of a whole life of `who` with `requests` requests for `path` over one connection.
fn count(lab: &Lab, who: Contender, path: &str, requests: u64) -> Result<u64> {
    let mut server = lab.start(who, 1, &CALLGRIND)?;
    server.ready(START_LIMIT)?;
    ask(&server, path, requests)?;
    server.stop()?;
    collected(&server.output())
}

fn ask(server: &Server, path: &str, requests: u64) -> Result<()> {
    let mut client = Client::connect(server.address())?;
    let request = get_request(path);
    let first = client.ask(&request)?;
    for _ in 1..requests {
        ensure!(client.ask(&request)? == first, "an answer differs from the first");
    }
    Ok(())
}

/// Reads callgrind's last words: `==123== Collected : 456`.
fn collected(output: &str) -> Result<u64> {
    let last = output.lines().rev().find_map(|line| line.split_once("Collected :"));
    let (_, number) = last.with_context(|| format!("callgrind said nothing of use: {output}"))?;
    number.trim().parse().context("callgrind's count")
}

fn report(records: &[Record], gate: Option<u64>) -> Result<Report> {
    let of = |who: Contender| records.iter().find(|record| record.server == who.name());
    let count =
        |who: Contender| of(who).map(|record| record.instructions).context("a server was not counted");
    let (ours, axum) = (count(Contender::Butterfly)?, count(Contender::Axum)?);
    let mut table = Table::new(&["server", "instructions", "of axum's"]);
    for record in records {
        let who = Contender::ALL.into_iter().find(|who| who.name() == record.server);
        let (label, number) = (who.map_or(FROM_CACHE, Contender::label), record.instructions as f64);
        table.row([label.to_owned(), grouped(number), format!("{:.2}", number / axum as f64)]);
    }
    let passed = gate.is_none_or(|most| ours <= most);
    let text = format!(
        "User-space instructions a request: one connection, ({MANY} requests - {FEW} requests) / {}\n\n{table}\n{}",
        MANY - FEW,
        gate.map_or(String::new(), |most| verdict(ours, most)),
    );
    let summary = json!({ "gate": gate, "butterfly": ours });
    Ok(Report { bench: "instructions", text, records: json!(records), summary, passed })
}

fn verdict(ours: u64, most: u64) -> String {
    let (ours_text, most_text) = (grouped(ours as f64), grouped(most as f64));
    if ours <= most {
        format!("  gate: {ours_text} is within {most_text}\n")
    } else {
        format!("  gate: {ours_text} is ABOVE {most_text}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callgrinds_count_is_found_after_the_servers_words() {
        let output = "==7== Callgrind\nlistening\n==7== Events    : Ir\n==7== Collected : 123456\n==7== \n";
        assert_eq!(collected(output).unwrap(), 123_456);
        assert!(collected("listening").is_err());
        assert!(collected("==7== Collected : many").is_err());
    }

    #[test]
    fn a_request_is_the_difference_shared_out() {
        assert_eq!(Record::of("axum", 2_000_000, 52_004_999).unwrap().instructions, 10_000);
        assert!(Record::of("axum", 2, 1).is_err());
    }

    #[test]
    fn the_gate_holds_at_its_value_and_not_above() {
        let records = [("butterfly", 12_000), ("axum", 15_000), ("actix", 20_000)]
            .map(|(server, instructions)| Record { server, few: 0, many: 0, instructions });
        assert!(report(&records, None).unwrap().passed);
        assert!(report(&records, Some(12_000)).unwrap().passed);
        let failed = report(&records, Some(11_999)).unwrap();
        assert!(!failed.passed && failed.text.contains("12,000 is ABOVE 11,999"), "{}", failed.text);
        assert!(report(&records[1..], None).is_err());
    }
}
