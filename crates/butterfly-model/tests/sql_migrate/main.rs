//! Migrations: on SQLite always; on MariaDB and PostgreSQL with the feature `live`:
//! `bash .ci/sql cargo test -p butterfly-model --features live --test sql_migrate`.

#![cfg(feature = "sql")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests may fail")]

mod broken;
mod entities;
mod inspected;
mod place;
mod processes;
mod round_trip;
