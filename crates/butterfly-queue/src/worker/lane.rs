//! One topic as its worker knows it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ahead::Pace;
use super::flight::Ask;
use crate::engine::{Next, Owner};
use crate::message::{Claimed, End, Outcome, Seq, now_ms};
use crate::topic::Topic;

/// The longest pause before an engine that failed is asked again.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// An exchange that is to join one under way carries at least so much.
const WORTHWHILE: usize = 64;

#[derive(Debug)]
pub(super) struct Lane {
    pub(super) topic: Topic,
    /// The life under which messages of this topic are claimed.
    pub(super) owner: Arc<Owner>,
    /// Whether there may be something to claim.
    pub(super) hot: bool,
    /// Lives that are over, with calls under way.
    pub(super) past: Vec<Past>,
    /// When to ask again without being woken.
    pub(super) at: Option<Instant>,
    /// How often it was woken: an answer that is older than the last wake does not make it cold.
    woken: u64,
    /// Calls under way, and what their exchanges asked for.
    pub(super) flights: u32,
    pub(super) reserved: u32,
    /// What was claimed and has not ended.
    pub(super) outstanding: HashSet<Seq, foldhash::fast::FixedState>,
    /// Ends of which the engine is to be told.
    pub(super) done: Vec<Outcome>,
    pub(super) pace: Pace,
    /// How many messages one run takes.
    pub(super) at_once: u32,
    /// Of a batch handler: messages that wait for others, and until when.
    pub(super) gathered: Vec<Claimed>,
    pub(super) gather_until: Option<Instant>,
    /// An exchange failed: the engine may have leased messages of which this worker does not know.
    pub(super) unsure: bool,
    /// Whether a suspected message may wait there that this worker could not take.
    pub(super) denied: bool,
    pause: Duration,
    /// Not before this time, after a failure.
    not_before: Option<Instant>,
}

/// A topic with something that is due later is asked again after so long, for the clock may have been set forward.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

impl Lane {
    pub(super) fn new(topic: Topic, at_once: u32, owner: Arc<Owner>) -> Self {
        Self {
            topic,
            at_once: at_once.max(1),
            owner,
            hot: true,
            at: None,
            woken: 0,
            flights: 0,
            reserved: 0,
            outstanding: HashSet::default(),
            done: Vec::new(),
            past: Vec::new(),
            pace: Pace::default(),
            gathered: Vec::new(),
            gather_until: None,
            unsure: false,
            denied: false,
            pause: Duration::ZERO,
            not_before: None,
        }
    }

    /// What it holds of the worker's room: messages that are leased or asked for, as many as one run takes at a time.
    pub(super) fn load(&self) -> u32 {
        (self.outstanding.len() as u32 + self.reserved).div_ceil(self.at_once)
    }

    pub(super) fn wake(&mut self) {
        self.hot = true;
        self.woken += 1;
    }

    pub(super) fn is_resting(&self, now: Instant) -> bool {
        self.not_before.is_some_and(|at| at > now)
    }

    /// Whether an exchange of `want` messages should begin now.
    pub(super) fn should_ask(&self, want: u32) -> bool {
        let worthwhile = self.done.len().max(want as usize) >= WORTHWHILE;
        match self.flights {
            _ if self.unsure => false,
            0 => want > 0 || !self.done.is_empty(),
            1 => worthwhile,
            _ => false,
        }
    }

    /// Takes what an exchange carries.
    pub(super) fn depart(&mut self, want: u32, last_chance: bool) -> Ask {
        self.flights += 1;
        self.reserved += want;
        Ask {
            owner: self.owner.clone(),
            topic: self.topic.clone(),
            done: Arc::new(std::mem::take(&mut self.done)),
            want,
            last_chance,
            woken: self.woken,
        }
    }

    /// An exchange came back with what it `claimed`, or failed; whether the life that it began in goes on.
    pub(super) fn landed(&mut self, ask: &Ask, claimed: Option<&[Claimed]>) -> bool {
        self.reserved -= ask.want;
        let Some(past) = self.call_ended(ask.owner.epoch) else { return true };
        match claimed {
            // They do not begin: also not again, where the life that is over had begun them.
            Some(claimed) => past.begun.retain(|seq| claimed.iter().all(|message| message.seq != *seq)),
            None => past.begun.extend(ask.done.iter().map(|outcome| outcome.message.seq)),
        }
        false
    }

