//! `trace`: one call after the fact, with all that it set in motion.
//!
//! Engines have no index by reqid, and need none: the access log names each message where it is sent
//! (`res:enqueued=ID`) and where it runs (`res:msg=ID`), under the reqid that all of them share. So the lines of a reqid
//! give the ids, and the engine gives what the lines cannot know: the messages that still wait, times to the
//! millisecond, results, errors. Nothing is written for this that would not be written anyway, but for the age of a
//! message in its run's line.
//!
//! A reqid says when it was made: reading begins there, and ends when all that is known has ended.

mod files;
mod lines;
mod print;
mod tree;

use std::path::PathBuf;

use butterfly_core::ReqId;
use butterfly_queue::{Millis, MsgId, State, now_ms};
use clap::Args;

use super::desk::{self, Desk, Done, Failure};
use crate::Butterfly;
use crate::config::{Loaded, Span};
use crate::logs::{ACCESS, DEV};
use crate::say::say;
use files::Lines;
use lines::Line;
use tree::Tree;

#[derive(Debug, Args)]
#[command(after_help = "\
The id is in the header x-reqid of an answer, in every log line, and in `queue show`. Read are the access logs in \
log.dir, those set aside too, from the time that the id carries; an id of another making carries none: say --since.

Examples:
  trace 32B3AB191422E701
  trace 32B3AB191422E701 --logs /mnt/other-host/logs
  trace 0b4c9f5e-6f0e-4a61-9d5c-1d5a3d0a7c11 --since 2h --json")]
pub(super) struct TraceWords {
    /// The id of the call
    reqid: String,
    /// Read the logs of so long ago and later
    #[arg(long, value_parser = |text: &str| text.parse::<Span>())]
    since: Option<Span>,
    /// Another folder of logs, such as another host's; as often as there are some
    #[arg(long, value_name = "DIR")]
    logs: Vec<PathBuf>,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

pub(super) fn run(program: Butterfly, loaded: &Loaded, words: &TraceWords) -> Done {
    let reqid: ReqId =
        words.reqid.trim().parse().map_err(|error| Failure::Usage(format!("{:?}: {error}", words.reqid)))?;
    desk::at(program, loaded, (words.json, false), async |desk| trace(&desk, words, reqid).await)
}

async fn trace(desk: &Desk<'_>, words: &TraceWords, reqid: ReqId) -> Done {
    let from = begin(words, &reqid);
    if from == 0 {
        eprintln!("note: {reqid} carries no time, so all logs are read; --since 2h reads those of two hours");
    }
    let mut tree = Tree::new(reqid);
    for folder in folders(desk, words) {
        read(desk, &mut tree, &folder, from).await?;
    }
    fill(desk, &mut tree).await?;
    let missing = if tree.cut_short() { look_through(desk, &mut tree).await? } else { None };
    if tree.is_empty() {
        let folder = desk.config.log.dir.display();
        return Err(Failure::Not(format!(
            "no line in the access logs of {folder} has the reqid {reqid}: lines are written when a call has ended; \
             --logs reads other hosts' folders, and log.keep says how many files set aside are kept"
        )));
    }
    if desk.json {
        say!("{:#}", tree.json());
    } else {
        say!("{}", print::text(&tree).trim_end());
    }
    if let Some(scanned) = missing {
        eprintln!(
            "note: the call sent more messages than its line names; looked through {scanned} that wait or run"
        );
    }
    Ok(())
}

/// Clocks of hosts differ, and a line is written some time after its call: reading begins so much earlier.
const SLACK: Millis = 60_000;

/// From when on lines can matter; 0 is from the beginning.
fn begin(words: &TraceWords, reqid: &ReqId) -> Millis {
    if let Some(since) = words.since {
        return now_ms().saturating_sub(since.as_duration().as_millis() as u64);
    }
    made(reqid).unwrap_or(0).saturating_sub(SLACK)
}

/// When an id of ours was made.
fn made(reqid: &ReqId) -> Option<Millis> {
    let time = reqid.decode().ok()?.time;
    Some(time.duration_since(std::time::UNIX_EPOCH).ok()?.as_millis() as u64)
}

/// The services' logs, the command line's, and those that were named.
fn folders(desk: &Desk<'_>, words: &TraceWords) -> Vec<PathBuf> {
    let own = &desk.config.log.dir;
    [own.join(DEV), own.clone()].into_iter().chain(words.logs.iter().cloned()).collect()
}

/// Reads the lines of one folder, until all that is known of the call has ended before what is read.
async fn read(desk: &Desk<'_>, tree: &mut Tree, folder: &std::path::Path, from: Millis) -> Done {
    let unread =
        |error| Failure::Not(format!("cannot read the access logs in {}: {error}", folder.display()));
    let mut lines = Lines::open(folder, ACCESS, from).map_err(unread)?;
    let mut check_at = from + 2 * SLACK;
    while let Some(bytes) = lines.next().map_err(unread)? {
        if let Some(line) = Line::of(bytes, tree.reqid()) {
            tree.add(line);
        }
        if lines.has_passed(check_at) {
            fill(desk, tree).await?;
            if tree.has_ended_before(lines.time().saturating_sub(SLACK)) {
                return Ok(());
            }
            // Twice as far each time: the engine is asked a few times, however much there is to read.
            check_at = from + (lines.time().saturating_sub(from)) * 2;
        }
    }
    Ok(())
}

/// Asks the engine for the messages whose ids the lines gave.
async fn fill(desk: &Desk<'_>, tree: &mut Tree) -> Result<(), Failure> {
    for id in tree.unsettled() {
        let Ok(parsed) = id.parse::<MsgId>() else { continue };
        match desk.queue.find(&parsed).await? {
            Some(message) => tree.set(message),
            None => tree.gone(&id),
        }
    }
    Ok(())
}

/// A call that sends very many messages names the first in its line: of the others, those that ran are in the log, and
/// those that have not are looked for among what waits and runs, up to a bound.
async fn look_through(desk: &Desk<'_>, tree: &mut Tree) -> Result<Option<u64>, Failure> {
    const MOST: u64 = 20_000;
    const PAGE: u64 = 1000;
    let mut scanned = 0;
    for topic in desk.queue.engine().topics().await? {
        for state in [State::Started, State::Queued, State::Scheduled] {
            let mut offset = 0;
            while scanned < MOST {
                let page = desk.queue.list(&topic, state, offset, PAGE).await?;
                offset += page.len() as u64;
                scanned += page.len() as u64;
                let last = (page.len() as u64) < PAGE;
                let reqid = *tree.reqid();
                let ours = page.into_iter().filter(|message| message.spec.reqid == reqid);
                ours.for_each(|message| tree.set(message));
                if last {
                    break;
                }
            }
        }
    }
    Ok(Some(scanned))
}
