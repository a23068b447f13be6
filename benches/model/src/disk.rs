//! The cache on disk beside Python's diskcache, and over SQLite alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use butterfly::model::cache::{Cache, Keep};
use bytes::Bytes;
use clap::Args;
use rusqlite::{Connection, params};
use serde_json::json;
use tempfile::TempDir;

use crate::cost::{Cost, Rows, Watch, load};
use crate::report::Report;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The Python that has diskcache, and the folder of `disk.py`; without them ours alone is measured
    #[arg(long, value_names = ["PYTHON", "DIR"], num_args = 2)]
    peers: Option<Vec<PathBuf>>,
    /// Keys, each of which is set twice and got once in a round
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(100..))]
    keys: u32,
}

/// Bytes of a value, and how many ask at once.
const CASES: [(usize, usize); 4] = [(100, 1), (100, 10), (10 << 10, 1), (10 << 10, 10)];
const OPERATIONS: [&str; 3] = ["set, new", "set, again", "get"];

pub(crate) fn run(options: &Options, rounds: u32, scratch: &TempDir) -> Result<Report> {
    let mut rows = Rows::default();
    for round in 1..=rounds {
        for (size, at_once) in CASES {
            eprintln!("round {round} of {rounds}: {size} bytes, {at_once} at once");
            // As many bytes, not as many keys: what was got lately fits in memory.
            let keys = options.keys as usize / if size > 1000 { 4 } else { 1 };
            let case = |operation: &str| format!("{operation}, {size} B, {at_once} at once");
            let mut note = |who: &str, took: BTreeMap<String, Cost>| {
                for operation in OPERATIONS {
                    if let Some(cost) = took.get(operation) {
                        rows.add(&case(operation), who, *cost);
                    }
                }
            };
            note("butterfly", ours(keys, size, at_once)(&folder(scratch)?)?);
            if let Some([python, peers]) = options.peers.as_deref() {
                note("diskcache", diskcache(python, peers, folder(scratch)?.path(), [keys, size, at_once])?);
            }
            if at_once == 1 {
                note("SQLite alone", sqlite(folder(scratch)?.path(), keys, size)?);
            }
        }
    }
    let text = format!(
        "Disk: SQLite in WAL with synchronous=NORMAL everywhere, {rounds} rounds (load {})\n\n{}",
        load(),
        rows.table(1)?
    );
    Ok(Report { bench: "model disk", text, records: rows.records(), summary: json!({}), passed: true })
}

fn folder(scratch: &TempDir) -> Result<TempDir> {
    Ok(TempDir::with_prefix_in("disk-", scratch.path())?)
}

fn names(keys: usize) -> Vec<String> {
    (0..keys).map(|number| format!("key:{:07}", number * 7919 % keys)).collect()
}

/// What is set: something else each time, for SQLite leaves a page as it is where nothing changes.
fn value(size: usize, operation: &str) -> Vec<u8> {
    let step = operation.len();
    (0..size).map(|number| ((number + step) % 251) as u8).collect()
}

/// What one round of ours takes.
fn ours(keys: usize, size: usize, at_once: usize) -> impl Fn(&TempDir) -> Result<BTreeMap<String, Cost>> {
    move |folder| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let cache = Cache::disk(folder.path().join("cache.db"))?;
        let names = names(keys);
        let parts: Vec<Vec<String>> =
            (0..at_once).map(|start| names.iter().skip(start).step_by(at_once).cloned().collect()).collect();
        let mut took = BTreeMap::new();
        for operation in OPERATIONS {
            let value = Bytes::from(value(size, operation));
            let watch = Watch::start();
            let tasks: Vec<_> = parts
                .iter()
                .map(|part| {
                    let (cache, part, value) = (cache.clone(), part.clone(), value.clone());
                    runtime.spawn(async move {
                        for name in &part {
                            if operation == "get" {
                                let found = cache.get_bytes(name).await?;
                                ensure!(found.is_some_and(|found| found.len() == size), "{name} is lost");
                            } else {
                                cache.set_bytes(name, value.clone(), Keep::FOREVER).await?;
                            }
                        }
                        Ok(())
                    })
                })
                .collect();
            tasks.into_iter().try_for_each(|task| runtime.block_on(task)?)?;
            took.insert(operation.to_owned(), watch.each(keys));
        }
        Ok(took)
    }
}

fn diskcache(
    python: &Path,
    peers: &Path,
    folder: &Path,
    numbers: [usize; 3],
) -> Result<BTreeMap<String, Cost>> {
    let mut command = Command::new(python);
    command.arg(peers.join("disk.py")).arg(folder).args(numbers.map(|number| number.to_string()));
    let output = command.output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).with_context(|| format!("{command:?}"))
}

/// The least that a change in a file of SQLite takes: a table, and one prepared statement a transaction.
fn sqlite(folder: &Path, keys: usize, size: usize) -> Result<BTreeMap<String, Cost>> {
    let db = Connection::open(folder.join("alone.db"))?;
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
         CREATE TABLE entry (key TEXT PRIMARY KEY, value BLOB NOT NULL)",
    )?;
    let mut set =
        db.prepare("INSERT INTO entry VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value")?;
    let mut get = db.prepare("SELECT value FROM entry WHERE key = ?1")?;
    let names = names(keys);
    let mut took = BTreeMap::new();
    for operation in OPERATIONS {
        let value = value(size, operation);
        let watch = Watch::start();
        for name in &names {
            if operation == "get" {
                let found: Vec<u8> = get.query_row([name], |row| row.get(0))?;
                ensure!(found.len() == size, "{name} is lost");
            } else {
                set.execute(params![name, value])?;
            }
        }
        took.insert(operation.to_owned(), watch.each(keys));
    }
    Ok(took)
}
