//! The queue beside its peers, on the same work in the same run.
//!
//! Every contender is a program that plays one role at a time (send singly, send in bulk, work) and says in one line
//! of JSON how long it took and what CPU it used; the driver reads what the server says of itself before and after.

mod depth;
mod driver;
mod embedded;
mod latency;
mod ours;
mod redis;
mod rig;

use anyhow::Result;
use clap::Subcommand;

use crate::report::Report;

pub(crate) use ours::Role;
pub(crate) use ours::play;

/// What is measured.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Jobs a second, CPU and bytes a job, on Redis
    Redis(redis::Options),
    /// Whole job lives a second, embedded, each acknowledged when it is on disk
    Embedded(embedded::Options),
    /// What a message costs with few in the queue and with millions
    Depth(depth::Options),
    /// Time from sending to running when all is idle
    Latency(latency::Options),
}

pub(crate) fn run(bench: &Bench) -> Result<Report> {
    match bench {
        Bench::Redis(options) => redis::run(options),
        Bench::Embedded(options) => embedded::run(options),
        Bench::Depth(options) => depth::run(options),
        Bench::Latency(options) => latency::run(options),
    }
}

/// What the machine has to do beside this, for the head of a report.
fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').take(3).collect::<Vec<_>>().join(" ")
}
