//! What cases work with: a place, handles on it, and the calls of an engine in few words.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::ear::Ear;
use super::failed::{Failed, Proof, holds, same};
use super::subject::{Place, Subject};
use crate::engine::{Changed, Counts, Engine, EngineError, Exchange, Lease, Next, Owner, Settled, Want};
use crate::message::{Accepted, Claimed, End, Message, MsgId, NewMessage, Outcome, Spec, State, now_ms};
use crate::topic::{Limits, Topic};

/// What a case gets: a new, empty place.
pub struct Trial {
    place: Box<dyn Place>,
    /// How long to wait for something that must happen.
    pub patience: Duration,
    /// Whether the engine wakes by itself.
    pub wakes: bool,
    desks: AtomicU64,
}

impl fmt::Debug for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trial").field("patience", &self.patience).finish_non_exhaustive()
    }
}

impl Trial {
    /// A new place of the subject's.
    pub(super) async fn of(subject: &dyn Subject) -> Proof<Self> {
        let place = subject.fresh().await?;
        Ok(Self { place, patience: subject.patience(), wakes: subject.wakes(), desks: AtomicU64::new(0) })
    }

    /// A process of its own: a handle, an owner that nobody else is, and the topic `/case/topic` without limits.
    pub(super) async fn desk(&self) -> Proof<Desk> {
        let number = self.desks.fetch_add(1, Ordering::Relaxed);
        Ok(Desk {
            engine: self.place.open().await?,
            topic: Topic::new("/case/topic")?,
            owner: owner(&format!("desk-{number}"), 1),
            patience: self.patience,
            wakes: self.wakes,
        })
    }

    /// A process and its ear.
    pub(super) async fn desk_with_ear(&self) -> Proof<(Desk, Ear)> {
        let desk = self.desk().await?;
        let ear = desk.listen(&desk.owner.instance.clone())?;
        Ok((desk, ear))
    }

    /// The power fails. No handle may be left.
    pub(super) async fn crash(&self) -> Proof {
        Ok(self.place.crash().await?)
    }
}

/// A life of a worker's.
pub(super) fn owner(instance: &str, epoch: u64) -> Owner {
    Owner { instance: instance.into(), epoch, worker: format!("host:8585:{instance}").into() }
}

/// A message whose arguments say its number.
pub(super) fn numbered(number: usize) -> NewMessage {
    NewMessage::from(Spec::new(args(number)))
}

/// A numbered message that is a little different.
pub(super) fn numbered_but(number: usize, change: impl FnOnce(&mut NewMessage)) -> NewMessage {
    let mut message = numbered(number);
    change(&mut message);
    message
}

/// The arguments of a numbered message.
pub(super) fn args(number: usize) -> String {
    format!("{{\"n\":{number}}}")
}

/// The numbers of messages.
pub(super) fn numbers(claimed: &[Claimed]) -> Vec<usize> {
    claimed.iter().map(|message| number(&message.spec)).collect()
}

/// The number in the arguments of a numbered message; of others, one that no message has.
pub(super) fn number(spec: &Spec) -> usize {
    spec.args.trim_start_matches("{\"n\":").trim_end_matches('}').parse().unwrap_or(usize::MAX)
}

/// An answer of a handler's that is well.
pub(super) fn finished() -> End {
    End::Finished { stat: "OK".into(), result: "{\"stat\":\"OK\"}".into() }
}

/// The end of a run that failed for good.
pub(super) fn failed(error: &str) -> End {
    End::Failed { error: error.into() }
}

/// A run that is to be repeated.
pub(super) fn retry_at(at: u64) -> End {
    End::Retry { at, error: "not yet".into(), counts: true }
}

/// An end of a claimed message.
pub(super) fn outcome(message: &Claimed, end: End) -> Outcome {
    Outcome { message: message.clone(), started: now_ms(), cost_us: 1500, end }
}