    /// A call came back; the life that it began in, if that is over.
    pub(super) fn call_ended(&mut self, epoch: u64) -> Option<&mut Past> {
        if self.owner.epoch == epoch {
            self.flights -= 1;
            return None;
        }
        let past = self.past.iter_mut().find(|past| past.owner.epoch == epoch)?;
        past.flights -= 1;
        Some(past)
    }

    /// What the engine said of when to ask again.
    pub(super) fn next(&mut self, ask: &Ask, next: Next) {
        (self.pause, self.not_before) = (Duration::ZERO, None);
        let retries = ask.done.iter().filter_map(|outcome| match outcome.end {
            End::Retry { at, .. } => Some(at),
            _ => None,
        });
        let mut at = retries.min();
        if ask.want > 0 {
            self.hot = next == Next::Now || self.woken != ask.woken;
            self.at = None;
            if let Next::At(ms) = next {
                at = Some(at.map_or(ms, |at| at.min(ms)));
            }
        }
        if let Some(ms) = at {
            let wait = Duration::from_millis(ms.saturating_sub(now_ms())).min(LONGEST_WAIT);
            let at = Instant::now() + wait;
            self.at = Some(self.at.map_or(at, |known| known.min(at)));
        }
    }

    /// The engine did not answer: what was on its way goes again, after a pause that grows.
    pub(super) fn failed(&mut self, ask: Ask) {
        let mut again = Arc::try_unwrap(ask.done).unwrap_or_else(|shared| shared.to_vec());
        again.append(&mut self.done);
        self.done = again;
        self.unsure = true;
        self.rest();
    }

    pub(super) fn rest(&mut self) {
        self.pause = (self.pause * 2).clamp(Duration::from_millis(100), PAUSE_MAX);
        self.not_before = Some(Instant::now() + self.pause);
    }

    /// The engine's answer to what this worker holds came: both agree again.
    pub(super) fn reconciled(&mut self) {
        self.unsure = false;
        (self.pause, self.not_before) = (Duration::ZERO, None);
        self.wake();
    }

    /// Everything that is this worker's here, with ends that the engine may not know.
    pub(super) fn known(&self) -> impl Iterator<Item = Seq> {
        self.outstanding.iter().copied().chain(self.done.iter().map(|outcome| outcome.message.seq))
    }

    /// When something is to be done here without being woken.
    pub(super) fn due(&self) -> Option<Instant> {
        let asks = self.at.filter(|_| !self.hot);
        let again = self.not_before.filter(|_| self.hot || self.unsure || !self.done.is_empty());
        [asks, again, self.gather_until].into_iter().flatten().min()
    }

    /// The lease is lost: nothing that was claimed is this worker's any more. What it holds is given up in time; of that
    /// it has not begun what is `unrun`.
    pub(super) fn begin_again(&mut self, unrun: impl Iterator<Item = Seq>) {
        let gathered = std::mem::take(&mut self.gathered);
        let unrun: HashSet<Seq> = unrun.chain(gathered.iter().map(|message| message.seq)).collect();
        let begun = self.known().filter(|seq| !unrun.contains(seq)).collect();
        let flights = std::mem::take(&mut self.flights);
        self.past.push(Past { owner: self.owner.clone(), begun, flights });
        self.unsure = false;
        self.outstanding.clear();
        self.done.clear();
        self.gather_until = None;
        let owner = &self.owner;
        self.owner = Arc::new(Owner { epoch: owner.epoch + 1, ..Owner::clone(owner) });
        self.wake();
    }
}

/// A life that is over.
#[derive(Debug)]
pub(super) struct Past {
    pub(super) owner: Arc<Owner>,
    /// What was begun in it and has not ended in the books.
    pub(super) begun: Vec<Seq>,
    /// Calls under way.
    pub(super) flights: u32,
}
