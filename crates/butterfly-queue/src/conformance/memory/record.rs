//! A message of the engine in memory.

use std::sync::Arc;

use crate::engine::{Edited, Owner};
use crate::message::{Message, Millis, MsgId, NewMessage, Seq, State};

/// A message, and what others do not see of it.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) message: Message,
    /// Where it stands in the queue, while it is queued.
    pub(super) place: Place,
    /// Who has it, while it is started.
    pub(super) owner: Option<Owner>,
    /// Whether it was ever given to a worker since it was enqueued or requeued.
    pub(super) tried: bool,
    /// The run whose end was the last that counted: an exchange that is repeated finds it here.
    pub(super) ended_run: Option<Run>,
    /// The error of somebody who cancelled it while it ran.
    pub(super) cancel: Option<String>,
    /// Since when it waits for its first run.
    pub(super) waits_since: Millis,
    /// The unique key that it holds while it is alive.
    pub(super) unique: Option<String>,
    /// Which end of the topic's its end was.
    pub(super) ended_turn: u64,
}

/// One run of a message: nobody else's, and no other one's of the same owner.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Run {
    pub(super) owner: Owner,
    pub(super) attempts: u32,
    pub(super) deaths: u32,
}

/// A place in the queue: those that came back first, then by priority, then in turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// False for those that came back.
    pub(super) in_line: bool,
    /// 0 for the highest priority.
    pub(super) below: u8,
    pub(super) turn: u64,
}

impl Record {
    pub(super) fn new(topic: Arc<str>, seq: Seq, id: MsgId, new: &NewMessage, now: Millis) -> Self {
        let message = Message {
            topic,
            seq,
            id,
            state: State::Queued,
            spec: new.spec.clone(),
            run_at: None,
            started: None,
            ended: None,
            attempts: 0,
            deaths: 0,
            worker: None,
            cost_us: 0,
            stat: None,
            result: None,
            error: None,
            progress: None,
        };
        Self {
            waits_since: new.spec.created.min(now),
            message,
            place: Place::default(),
            owner: None,
            tried: false,
            ended_run: None,
            cancel: None,
            unique: None,
            ended_turn: 0,
        }
    }

    /// Makes it as new, to wait from now on.
    pub(super) fn renewed(&mut self, edited: Option<Edited<'_>>, now: Millis) {
        let Message { topic, seq, id, mut spec, .. } = self.message.clone();
        if let Some(Edited { args, key }) = edited {
            spec.args = args.into();
            spec.key = key.map(str::to_owned);
        }
        *self = Self::new(topic, seq, id, &spec.into(), now);
        self.waits_since = now;
    }

    /// True when its `ttl` passed before it was first given to a worker.
    pub(super) fn waits_too_long(&self, now: Millis) -> bool {
        let waits = matches!(self.message.state, State::Scheduled | State::Queued) && !self.tried;
        waits && self.message.spec.ttl_ms.is_some_and(|ttl| self.waits_since.saturating_add(ttl) <= now)
    }

    pub(super) fn kept_too_long(&self, now: Millis) -> bool {
        let keep = match self.message.state {
            State::Finished => self.message.spec.result_ttl_ms,
            State::Failed => self.message.spec.failure_ttl_ms,
            State::Scheduled | State::Queued | State::Started => None,
        };
        keep.zip(self.message.ended).is_some_and(|(keep, ended)| ended.saturating_add(keep) <= now)
    }
}
