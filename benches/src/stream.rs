//! Does memory stay flat while a large body passes, in and out?

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::lab::{Contender, Lab};
use crate::proc::{CpuTime, Memory, reset_peak};
use crate::report::Report;
use crate::server::Server;
use crate::table::{Table, grouped, mib};
use crate::wire::Client;

/// What is sent, and what is asked for.
const SIZE: u64 = 1 << 30;
/// Answers a POST with the number of bytes it got.
const UPLOAD: &str = "/demo_upload/raw";
/// Answers with so many bytes.
const DOWNLOAD: &str = "/demo_download/zeros?size=1073741824";
const START_LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Worker threads of each server
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

/// One body through one server. The peak is the kernel's own record, so no moment is missed.
#[derive(Debug, Clone, Serialize)]
struct Record {
    server: &'static str,
    direction: &'static str,
    before_bytes: u64,
    peak_bytes: u64,
    cpu_ms: f64,
    mib_per_second: f64,
}

/// Sends and fetches [`SIZE`] bytes with every contender.
pub(crate) fn run(lab: &Lab, options: &Options) -> Result<Report> {
    let mut records = Vec::new();
    for who in Contender::ALL {
        eprintln!("streaming: {}", who.name());
        let mut server = lab.start(who, options.threads, &[])?;
        server.ready(START_LIMIT)?;
        records.push(measure(&server, "upload", upload).context(UPLOAD)?);
        records.push(measure(&server, "download", download).context(DOWNLOAD)?);
        server.stop()?;
    }
    Ok(report(&records))
}

fn upload(client: &mut Client) -> Result<()> {
    let answer = String::from_utf8(client.upload(UPLOAD, SIZE)?)?;
    ensure!(answer.contains(&SIZE.to_string()), "the server did not count {SIZE} bytes: {answer}");
    Ok(())
}

fn download(client: &mut Client) -> Result<()> {
    let size = client.download(DOWNLOAD)?;
    ensure!(size == SIZE, "{size} bytes came");
    Ok(())
}

fn measure(
    server: &Server,
    direction: &'static str,
    transfer: fn(&mut Client) -> Result<()>,
) -> Result<Record> {
    let mut client = Client::connect(server.address())?;
    reset_peak(server.pid())?;
    let (memory, cpu, start) = (Memory::of(server.pid())?, CpuTime::of(server.pid())?, Instant::now());
    transfer(&mut client)?;
    let elapsed = start.elapsed();
    let spent = CpuTime::of(server.pid())?.since(cpu);
    Ok(Record {
        server: server.name(),
        direction,
        before_bytes: memory.now,
        peak_bytes: Memory::of(server.pid())?.peak,
        cpu_ms: (spent.user + spent.system).as_secs_f64() * 1e3,
        mib_per_second: mib_per_second(SIZE, elapsed),
    })
}

fn mib_per_second(bytes: u64, elapsed: Duration) -> f64 {
    bytes as f64 / f64::from(1 << 20) / elapsed.as_secs_f64()
}

fn report(records: &[Record]) -> Report {
    let mut table =
        Table::new(&["server", "body", "RSS before MiB", "RSS peak MiB", "growth MiB", "CPU ms", "MiB/s"]);
    for record in records {
        table.row([
            record.server.to_owned(),
            record.direction.to_owned(),
            mib(record.before_bytes as f64),
            mib(record.peak_bytes as f64),
            mib(record.peak_bytes as f64 - record.before_bytes as f64),
            grouped(record.cpu_ms),
            grouped(record.mib_per_second),
        ]);
    }
    let text = format!("Memory while {} MiB pass through one connection\n\n{table}", SIZE >> 20);
    let growth = |r: &Record| {
        let grown = r.peak_bytes.saturating_sub(r.before_bytes);
        json!({ "server": r.server, "direction": r.direction, "growth_bytes": grown })
    };
    let summary = records.iter().map(growth).collect();
    Report { bench: "stream", text, records: json!(records), summary, passed: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_download_asks_for_the_size_that_is_checked() {
        assert!(DOWNLOAD.ends_with(&format!("size={SIZE}")));
    }

    #[test]
    fn report_shows_growth() {
        let record = Record {
            server: "axum",
            direction: "upload",
            before_bytes: 4 << 20,
            peak_bytes: 6 << 20,
            cpu_ms: 512.0,
            mib_per_second: mib_per_second(SIZE, Duration::from_secs(2)),
        };
        let report = report(&[record]);
        assert_eq!(report.summary[0]["growth_bytes"], 2 << 20);
        assert!(report.text.contains("2.0      512     512\n"), "{}", report.text);
    }
}
