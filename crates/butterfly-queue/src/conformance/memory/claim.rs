//! Who is next: order, limits, turns.

use std::collections::{BTreeMap, BTreeSet};

use super::books::Books;
use super::record::{Place, Record};
use crate::engine::{DEATHS_MAX, Next, Owner, Want};
use crate::message::{Claimed, Millis, Seq, State};
use crate::topic::Limits;

/// Whether a message may start.
enum May {
    Now,
    /// At a time, which a rate says.
    At(Millis),
    /// When another one has ended.
    AfterAnEnd,
}

impl Books {
    /// Leases what the owner wants, as far as the limits let it.
    pub(super) fn claim(
        &mut self,
        limits: &Limits,
        owner: &Owner,
        want: Want,
        now: Millis,
    ) -> (Vec<Claimed>, Next) {
        self.promote(now);
        let mut claimed = vec![];
        if want.last_chance && want.count > 0 {
            let suspect = self.next(limits, now, true).0;
            claimed.extend(suspect.and_then(|seq| self.lease(limits, owner, seq, now)));
        }
        let alone = !claimed.is_empty();
        while !alone && claimed.len() < want.count as usize {
            let Some(seq) = self.next(limits, now, false).0 else { break };
            if self.messages.get(&seq).is_some_and(|record| record.waits_too_long(now)) {
                self.expire(seq, now);
            } else {
                claimed.extend(self.lease(limits, owner, seq, now));
            }
        }
        let next = match self.next(limits, now, false) {
            (Some(_), _) => Next::Now,
            (None, at) => {
                let suspects_at = self.next(limits, now, true).1;
                let at = at.into_iter().chain(suspects_at).min();
                self.first_of(at).map_or(Next::Wake, Next::At)
            }
        };
        (claimed, next)
    }

    /// The earlier one of a rate's time and the next scheduled message's.
    fn first_of(&self, at: Option<Millis>) -> Option<Millis> {
        let timed = self.timed.first().map(|(at, _)| *at);
        at.into_iter().chain(timed).min()
    }

    /// The next message that may start now; else, when the first may, if a rate says so.
    ///
    /// `suspects` looks at those with two deaths, and only at them. Where messages carry keys, the key whose last turn
    /// is longest ago is next, within the same priority.
    fn next(&self, limits: &Limits, now: Millis, suspects: bool) -> (Option<Seq>, Option<Millis>) {
        if self.paused {
            return (None, None);
        }
        let running = self.running(limits);
        let (mut ready, mut later, mut seen) = (vec![], vec![], BTreeSet::new());
        for (place, seq) in &self.queue {
            let Some(record) = self.messages.get(seq).filter(|record| suspects == suspect(record)) else {
                continue;
            };
            let key = &record.message.spec.key;
            // Only the first of a key can be next.
            if limits.keyed && !seen.insert(key) {
                continue;
            }
            match self.may_start(limits, &running, key, now) {
                May::Now => ready.push((self.order(limits, place, key), *seq)),
                May::At(at) => later.push(at),
                May::AfterAnEnd => (),
            }
            // And where there are no keys, only the first of all.
            if !limits.keyed {
                break;
            }
        }
        (ready.into_iter().min().map(|(_, seq)| seq), later.into_iter().min())
    }

    fn order(&self, limits: &Limits, place: &Place, key: &Option<String>) -> (bool, u8, u64, Place) {
        let last_turn = self.keys.get(key).map_or(0, |key| key.last_turn);
        (place.in_line, place.below, if limits.keyed { last_turn } else { 0 }, *place)
    }

    /// How many run, in all and of each key.
    fn running(&self, limits: &Limits) -> Running<'_> {
        let mut running = Running::default();
        if limits.concurrency.is_some() || limits.key_concurrency.is_some() {
            for record in self.messages.values().filter(|record| record.message.state == State::Started) {
                running.all += 1;
                *running.by_key.entry(&record.message.spec.key).or_default() += 1;
            }
        }
        running
    }

    fn may_start(&self, limits: &Limits, running: &Running<'_>, key: &Option<String>, now: Millis) -> May {
        let full = |limit: Option<u32>, running: u32| limit.is_some_and(|limit| running >= limit);
        let of_key = running.by_key.get(key).copied().unwrap_or(0);
        if full(limits.concurrency, running.all) || (limits.keyed && full(limits.key_concurrency, of_key)) {
            return May::AfterAnEnd;
        }
        let mut at = limits.rate.map_or(now, |rate| self.pace.next(&rate, now));
        if let (true, Some(rate), Some(key)) = (limits.keyed, limits.key_rate, self.keys.get(key)) {
            at = at.max(key.pace.next(&rate, now));
        }
        if at <= now { May::Now } else { May::At(at) }
    }

    /// Leases a message to an owner.
    fn lease(&mut self, limits: &Limits, owner: &Owner, seq: Seq, now: Millis) -> Option<Claimed> {
        self.leave(seq);
        let turn = self.turn();
        let record = self.messages.get_mut(&seq)?;
        record.owner = Some(owner.clone());
        record.tried = true;
        record.message.state = State::Started;
        record.message.worker = Some(owner.worker.to_string());
        record.message.started = None;
        let message = &record.message;
        let claimed = Claimed {
            seq,
            id: message.id.clone(),
            spec: message.spec.clone(),
            attempts: message.attempts,
            deaths: message.deaths,
        };
        // A beat that was never there before: who watched an earlier lease of this owner's does not take it for this one.
        self.leases.entry(owner.clone()).or_insert(turn << 32);
        if let Some(rate) = &limits.rate {
            self.pace.start(rate, now);
        }
        if limits.keyed {
            let key = self.keys.entry(claimed.spec.key.clone()).or_default();
            key.last_turn = turn;
            if let Some(rate) = &limits.key_rate {
                key.pace.start(rate, now);
            }
        }
        Some(claimed)
    }
}

#[derive(Default)]
struct Running<'a> {
    all: u32,
    by_key: BTreeMap<&'a Option<String>, u32>,
}

/// One more death, and it is given up: it runs alone.
fn suspect(record: &Record) -> bool {
    record.message.deaths + 1 >= DEATHS_MAX
}
