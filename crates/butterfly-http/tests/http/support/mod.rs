//! A server on a port of its own, and a client that knows nothing but bytes.

mod answer;
mod client;
mod events;
mod lines;
mod server;

pub(crate) use answer::Answer;
pub(crate) use client::{Client, get, post_json, request};
pub(crate) use events::{Events, Gate};
pub(crate) use lines::Lines;
pub(crate) use server::{Folder, Setup, TestServer};

/// The longest that any test waits for what must come; nothing ever waits so long when all is well.
pub(crate) const DEADLINE: std::time::Duration = std::time::Duration::from_secs(20);
