//! Our layer over SeaORM, and SeaORM over sqlx: the same work on files of the same kind, in turn.

mod direct;
mod ours;
mod plain;

use anyhow::Result;
use serde_json::json;
use tempfile::TempDir;

use crate::cost::{Rows, Watch, load};
use crate::report::Report;

/// What is done: one statement each, but the transaction, which reads a row and changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Insert,
    Get,
    List,
    Update,
    Transaction,
}

impl Operation {
    const ALL: [(Self, &str, usize); 5] = [
        (Self::Insert, "insert", 200),
        (Self::Get, "get by key", 500),
        (Self::List, "list of 20", 200),
        (Self::Update, "update", 200),
        (Self::Transaction, "transaction of two", 200),
    ];
}

/// Rows that are there before anything is measured.
pub(crate) const ROWS: i64 = 2000;

/// The key of a row that is there, another one each time.
pub(crate) fn key(number: usize) -> i64 {
    1 + (number as i64 * 7919) % ROWS
}

pub(crate) fn run(rounds: u32, scratch: &TempDir) -> Result<Report> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let file = |name: &str| scratch.path().join(name);
    let (direct, plain, ours) = runtime.block_on(async {
        let direct = direct::Direct::open(&file("direct.db")).await?;
        let plain = plain::Plain::open(&file("plain.db")).await?;
        let ours = ours::Ours::open(&file("ours.db")).await?;
        anyhow::Ok((direct, plain, ours))
    })?;
    let mut rows = Rows::default();
    // The first round fills caches of statements and pages.
    for round in 0..=rounds {
        eprintln!("round {round} of {rounds}");
        for (operation, name, times) in Operation::ALL {
            // Short turns: what drifts hits all alike.
            let mut took = [const { Vec::new() }; 4];
            for _ in 0..8 {
                let times = times / 4;
                let watch = Watch::start();
                runtime.block_on(direct.run(operation, times))?;
                took[0].push(watch.each(times));
                let watch = Watch::start();
                runtime.block_on(ours.run(operation, times))?;
                took[1].push(watch.each(times));
                let watch = Watch::start();
                runtime.block_on(plain.run(operation, times))?;
                took[2].push(watch.each(times));
                if ours::has_action(operation) {
                    let watch = Watch::start();
                    runtime.block_on(ours.act(operation, times))?;
                    took[3].push(watch.each(times));
                }
            }
            let who = ["SeaORM", "butterfly: ctx.db()", "sqlx", "butterfly: action of the Resource"];
            for (who, took) in who.into_iter().zip(took) {
                for cost in took {
                    if round > 0 {
                        rows.add(name, who, cost);
                    }
                }
            }
        }
    }
    let text = format!(
        "SQL: SQLite in WAL, synchronous=NORMAL, {ROWS} rows and more, {rounds} rounds of 8 turns (load {})\n\n{}",
        load(),
        rows.table(1)?
    );
    Ok(Report { bench: "model sql", text, records: rows.records(), summary: json!({}), passed: true })
}