/// Lets time pass, where time is what a case looks at.
pub(super) async fn pass(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

static BATCH: AtomicU64 = AtomicU64::new(1);

/// A batch number that was never used.
pub(super) fn batch() -> u64 {
    BATCH.fetch_add(1, Ordering::Relaxed)
}

/// One process: its handle, its owner, and the topic it works at.
#[derive(Clone, Debug)]
pub struct Desk {
    /// Its handle.
    pub engine: Arc<dyn Engine>,
    /// Its topic.
    pub topic: Topic,
    /// Who it is.
    pub owner: Owner,
    pub(super) patience: Duration,
    pub(super) wakes: bool,
}

impl Desk {
    /// The same process at another topic.
    pub(super) fn at(&self, path: &str) -> Proof<Self> {
        Ok(Self { topic: Topic::new(path)?.with(self.topic.limits), ..self.clone() })
    }

    /// The same process where the topic has these limits.
    pub(super) fn with(&self, limits: Limits) -> Self {
        Self { topic: self.topic.clone().with(limits), ..self.clone() }
    }

    /// The same process as another owner.
    pub(super) fn owned_by(&self, owner: Owner) -> Self {
        Self { owner, ..self.clone() }
    }

    /// The same instance in its next life.
    pub(super) fn reborn(&self) -> Self {
        self.owned_by(Owner { epoch: self.owner.epoch + 1, ..self.owner.clone() })
    }

    /// The path of its topic.
    pub(super) fn path(&self) -> &str {
        &self.topic.path
    }

    /// What is told to this process under that name.
    pub(super) fn listen(&self, inbox: &str) -> Proof<Ear> {
        Ok(Ear::new(self.engine.listen(inbox.into())?, self.patience, self.wakes))
    }

    /// Enqueues messages in one batch.
    pub(super) async fn send_all(
        &self,
        messages: Vec<NewMessage>,
    ) -> Proof<Vec<Result<Accepted, EngineError>>> {
        let sent = messages.len();
        let answers = self.engine.enqueue(&self.topic, batch(), Arc::new(messages)).await?;
        same!(answers.len(), sent, "answers to a batch");
        Ok(answers)
    }

    /// Enqueues messages in one batch: all must be taken in as new ones. Gives their ids.
    pub(super) async fn send_new(&self, messages: Vec<NewMessage>) -> Proof<Vec<MsgId>> {
        let mut ids = vec![];
        for answer in self.send_all(messages).await? {
            let accepted = answer?;
            holds!(accepted.new, "a new message is said to be there already: {}", accepted.id);
            ids.push(accepted.id);
        }
        Ok(ids)
    }

    /// Enqueues a message and gives what the engine said of it.
    pub(super) async fn offer(&self, message: NewMessage) -> Proof<Accepted> {
        let answer = self.send_all(vec![message]).await?.pop();
        Ok(answer.ok_or_else(|| Failed::new("no answer to an enqueue"))??)
    }

    /// Enqueues a message, which must be a new one.
    pub(super) async fn send(&self, message: NewMessage) -> Proof<MsgId> {
        let accepted = self.offer(message).await?;
        holds!(accepted.new, "a new message is said to be there already: {}", accepted.id);
        Ok(accepted.id)
    }

    /// One exchange.
    pub(super) async fn exchange(&self, done: Vec<Outcome>, want: Want) -> Proof<Exchange> {
        let ends = done.len();
        let exchange = self.engine.exchange(&self.owner, &self.topic, Arc::new(done), want).await?;
        same!(exchange.settled.len(), ends, "answers to ends");
        let claimed = exchange.claimed.len();
        holds!(claimed <= want.count as usize, "{claimed} were claimed where {} were wanted", want.count);
        Ok(exchange)
    }

    /// Claims as many as there are, up to a number: asks again as long as the engine says that there may be more.
    pub(super) async fn claim(&self, count: usize) -> Proof<Vec<Claimed>> {
        Ok(self.claim_and_next(count).await?.0)
    }

    /// Like [`claim`](Self::claim), and says when to ask again. That is not at once unless all were given.
    pub(super) async fn claim_and_next(&self, count: usize) -> Proof<(Vec<Claimed>, Next)> {
        let mut claimed = vec![];
        loop {
            let want = Want { count: (count - claimed.len()) as u32, last_chance: false };
            let exchange = self.exchange(vec![], want).await?;
            claimed.extend(exchange.claimed);
            if claimed.len() >= count || exchange.next != Next::Now {
                return Ok((claimed, exchange.next));
            }
        }
    }

    /// Claims one, which must be there.
    pub(super) async fn claim_one(&self) -> Proof<Claimed> {
        let claimed = self.claim(1).await?.pop();
        claimed.ok_or_else(|| Failed::new("nothing was claimed where a message waits"))
    }

    /// Claims one that may have two deaths.
    pub(super) async fn claim_last_chance(&self, count: u32) -> Proof<Vec<Claimed>> {
        loop {
            let exchange = self.exchange(vec![], Want { count, last_chance: true }).await?;
            if !exchange.claimed.is_empty() || exchange.next != Next::Now {
                return Ok(exchange.claimed);
            }
        }
    }

    /// Nothing may be claimed, not even by a last chance.
    pub(super) async fn claims_nothing(&self) -> Proof {
        same!(numbers(&self.claim(1).await?), [0; 0], "claimed where nothing may be");
        same!(
            numbers(&self.claim_last_chance(1).await?),
            [0; 0],
            "claimed by a last chance where nothing may be"
        );
        Ok(())
    }

    /// Ends a run.
    pub(super) async fn end(&self, message: &Claimed, end: End) -> Proof<Settled> {
        let exchange = self.exchange(vec![outcome(message, end)], Want::default()).await?;
        Ok(exchange.settled[0])
    }

    /// Ends a run, which must count.
    pub(super) async fn end_well(&self, message: &Claimed, end: End) -> Proof {
        let what = format!("the end {end:?}");
        same!(self.end(message, end).await?, Settled::Done, "{what} by the owner of the lease");
        Ok(())
    }

    /// Finishes a run.
    pub(super) async fn finish(&self, message: &Claimed) -> Proof {
        self.end_well(message, finished()).await
    }

    /// Shows that its owner lives. True when the engine says that the owner holds its lease.
    pub(super) async fn renew(&self) -> Proof<bool> {
        let renewed = self.engine.renew(&self.owner, &[(self.topic.clone(), vec![])]).await?;
        same!(renewed.len(), 1, "answers to a renewal of one topic");
        Ok(renewed[0].held)
    }

    /// The lease of an owner, which must have one.
    pub(super) async fn lease_of(&self, owner: &Owner) -> Proof<Lease> {
        let leases = self.engine.leases(&self.topic).await?;
        let lease = leases.iter().find(|lease| lease.owner == *owner).cloned();
        lease.ok_or_else(|| Failed::new(format!("no lease of {} in {leases:?}", owner.key())))
    }

    /// Takes away what an owner holds, by its present beat: as if it had been dead for a lease.
    pub(super) async fn reap(&self, owner: &Owner) -> Proof<(u64, u64)> {
        let lease = self.lease_of(owner).await?;
        let reaped = self.engine.reap(&self.topic, owner, lease.beat).await?;
        Ok((reaped.returned, reaped.failed))
    }

    /// The counts of its topic.
    pub(super) async fn counts(&self) -> Proof<Counts> {
        Ok(self.engine.counts(self.path()).await?)
    }

    /// So many are scheduled, queued, started, finished, failed: exactly.
    #[track_caller]
    pub(super) fn count(&self, must: [u64; 5]) -> impl Future<Output = Proof> {
        let at = std::panic::Location::caller();
        async move {
            let counts = self.counts().await?;
            let there = State::ALL.map(|state| counts.of(state));
            if there == must {
                return Ok(());
            }
            let what = format!("scheduled, queued, started, finished, failed: {there:?}, must be {must:?}");
            Err(Failed { what, at })
        }
    }

    /// A message, which must be there.
    pub(super) async fn message(&self, id: &MsgId) -> Proof<Message> {
        let message = self.engine.get(self.path(), id).await?;
        message.ok_or_else(|| Failed::new(format!("the message {id} is not there")))
    }

    /// The state of a message, which must be there.
    pub(super) async fn state(&self, id: &MsgId) -> Proof<State> {
        Ok(self.message(id).await?.state)
    }

    /// Whether a message is there.
    pub(super) async fn has(&self, id: &MsgId) -> Proof<bool> {
        Ok(self.engine.get(self.path(), id).await?.is_some())
    }

    /// Cancels a message.
    pub(super) async fn cancel(&self, id: &MsgId) -> Proof<Changed> {
        Ok(self.engine.cancel(self.path(), id, "cancelled by a case").await?)
    }

    /// Queues a message again.
    pub(super) async fn requeue(&self, id: &MsgId) -> Proof<Changed> {
        Ok(self.engine.requeue(self.path(), id, None).await?)
    }

    /// Removes a message.
    pub(super) async fn delete(&self, id: &MsgId) -> Proof<Changed> {
        Ok(self.engine.delete(self.path(), id).await?)
    }

    /// Sweeps until there is nothing left to sweep. Gives how many were dropped or failed.
    pub(super) async fn sweep(&self) -> Proof<u64> {
        let mut all = 0;
        loop {
            match self.engine.sweep(&self.topic).await? {
                0 => return Ok(all),
                some => all += some,
            }
        }
    }

    /// Stops or lets go on the claims.
    pub(super) async fn pause(&self, paused: bool) -> Proof {
        Ok(self.engine.set_paused(self.path(), paused).await?)
    }
}
