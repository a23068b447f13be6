//! What the store promises, proved on real files and real processes.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "store/child.rs"]
mod child;
#[path = "store/commit.rs"]
mod commit;
#[path = "store/foreign.rs"]
mod foreign;
#[path = "store/peers.rs"]
mod peers;
#[path = "store/processes.rs"]
mod processes;

use butterfly_store::{Options, Schema, Store};

const NOTES: Schema = Schema {
    name: "notes",
    steps: &["CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)"],
    own: "",
};

fn open(folder: &std::path::Path) -> Store {
    Store::open(folder.join("store.db"), &[NOTES], Options::default()).unwrap()
}

async fn add(store: &Store, text: impl Into<String>) -> Result<(), butterfly_store::StoreError> {
    let text = text.into();
    let sql = "INSERT INTO note (text) VALUES (?1)";
    store.write(move |tx| Ok(tx.prepare_cached(sql)?.execute([&text]).map(drop)?)).await
}

async fn count(store: &Store) -> i64 {
    store.read(|db| Ok(db.query_row("SELECT count(*) FROM note", [], |row| row.get(0))?)).await.unwrap()
}
