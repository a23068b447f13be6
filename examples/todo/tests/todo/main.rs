//! The program as its users meet it, on SQLite; with the feature `live` on MariaDB and PostgreSQL, too.

mod actions;
mod bad_input;
mod migrate;
mod service;
