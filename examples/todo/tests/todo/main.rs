//! The program as its users meet it, on SQLite; with the feature `live` on MariaDB and PostgreSQL, too:
//! `bash .ci/sql cargo test -p todo --features live`.

mod actions;
mod bad_input;
mod hostile;
mod migrate;
mod service;
mod trouble;

#[path = "../../../../crates/butterfly-model/tests/hostile/mod.rs"]
mod hostile_values;
