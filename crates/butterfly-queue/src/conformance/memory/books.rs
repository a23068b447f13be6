//! The books of one topic: its messages, and the arrows between their states.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::pace::Pace;
use super::record::{Place, Record, Run};
use crate::engine::{
    Changed, Counts, DEATHS_MAX, Edited, EngineError, Held, Lease, Owner, Reaped, Renewed, Settled,
};
use crate::message::{
    Accepted, End, Hold, Message, Millis, MsgId, NewMessage, Outcome, PRIORITY_MAX, Second, Seq, State, tag,
};
use crate::topic::Limits;

/// The most that one call of `sweep` drops.
const SWEEP_MAX: u64 = 1000;

#[derive(Debug)]
pub(super) struct Books {
    pub(super) path: Arc<str>,
    pub(super) messages: BTreeMap<Seq, Record>,
    /// The queued ones, next first.
    pub(super) queue: BTreeMap<Place, Seq>,
    /// The scheduled ones, next first.
    pub(super) timed: BTreeSet<(Millis, Seq)>,
    pub(super) leases: BTreeMap<Owner, u64>,
    pub(super) paused: bool,
    pub(super) pace: Pace,
    pub(super) keys: BTreeMap<Option<String>, Key>,
    pub(super) news: News,
    given: BTreeMap<Box<str>, Seq>,
    unique: BTreeMap<String, Taken>,
    answers: BTreeMap<(u64, u64), Vec<Result<Accepted, EngineError>>>,
    last_seq: Seq,
    turn: u64,
}

/// What is known of one value of a topic's `limit_by` argument.
#[derive(Debug, Default)]
pub(super) struct Key {
    pub(super) pace: Pace,
    pub(super) last_turn: u64,
}

/// A unique key, and the message that has it: for ever, or until a time.
#[derive(Debug)]
struct Taken {
    by: Seq,
    id: MsgId,
    until: Option<Millis>,
}

/// What listeners are to hear of a call.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Something may be claimed, now or at a time that is to be asked for.
    pub(super) claimable: bool,
    /// These ended, and these inboxes wait for them.
    pub(super) ended: Vec<(Arc<str>, MsgId)>,
    /// These run and were cancelled.
    pub(super) cancelled: Vec<Seq>,
}

impl Books {
    pub(super) fn new(path: Arc<str>) -> Self {
        Self {
            path,
            messages: BTreeMap::new(),
            queue: BTreeMap::new(),
            timed: BTreeSet::new(),
            leases: BTreeMap::new(),
            paused: false,
            pace: Pace::default(),
            keys: BTreeMap::new(),
            news: News::default(),
            given: BTreeMap::new(),
            unique: BTreeMap::new(),
            answers: BTreeMap::new(),
            last_seq: 0,
            turn: 0,
        }
    }

    pub(super) fn had_a_message(&self) -> bool {
        self.last_seq > 0
    }

    /// A number that is larger than all before.
    pub(super) fn turn(&mut self) -> u64 {
        self.turn += 1;
        self.turn
    }

    // In.

    /// Takes in a batch, unless it is the repetition of one.
    pub(super) fn enqueue(
        &mut self,
        limits: &Limits,
        batch: (u64, u64),
        messages: &[NewMessage],
        now: Millis,
    ) -> Vec<Result<Accepted, EngineError>> {
        if let Some(answers) = self.answers.get(&batch) {
            return answers.clone();
        }
        let answers: Vec<_> = messages.iter().map(|new| self.accept(limits, new, now)).collect();
        self.answers.insert(batch, answers.clone());
        answers
    }

    fn accept(&mut self, limits: &Limits, new: &NewMessage, now: Millis) -> Result<Accepted, EngineError> {
        if let Some(id) = self.there_already(new, now) {
            return Ok(Accepted { id, new: false });
        }
        let depth = (self.queue.len() + self.timed.len()) as u64;
        if let Some(limit) = limits.depth.filter(|limit| depth >= *limit) {
            return Err(EngineError::Full { depth, limit });
        }
        let seq = if self.had_a_message() { self.last_seq + 1 } else { now * 1000 };
        self.last_seq = seq;
        let id = match &new.id {
            Some(given) => MsgId::Given(given.clone()),
            None => MsgId::Ours { tag: tag(&self.path), seq },
        };
        if let Some(given) = &new.id {
            self.given.insert(given.clone(), seq);
        }
        let mut record = Record::new(self.path.clone(), seq, id.clone(), new, now);
        if let Some(unique) = &new.unique {
            let until = match unique.hold {
                Hold::WhileAlive => None,
                Hold::For(ms) => Some(now + ms),
            };
            record.unique = until.is_none().then(|| unique.key.clone());
            self.unique.insert(unique.key.clone(), Taken { by: seq, id: id.clone(), until });
        }
        self.messages.insert(seq, record);
        self.wait(seq, new.run_at, now);
        Ok(Accepted { id, new: true })
    }

