//! Steps by chance, compared with a model that is simple enough to be believed.
//!
//! The model keeps what each message's state must be. Of order it knows priority and who came back; of time, nothing:
//! what is scheduled stays so. The seed stands in every failure; `BUTTERFLY_SEED` runs it again.

use super::desk::{Desk, Trial, failed, finished, numbered, outcome};
use super::failed::{Failed, Proof, holds, same};
use crate::engine::{Changed, DEATHS_MAX, Settled, Want};
use crate::message::{Claimed, End, MsgId, NewMessage, PRIORITY_MAX, State, now_ms};

const ROUNDS: u64 = 4;
const STEPS: usize = 250;
const HOUR: u64 = 3_600_000;
/// Ids that senders give, so few that they come again.
const GIVEN: u64 = 6;

/// Rounds of some hundred random steps, after each of which the counts agree, and at the end every message.
pub(super) async fn random_steps_agree_with_the_model(trial: &Trial) -> Proof {
    let seed = std::env::var("BUTTERFLY_SEED").ok().and_then(|seed| seed.parse().ok());
    let first = seed.unwrap_or_else(now_ms);
    for seed in first..first + if seed.is_some() { 1 } else { ROUNDS } {
        let mut world = World::new(trial, seed).await?;
        let told = |step: usize, Failed { what, at }| Failed {
            what: format!("seed {seed}, step {step}: {what}"),
            at,
        };
        for step in 0..STEPS {
            world.step().await.map_err(|failed| told(step, failed))?;
            world.counts_agree().await.map_err(|failed| told(step, failed))?;
        }
        world.all_agrees().await.map_err(|failed| told(STEPS, failed))?;
    }
    Ok(())
}

/// SplitMix64: the same numbers from the same seed.
struct Dice(u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (bits ^ (bits >> 31)) % sides.max(1)
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.roll(from.len() as u64) as usize)
    }
}

/// What must be true of a message.
#[derive(Debug)]
struct Must {
    id: MsgId,
    priority: u8,
    state: State,
    attempts: u32,
    deaths: u32,
    came_back: bool,
    cancelled: bool,
    /// Which worker has it, and as what.
    run: Option<(usize, Claimed)>,
}

impl Must {
    fn suspect(&self) -> bool {
        self.deaths + 1 >= DEATHS_MAX
    }

    /// Where it stands, as far as the model knows: smaller is sooner.
    fn place(&self) -> (bool, u8) {
        if self.came_back { (false, 0) } else { (true, PRIORITY_MAX - self.priority) }
    }

    fn wait(&mut self, state: State) {
        (self.state, self.came_back, self.run) = (state, false, None);
    }

    fn come_back(&mut self) {
        self.run = None;
        if self.cancelled {
            self.end(State::Failed);
        } else {
            (self.state, self.came_back) = (State::Queued, true);
        }
    }

    fn end(&mut self, state: State) {
        (self.state, self.run, self.cancelled) = (state, None, false);
    }
}

struct World {
    dice: Dice,
    workers: Vec<Desk>,
    messages: Vec<Must>,
    /// What workers hold that were taken for dead.
    late: Vec<(Desk, Claimed)>,
    paused: bool,
    sent: usize,
}

impl World {
    async fn new(trial: &Trial, seed: u64) -> Proof<Self> {
        let path = format!("/case/model-{seed}");
        let (one, two) = (trial.desk().await?.at(&path)?, trial.desk().await?.at(&path)?);
        let third = one.owned_by(super::desk::owner("third", 1));
        let workers = vec![one, two, third];
        Ok(Self { dice: Dice(seed), workers, messages: vec![], late: vec![], paused: false, sent: 0 })
    }

    fn worker(&mut self) -> usize {
        self.dice.roll(self.workers.len() as u64) as usize
    }

    async fn step(&mut self) -> Proof {
        match self.dice.roll(32) {
            0..8 => self.enqueue().await,
            8..15 => self.claim().await,
            15..23 => self.end().await,
            23 => self.end_too_late().await,
            24 => self.reap().await,
            25 => self.reconcile().await,
            26 | 27 => self.cancel().await,
            28 | 29 => self.requeue().await,
            30 => self.delete().await,
            _ => self.empty_or_pause().await,
        }
    }

    async fn enqueue(&mut self) -> Proof {
        let worker = self.worker();
        let desk = self.workers[worker].clone();
        let mut batch: Vec<NewMessage> = vec![];
        for _ in 0..=self.dice.roll(4) {
            self.sent += 1;
            let mut message = numbered(self.sent);
            message.spec.priority = self.dice.roll(3) as u8 * 4;
            message.run_at = (self.dice.roll(5) == 0).then_some(now_ms() + HOUR);
            message.id = (self.dice.roll(5) == 0).then(|| format!("given-{}", self.dice.roll(GIVEN)).into());
            batch.push(message);
        }
        for (answer, message) in desk.send_all(batch.clone()).await?.into_iter().zip(batch) {
            let accepted = answer?;
            let known = message.id.map(MsgId::Given).filter(|id| self.of(id).is_some());
            same!(accepted.new, known.is_none(), "whether {} is new", accepted.id);
            if accepted.new {
                self.messages.push(Must {
                    id: accepted.id,
                    priority: message.spec.priority,
                    state: if message.run_at.is_some() { State::Scheduled } else { State::Queued },
                    attempts: 0,
                    deaths: 0,
                    came_back: false,
                    cancelled: false,
                    run: None,
                });
            }
        }
        Ok(())
    }

