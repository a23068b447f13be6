//! The HTTP door over real sockets, at byte level: what is promised on the wire, and what hostile bytes get.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

extern crate butterfly_core as butterfly;

mod handlers;
mod support;

mod access_log;
mod answers;
mod arguments;
mod bodies;
mod cached;
mod connection;
mod drain;
mod errors;
mod errors_rest;
mod h2;
mod hostile;
mod limits;
mod mounts;
mod respond_async;
mod static_files;
mod streams;
mod trust;
