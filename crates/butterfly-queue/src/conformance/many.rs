//! Many senders and workers at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::desk::{Desk, Trial, finished, numbered, numbers, outcome, owner};
use super::failed::{Failed, Proof, holds, same};
use crate::engine::{Next, Settled, Wake, Want};
use crate::message::{State, now_ms};

const MESSAGES: usize = 10_000;
const SENDERS: usize = 4;
const WORKERS: usize = 4;
/// How many a sender puts in one batch, in turn.
const BATCHES: [usize; 4] = [1, 7, 32, 100];
/// How many a worker wants, in turn.
const WANTS: [u32; 4] = [1, 10, 50, 128];

/// What became of each message, as the workers tell it.
#[derive(Debug, Default)]
struct Told {
    runs: Mutex<BTreeMap<usize, usize>>,
    ended: AtomicUsize,
}

/// With four senders and four workers in two processes, each of ten thousand messages is claimed once and finished once;
/// workers that are idle hear of every message that is left.
pub(super) async fn every_message_is_run_once(trial: &Trial) -> Proof {
    let desks = [trial.desk().await?, trial.desk().await?];
    let told = Arc::new(Told::default());
    let all_done = watch::channel(false).0;
    let mut tasks = JoinSet::new();
    for (number, desk) in desks.iter().enumerate() {
        let wakes = watch::channel(0_u64).0;
        tasks.spawn(pass_on(desk.clone(), wakes.clone(), all_done.subscribe()));
        for part in 0..WORKERS / 2 {
            let mine = desk.owned_by(owner(&format!("worker-{number}-{part}"), 1));
            tasks.spawn(work(mine, wakes.subscribe(), told.clone(), all_done.clone()));
        }
        for part in 0..SENDERS / 2 {
            let first = (number * SENDERS / 2 + part) * (MESSAGES / SENDERS);
            tasks.spawn(send(desk.clone(), first..first + MESSAGES / SENDERS));
        }
    }
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|error| Failed::new(format!("a task of the case: {error}")))??;
    }
    let runs = told.runs.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let twice: Vec<&usize> = runs.iter().filter(|(_, runs)| **runs > 1).map(|(number, _)| number).collect();
    holds!(twice.is_empty(), "run twice: {twice:?}");
    same!(runs.len(), MESSAGES, "messages that were run");
    desks[0].count([0, 0, 0, MESSAGES as u64, 0]).await?;
    for state in [State::Queued, State::Started] {
        same!(desks[1].engine.list(desks[1].path(), state, 0, 10).await?.len(), 0, "listed as {state}");
    }
    Ok(())
}

/// Passes a process's wake-ups on to its workers.
async fn pass_on(desk: Desk, to: watch::Sender<u64>, mut all_done: watch::Receiver<bool>) -> Proof {
    let mut wakes = desk.engine.listen(desk.owner.instance.clone())?;
    loop {
        // Either the case is over, or there is something to pass on.
        tokio::select! {
            _ = all_done.wait_for(|done| *done) => return Ok(()),
            wake = wakes.recv() => match wake {
                Some(Wake::All | Wake::Topic(_)) => to.send_modify(|count| *count += 1),
                Some(_) => (),
                None => return Err(Failed::new("the engine hung up")),
            },
        }
    }
}

async fn send(desk: Desk, numbers: std::ops::Range<usize>) -> Proof {
    let mut left = numbers.peekable();
    let mut sizes = BATCHES.iter().cycle();
    while left.peek().is_some() {
        let size = sizes.next().copied().unwrap_or(1);
        desk.send_new(left.by_ref().take(size).map(numbered).collect()).await?;
    }
    Ok(())
}

/// Works as a worker does: ends and claims in one step; when there is nothing, waits for a time or a wake-up.
async fn work(
    desk: Desk,
    mut wakes: watch::Receiver<u64>,
    told: Arc<Told>,
    all_done: watch::Sender<bool>,
) -> Proof {
    let (mut ends, mut wants, mut done) = (vec![], WANTS.iter().cycle(), all_done.subscribe());
    loop {
        wakes.mark_unchanged();
        let want = Want { count: wants.next().copied().unwrap_or(1), last_chance: false };
        let ended = ends.len();
        let exchange = desk.exchange(std::mem::take(&mut ends), want).await?;
        same!(exchange.settled, vec![Settled::Done; ended], "ends");
        {
            let mut runs = told.runs.lock().unwrap_or_else(PoisonError::into_inner);
            numbers(&exchange.claimed).into_iter().for_each(|number| *runs.entry(number).or_default() += 1);
        }
        ends = exchange.claimed.iter().map(|message| outcome(message, finished())).collect();
        if told.ended.fetch_add(ended, Ordering::SeqCst) + ended == MESSAGES {
            all_done.send_replace(true);
        }
        if *done.borrow() {
            return Ok(());
        }
        let rest = match exchange.next {
            _ if !ends.is_empty() => continue,
            Next::Now => continue,
            Next::At(at) => Duration::from_millis(at.saturating_sub(now_ms()) + 1),
            Next::Wake => desk.patience * 6,
            Next::Over => return Err(Failed::new("an owner that lives is told that it is over")),
        };
        tokio::select! {
            _ = wakes.changed() => (),
            _ = done.wait_for(|done| *done) => (),
            () = tokio::time::sleep(rest) => (),
        }
    }
}