    fn of(&mut self, id: &MsgId) -> Option<&mut Must> {
        self.messages.iter_mut().find(|message| message.id == *id)
    }

    /// The places of those that may be claimed, the next first.
    fn line(&self, suspects: bool) -> Vec<(bool, u8)> {
        let queued = self.messages.iter().filter(|message| message.state == State::Queued && !self.paused);
        let mut line: Vec<_> =
            queued.filter(|message| message.suspect() == suspects).map(Must::place).collect();
        line.sort_unstable();
        line
    }

    async fn claim(&mut self) -> Proof {
        let worker = self.worker();
        let (count, last_chance) = (self.dice.roll(6) as usize, self.dice.roll(3) == 0);
        let desk = self.workers[worker].clone();
        let suspect = last_chance && count > 0 && !self.line(true).is_empty();
        let mut must = self.line(suspect);
        must.truncate(if suspect { 1 } else { count });
        let claimed =
            if suspect { desk.claim_last_chance(count as u32).await? } else { desk.claim(count).await? };
        let mut places = vec![];
        for claimed in claimed {
            let message = self.of(&claimed.id);
            let message =
                message.filter(|message| message.state == State::Queued && message.suspect() == suspect);
            let Some(message) = message else {
                return Err(Failed::new(format!("claimed {}, which is not to be had", claimed.id)));
            };
            places.push(message.place());
            same!(
                (claimed.attempts, claimed.deaths),
                (message.attempts, message.deaths),
                "of {}",
                claimed.id
            );
            message.state = State::Started;
            message.run = Some((worker, claimed));
        }
        same!(places, must, "the places of those claimed, and of those next");
        Ok(())
    }

    async fn end(&mut self) -> Proof {
        let running: Vec<usize> =
            (0..self.messages.len()).filter(|at| self.messages[*at].run.is_some()).collect();
        let Some(at) = self.dice.pick(&running).copied() else { return Ok(()) };
        let Some((worker, claimed)) = self.messages[at].run.clone() else { return Ok(()) };
        let counts = self.dice.roll(2) == 0;
        let retry = |at| End::Retry { at, error: "again".into(), counts };
        let kind = self.dice.roll(6);
        let end = match kind {
            0 | 1 => finished(),
            2 => failed("no"),
            3 => retry(now_ms() + HOUR),
            4 => retry(now_ms() - 1),
            _ => End::Released,
        };
        let desk = self.workers[worker].clone();
        // Nobody else can end it, whoever tries first.
        let other = &self.workers[(worker + 1) % self.workers.len()];
        same!(other.end(&claimed, end.clone()).await?, Settled::Lost, "an end by another worker");
        desk.end_well(&claimed, end).await?;
        let message = &mut self.messages[at];
        message.attempts += u32::from(matches!(kind, 3 | 4) && counts);
        match kind {
            0 | 1 => message.end(State::Finished),
            2 => message.end(State::Failed),
            3 | 4 if message.cancelled => message.end(State::Failed),
            3 => message.wait(State::Scheduled),
            4 => message.wait(State::Queued),
            _ => message.come_back(),
        }
        Ok(())
    }

    async fn end_too_late(&mut self) -> Proof {
        let Some((desk, claimed)) = self.dice.pick(&self.late).cloned() else { return Ok(()) };
        let end = if self.dice.roll(2) == 0 { finished() } else { End::Released };
        same!(desk.end(&claimed, end).await?, Settled::Lost, "an end by a worker that was taken for dead");
        Ok(())
    }

    async fn reap(&mut self) -> Proof {
        let worker = self.worker();
        let desk = self.workers[worker].clone();
        let held = |message: &&mut Must| message.run.as_ref().is_some_and(|(by, _)| *by == worker);
        let mut all = 0;
        for message in self.messages.iter_mut().filter(held) {
            all += 1;
            self.late.extend(message.run.take().map(|(_, claimed)| (desk.clone(), claimed)));
            message.deaths += 1;
            message.come_back();
            if message.deaths >= DEATHS_MAX {
                message.end(State::Failed);
            }
        }
        if all > 0 {
            let (returned, failed) = self.workers[0].reap(&desk.owner).await?;
            same!(returned + failed, all, "taken from the dead");
            holds!(!desk.renew().await?, "a dead one is said to hold its lease");
            self.workers[worker] = desk.reborn();
        }
        Ok(())
    }

