//! Messages sent within a transaction: in the queue if and only if it is committed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

extern crate butterfly_core as butterfly;

mod handlers;
mod relays;
mod rows;
mod sends;
mod support;
