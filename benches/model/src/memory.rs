//! The cache in memory over moka alone.

use std::hint::black_box;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use butterfly::model::cache::{Cache, Keep};
use bytes::Bytes;
use serde_json::json;

use crate::cost::{Rows, Watch, load};
use crate::report::Report;

const KEYS: usize = 10_000;
const LOOKS: usize = 1_000_000;
const MINUTES: Duration = Duration::from_secs(600);

/// The text that is kept: 100 characters.
fn text() -> String {
    "0123456789".repeat(10)
}

pub(crate) fn run(rounds: u32) -> Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let keys: Vec<String> = (0..KEYS).map(|number| format!("user:{number}:profile")).collect();
    let value = Bytes::from(serde_json::to_vec(&text())?);
    let alone = moka::sync::Cache::<Box<str>, Bytes, _>::builder()
        .max_capacity(256 << 20)
        .weigher(|key, value| u32::try_from(key.len() + value.len()).unwrap_or(u32::MAX))
        .build_with_hasher(foldhash::fast::RandomState::default());
    let plain = moka::sync::Cache::<String, Bytes>::new(1_000_000);
    let ours = Cache::memory(256 << 20);
    for key in &keys {
        alone.insert(key.as_str().into(), value.clone());
        plain.insert(key.clone(), value.clone());
        runtime.block_on(ours.set_bytes(key, value.clone(), Keep::fresh(MINUTES)))?;
    }
    alone.run_pending_tasks();
    plain.run_pending_tasks();
    let wanted = || (0..LOOKS).map(|look| &keys[look * 7919 % KEYS]);
    let mut rows = Rows::default();
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        let watch = Watch::start();
        let mut found = 0;
        wanted().for_each(|key| found += usize::from(black_box(alone.get(key.as_str())).is_some()));
        rows.add("get", "moka, its hasher ours", watch.each(LOOKS));
        let watch = Watch::start();
        wanted().for_each(|key| found += usize::from(black_box(plain.get(key)).is_some()));
        rows.add("get", "moka, as it comes", watch.each(LOOKS));
        let watch = Watch::start();
        wanted().for_each(|key| found += usize::from(black_box(ours.at_hand(key)).is_some()));
        rows.add("get", "Cache::at_hand", watch.each(LOOKS));
        found += runtime.block_on(async {
            let mut found = 0;
            let watch = Watch::start();
            for key in wanted() {
                found += usize::from(black_box(ours.get_bytes(key).await?).is_some());
            }
            rows.add("get", "Cache::get_bytes", watch.each(LOOKS));
            let watch = Watch::start();
            for key in wanted() {
                found += usize::from(black_box(ours.get::<String>(key).await?).is_some());
            }
            rows.add("get of a String", "Cache::get", watch.each(LOOKS));
            anyhow::Ok(found)
        })?;
        let watch = Watch::start();
        for key in wanted() {
            let json = alone.get(key.as_str()).context("moka lost a value")?;
            found += usize::from(!black_box(serde_json::from_slice::<String>(&json)?).is_empty());
        }
        rows.add("get of a String", "moka and serde_json", watch.each(LOOKS));
        ensure!(found == 6 * LOOKS, "{found} found of {}", 6 * LOOKS);
    }
    let text = format!(
        "Memory: {LOOKS} look-ups a round among {KEYS} keys of 100 bytes, one thread, {rounds} rounds (load {})\n\n{}",
        load(),
        rows.table(3)?
    );
    Ok(Report { bench: "model memory", text, records: rows.records(), summary: json!({}), passed: true })
}
