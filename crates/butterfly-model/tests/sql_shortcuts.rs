//! The shortcuts on real databases: SQLite always, MariaDB and PostgreSQL with the feature `live`.
#![cfg(feature = "sql")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests may fail")]

#[path = "sql_shortcuts/database.rs"]
mod database;
#[path = "sql_shortcuts/item.rs"]
mod item;
#[path = "sql_shortcuts/made.rs"]
mod made;
#[path = "sql_shortcuts/read.rs"]
mod read;
#[path = "sql_shortcuts/written.rs"]
mod written;