    /// The message that stands for a new one: by its id, or by its unique key.
    fn there_already(&mut self, new: &NewMessage, now: Millis) -> Option<MsgId> {
        if let Some(given) = new.id.as_ref().filter(|given| self.given.contains_key(*given)) {
            return Some(MsgId::Given(given.clone()));
        }
        let unique = new.unique.as_ref()?;
        let taken = self.unique.get(&unique.key)?;
        if taken.until.is_some_and(|until| until <= now) {
            return None;
        }
        let (seq, id) = (taken.by, taken.id.clone());
        if let (Second::Replaces, Some(State::Scheduled)) = (unique.second, self.state(seq)) {
            self.leave(seq);
            if let Some(record) = self.messages.get_mut(&seq) {
                record.message.spec = new.spec.clone();
                record.waits_since = new.spec.created.min(now);
            }
            self.wait(seq, new.run_at, now);
        }
        Some(id)
    }

    /// Lets a message wait: for its time, or at the end of the line of its priority.
    fn wait(&mut self, seq: Seq, run_at: Option<Millis>, now: Millis) {
        self.news.claimable = true;
        let turn = self.turn();
        let Some(record) = self.messages.get_mut(&seq) else { return };
        record.owner = None;
        record.message.run_at = run_at.filter(|at| *at > now);
        if let Some(at) = record.message.run_at {
            record.message.state = State::Scheduled;
            self.timed.insert((at, seq));
        } else {
            record.message.state = State::Queued;
            record.place = Place {
                in_line: true,
                below: PRIORITY_MAX.saturating_sub(record.message.spec.priority),
                turn,
            };
            self.queue.insert(record.place, seq);
        }
    }

    /// Queues a message that comes back from a worker, before all that stand in line. One that was cancelled fails.
    fn come_back(&mut self, seq: Seq, now: Millis) {
        let Some(record) = self.messages.get_mut(&seq) else { return };
        record.owner = None;
        if let Some(error) = record.cancel.take() {
            return self.fail(seq, error, now);
        }
        record.message.state = State::Queued;
        record.place = Place {
            in_line: false,
            below: PRIORITY_MAX.saturating_sub(record.message.spec.priority),
            turn: seq,
        };
        self.queue.insert(record.place, seq);
        self.news.claimable = true;
    }

    /// Queues those whose time has come.
    pub(super) fn promote(&mut self, now: Millis) {
        while let Some((_, seq)) = self.timed.first().copied().filter(|(at, _)| *at <= now) {
            self.leave(seq);
            self.wait(seq, None, now);
        }
    }

    /// Takes a message out of the line or off the timetable.
    pub(super) fn leave(&mut self, seq: Seq) {
        let Some(record) = self.messages.get(&seq) else { return };
        self.queue.remove(&record.place);
        if let Some(at) = record.message.run_at {
            self.timed.remove(&(at, seq));
        }
    }

    // Ends.

    /// Puts the end of a run into the books, if it is the owner's to end.
    pub(super) fn settle(&mut self, owner: &Owner, outcome: &Outcome, now: Millis) -> Settled {
        let claimed = &outcome.message;
        let run = Run { owner: owner.clone(), attempts: claimed.attempts, deaths: claimed.deaths };
        let Some(record) = self.messages.get_mut(&claimed.seq) else { return Settled::Lost };
        if record.ended_run.as_ref() == Some(&run) {
            return Settled::Done;
        }
        let message = &mut record.message;
        if record.owner.as_ref() != Some(owner) || message.attempts != claimed.attempts {
            return Settled::Lost;
        }
        // After these ends the same owner may have the message again with the same attempts: a second end is of a second run.
        let comes_again = matches!(outcome.end, End::Released | End::Retry { counts: false, .. });
        record.ended_run = (!comes_again).then_some(run);
        if outcome.end != End::Released {
            message.started = Some(outcome.started);
            message.cost_us = outcome.cost_us;
        }
        match &outcome.end {
            End::Finished { stat, result } => self.finish(claimed.seq, stat, result, now),
            End::Failed { error } => self.fail(claimed.seq, error.clone(), now),
            End::Retry { at, error, counts } => {
                message.attempts += u32::from(*counts);
                message.error = Some(error.clone());
                match record.cancel.take() {
                    Some(error) => self.fail(claimed.seq, error, now),
                    None => self.wait(claimed.seq, Some(*at), now),
                }
            }
            End::Released => self.come_back(claimed.seq, now),
        }
        Settled::Done
    }

