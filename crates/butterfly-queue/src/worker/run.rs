//! What a runner runs just now: how others see it, and how they stop it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::ready::Work;
use crate::engine::Held;
use crate::message::{Claimed, Millis, MsgId, Seq};

/// The place of one runner. Handlers reach it through their context.
#[derive(Debug, Default)]
pub(crate) struct Run {
    current: Mutex<Current>,
    stop: Notify,
}

#[derive(Debug, Default)]
struct Current {
    lane: usize,
    epoch: u64,
    started: Millis,
    seqs: Vec<Seq>,
    id: Option<MsgId>,
    /// Runs of the message before this one, those that ended with their worker among them.
    tries: u32,
    progress: Option<String>,
    stop: Option<Stop>,
}

/// Why a run is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Somebody cancelled the message.
    Cancelled,
    /// The message is another worker's.
    Lost,
    /// The process ends.
    Ending,
}

impl Run {
    pub(super) fn begin(&self, work: &Work, started: Millis) {
        let messages = work.messages.as_slice();
        let mut current = self.lock();
        current.lane = work.lane;
        current.epoch = work.epoch;
        current.started = started;
        current.seqs.clear();
        current.seqs.extend(messages.iter().map(|message| message.seq));
        current.id = messages.first().map(|message| message.id.clone());
        current.tries = messages.first().map_or(0, Claimed::tries);
        current.progress = None;
        current.stop = None;
    }

    pub(super) fn end(&self) {
        let mut current = self.lock();
        current.seqs.clear();
        current.id = None;
    }

    /// Completes when the run is to be stopped.
    pub(super) async fn stopped(&self) -> Stop {
        loop {
            let told = self.stop.notified();
            // A wake may be left over from the run before.
            if let Some(stop) = self.lock().stop {
                return stop;
            }
            told.await;
        }
    }

    /// Stops the run if it is the one that `is_meant`; gives whether it was.
    pub(super) fn stop(&self, why: Stop, is_meant: impl FnOnce(usize, u64, &[Seq]) -> bool) -> bool {
        let mut current = self.lock();
        let meant = !current.seqs.is_empty() && is_meant(current.lane, current.epoch, &current.seqs);
        if meant {
            current.stop = Some(why);
            self.stop.notify_one();
        }
        meant
    }

    /// What it runs for a lane, if it has for `at_least_since`.
    pub(super) fn held(&self, lane: usize, at_least_since: Millis) -> Vec<Held> {
        let current = self.lock();
        if current.lane != lane || current.started > at_least_since {
            return Vec::new();
        }
        let held =
            |seq: &Seq| Held { seq: *seq, started: current.started, progress: current.progress.clone() };
        current.seqs.iter().map(held).collect()
    }

    pub(super) fn is_busy(&self) -> bool {
        !self.lock().seqs.is_empty()
    }

    /// The message that runs.
    pub(crate) fn id(&self) -> Option<MsgId> {
        self.lock().id.clone()
    }

    /// Which run of its message this is, from 1.
    pub(crate) fn attempt(&self) -> u32 {
        self.lock().tries + 1
    }

    pub(crate) fn set_progress(&self, progress: String) {
        self.lock().progress = Some(progress);
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
