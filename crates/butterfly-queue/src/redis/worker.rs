//! What workers ask: ends, claims, leases.

use std::collections::BTreeMap;

use butterfly_model::redis::{Cmd, Reply, Value, number, strange};

use super::record::{self, BadRecord};
use super::{Inner, scripts};
use crate::engine::{DEATHS_MAX, Exchange, Held, Lease, Next, Owner, Reaped, Renewed, Settled, Want};
use crate::message::{Claimed, End, Millis, MsgId, Outcome, Seq, now_ms};
use crate::{EngineError, Topic};

/// The most ends of one script call.
const MOST: usize = 512;
/// Clocks that differ by less are taken as one.
const SAME_CLOCK_MS: u64 = 1000;

impl Inner {
    pub(super) async fn exchange(
        &self,
        owner: &Owner,
        topic: &Topic,
        done: &[Outcome],
        want: Want,
    ) -> Result<Exchange, EngineError> {
        let mut settled = Vec::with_capacity(done.len());
        let mut rest = done;
        while rest.len() > MOST {
            let (part, others) = rest.split_at(MOST);
            settled.extend(self.exchange_once(owner, topic, part, Want::default()).await?.settled);
            rest = others;
        }
        let mut exchange = self.exchange_once(owner, topic, rest, want).await?;
        settled.append(&mut exchange.settled);
        exchange.settled = settled;
        if !exchange.claimed.is_empty() {
            self.note_move();
        }
        Ok(exchange)
    }

    async fn exchange_once(
        &self,
        owner: &Owner,
        topic: &Topic,
        done: &[Outcome],
        want: Want,
    ) -> Result<Exchange, EngineError> {
        if let Some(neighbours) = &self.neighbours {
            // They are told before there is a lease.
            neighbours.hold(owner);
        }
        let base = if done.is_empty() { 0 } else { self.base(&topic.path).await? };
        let ends = Ends::new(topic, owner, base, done);
        let fill = |command: &mut Cmd| {
            command.arg(owner.key()).arg(&*owner.worker).arg(base).arg(want.count);
            command.arg(u8::from(want.last_chance));
            limits(topic, command);
            ends.write(command);
        };
        let answer = self.run(&scripts::EXCHANGE, &topic.path, fill).await?;
        let mut reply = Reply::new(answer)?;
        let base = reply.number()?;
        self.keep_base(&topic.path, base);
        let now = reply.number()?;
        let next = next(&reply.text()?, now)?;
        let settled = ends.settled(&reply.bytes()?)?;
        let died = reply.text()?;
        let claimed = self.claimed(owner, topic, base, &died, reply).await?;
        Ok(Exchange { settled, claimed, next })
    }

    /// Reads what was claimed. What cannot be read is set aside as failed, and the rest goes on.
    async fn claimed(
        &self,
        owner: &Owner,
        topic: &Topic,
        base: u64,
        died: &str,
        mut reply: Reply,
    ) -> Result<Vec<Claimed>, EngineError> {
        let mut claimed = Vec::with_capacity(reply.len() / 2);
        let mut unreadable: Vec<(u64, BadRecord)> = Vec::new();
        let mut deaths = died.split(' ').map(|count| count.parse().unwrap_or(0));
        while reply.len() >= 2 {
            let n = reply.number()?;
            let record = record::read(&reply.bytes()?);
            let deaths = deaths.next().unwrap_or(0);
            match record {
                Ok(record) => claimed.push(Claimed {
                    seq: base + n,
                    id: record.id.map_or(MsgId::Ours { tag: topic.tag, seq: base + n }, MsgId::Given),
                    spec: record.spec,
                    attempts: record.run.attempts,
                    deaths,
                }),
                Err(bad) => unreadable.push((n, bad)),
            }
        }
        if !unreadable.is_empty() {
            let fill = |command: &mut Cmd| {
                command.arg(owner.key());
                for (n, bad) in &unreadable {
                    command.arg(n).arg(bad.to_string());
                }
            };
            self.run(&scripts::ASIDE, &topic.path, fill).await?;
        }
        Ok(claimed)
    }

    pub(super) async fn renew(
        &self,
        owner: &Owner,
        topic: &Topic,
        held: &[Held],
    ) -> Result<Renewed, EngineError> {
        let base = if held.is_empty() { 0 } else { self.base(&topic.path).await? };
        let fill = |command: &mut Cmd| {
            command.arg(owner.key()).arg(&*owner.worker).arg(base);
            for Held { seq, started, progress } in held {
                command.arg(seq.saturating_sub(base)).arg(started);
                command.arg(progress.as_deref().unwrap_or_default());
            }
        };
        let mut reply = Reply::new(self.run(&scripts::RENEW, &topic.path, fill).await?)?;
        let base = reply.number()?;
        let held = reply.number()? == 1;
        let mut cancelled = Vec::with_capacity(reply.len());
        while !reply.is_empty() {
            cancelled.push(base + reply.number()?);
        }
        Ok(Renewed { held, cancelled })
    }

    pub(super) async fn reconcile(
        &self,
        owner: &Owner,
        topic: &Topic,
        known: &[Seq],
    ) -> Result<u64, EngineError> {
        let base = self.base(&topic.path).await?;
        let fill = |command: &mut Cmd| {
            command.arg(owner.key()).arg(&*owner.worker).arg(base);
            for seq in known {
                command.arg(seq.saturating_sub(base));
            }
        };
        Ok(number(&self.run(&scripts::RECONCILE, &topic.path, fill).await?)?)
    }

