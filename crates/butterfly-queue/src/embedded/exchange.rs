//! Ends and claims, in one step.

use std::sync::Arc;

use butterfly_store::rusqlite::params;
use butterfly_store::{StoreError, Tx};

use super::books::{Books, int};
use super::lease::Holding;
use super::line::{self, PLAIN, SUSPECTS};
use super::record::{Claimable, claimable, claimable_columns};
use super::wakes::Wakes;
use super::{ends, lanes, pace};
use crate::engine::{Exchange, Next, Owner, Settled, Want};
use crate::message::{Claimed, Millis, Outcome, State};
use crate::topic::Topic;

/// What an exchange is asked for.
pub(super) struct Asked {
    pub(super) owner: Owner,
    pub(super) topic: Topic,
    pub(super) done: Arc<Vec<Outcome>>,
    pub(super) want: Want,
}

/// See [`Engine::exchange`](crate::Engine::exchange).
pub(super) fn exchange(
    tx: &Tx<'_>,
    wakes: &Arc<Wakes>,
    process: &str,
    asked: &Asked,
    now: Millis,
) -> Result<Exchange, StoreError> {
    let topic = &asked.topic;
    if asked.done.is_empty() {
        // A power cut may forget a claim: the message is queued then.
        tx.relax();
    }
    let Some(mut books) = Books::of(tx, &topic.path)? else {
        wakes.rests(tx, &topic.path);
        let settled = vec![Settled::Lost; asked.done.len()];
        return Ok(Exchange { settled, claimed: Vec::new(), next: Next::Wake });
    };
    let before = books.clone();
    let mut holding = Holding::of(tx, books.topic, &asked.owner)?;
    let settled = match &mut holding {
        Some(holding) => settle(tx, wakes, &mut books, topic, holding, &asked.done, now)?,
        None => ends::known_of(tx, &asked.owner, &asked.done)?,
    };
    let mut claim = Claim { tx, wakes, books, topic, now, claimed: Vec::new() };
    let next = claim.run(asked.want)?;
    let Claim { mut books, claimed, .. } = claim;
    if !claimed.is_empty() {
        let holding = match &mut holding {
            Some(holding) => holding,
            none => none.insert(Holding::new(tx, &asked.owner, process)?),
        };
        holding.take(claimed.iter().map(|message| int(message.seq)));
        books.started += claimed.len() as i64;
    }
    if let Some(holding) = holding {
        holding.save(tx, books.topic, now)?;
    }
    books.save(tx, &before)?;
    if next != Next::Now {
        wakes.rests(tx, &topic.path);
    }
    Ok(Exchange { settled, claimed, next })
}

fn settle(
    tx: &Tx<'_>,
    wakes: &Arc<Wakes>,
    books: &mut Books,
    topic: &Topic,
    holding: &mut Holding,
    done: &[Outcome],
    now: Millis,
) -> Result<Vec<Settled>, StoreError> {
    let mut settled = Vec::with_capacity(done.len());
    for outcome in done {
        settled.push(ends::settle(tx, wakes, books, topic, holding, outcome, now)?);
    }
    let limited = topic.limits.concurrency.is_some() || topic.limits.key_concurrency.is_some();
    let released = |outcome: &Outcome| outcome.end == crate::message::End::Released;
    if books.queued > 0 && settled.contains(&Settled::Done) && (limited || done.iter().any(released)) {
        wakes.touch(tx, &topic.path);
    }
    Ok(settled)
}

/// The claims of one exchange. What is claimed leaves the line, and is counted as started by the caller.
struct Claim<'a, 'db> {
    tx: &'a Tx<'db>,
    wakes: &'a Arc<Wakes>,
    books: Books,
    topic: &'a Topic,
    now: Millis,
    claimed: Vec<Claimed>,
}

impl Claim<'_, '_> {
    fn run(&mut self, want: Want) -> Result<Next, StoreError> {
        let limits = &self.topic.limits;
        line::promote(self.tx, &mut self.books, limits, self.now)?;
        line::arrange(self.tx, &mut self.books, limits, self.now)?;
        if limits.keyed {
            lanes::resume(self.tx, &self.books, limits, self.now)?;
        }
        let room = want.count.min(self.room());
        if room > 0 && want.last_chance && self.books.suspects > 0 {
            self.suspect()?;
        }
        if room > 0 && self.claimed.is_empty() {
            if limits.keyed { self.take_by_lanes(room)? } else { self.take_in_line(room)? }
        }
        if let Some(rate) = limits.rate {
            let started = self.claimed.len() as u32;
            if started > 0 {
                self.books.tat_us = pace::started(rate, self.books.tat_us, self.now, started);
            }
        }
        self.next()
    }

    /// How many the topic lets start now.
    fn room(&self) -> u32 {
        if self.books.paused {
            return 0;
        }
        let limits = &self.topic.limits;
        let running = self.books.started + self.claimed.len() as i64;
        let room =
            limits.concurrency.map_or(u32::MAX, |most| u32::try_from(i64::from(most) - running).unwrap_or(0));
        limits.rate.map_or(room, |rate| room.min(pace::room(rate, self.books.tat_us, self.now)))
    }