    async fn reconcile(&mut self) -> Proof {
        let worker = self.worker();
        let desk = self.workers[worker].clone();
        let (mut known, mut unknown) = (vec![], 0);
        for message in &mut self.messages {
            let Some((_, claimed)) = message.run.as_ref().filter(|(by, _)| *by == worker) else { continue };
            if self.dice.roll(2) == 0 {
                known.push(claimed.seq);
            } else {
                unknown += 1;
                message.come_back();
            }
        }
        same!(desk.engine.reconcile(&desk.owner, &desk.topic, &known).await?, unknown, "handed back");
        Ok(())
    }

    /// A message by chance, and what it is in.
    fn some(&mut self) -> Option<(usize, MsgId, State)> {
        let at = self.dice.roll(self.messages.len() as u64) as usize;
        self.messages.get(at).map(|message| (at, message.id.clone(), message.state))
    }

    async fn cancel(&mut self) -> Proof {
        let Some((at, id, state)) = self.some() else { return Ok(()) };
        let must = match state {
            State::Scheduled | State::Queued => {
                self.messages[at].end(State::Failed);
                Changed::Done
            }
            State::Started => {
                self.messages[at].cancelled = true;
                Changed::Told
            }
            ended => Changed::NotIn(ended),
        };
        same!(self.workers[0].cancel(&id).await?, must, "cancel of a {state} message");
        Ok(())
    }

    async fn requeue(&mut self) -> Proof {
        let Some((at, id, state)) = self.some() else { return Ok(()) };
        let ended = matches!(state, State::Finished | State::Failed);
        if ended {
            let message = &mut self.messages[at];
            message.wait(State::Queued);
            (message.attempts, message.deaths) = (0, 0);
        }
        let must = if ended { Changed::Done } else { Changed::NotIn(state) };
        same!(self.workers[1].requeue(&id).await?, must, "requeue of a {state} message");
        Ok(())
    }

    async fn delete(&mut self) -> Proof {
        let Some((at, id, state)) = self.some() else { return Ok(()) };
        let must = if state == State::Started { Changed::NotIn(state) } else { Changed::Done };
        same!(self.workers[1].delete(&id).await?, must, "delete of a {state} message");
        if must == Changed::Done {
            self.messages.remove(at);
            holds!(!self.workers[0].has(&id).await?, "{id} is there after its deletion");
        }
        Ok(())
    }

    async fn empty_or_pause(&mut self) -> Proof {
        let desk = self.workers[0].clone();
        if self.paused || self.dice.roll(3) > 0 {
            self.paused = !self.paused;
            return desk.pause(self.paused).await;
        }
        let state = State::ALL[self.dice.roll(5) as usize];
        let removed = desk.engine.empty(desk.path(), state, 3).await?;
        holds!(removed <= 3, "{removed} were removed where 3 may be");
        // Which ones, is the engine's to choose.
        let mut kept = vec![];
        let before = self.messages.len();
        for message in self.messages.drain(..) {
            if message.state != state || desk.has(&message.id).await? {
                kept.push(message);
            }
        }
        self.messages = kept;
        same!((before - self.messages.len()) as u64, removed, "removed of what was {state}");
        Ok(())
    }

    async fn counts_agree(&self) -> Proof {
        let count = |state| self.messages.iter().filter(|message| message.state == state).count() as u64;
        self.workers[1].count(State::ALL.map(count)).await
    }

    async fn all_agrees(&self) -> Proof {
        let desk = &self.workers[0];
        for must in &self.messages {
            let there = desk.message(&must.id).await?;
            same!(
                (there.state, there.attempts, there.deaths),
                (must.state, must.attempts, must.deaths),
                "state, attempts and deaths of {}",
                must.id
            );
        }
        for state in State::ALL {
            let listed = desk.engine.list(desk.path(), state, 0, 10_000).await?;
            let count = self.messages.iter().filter(|message| message.state == state).count();
            same!(listed.len(), count, "listed as {state}");
        }
        // What waits in the end can all be had.
        if self.paused {
            desk.pause(false).await?;
        }
        let all = self.messages.iter().filter(|message| message.state == State::Queued);
        let suspects = all.clone().filter(|message| message.suspect()).count();
        same!(desk.claim(10_000).await?.len(), all.count() - suspects, "claimed in the end");
        let mut alone = 0;
        while desk.exchange(vec![], Want { count: 5, last_chance: true }).await?.claimed.len() == 1 {
            alone += 1;
        }
        same!(alone, suspects, "claimed alone in the end");
        // An end of each, in one exchange.
        let ends = self.messages.iter().filter_map(|message| message.run.as_ref());
        let ends = ends.filter(|(worker, _)| *worker == 1).map(|(_, claimed)| outcome(claimed, finished()));
        let settled = self.workers[1].exchange(ends.collect(), Want::default()).await?.settled;
        holds!(settled.iter().all(|settled| *settled == Settled::Done), "ends in the end: {settled:?}");
        Ok(())
    }
}
