//! `queue`: the message queue, looked at and changed from the command line.

mod change;
mod document;
mod frame;
mod look;
mod send;
mod terminal;
mod top;

use clap::{Args, Subcommand};

use super::desk::{self, Done, Failure};
use crate::Butterfly;
use crate::config::{Loaded, Span};

pub(super) use document::message as document;
pub(super) use send::call;

#[derive(Debug, Args)]
#[command(after_help = "\
Each command opens the engine of queue.engine itself: it works beside running servers, and with none.
Exit codes: 0 done, 1 not done (the reason is on stderr), 2 the words do not make sense.

Examples:
  queue list                                  every topic with its counts
  queue messages /demo_api/hello --state failed
  queue show 5f3a9c1e0064f3a1b2c3d            everything about one message
  queue enqueue /demo_api/hello str_info=hi --delay 10s
  queue enqueue /demo_api/hello '{\"str_info\":\"hi\"}' --wait
  queue requeue --all-failed /demo_api/hello  run again what failed
  queue empty /demo_api/hello finished --yes
  queue top                                   what happens now, as it happens")]
pub(super) struct QueueWords {
    #[command(subcommand)]
    what: What,
    /// Print JSON, for programs
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the topics with their counts by state, and how long the oldest message waits
    List {
        /// Topics without messages too
        #[arg(long)]
        all: bool,
    },
    /// List the workers that are here
    Workers,
    /// Show one worker: where it runs, what it serves, what it did
    Worker {
        /// Its name: host:port:pid
        name: String,
    },
    /// List a topic's messages in a state: waiting ones next first, ended ones last first
    Messages {
        /// The handler's path
        topic: String,
        /// scheduled, queued, started, finished or failed
        #[arg(long, default_value = "queued", value_parser = state)]
        state: butterfly_queue::State,
        /// Which page
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
        page: u64,
        /// Messages on a page
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1000))]
        size: u64,
    },
    /// Show everything about a message
    Show {
        /// Its id
        msg_id: String,
        /// Long texts whole
        #[arg(long)]
        full: bool,
    },
    /// Send a message: `enqueue /demo_api/hello str_info=hi`, or its arguments in order, or as one JSON object
    Enqueue(Sending),
    /// Run an ended message again, as new
    Requeue {
        /// Its id
        #[arg(required_unless_present = "all_failed")]
        msg_id: Option<String>,
        /// Other arguments for it: a JSON object
        #[arg(value_name = "ARGS_JSON")]
        args: Option<String>,
        /// Run again all that failed of this topic until now
        #[arg(long, value_name = "TOPIC", conflicts_with_all = ["msg_id", "args"])]
        all_failed: Option<String>,
    },
    /// Cancel a message: one that waits fails, one that runs is stopped by its worker
    Cancel {
        /// Its id
        msg_id: String,
    },
    /// Remove a message that is not running
    Delete {
        /// Its id
        msg_id: String,
    },
    /// Remove all messages of a topic in a state (not `started`: cancel those)
    Empty {
        /// The handler's path
        topic: String,
        /// scheduled, queued, finished or failed
        #[arg(value_parser = state)]
        state: butterfly_queue::State,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Stop giving a topic's messages to workers; what runs goes on
    Pause {
        /// The handler's path
        topic: String,
    },
    /// Let a paused topic go on
    Resume {
        /// The handler's path
        topic: String,
    },
    /// Watch topics and workers: depths, rates, ages; q or Ctrl-C ends it
    #[command(after_help = "\
Rates are differences of the counts. Messages that are not kept when they end (result_ttl = 0) are counted by \
their workers alone. Workers tell their figures every third of queue.lease.")]
    Top(Watching),
}

#[derive(Debug, Args)]
struct Sending {
    /// The handler's path
    topic: String,
    /// `name=value`, or values in order, or one JSON object
    #[arg(allow_negative_numbers = true)]
    words: Vec<String>,
    /// Not before so long from now, such as 10s or 2h
    #[arg(long, value_parser = span)]
    delay: Option<Span>,
    /// Not before this time: `2026-11-25T18:00:00+08:00`, or local time without a zone
    #[arg(long, value_name = "TIME", value_parser = send::moment, conflicts_with = "delay")]
    at: Option<std::time::SystemTime>,
    /// 0 to 9, higher first [default: 4]
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=9))]
    priority: Option<u8>,
    /// Dropped if a message under this key waits or runs
    #[arg(long, value_name = "KEY")]
    unique: Option<String>,
    /// Your own id for it: sent twice, it is one message
    #[arg(long)]
    id: Option<String>,
    /// Wait until it has ended, and print its answer
    #[arg(long)]
    wait: bool,
}

#[derive(Debug, Args)]
struct Watching {
    /// How often it looks
    #[arg(long, default_value = "1s", value_parser = span)]
    every: Span,
    /// One look of this length, and out; so it is too when the output is no terminal
    #[arg(long)]
    once: bool,
}

fn state(word: &str) -> Result<butterfly_queue::State, String> {
    let words = butterfly_queue::State::ALL.map(butterfly_queue::State::as_str).join(", ");
    butterfly_queue::State::of(word).ok_or_else(|| format!("is one of {words}"))
}

fn span(text: &str) -> Result<Span, String> {
    text.parse().map_err(|why| format!("a time such as 10s, 5m or 1h30m: {why}"))
}

fn id(text: &str) -> Result<butterfly_queue::MsgId, Failure> {
    text.parse().map_err(|why| Failure::Usage(format!("{text:?}: {why}")))
}

pub(super) fn run(program: Butterfly, loaded: &Loaded, words: QueueWords) -> Done {
    // What the log says would be in the way of the live table.
    let quiet = matches!(words.what, What::Top(_));
    desk::at(program, loaded, (words.json, quiet), async |mut desk| match words.what {
        What::List { all } => look::list(&desk, all).await,
        What::Workers => look::workers(&desk).await,
        What::Worker { name } => look::worker(&desk, &name).await,
        What::Messages { topic, state, page, size } => {
            look::messages(&desk, &topic, state, (page, size)).await
        }
        What::Show { msg_id, full } => look::show(&desk, &id(&msg_id)?, full).await,
        What::Enqueue(sending) => send::enqueue(&mut desk, sending).await,
        What::Requeue { all_failed: Some(topic), .. } => change::requeue_failed(&desk, &topic).await,
        What::Requeue { msg_id, args, .. } => {
            change::requeue(&desk, &id(&msg_id.unwrap_or_default())?, args.as_deref()).await
        }
        What::Cancel { msg_id } => change::cancel(&desk, &id(&msg_id)?).await,
        What::Delete { msg_id } => change::delete(&desk, &id(&msg_id)?).await,
        What::Empty { topic, state, yes } => change::empty(&desk, &topic, state, yes).await,
        What::Pause { topic } => change::pause(&desk, &topic, true).await,
        What::Resume { topic } => change::pause(&desk, &topic, false).await,
        What::Top(watching) => top::top(&desk, watching.every, watching.once).await,
    })
}
