//! The client for nshead services against servers of our own: good ones, slow ones, broken ones.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

#[path = "ral/broken.rs"]
mod broken;
#[path = "ral/calls.rs"]
mod calls;
#[path = "ral/host.rs"]
mod host;
#[path = "ral/hostile.rs"]
mod hostile;
#[path = "hostile/mod.rs"]
mod hostile_values;
#[path = "ral/load.rs"]
mod load;
#[path = "ral/server.rs"]
mod server;
