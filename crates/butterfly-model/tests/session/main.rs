//! Sessions as calls see them, on every store: memory and SQLite always; MariaDB, PostgreSQL and Redis in all its forms
//! with the feature `live`:
//! `bash .ci/redis bash .ci/sql cargo test -p butterfly-model --features live --test session`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

mod browser;
mod contract;
mod cookies;
mod places;
mod stores;
