//! The dispatcher: decides which topic is asked for how much, hands messages to the runners, and keeps the leases.
//!
//! It is one task and owns all it decides on; calls of the engine run beside it and come back as
//! [`Landed`](super::flight::Landed).

mod leases;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use butterfly_core::handler::Batch;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use super::ahead::CLAIM_MAX;
use super::flight::{self, Ask, Landed};
use super::lane::Lane;
use super::lease::Watch;
use super::ready::{Messages, Work};
use super::{Shared, Stop, batch, run};
use crate::engine::{DEATHS_MAX, EngineError, Exchange, Next, Settled, Wake};
use crate::message::{Claimed, End, Outcome, Seq, now_ms};

pub(super) struct Dispatcher {
    shared: Arc<Shared>,
    lanes: Vec<Lane>,
    by_path: HashMap<Arc<str>, usize>,
    flights: JoinSet<Landed>,
    /// The lane that is looked at first: each has its turn.
    turn: usize,
    /// The suspected message that is here: there is one at a time.
    suspect: Option<(usize, Seq)>,
    suspect_asked: bool,
    watch: Watch,
    /// The look at the leases that is on its way: one that takes longer than a beat is not joined by others.
    watching: Option<AbortHandle>,
    beats: tokio::time::Interval,
    swept: Option<Instant>,
    birth: u64,
    stopping: Option<Stopping>,
}

struct Stopping {
    until: Instant,
    stop: Stop,
    told: bool,
}

/// Messages past their time are looked for so often.
const SWEEP: Duration = Duration::from_secs(60);
/// So many beats in a lease: a late one, and one that is lost, do not end it.
const BEATS: u32 = 3;

/// What is on its way when a worker leaves is waited for so long: an engine may be out of reach.
const LANDING: Duration = Duration::from_secs(1);