    fn finish(&mut self, seq: Seq, stat: &str, result: &str, now: Millis) {
        let Some(record) = self.messages.get_mut(&seq) else { return };
        let message = &mut record.message;
        message.state = State::Finished;
        message.stat = Some(stat.into());
        message.result = Some(result.into());
        message.error = None;
        let keep = message.spec.result_ttl_ms;
        self.ended(seq, keep, now);
    }

    /// Gives a message up for good.
    pub(super) fn fail(&mut self, seq: Seq, error: String, now: Millis) {
        self.leave(seq);
        let Some(record) = self.messages.get_mut(&seq) else { return };
        record.message.state = State::Failed;
        record.message.error = Some(error);
        let keep = record.message.spec.failure_ttl_ms;
        self.ended(seq, keep, now);
    }

    fn ended(&mut self, seq: Seq, keep: Option<u64>, now: Millis) {
        let turn = self.turn();
        let Some(record) = self.messages.get_mut(&seq) else { return };
        record.owner = None;
        record.cancel = None;
        record.ended_turn = turn;
        record.message.run_at = None;
        record.message.ended = Some(now);
        if let Some(inbox) = &record.message.spec.notify {
            self.news.ended.push((inbox.clone(), record.message.id.clone()));
        }
        if let Some(key) = record.unique.take() {
            self.unique.remove(&key);
        }
        if keep == Some(0) {
            self.remove(seq);
        }
    }

    fn remove(&mut self, seq: Seq) {
        self.leave(seq);
        let Some(record) = self.messages.remove(&seq) else { return };
        if let MsgId::Given(given) = &record.message.id {
            self.given.remove(given);
        }
        if let Some(key) = &record.unique {
            self.unique.remove(key);
        }
    }

    // Leases.

    pub(super) fn renew(&mut self, owner: &Owner, held: &[Held]) -> Renewed {
        let Some(beat) = self.leases.get_mut(owner) else {
            return Renewed { held: false, cancelled: vec![] };
        };
        *beat += 1;
        for Held { seq, started, progress } in held {
            let record = self.messages.get_mut(seq).filter(|record| record.owner.as_ref() == Some(owner));
            if let Some(record) = record {
                record.message.started = Some(*started);
                record.message.progress.clone_from(progress);
            }
        }
        let cancelled = |seq: &Seq| self.messages.get(seq).is_some_and(|record| record.cancel.is_some());
        Renewed { held: true, cancelled: self.held_by(owner).into_iter().filter(cancelled).collect() }
    }

    pub(super) fn reconcile(&mut self, owner: &Owner, known: &[Seq], now: Millis) -> u64 {
        let unknown: Vec<Seq> = self.held_by(owner).into_iter().filter(|seq| !known.contains(seq)).collect();
        unknown.iter().for_each(|seq| self.come_back(*seq, now));
        unknown.len() as u64
    }

    pub(super) fn leases(&self) -> Vec<Lease> {
        let holds = |owner: &Owner| !self.held_by(owner).is_empty();
        let lease = |(owner, beat): (&Owner, &u64)| Lease { owner: owner.clone(), beat: *beat };
        self.leases.iter().filter(|(owner, _)| holds(owner)).map(lease).collect()
    }

    pub(super) fn reap(&mut self, owner: &Owner, beat: u64, now: Millis) -> Reaped {
        let mut reaped = Reaped::default();
        if self.leases.get(owner) != Some(&beat) {
            return reaped;
        }
        let held = self.held_by(owner);
        self.leases.remove(owner);
        for seq in held {
            let Some(record) = self.messages.get_mut(&seq) else { continue };
            record.message.deaths += 1;
            if record.message.deaths >= DEATHS_MAX && record.cancel.is_none() {
                self.fail(seq, format!("its worker died {DEATHS_MAX} times while it ran"), now);
            } else {
                self.come_back(seq, now);
            }
            match self.state(seq) {
                Some(State::Queued) => reaped.returned += 1,
                _ => reaped.failed += 1,
            }
        }
        reaped
    }

    fn held_by(&self, owner: &Owner) -> Vec<Seq> {
        let mine = |record: &&Record| record.owner.as_ref() == Some(owner);
        self.messages.values().filter(mine).map(|record| record.message.seq).collect()
    }

    /// After an end: one that waited for room below a limit may have it now.
    pub(super) fn room_was_made(&mut self, limits: &Limits) {
        let limited = limits.concurrency.is_some() || limits.key_concurrency.is_some();
        self.news.claimable |= limited && !self.queue.is_empty();
    }

