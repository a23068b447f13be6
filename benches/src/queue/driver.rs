//! Runs a contender in a role, and reads what it says.

use std::io::Read;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use serde::{Deserialize, Serialize};

use crate::cleanup;

/// What a contender says of a role it has played.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Played {
    /// How many jobs.
    pub(super) jobs: f64,
    /// From the first of them until the last was acknowledged.
    pub(super) seconds: f64,
    /// User and system time of the program, in the same span.
    pub(super) cpu_seconds: f64,
}

impl Played {
    pub(super) fn per_second(self) -> f64 {
        self.jobs / self.seconds
    }

    pub(super) fn cpu_us(self) -> f64 {
        self.cpu_seconds * 1e6 / self.jobs
    }
}

/// Runs a program until it ends, and reads the last line of what it says.
pub(super) fn play<T: serde::de::DeserializeOwned>(words: &[String]) -> Result<T> {
    let (program, arguments) = words.split_first().context("an empty command line")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = cleanup::spawn(&mut command).with_context(|| format!("{command:?}"))?;
    let mut said = String::new();
    let read = child.stdout.take().context("no standard output")?.read_to_string(&mut said);
    // It may still be closing what it has open. It is seen to end, not yet waited for: its number is still its own.
    let pid = Pid::from_child(&child);
    let ended = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
    let status = cleanup::reap(&mut child)?;
    read?;
    ended?;
    ensure!(status.success(), "{command:?} ended with {status}");
    let line = said.trim_end().lines().next_back().unwrap_or_default();
    serde_json::from_str(line).with_context(|| format!("{command:?} says {line:?}"))
}