    fn next(&self) -> Result<Next, StoreError> {
        let limits = &self.topic.limits;
        let waits = self.books.queued - self.books.suspects > 0;
        let mut at = None;
        if waits && self.room() > 0 {
            if !limits.keyed || lanes::next(self.tx, &self.books, limits, self.now)?.is_some() {
                return Ok(Next::Now);
            }
            at = lanes::next_resume(self.tx, &self.books)?;
        } else if self.books.queued > 0 && !self.books.paused {
            let full = limits
                .concurrency
                .is_some_and(|most| self.books.started + self.claimed.len() as i64 >= i64::from(most));
            at = limits.rate.filter(|_| !full).and_then(|rate| pace::next(rate, self.books.tat_us, self.now));
        }
        let due = line::next_due(self.tx, &self.books)?;
        Ok(at.into_iter().chain(due).min().map_or(Next::Wake, Next::At))
    }

    /// One of those with two deaths, if its key lets it start.
    fn suspect(&mut self) -> Result<(), StoreError> {
        const LOOK_AT: u32 = 100;
        for row in self.first_of(SUSPECTS, LOOK_AT)? {
            let key = row.key.clone();
            let limits = &self.topic.limits;
            if limits.keyed && !lanes::may_start(self.tx, &self.books, limits, key.as_deref(), self.now)? {
                continue;
            }
            self.leave(SUSPECTS, &row)?;
            self.books.suspects -= 1;
            if self.take(row)? {
                if limits.keyed {
                    lanes::began(self.tx, &mut self.books, limits, key.as_deref(), self.now)?;
                }
                return Ok(());
            }
        }
        Ok(())
    }

    fn take_in_line(&mut self, room: u32) -> Result<(), StoreError> {
        while (self.claimed.len() as u32) < room {
            let rows = self.first_of(PLAIN, room - self.claimed.len() as u32)?;
            if rows.is_empty() {
                return Ok(());
            }
            self.leave_all(&rows)?;
            for row in rows {
                self.take(row)?;
            }
        }
        Ok(())
    }

    fn take_by_lanes(&mut self, room: u32) -> Result<(), StoreError> {
        let limits = &self.topic.limits;
        while (self.claimed.len() as u32) < room {
            let Some(lane) = lanes::next(self.tx, &self.books, limits, self.now)? else { return Ok(()) };
            let Some(row) = self.first_of(lane.id(), 1)?.pop() else { return Ok(()) };
            self.leave(lane.id(), &row)?;
            let runs = self.take(row)?;
            lanes::took(self.tx, &mut self.books, limits, lane, runs, self.now)?;
        }
        Ok(())
    }

    fn first_of(&self, lane: i64, most: u32) -> Result<Vec<Claimable>, StoreError> {
        let sql = concat!(
            "SELECT ",
            claimable_columns!(),
            " FROM ready r LEFT JOIN message m ON m.seq = r.seq WHERE r.topic = ?1 AND r.lane = ?2 \
             ORDER BY r.rank, r.place LIMIT ?3"
        );
        let mut find = self.tx.prepare_cached(sql)?;
        let rows =
            find.query_map(params![self.books.topic, lane, most], |row| claimable(self.topic.tag, row))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn leave(&self, lane: i64, row: &Claimable) -> Result<(), StoreError> {
        let sql =
            "DELETE FROM ready WHERE topic = ?1 AND lane = ?2 AND rank = ?3 AND place = ?4 AND seq = ?5";
        self.tx.prepare_cached(sql)?.execute([self.books.topic, lane, row.rank, row.place, row.seq])?;
        Ok(())
    }

    /// Takes the first rows out of the plain line: one step for each rank.
    fn leave_all(&self, rows: &[Claimable]) -> Result<(), StoreError> {
        let sql = "DELETE FROM ready WHERE topic = ?1 AND lane = 0 AND rank = ?2 AND place <= ?3";
        let mut delete = self.tx.prepare_cached(sql)?;
        for same in rows.chunk_by(|one, next| one.rank == next.rank) {
            if let Some(last) = same.last() {
                delete.execute([self.books.topic, last.rank, last.place])?;
            }
        }
        Ok(())
    }

    /// Leases a message that has left its line, or fails it: because it waited too long or cannot be read.
    fn take(&mut self, row: Claimable) -> Result<bool, StoreError> {
        let late = row.expires.is_some_and(|at| at <= int(self.now));
        let why = match row.claimed {
            Ok(_) if late => "no worker took it within its ttl".to_owned(),
            Ok(claimed) => {
                if row.expires.is_some() || row.has_started {
                    let sql = "UPDATE message SET expires = NULL, started = NULL WHERE seq = ?1";
                    self.tx.prepare_cached(sql)?.execute([row.seq])?;
                }
                self.books.queued -= 1;
                self.claimed.push(claimed);
                return Ok(true);
            }
            Err(why) => {
                let path = &self.topic.path;
                tracing::error!(
                    topic = &**path,
                    seq = row.seq,
                    "a message cannot be read and is set aside: {why}"
                );
                format!("it cannot be read by this version of the program: {why}")
            }
        };
        let state = State::Queued;
        ends::fail(self.tx, self.wakes, &mut self.books, self.topic, row.seq, state, &why, self.now)?;
        Ok(false)
    }
}