    /// Drops what was kept past its time, and fails what waited past its own.
    pub(super) fn sweep(&mut self, now: Millis) -> u64 {
        self.unique.retain(|_, taken| taken.until.is_none_or(|until| now < until));
        let due = |record: &&Record| record.kept_too_long(now) || record.waits_too_long(now);
        let due = self.messages.values().filter(due).take(SWEEP_MAX as usize);
        let due: Vec<(Seq, bool)> =
            due.map(|record| (record.message.seq, record.waits_too_long(now))).collect();
        for (seq, waits) in &due {
            if *waits { self.expire(*seq, now) } else { self.remove(*seq) }
        }
        due.len() as u64
    }

    /// Fails a message that nobody took in time.
    pub(super) fn expire(&mut self, seq: Seq, now: Millis) {
        self.fail(seq, "no worker took it within its ttl".into(), now);
    }

    // What people look at and change.

    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts { paused: self.paused, ..Counts::default() };
        for Message { state, spec, .. } in self.messages.values().map(|record| &record.message) {
            match state {
                State::Scheduled => counts.scheduled += 1,
                State::Queued => {
                    counts.queued += 1;
                    counts.oldest =
                        Some(counts.oldest.map_or(spec.created, |oldest| oldest.min(spec.created)));
                }
                State::Started => counts.started += 1,
                State::Finished => counts.finished += 1,
                State::Failed => counts.failed += 1,
            }
        }
        counts
    }

    pub(super) fn list(&self, state: State) -> Vec<&Message> {
        let mut all: Vec<&Record> =
            self.messages.values().filter(|record| record.message.state == state).collect();
        match state {
            State::Scheduled => all.sort_by_key(|record| (record.message.run_at, record.message.seq)),
            State::Queued => all.sort_by_key(|record| record.place),
            State::Started => (),
            State::Finished | State::Failed => all.sort_by_key(|record| std::cmp::Reverse(record.ended_turn)),
        }
        all.into_iter().map(|record| &record.message).collect()
    }

    pub(super) fn get(&self, id: &MsgId) -> Option<&Message> {
        self.messages.get(&self.seq(id)?).map(|record| &record.message)
    }

    fn seq(&self, id: &MsgId) -> Option<Seq> {
        match id {
            MsgId::Given(given) => self.given.get(given).copied(),
            MsgId::Ours { tag: of, seq } => {
                (*of == tag(&self.path) && self.messages.contains_key(seq)).then_some(*seq)
            }
        }
    }

    fn state(&self, seq: Seq) -> Option<State> {
        self.messages.get(&seq).map(|record| record.message.state)
    }

    fn find(&self, id: &MsgId) -> Option<(Seq, State)> {
        let seq = self.seq(id)?;
        Some((seq, self.state(seq)?))
    }

    pub(super) fn cancel(&mut self, id: &MsgId, error: &str, now: Millis) -> Changed {
        match self.find(id) {
            None => Changed::Missing,
            Some((seq, State::Scheduled | State::Queued)) => {
                self.fail(seq, error.into(), now);
                Changed::Done
            }
            Some((seq, State::Started)) => {
                if let Some(record) = self.messages.get_mut(&seq) {
                    record.cancel = Some(error.into());
                }
                self.news.cancelled.push(seq);
                Changed::Told
            }
            Some((_, ended)) => Changed::NotIn(ended),
        }
    }

    pub(super) fn requeue(&mut self, id: &MsgId, edited: Option<Edited<'_>>, now: Millis) -> Changed {
        match self.find(id) {
            None => Changed::Missing,
            Some((seq, State::Finished | State::Failed)) => {
                if let Some(record) = self.messages.get_mut(&seq) {
                    record.renewed(edited, now);
                }
                self.wait(seq, None, now);
                Changed::Done
            }
            Some((_, state)) => Changed::NotIn(state),
        }
    }

    pub(super) fn delete(&mut self, id: &MsgId) -> Changed {
        match self.find(id) {
            None => Changed::Missing,
            Some((_, State::Started)) => Changed::NotIn(State::Started),
            Some((seq, _)) => {
                self.remove(seq);
                Changed::Done
            }
        }
    }

    pub(super) fn empty(&mut self, state: State, limit: u64) -> u64 {
        if state == State::Started {
            return 0;
        }
        let some: Vec<Seq> =
            self.list(state).iter().take(limit as usize).map(|message| message.seq).collect();
        some.iter().for_each(|seq| self.remove(*seq));
        some.len() as u64
    }

    pub(super) fn set_paused(&mut self, paused: bool) {
        self.paused = paused;
        self.news.claimable |= !paused;
    }
}
