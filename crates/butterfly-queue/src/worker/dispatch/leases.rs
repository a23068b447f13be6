//! What the dispatcher does a few times in a lease: shows that it lives, and looks who does not.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::flight;
use super::super::{hostname, run};
use super::{Dispatcher, SWEEP};
use crate::engine::{Lease, Owner, Renewed, WorkerInfo};
use crate::message::{Claimed, now_ms};
use crate::topic::Topic;

impl Dispatcher {
    /// What is done a few times in a lease.
    pub(super) fn beat(&mut self) {
        self.renew();
        self.watch();
        self.announce();
        if self.swept.is_none_or(|at| at.elapsed() >= SWEEP) && self.stopping.is_none() {
            self.swept = Some(Instant::now());
            self.flights.spawn(flight::sweep(self.shared.queue.engine().clone()));
        }
    }

    fn renew(&mut self) {
        let mut owners: HashMap<u64, (Arc<Owner>, Vec<usize>)> = HashMap::new();
        for (index, lane) in
            self.lanes.iter().enumerate().filter(|(_, lane)| lane.load() > 0 || !lane.done.is_empty())
        {
            let of_owner = owners.entry(lane.owner.epoch).or_insert_with(|| (lane.owner.clone(), Vec::new()));
            of_owner.1.push(index);
        }
        let long = now_ms().saturating_sub(1000);
        for (epoch, (owner, lanes)) in owners {
            let held = |lane: &usize| {
                let runs = self.shared.runs.iter().flat_map(|run| run.held(*lane, long)).collect();
                (self.lanes[*lane].topic.clone(), runs)
            };
            let held = lanes.iter().map(held).collect();
            let lanes = lanes.into_iter().map(|lane| (lane, epoch)).collect();
            self.flights.spawn(flight::renew(self.shared.queue.engine().clone(), owner, lanes, held));
        }
    }

    pub(super) fn renewed(&mut self, lanes: Vec<(usize, u64)>, renewed: Vec<Renewed>) {
        for ((lane, epoch), renewed) in lanes.into_iter().zip(renewed) {
            if self.lanes[lane].owner.epoch != epoch {
                continue;
            }
            if !renewed.held && !self.lanes[lane].outstanding.is_empty() {
                self.lose(lane, &[]);
            }
            for seq in renewed.cancelled {
                self.cancel(lane, seq);
            }
        }
    }

    /// Others took this worker for dead and have its messages: what it still runs would end in vain, and what it has
    /// just `claimed` does not begin.
    pub(super) fn lose(&mut self, index: usize, claimed: &[Claimed]) {
        let epoch = self.lanes[index].owner.epoch;
        let lost = self.lanes[index].outstanding.len();
        tracing::warn!(target: "butterfly::queue", topic = &*self.lanes[index].topic.path, lost, "the lease was lost: this worker was silent for too long");
        let waiting = self.shared.ready.take_back(|work| work.lane == index && work.epoch == epoch);
        for run in &self.shared.runs {
            run.stop(run::Stop::Lost, |lane, of, _| lane == index && of == epoch);
        }
        self.suspect_is_gone(|(lane, _)| lane == index);
        let unrun = waiting.iter().flat_map(|work| work.messages.as_slice()).chain(claimed);
        self.lanes[index].begin_again(unrun.map(|message| message.seq));
        self.give_up(index);
    }

    /// Gives up the lives of a topic that are over, once all that was under way in them has landed.
    pub(super) fn give_up(&mut self, index: usize) {
        let lane = &mut self.lanes[index];
        for past in lane.past.extract_if(.., |past| past.flights == 0) {
            let (engine, topic) = (self.shared.queue.engine().clone(), lane.topic.clone());
            self.flights.spawn(flight::give_up(engine, index, topic, past.owner, past.begun));
        }
    }

    /// Looks who holds leases.
    fn watch(&mut self) {
        if self.watching.as_ref().is_some_and(|look| !look.is_finished()) {
            return;
        }
        let (engine, topics) = (self.shared.queue.engine().clone(), self.served());
        self.watching = Some(self.flights.spawn(flight::watch(engine, topics)));
    }

    /// Takes the messages of one who is known to be dead.
    pub(super) fn take_from(&mut self, dead: Owner) {
        let (engine, topics) = (self.shared.queue.engine().clone(), self.served());
        self.flights.spawn(flight::find(engine, topics, dead));
    }

    fn served(&self) -> Vec<(usize, Topic)> {
        self.by_path.values().map(|lane| (*lane, self.lanes[*lane].topic.clone())).collect()
    }

    /// Takes the messages of those whose beat stands still, and of this process's own earlier lives.
    pub(super) fn watched(&mut self, seen: Vec<(usize, Vec<Lease>)>) {
        let own = &self.shared.queue.0.owner.instance;
        let mut taken: Vec<(usize, Lease)> = Vec::new();
        let mut others = Vec::new();
        for (lane, leases) in seen {
            // An instance has one life at a time: whatever else has its name is over. Its epoch may be larger than
            // this one, for the clock may have gone back between the two.
            let (mine, rest): (Vec<_>, Vec<_>) =
                leases.into_iter().partition(|lease| lease.owner.instance == *own);
            let epoch = self.lanes[lane].owner.epoch;
            let earlier = mine.into_iter().filter(|lease| lease.owner.epoch != epoch);
            taken.extend(earlier.map(|lease| (lane, lease)));
            others.push((lane, rest));
        }
        let lease = self.shared.queue.settings().lease;
        taken.extend(self.watch.dead(others, lease, Instant::now()));
        self.reap(taken);
    }

    pub(super) fn reap(&mut self, dead: Vec<(usize, Lease)>) {
        for (lane, lease) in dead {
            let (engine, topic) = (self.shared.queue.engine().clone(), self.lanes[lane].topic.clone());
            self.flights.spawn(flight::reap(engine, lane, topic, lease));
        }
    }

    /// Says that this worker is here.
    pub(super) fn announce(&mut self) {
        let settings = self.shared.queue.settings();
        let ttl = (settings.lease * 4).max(Duration::from_secs(60));
        let info = self.info();
        self.flights.spawn(flight::put_worker(self.shared.queue.engine().clone(), info, ttl));
    }

    fn info(&self) -> WorkerInfo {
        let (queue, figures) = (&self.shared.queue, &self.shared.queue.0.figures);
        let settings = queue.settings();
        let busy = self.shared.runs.iter().filter(|run| run.is_busy()).count() as u64;
        let mut topics: Vec<String> = self.by_path.keys().map(ToString::to_string).collect();
        topics.sort_unstable();
        let state = match busy {
            _ if self.stopping.is_some() => "stopping",
            0 => "idle",
            _ => "busy",
        };
        WorkerInfo {
            name: queue.0.owner.worker.to_string(),
            nickname: settings.nickname.clone(),
            hostname: hostname(),
            pid: std::process::id(),
            version: settings.version.clone(),
            home_dir: std::env::current_dir().map(|dir| dir.display().to_string()).unwrap_or_default(),
            topics,
            state: state.into(),
            birth: self.birth,
            last_heartbeat: now_ms(),
            running: busy,
            finished: figures.sum(|topic| &topic.finished),
            failed: figures.sum(|topic| &topic.failed),
            lost: figures.sum(|topic| &topic.lost),
            working_us: figures.sum(|topic| &topic.run_us),
        }
    }
}