impl Dispatcher {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let owner = Arc::new(shared.queue.0.owner.clone());
        let settings = shared.queue.settings();
        let beats = tokio::time::interval((settings.lease / BEATS).max(Duration::from_millis(50)));
        let all = shared.queue.entries();
        let lane = |entry: &crate::catalog::Entry| {
            let at_once = entry.batch.map_or(1, |batch| batch.max);
            Lane::new(entry.topic.clone(), at_once, owner.clone())
        };
        let lanes: Vec<Lane> = all.iter().map(lane).collect();
        let admitted = |entry: &&crate::catalog::Entry| settings.topics.admit(&entry.topic.path);
        let place = |path: &Arc<str>| all.iter().position(|entry| entry.topic.path == *path);
        let by_path = all.iter().filter(admitted).map(|entry| entry.topic.path.clone());
        let by_path: HashMap<Arc<str>, usize> =
            by_path.filter_map(|path| place(&path).map(|place| (path, place))).collect();
        let mut dispatcher = Self {
            lanes,
            by_path,
            flights: JoinSet::new(),
            turn: 0,
            suspect: None,
            suspect_asked: false,
            watch: Watch::default(),
            watching: None,
            beats,
            swept: None,
            birth: now_ms(),
            stopping: None,
            shared,
        };
        // What is not served stays cold.
        for index in 0..dispatcher.lanes.len() {
            dispatcher.lanes[index].hot = dispatcher.serves(index);
        }
        dispatcher
    }

    fn serves(&self, lane: usize) -> bool {
        self.by_path.contains_key(&self.lanes[lane].topic.path)
    }

    pub(super) async fn run(
        mut self,
        mut wakes: mpsc::UnboundedReceiver<Wake>,
        mut stop: mpsc::Receiver<Stop>,
    ) {
        let shared = self.shared.clone();
        loop {
            self.collect();
            self.gather();
            self.depart();
            if self.is_over() {
                return self.leave().await;
            }
            let timer = self.due();
            tokio::select! {
                Some(landed) = self.flights.join_next(), if !self.flights.is_empty() => {
                    // A flight that panicked is a bug of an engine's; its topic asks again when it is woken.
                    if let Ok(landed) = landed {
                        self.land(landed);
                    }
                }
                () = shared.done.news() => {}
                Some(wake) = wakes.recv() => self.wake(wake),
                _ = self.beats.tick() => self.beat(),
                Some(stop) = stop.recv() => self.begin_stop(stop),
                () = at(timer) => self.on_time(),
            }
        }
    }

    // -- what runners did --------------------------------------------------------------------------------------------

    /// Takes the ends of runs.
    fn collect(&mut self) {
        for ended in self.shared.done.take() {
            let lane = &mut self.lanes[ended.lane];
            let outcome = ended.outcome;
            let ours = ended.epoch == lane.owner.epoch && lane.outstanding.remove(&outcome.message.seq);
            self.suspect_is_gone(|suspect| suspect == (ended.lane, outcome.message.seq));
            self.count(ended.lane, &outcome, ours);
            if ours {
                let lane = &mut self.lanes[ended.lane];
                lane.pace.ran(outcome.cost_us);
                lane.done.push(outcome);
            }
        }
    }

    /// Another suspected message may be asked for, if the one that is here is the one that `is_gone`.
    fn suspect_is_gone(&mut self, is_gone: impl Fn((usize, Seq)) -> bool) {
        if self.suspect.is_some_and(is_gone) {
            self.suspect = None;
            self.wake_denied();
        }
    }

    /// A topic that could not ask for suspected messages asks again; what it is given, or its end, wakes the next.
    fn wake_denied(&mut self) {
        let (before, after) = self.lanes.split_at_mut(self.turn);
        let denied = after.iter_mut().chain(before).find(|lane| lane.denied && !lane.hot);
        denied.into_iter().for_each(Lane::wake);
    }

    fn count(&self, lane: usize, outcome: &Outcome, ours: bool) {
        let Some(figures) = self.shared.queue.0.figures.of(lane) else { return };
        let figure = match &outcome.end {
            _ if !ours => &figures.lost,
            End::Finished { .. } => &figures.finished,
            End::Failed { .. } => &figures.failed,
            End::Retry { .. } => &figures.retried,
            End::Released => &figures.released,
        };
        figure.fetch_add(1, Ordering::Relaxed);
        let spec = &outcome.message.spec;
        figures.run(outcome.cost_us, outcome.started.saturating_sub(spec.created));
    }

    // -- asking the engine -------------------------------------------------------------------------------------------

    fn depart(&mut self) {
        let now = Instant::now();
        let count = self.lanes.len();
        for step in 0..count {
            let lane = (self.turn + step) % count;
            if self.lanes[lane].is_resting(now) {
                continue;
            }
            if self.lanes[lane].unsure {
                self.reconcile(lane);
                continue;
            }
            let want = self.want(lane);
            if self.lanes[lane].should_ask(want) {
                self.ask(lane, want);
            }
        }
        self.turn = (self.turn + 1) % count.max(1);
    }

    fn ask(&mut self, lane: usize, want: u32) {
        let last_chance = want > 0 && self.suspect.is_none() && !self.suspect_asked;
        self.suspect_asked |= last_chance;
        let ask = self.lanes[lane].depart(want, last_chance);
        let engine = self.shared.queue.engine().clone();
        self.flights.spawn(flight::exchange(engine, lane, ask));
    }

    /// How many messages of a lane this worker can use: its share of the runners that are free, and what is to lie ready
    /// for them.
    fn want(&self, index: usize) -> u32 {
        let lane = &self.lanes[index];
        if !lane.hot || self.stopping.is_some() {
            return 0;
        }
        let runners = self.shared.runs.len();
        let hot = self.lanes.iter().filter(|lane| lane.hot).count().max(1) as u32;
        let load: u32 = self.lanes.iter().map(Lane::load).sum();
        let free = (runners as u32).saturating_sub(load);
        if lane.at_once > 1 {
            let gathered = lane.gathered.len() as u32 + lane.reserved;
            return if free > 0 { lane.at_once.saturating_sub(gathered).min(CLAIM_MAX) } else { 0 };
        }
        let ahead = (lane.pace.ahead(runners) / hot).saturating_sub(lane.load());
        free.div_ceil(hot).max(ahead).min(CLAIM_MAX)
    }

    fn batch(&self, lane: usize) -> Option<Batch> {
        self.shared.queue.entries().get(lane)?.batch
    }

    fn reconcile(&mut self, index: usize) {
        let lane = &mut self.lanes[index];
        if lane.flights > 0 {
            return;
        }
        lane.flights += 1;
        let (owner, topic, known) = (lane.owner.clone(), lane.topic.clone(), lane.known().collect());
        let engine = self.shared.queue.engine().clone();
        self.flights.spawn(flight::reconcile(engine, index, owner, topic, known));
    }

    // -- what the engine answered ------------------------------------------------------------------------------------

    fn land(&mut self, landed: Landed) {
        match landed {
            Landed::Exchanged(lane, ask, Ok(exchange)) => self.exchanged(lane, ask, exchange),
            Landed::Exchanged(lane, ask, Err(error)) => self.failed(lane, ask, &error),
            Landed::Reconciled(index, epoch, result) => {
                let lane = &mut self.lanes[index];
                match (lane.call_ended(epoch), result) {
                    (Some(_), _) => self.give_up(index),
                    (None, Ok(_)) => lane.reconciled(),
                    (None, Err(_)) => lane.rest(),
                }
            }
            Landed::Renewed(lanes, Ok(renewed)) => self.renewed(lanes, renewed),
            Landed::Watched(seen) => self.watched(seen),
            Landed::Dead(leases) => self.reap(leases),
            Landed::Reaped(lane, owner, Ok(reaped)) => {
                let Some(figures) = self.shared.queue.0.figures.of(lane) else { return };
                figures.reaped.fetch_add(reaped.returned + reaped.failed, Ordering::Relaxed);
                if reaped.returned + reaped.failed > 0 {
                    let (returned, failed, worker) = (reaped.returned, reaped.failed, &owner.worker);
                    tracing::warn!(target: "butterfly::queue", topic = &*self.lanes[lane].topic.path, %worker, returned, failed, "a worker died: its messages are queued again");
                }
            }
            Landed::Renewed(_, Err(error)) | Landed::Reaped(_, _, Err(error)) | Landed::Kept(Err(error)) => {
                tracing::warn!(target: "butterfly::queue", "{error}");
            }
            Landed::Kept(Ok(())) => {}
        }
    }

    fn exchanged(&mut self, index: usize, ask: Ask, exchange: Exchange) {
        if ask.last_chance {
            self.suspect_asked = false;
        }
        let Exchange { settled, claimed, next } = exchange;
        let lost = settled.iter().filter(|settled| **settled == Settled::Lost).count() as u64;
        if let Some(figures) = self.shared.queue.0.figures.of(index).filter(|_| lost > 0) {
            figures.lost.fetch_add(lost, Ordering::Relaxed);
        }
        self.shared.queue.0.bus.ended_here(ask.done.iter().map(|outcome| &outcome.message.id));
        let lane = &mut self.lanes[index];
        let goes_on = lane.landed(&ask, Some(&claimed));
        lane.next(&ask, next);
        if ask.want > 0 {
            // Who is given a suspected message may be denied another one.
            lane.denied = match ask.last_chance {
                true => claimed.iter().any(is_suspected),
                false => claimed.len() < ask.want as usize,
            };
        }
        let limits = &lane.topic.limits;
        if !ask.done.is_empty() && (limits.concurrency.is_some() || limits.keyed) {
            // Its own ends may have made room.
            lane.wake();
        }
        match goes_on {
            true if next == Next::Over => self.lose(index, &claimed),
            true => self.take_in(index, claimed),
            false => self.give_up(index),
        }
        if ask.last_chance && self.suspect.is_none() {
            self.wake_denied();
        }
    }

    fn failed(&mut self, index: usize, ask: Ask, error: &EngineError) {
        if ask.last_chance {
            self.suspect_asked = false;
            self.wake_denied();
        }
        let lane = &mut self.lanes[index];
        let topic = lane.topic.path.clone();
        match lane.landed(&ask, None) {
            true => lane.failed(ask),
            false => self.give_up(index),
        }
        tracing::warn!(target: "butterfly::queue", %topic, "{error}; it is tried again");
    }

    /// Hands claimed messages to the runners, or to the batch that is gathered.
    fn take_in(&mut self, index: usize, claimed: Vec<Claimed>) {
        let lane = &mut self.lanes[index];
        if claimed.iter().any(|message| lane.outstanding.contains(&message.seq)) {
            // Only who was taken for dead is given what he has already.
            return self.lose(index, &claimed);
        }
        lane.outstanding.extend(claimed.iter().map(|message| message.seq));
        if let Some(suspect) = claimed.iter().find(|message| is_suspected(message)) {
            self.suspect = Some((index, suspect.seq));
        }
        if self.stopping.is_some() {
            // The claim was on its way when the worker was told to stop.
            let work = Work { lane: index, epoch: lane.owner.epoch, messages: Messages::Many(claimed) };
            return self.unrun(work, |_| End::Released);
        }
        let batch = self.shared.queue.entries().get(index).and_then(|entry| entry.batch);
        match batch {
            Some(batch) if !claimed.is_empty() => {
                lane.gather_until.get_or_insert_with(|| Instant::now() + batch.wait);
                lane.gathered.extend(claimed);
            }
            _ => {
                let epoch = lane.owner.epoch;
                let work = |message| Work { lane: index, epoch, messages: Messages::One(message) };
                self.shared.ready.push(claimed.into_iter().map(work));
            }
        }
    }

    /// Hands batches to the runners that are full, or have waited long enough.
    fn gather(&mut self) {
        let now = Instant::now();
        for index in 0..self.lanes.len() {
            let Some(until) = self.lanes[index].gather_until else { continue };
            let Some(batch) = self.batch(index) else { continue };
            let lane = &mut self.lanes[index];
            let full = lane.gathered.len() >= batch.max as usize;
            if !full && until > now {
                continue;
            }
            lane.gather_until = None;
            let epoch = lane.owner.epoch;
            let groups = batch::groups(batch.param, std::mem::take(&mut lane.gathered));
            let work = |group| Work { lane: index, epoch, messages: Messages::Many(group) };
            self.shared.ready.push(groups.into_iter().map(work));
        }
    }

    // -- being woken -------------------------------------------------------------------------------------------------

    fn wake(&mut self, wake: Wake) {
        match wake {
            Wake::Topic(path) => {
                if let Some(lane) = self.by_path.get(&path) {
                    self.lanes[*lane].wake();
                }
            }
            Wake::All => {
                for lane in self.by_path.values() {
                    self.lanes[*lane].wake();
                }
            }
            Wake::Cancelled(path, seq) => {
                if let Some(lane) = self.by_path.get(&path).copied() {
                    self.cancel(lane, seq);
                }
            }
            // Whoever died is found among those who hold leases.
            Wake::Dead(owner) => self.take_from(owner),
            Wake::Ended(_) => {}
        }
    }

    /// Stops a message that was cancelled: one that runs, or one that waits here for a runner or for its batch to be
    /// full. One of a batch that runs goes on with the others.
    fn cancel(&mut self, lane: usize, seq: Seq) {
        let is_meant = |of: usize, _, seqs: &[Seq]| of == lane && seqs == [seq];
        if self.shared.runs.iter().any(|run| run.stop(run::Stop::Cancelled, is_meant)) {
            return;
        }
        let is_it = |message: &Claimed| message.seq == seq;
        let here = |work: &Work| work.lane == lane && work.messages.as_slice().iter().any(is_it);
        let mut works = self.shared.ready.take_back(here);
        let of_lane = &mut self.lanes[lane];
        if of_lane.gathered.iter().any(is_it) {
            let messages = of_lane.gathered.extract_if(.., |message| is_it(message)).collect();
            works.push(Work { lane, epoch: of_lane.owner.epoch, messages: Messages::Many(messages) });
        }
        for Work { lane, epoch, messages } in works {
            let (cancelled, others): (Vec<_>, Vec<_>) = messages.into_vec().into_iter().partition(is_it);
            if !others.is_empty() {
                self.shared.ready.push([Work { lane, epoch, messages: Messages::Many(others) }]);
            }
            let end = |_: &Claimed| End::Failed { error: "cancelled before it ran".into() };
            self.unrun(Work { lane, epoch, messages: Messages::Many(cancelled) }, end);
        }
    }

    /// Ends messages that no runner has begun.
    fn unrun(&mut self, work: Work, end: impl Fn(&Claimed) -> End) {
        if work.epoch != self.lanes[work.lane].owner.epoch {
            return;
        }
        for message in work.messages.into_vec() {
            self.suspect_is_gone(|suspect| suspect == (work.lane, message.seq));
            let lane = &mut self.lanes[work.lane];
            if lane.outstanding.remove(&message.seq) {
                let end = end(&message);
                lane.done.push(Outcome { message, started: now_ms(), cost_us: 0, end });
            }
        }
    }

    fn due(&self) -> Option<Instant> {
        let lanes = self.lanes.iter().filter_map(Lane::due).min();
        let stop = self.stopping.as_ref().filter(|stopping| !stopping.told).map(|stopping| stopping.until);
        [lanes, stop].into_iter().flatten().min()
    }

    fn on_time(&mut self) {
        let now = Instant::now();
        for lane in &mut self.lanes {
            if lane.at.is_some_and(|at| at <= now) {
                lane.at = None;
                lane.wake();
            }
        }
        if let Some(stopping) =
            self.stopping.as_mut().filter(|stopping| stopping.until <= now && !stopping.told)
        {
            stopping.told = true;
            for run in &self.shared.runs {
                run.stop(run::Stop::Ending, |_, _, _| true);
            }
        }
    }

    // -- the end -----------------------------------------------------------------------------------------------------

    /// Claims nothing more, and hands back what no runner has begun.
    fn begin_stop(&mut self, stop: Stop) {
        self.stopping = Some(Stopping { until: Instant::now() + stop.drain, stop, told: false });
        let mut works = self.shared.ready.take_back(|_| true);
        for (index, lane) in self.lanes.iter_mut().enumerate() {
            lane.gather_until = None;
            let messages = Messages::Many(std::mem::take(&mut lane.gathered));
            works.push(Work { lane: index, epoch: lane.owner.epoch, messages });
        }
        for work in works {
            self.unrun(work, |_| End::Released);
        }
        self.announce();
    }

    /// Everything has ended, and the engine knows.
    fn is_over(&self) -> bool {
        let idle = |lane: &Lane| {
            lane.outstanding.is_empty() && lane.done.is_empty() && lane.flights == 0 && lane.past.is_empty()
        };
        self.stopping.is_some() && self.lanes.iter().all(idle)
    }

    async fn leave(mut self) {
        let Some(stopping) = self.stopping else { return };
        self.shared.ready.close();
        // An announcement on its way would put the worker back on the list after it was taken off.
        let landed = async { while self.flights.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(LANDING, landed).await;
        let name = self.shared.queue.0.owner.worker.clone();
        if let Err(error) = self.shared.queue.engine().remove_worker(&name).await {
            tracing::warn!(target: "butterfly::queue", "{error}");
        }
        // Nobody waits any more when the program is being given up.
        let _ = stopping.stop.done.send(());
    }
}

/// Whether one death more is too many.
fn is_suspected(message: &Claimed) -> bool {
    message.deaths + 1 >= DEATHS_MAX
}

/// Completes at a time; never without one.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time.into()).await,
        None => std::future::pending().await,
    }
}
