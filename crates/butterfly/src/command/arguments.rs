//! The words of the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

#[cfg(feature = "sql")]
use super::migrate::MigrateWords;
use super::queue::QueueWords;
use super::trace::TraceWords;

#[derive(Debug, Parser)]
#[command(about = "A Butterfly service: one function, every door", disable_help_subcommand = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) settings: Settings,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// What holds for every command.
#[derive(Debug, Args)]
pub(super) struct Settings {
    /// The configuration file [default: butterfly.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Set a configuration key; `config` lists them all
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// The address, such as 127.0.0.1:8585; port 0 picks one
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub(super) listen: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Answer calls until told to stop (the default)
    Serve {
        /// What this process does: http, worker, scheduler
        #[arg(long, value_name = "LIST")]
        roles: Option<String>,
        #[arg(long, hide = true)]
        detached: bool,
    },
    /// Start in the background
    Start,
    /// Stop the process in the background, when its calls are done
    Stop,
    /// Stop, then start
    Restart,
    /// Say whether it runs: exit code 0 when it does, 3 when it does not
    Status,
    /// List the handlers
    Routes {
        /// As JSON: the full description of each
        #[arg(long)]
        json: bool,
    },
    /// Call a handler: `call /demo_api/hello str_info=hi`, or its arguments in order; without a path, list all
    Call(CallWords),
    /// Show every configuration key, its value, and where the value came from
    Config {
        /// As JSON
        #[arg(long)]
        json: bool,
        /// Print a butterfly.toml with every key, its default and its meaning
        #[arg(long)]
        reference: bool,
    },
    /// Look at the message queue, and change what is in it: `queue list`, `queue show ID`, `queue top` …
    Queue(QueueWords),
    /// Bring a database to what the entities ask for, by files: `migrate make NAME`, `migrate up`, `migrate status` …
    #[cfg(feature = "sql")]
    Migrate(MigrateWords),
    /// Show what became of a call: its log lines, the messages that it sent, their runs, and what those sent
    Trace(TraceWords),
    /// Tell when and where a request id was made
    Reqid {
        /// The id: 16 hex digits
        id: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct CallWords {
    /// The handler's path
    pub(super) path: Option<String>,
    /// `name=value`, or values in order, or one JSON object
    #[arg(allow_negative_numbers = true)]
    pub(super) words: Vec<String>,
    /// Print each line of the handler as it runs, with its variables (debug builds)
    #[arg(long)]
    pub(super) trace: bool,
    /// Print the answer alone, as JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Send it through the queue, and wait for the answer of the worker that runs it
    #[arg(long, conflicts_with = "trace")]
    pub(super) queue: bool,
}

impl Default for Command {
    fn default() -> Self {
        Self::Serve { roles: None, detached: false }
    }
}

impl Settings {
    /// The pairs of `--set` and `--listen`.
    ///
    /// # Errors
    ///
    /// A text for the user, when one is no pair.
    pub(super) fn pairs(&self) -> Result<Vec<(String, String)>, String> {
        let pair = |text: &String| {
            let pair = text.split_once('=').map(|(key, value)| (key.trim().to_owned(), value.to_owned()));
            pair.ok_or_else(|| format!("error: --set takes KEY=VALUE, got {text:?}"))
        };
        let mut pairs = self.set.iter().map(pair).collect::<Result<Vec<_>, _>>()?;
        pairs.extend(self.listen.clone().map(|listen| ("http.listen".to_owned(), listen)));
        Ok(pairs)
    }

    /// The same settings as words for another process.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if let Some(config) = &self.config {
            words.extend(["--config".to_owned(), config.display().to_string()]);
        }
        words.extend(self.set.iter().map(|pair| format!("--set={pair}")));
        words.extend(self.listen.iter().map(|listen| format!("--listen={listen}")));
        words
    }
}
