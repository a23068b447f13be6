//! The words of the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

/// Sends messages and runs them while everything is killed, and checks the books.
#[derive(Clone, Debug, Parser)]
#[command(name = "torture")]
pub(crate) struct Options {
    /// What the queue stands on
    #[arg(long, value_enum, default_value_t = EngineName::Embedded)]
    pub(crate) engine: EngineName,
    /// How many messages are sent
    #[arg(long, default_value_t = 100_000)]
    pub(crate) messages: u64,
    /// How many processes run them
    #[arg(long, default_value_t = 3)]
    pub(crate) workers: usize,
    /// How many processes send them
    #[arg(long, default_value_t = 2)]
    pub(crate) senders: usize,
    /// Messages that a worker runs at once
    #[arg(long, default_value_t = 10)]
    pub(crate) concurrency: usize,
    /// How often a process is killed with SIGKILL: mostly a worker, sometimes a sender, sometimes all workers at once
    #[arg(long, default_value_t = 20)]
    pub(crate) kills: usize,
    /// How often redis-server is killed with SIGKILL, and started again on its append-only file
    #[arg(long, default_value_t = 0)]
    pub(crate) server_kills: usize,
    /// How often all connections to Redis are cut
    #[arg(long, default_value_t = 0)]
    pub(crate) cuts: usize,
    /// How often there is no room left: the file's disk is full, or Redis is at its maxmemory
    #[arg(long, default_value_t = 0)]
    pub(crate) fulls: usize,
    /// How often the disk of Redis's append-only file is full
    #[arg(long, default_value_t = 0)]
    pub(crate) full_disks: usize,
    /// When Redis waits for its disk: with `always` it ends by itself on a full one, and is started again when there is
    /// room; with `everysec` it goes on, refuses what would be written, and a killed server may lose a second
    #[arg(long, default_value = "always", value_parser = ["always", "everysec"])]
    pub(crate) appendfsync: String,
    /// How often the wall clock of senders and workers jumps by an hour, either way in turn, and back
    #[arg(long, default_value_t = 0)]
    pub(crate) jumps: usize,
    /// How long a cut, a full disk or a wrong clock lasts, in milliseconds
    #[arg(long, default_value_t = 30_000, value_name = "MS")]
    pub(crate) hold: u64,
    /// How long a worker may be silent before others take its messages, in milliseconds
    #[arg(long, default_value_t = 15_000, value_name = "MS")]
    pub(crate) lease: u64,
    /// What decides over chance; another one each time unless given
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Where everything is left to be looked at; a folder that is removed at the end unless given
    #[arg(long)]
    pub(crate) keep: Option<PathBuf>,
    /// The torture's own: the folder in which a small disk is mounted
    #[arg(long, hide = true)]
    pub(crate) on_disk: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EngineName {
    Embedded,
    Redis,
}

impl Options {
    /// Whether the queue's files are to be on a disk that can be filled.
    pub(crate) fn fills_a_disk(&self) -> bool {
        self.full_disks > 0 || (self.engine == EngineName::Embedded && self.fulls > 0)
    }

    pub(crate) fn hold(&self) -> Duration {
        Duration::from_millis(self.hold)
    }

    /// What cannot be done, and what to do instead.
    pub(crate) fn check(&self) -> Result<(), String> {
        let redis = self.engine == EngineName::Redis;
        if !redis && self.server_kills + self.cuts + self.full_disks > 0 {
            return Err("--server-kills, --cuts and --full-disks need --engine redis".into());
        }
        if self.appendfsync != "always" && self.server_kills > 0 {
            return Err(
                "--server-kills needs --appendfsync always: a killed server has lost what it had not synced"
                    .into(),
            );
        }
        if self.messages == 0 || self.workers == 0 || self.senders == 0 {
            return Err("--messages, --workers and --senders must be at least 1".into());
        }
        Ok(())
    }
}