    pub(super) async fn leases(&self, topic: &Topic) -> Result<Vec<Lease>, EngineError> {
        let mut reply = Reply::new(self.run(&scripts::LEASES, &topic.path, |_| {}).await?)?;
        let mut leases = Vec::with_capacity(reply.len() / 3);
        while reply.len() >= 3 {
            let (key, beat, worker) = (reply.text()?, reply.number()?, reply.text()?);
            let odd = || strange(&Value::SimpleString(key.clone()));
            let (instance, epoch) = key.rsplit_once('/').ok_or_else(odd)?;
            let epoch = epoch.parse().map_err(|_| odd())?;
            leases.push(Lease {
                owner: Owner { instance: instance.into(), epoch, worker: worker.into() },
                beat,
            });
        }
        leases.sort_by(|a, b| a.owner.cmp(&b.owner));
        Ok(leases)
    }

    pub(super) async fn reap(&self, topic: &Topic, owner: &Owner, beat: u64) -> Result<Reaped, EngineError> {
        let why = format!("{DEATHS_MAX} workers died while they ran it, the last one {}", owner.worker);
        let fill = |command: &mut Cmd| {
            command.arg(owner.key()).arg(beat).arg(DEATHS_MAX).arg(&why);
        };
        let mut reply = Reply::new(self.run(&scripts::REAP, &topic.path, fill).await?)?;
        Ok(Reaped { returned: reply.number()?, failed: reply.number()? })
    }
}

fn limits(topic: &Topic, command: &mut Cmd) {
    let limits = &topic.limits;
    let rate = |rate: Option<crate::Rate>| rate.map_or((0, 0), |rate| (rate.interval_us(), rate.count));
    let (interval, burst) = rate(limits.rate);
    let (key_interval, key_burst) = rate(limits.key_rate);
    command.arg(limits.concurrency.unwrap_or(0)).arg(interval).arg(burst);
    command.arg(limits.key_concurrency.unwrap_or(0)).arg(key_interval).arg(key_burst);
}

/// When to ask again, by our clock: the server's may be another.
fn next(text: &str, server_now: Millis) -> Result<Next, EngineError> {
    match text {
        "n" => Ok(Next::Now),
        "w" => Ok(Next::Wake),
        "o" => Ok(Next::Over),
        time => {
            let time: Millis = time.parse().map_err(|_| strange(&Value::SimpleString(time.into())))?;
            let now = now_ms();
            let same = now.abs_diff(server_now) < SAME_CLOCK_MS;
            Ok(Next::At(if same { time } else { now + time.saturating_sub(server_now) }))
        }
    }
}

/// Ends of runs, in the order in which the script reads them.
struct Ends {
    /// Finished ones, by how long they are kept.
    finished: BTreeMap<String, Vec<End1>>,
    others: Vec<(char, End1, Millis)>,
    /// The attempts before the run, where there were some.
    tries: String,
    count: usize,
}

/// An end: its place in the call, its number, its record.
struct End1 {
    place: usize,
    n: u64,
    record: Vec<u8>,
    /// The attempts after the run.
    attempts: u32,
}

impl Ends {
    fn new(topic: &Topic, owner: &Owner, base: u64, done: &[Outcome]) -> Self {
        let mut ends =
            Self { finished: BTreeMap::new(), others: Vec::new(), tries: String::new(), count: done.len() };
        for (place, outcome) in done.iter().enumerate() {
            let record = match outcome.end {
                End::Released => Vec::new(),
                _ => record::of_outcome(outcome, topic.limits.keyed, owner),
            };
            let n = outcome.message.seq.saturating_sub(base);
            let before = outcome.message.attempts;
            if before > 0 {
                ends.tries.push_str(&format!("{n}:{before} "));
            }
            let counts = matches!(outcome.end, End::Retry { counts: true, .. });
            let end = End1 { place, n, record, attempts: before + u32::from(counts) };
            match &outcome.end {
                End::Finished { .. } => {
                    let kept = outcome.message.spec.result_ttl_ms;
                    let kept = kept.map_or_else(|| "n".to_owned(), |ttl| ttl.to_string());
                    ends.finished.entry(kept).or_default().push(end);
                }
                End::Failed { .. } => ends.others.push(('f', end, 0)),
                End::Retry { at, .. } => ends.others.push(('r', end, *at)),
                End::Released => ends.others.push(('l', end, 0)),
            }
        }
        // Records of neighbouring numbers lie in one hash, and are written by one command.
        for group in ends.finished.values_mut() {
            group.sort_by_key(|end| end.n);
        }
        ends
    }

    fn write(&self, command: &mut Cmd) {
        command.arg(&self.tries).arg(self.finished.len());
        for (kept, group) in &self.finished {
            command.arg(kept).arg(group.len());
            for end in group {
                command.arg(end.n).arg(&end.record);
            }
        }
        for (kind, end, at) in &self.others {
            command.arg(kind.to_string()).arg(end.n).arg(&end.record).arg(at).arg(end.attempts);
        }
    }

    /// Puts the script's digits into the order of the call.
    fn settled(&self, digits: &[u8]) -> Result<Vec<Settled>, EngineError> {
        if digits.len() != self.count {
            return Err(strange(&Value::Int(digits.len() as i64)).into());
        }
        let order = self.finished.values().flatten().chain(self.others.iter().map(|(_, end, _)| end));
        let mut settled = vec![Settled::Lost; self.count];
        for (end, digit) in order.zip(digits) {
            if *digit == b'1' {
                settled[end.place] = Settled::Done;
            }
        }
        Ok(settled)
    }
}
