//! The worker and the senders, on the engine in memory: what a handler's author relies on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

extern crate butterfly_core as butterfly;

mod handlers;
mod limits;
mod loss;
mod runs;
mod sends;
mod stop;
mod support;
