//! The demo as its users meet it: the real program, real sockets, real signals, its files and its exit codes.

mod folder;
mod messages;
mod service;
mod wire;

mod exposition;
mod openapi;
mod samples;

mod answers;
mod background;
mod baichuan;
mod cache;
mod call;
mod command_line;
mod contract;
mod environment;
mod logs;
mod metrics;
mod processes;
mod queue;
mod queue_command;
mod queue_top;
#[cfg(feature = "live")]
mod redis;
mod sessions;
mod signals;
mod trace;
