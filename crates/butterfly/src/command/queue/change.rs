//! Changing: messages queued again, cancelled, removed; topics paused.

use std::collections::HashSet;
use std::io::{IsTerminal, Write};

use butterfly_queue::engine::Changed;
use butterfly_queue::{MsgId, State, now_ms};
use serde_json::{Value, json};

use super::look::known;
use crate::command::desk::{Desk, Done, Failure, agreed};
use crate::command::shown::many;
use crate::say::say;

/// Messages that one step of a change of many takes.
const STEP: u64 = 1000;

/// Says what was done, to people or to programs.
fn said(desk: &Desk<'_>, document: &Value, text: impl std::fmt::Display) {
    if desk.json { say!("{document}") } else { say!("{text}") }
}

pub(super) async fn requeue(desk: &Desk<'_>, id: &MsgId, args: Option<&str>) -> Done {
    desk.queue.requeue(id, args).await?;
    said(desk, &json!({ "msg_id": id.to_string(), "state": "queued" }), format_args!("{id} is queued again"));
    Ok(())
}

/// Queues again what has failed until now; what fails while this goes on is left alone.
pub(super) async fn requeue_failed(desk: &Desk<'_>, topic: &str) -> Done {
    let topic = known(desk, topic).await?;
    let failed = failed(desk, &topic).await?;
    let mut progress = Progress::new("queued again", failed.len() as u64);
    let mut requeued = 0;
    for id in &failed {
        // One that somebody else has deleted or queued again meanwhile is nobody's loss.
        if desk.queue.engine().requeue(&topic, id, None).await? == Changed::Done {
            requeued += 1;
            progress.tell(requeued);
        }
    }
    drop(progress);
    said(
        desk,
        &json!({ "topic": topic, "requeued": requeued }),
        format_args!("{topic}: queued again: {}", many(requeued, "failed message")),
    );
    Ok(())
}

async fn failed(desk: &Desk<'_>, topic: &str) -> Result<HashSet<MsgId>, Failure> {
    let (until, mut offset, mut ids) = (now_ms(), 0, HashSet::new());
    loop {
        let page = desk.queue.list(topic, State::Failed, offset, STEP).await?;
        if page.is_empty() {
            return Ok(ids);
        }
        offset += page.len() as u64;
        let old = page.into_iter().filter(|message| message.ended.is_none_or(|ended| ended <= until));
        ids.extend(old.map(|message| message.id));
    }
}

pub(super) async fn cancel(desk: &Desk<'_>, id: &MsgId) -> Done {
    let told = desk.queue.cancel(id, "cancelled from the command line").await? == Changed::Told;
    let text = if told { "runs: its worker was told to stop it" } else { "is cancelled" };
    let state = if told { "started" } else { "failed" };
    said(desk, &json!({ "msg_id": id.to_string(), "state": state }), format_args!("{id} {text}"));
    Ok(())
}

pub(super) async fn delete(desk: &Desk<'_>, id: &MsgId) -> Done {
    desk.queue.delete(id).await?;
    said(desk, &json!({ "msg_id": id.to_string(), "deleted": true }), format_args!("{id} is deleted"));
    Ok(())
}

pub(super) async fn pause(desk: &Desk<'_>, topic: &str, paused: bool) -> Done {
    let topic = known(desk, topic).await?;
    let text = if paused {
        desk.queue.pause(&topic).await?;
        "is paused: what runs goes on, what waits stays; `queue resume` lets it go on"
    } else {
        desk.queue.resume(&topic).await?;
        "goes on"
    };
    said(desk, &json!({ "topic": topic, "paused": paused }), format_args!("{topic} {text}"));
    Ok(())
}

pub(super) async fn empty(desk: &Desk<'_>, topic: &str, state: State, yes: bool) -> Done {
    let topic = known(desk, topic).await?;
    if state == State::Started {
        let advice = "`queue messages --state started` lists them, `queue cancel` stops one";
        return Err(Failure::Usage(format!("messages that run are not removed: {advice}")));
    }
    let count = desk.queue.counts(&topic).await?.of(state);
    if !yes && !agreed(&format!("remove {} of {topic}?", many(count, &format!("{state} message"))))? {
        return Err(Failure::Not("nothing was removed".into()));
    }
    let mut progress = Progress::new("removed", count);
    let mut removed = 0;
    loop {
        match desk.queue.engine().empty(&topic, state, STEP).await? {
            0 => break,
            step => removed += step,
        }
        progress.tell(removed);
    }
    drop(progress);
    said(
        desk,
        &json!({ "topic": topic, "state": state.as_str(), "removed": removed }),
        format_args!("{topic}: removed {}", many(removed, &format!("{state} message"))),
    );
    Ok(())
}

/// How far a change of many is, on a terminal.
struct Progress {
    done: &'static str,
    total: u64,
    shown: bool,
    terminal: bool,
}

impl Progress {
    fn new(done: &'static str, total: u64) -> Self {
        Self { done, total, shown: false, terminal: std::io::stderr().is_terminal() }
    }

    fn tell(&mut self, count: u64) {
        if self.terminal && count.is_multiple_of(STEP) {
            self.shown = true;
            // Progress that nobody sees is no failure.
            let _ = write!(std::io::stderr(), "\r{count} of {} {}", self.total.max(count), self.done);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
