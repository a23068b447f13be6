//! Round trips of a Redis model, by the server's own count of the reads that it made.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use butterfly::model::redis::{Models, Redis, RedisModel};
use serde_json::json;
use tempfile::TempDir;

use crate::report::Report;
use crate::rig::{self, Keeps};
use crate::table::Table;

const TIMES: u64 = 1000;

#[derive(Debug, Clone, PartialEq, Eq, RedisModel)]
#[redis(crate = "butterfly::model")]
struct User {
    #[redis(key)]
    id: u64,
    #[redis(index)]
    city: String,
    #[redis(range)]
    age: u32,
    nick: Option<String>,
}

fn user(id: u64) -> User {
    User { id, city: format!("city {}", id % 10), age: (id % 90) as u32, nick: Some("nick".to_owned()) }
}

pub(crate) fn run(scratch: &TempDir) -> Result<Report> {
    let server = rig::Redis::start(Keeps::Memory, scratch)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let redis = Redis::open(&server.url())?;
    let users = Models::<User>::new(&redis);
    // Connected, and the script known to the server.
    runtime.block_on(users.save(&user(0)))?;
    let url = server.url();
    let mut table = Table::new(&["operation", "calls", "reads of the server", "round trips a call"]);
    let mut records = Vec::new();
    let mut note = |what: &str, reads: u64| {
        let each = reads as f64 / TIMES as f64;
        table.row([what.to_owned(), TIMES.to_string(), reads.to_string(), format!("{each:.3}")]);
        records.push(json!({ "operation": what, "calls": TIMES, "reads": reads }));
    };
    let reads = counted(&url, || {
        runtime.block_on(async {
            for id in 0..TIMES {
                users.save(&user(id)).await?;
            }
            anyhow::Ok(())
        })
    })?;
    note("save, with two indexes", reads);
    let reads = counted(&url, || {
        runtime.block_on(async {
            for id in 0..TIMES {
                ensure!(users.get(&id).await? == Some(user(id)), "user {id} is another");
            }
            Ok(())
        })
    })?;
    note("get", reads);
    let text = format!("Redis model: calls one after the other, counted by `INFO stats`\n\n{table}");
    Ok(Report { bench: "model redis", text, records: json!(records), summary: json!({}), passed: true })
}

/// How often the server reads while something is done: once for each round trip.
fn counted(url: &str, run: impl FnOnce() -> Result<()>) -> Result<u64> {
    let before = reads(url)?;
    let asking = reads(url)? - before;
    let start = reads(url)?;
    run()?;
    Ok(reads(url)? - start - asking)
}

fn reads(url: &str) -> Result<u64> {
    let output =
        Command::new("redis-cli").args(["-u", url, "INFO", "stats"]).output().context("redis-cli")?;
    let info = String::from_utf8(output.stdout)?;
    let line = info.lines().find_map(|line| line.strip_prefix("total_reads_processed:"));
    Ok(line.context("this Redis does not count its reads: 6.2 or later does")?.trim().parse()?)
}
