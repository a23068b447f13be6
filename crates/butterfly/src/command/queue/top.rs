//! `queue top`: what happens now, as it happens.

use std::sync::Arc;
use std::time::{Duration, Instant};

use butterfly_queue::engine::{Counts, WorkerInfo};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::frame;
use super::terminal::Terminal;
use crate::command::desk::{Desk, Done, Failure};
use crate::config::Span;
use crate::say::say;

/// The least time between two looks: each asks the engine for every topic.
const LEAST: Duration = Duration::from_millis(100);

/// What one look sees.
pub(super) struct Look {
    pub(super) at: Instant,
    pub(super) topics: Vec<(Arc<str>, Counts)>,
    pub(super) workers: Vec<WorkerInfo>,
}

impl Look {
    async fn take(desk: &Desk<'_>) -> Result<Self, Failure> {
        let (topics, workers) = (desk.queue.topics().await?, desk.queue.workers().await?);
        Ok(Self { at: Instant::now(), topics, workers })
    }
}

pub(super) async fn top(desk: &Desk<'_>, every: Span, once: bool) -> Done {
    let every = every.as_duration().max(LEAST);
    let title = format!("{} queue on {}", desk.config.name, desk.queue.engine().name());
    let before = Look::take(desk).await?;
    // A program that reads lines wants one answer; so does a pipe.
    let terminal = if once || desk.json { None } else { Terminal::take() };
    match terminal {
        Some(terminal) => live(desk, terminal, before, &title, every).await,
        None => {
            tokio::time::sleep(every).await;
            let now = Look::take(desk).await?;
            match desk.json {
                true => say!("{:#}", frame::json(&before, &now)),
                false => say!("{}", frame::text(&title, &before, &now, usize::MAX).trim_end()),
            }
            Ok(())
        }
    }
}

async fn live(
    desk: &Desk<'_>,
    mut terminal: Terminal,
    mut before: Look,
    title: &str,
    every: Duration,
) -> Done {
    let listen = |kind| signal(kind).map_err(|error| Failure::Not(format!("cannot hear signals: {error}")));
    let mut signals =
        [listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?, listen(SignalKind::hangup())?];
    let title = format!("{title}, every {every:?}, q quits");
    terminal.show(&frame::text(&title, &before, &before, terminal.size().0));
    loop {
        tokio::select! {
            () = any(&mut signals) => return Ok(()),
            () = terminal.quit() => return Ok(()),
            () = tokio::time::sleep(every) => {}
        }
        match Look::take(desk).await {
            Ok(now) => {
                terminal.show(&frame::text(&title, &before, &now, terminal.size().0));
                before = now;
            }
            // An engine that restarts is worth waiting for.
            Err(Failure::Not(why) | Failure::Usage(why)) => terminal.show(&format!("{title}\n\n{why}")),
        }
    }
}

async fn any(signals: &mut [Signal; 3]) {
    let [interrupt, terminate, hangup] = signals;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}
