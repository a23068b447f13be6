//! `#[derive(Resource)]` as doors call what it writes: on SQLite always; on MariaDB and PostgreSQL with the feature `live`:
//! `bash .ci/sql cargo test -p butterfly --features live --test resource`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail")]
#![allow(unreachable_pub, missing_docs, reason = "what SeaORM and the macros make of entities is public")]

mod entities;
mod history;
mod jobs;
mod keys;
mod killed;
#[cfg(feature = "live")]
mod latin;
mod place;
mod rights;
mod trouble;
