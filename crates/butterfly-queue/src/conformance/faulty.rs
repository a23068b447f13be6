//! Faults planted on purpose: an engine that is right but for one thing. The suite must find it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use super::desk::batch;
use super::subject::{Place, Subject};
use crate::engine::{
    Changed, Counts, Edited, Engine, EngineError, EngineFuture, Exchange, Held, Lease, Owner, Reaped,
    Renewed, Settled, Wake, Want, WorkerInfo,
};
use crate::message::{Accepted, Claimed, End, Message, MsgId, NewMessage, Outcome, Seq, State};
use crate::topic::Topic;

/// What is wrong with an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An end counts, whoever tells it: there is no fence.
    Unfenced,
    /// Of several messages, the last comes first.
    Reversed,
    /// A message that has finished is given out once more.
    GivenAgain,
    /// Wake-ups for topics are lost.
    Deaf,
    /// The counts drift: a message that is cancelled is still counted as queued.
    Drifting,
    /// An owner is taken for dead whatever its beat.
    Beatless,
    /// A batch that is repeated is taken in again.
    TakenTwice,
    /// Ends are acknowledged before they are safe.
    Acknowledging,
    /// Messages run before their time.
    Hasty,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Unfenced,
        Self::Reversed,
        Self::GivenAgain,
        Self::Deaf,
        Self::Drifting,
        Self::Beatless,
        Self::TakenTwice,
        Self::Acknowledging,
        Self::Hasty,
    ];
}

/// A subject whose engines have a fault. Its cases are not waited for long.
///
/// # Example
///
/// ```
/// use butterfly_queue::conformance::memory::Memory;
/// use butterfly_queue::conformance::{CASES, Fault, Faulty, run};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let faulty = Faulty::new(Memory::default(), Fault::Reversed);
/// let order = CASES.iter().find(|case| case.name == "first_in_first_out").unwrap();
/// assert!(run(&faulty, order).await.is_err());
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Faulty<S> {
    subject: S,
    fault: Fault,
}

impl<S: Subject> Faulty<S> {
    /// Plants a fault.
    pub fn new(subject: S, fault: Fault) -> Self {
        Self { subject, fault }
    }
}

impl<S: Subject> Subject for Faulty<S> {
    fn fresh(&self) -> EngineFuture<'_, Box<dyn Place>> {
        Box::pin(async {
            let place = self.subject.fresh().await?;
            Ok(Box::new(FaultyPlace { place, fault: self.fault }) as Box<dyn Place>)
        })
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn wakes(&self) -> bool {
        self.subject.wakes()
    }
}

struct FaultyPlace {
    place: Box<dyn Place>,
    fault: Fault,
}

impl Place for FaultyPlace {
    fn open(&self) -> EngineFuture<'_, Arc<dyn Engine>> {
        Box::pin(async {
            let engine = self.place.open().await?;
            Ok(Arc::new(FaultyEngine { engine, fault: self.fault, notes: Mutex::default() })
                as Arc<dyn Engine>)
        })
    }

    fn crash(&self) -> EngineFuture<'_, ()> {
        self.place.crash()
    }
}

#[derive(Debug)]
struct FaultyEngine {
    engine: Arc<dyn Engine>,
    fault: Fault,
    notes: Mutex<Notes>,
}

/// What a fault remembers.
#[derive(Debug, Default)]
struct Notes {
    finished: Vec<(Topic, Claimed)>,
    /// What was given out again: each message only once, or cases that run all there is would never end.
    again: HashSet<MsgId>,
    cancelled: u64,
    /// An end that was acknowledged and is not told yet.
    untold: Option<(Owner, Topic, Outcome)>,
}

impl FaultyEngine {
    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the engine the end that was acknowledged before.
    async fn tell(&self) -> Result<(), EngineError> {
        let untold = self.notes().untold.take();
        if let Some((owner, topic, outcome)) = untold {
            self.engine.exchange(&owner, &topic, Arc::new(vec![outcome]), Want::default()).await?;
        }
        Ok(())
    }

    /// Ends a message in the name of whoever owns it.
    async fn end_anyhow(&self, topic: &Topic, outcome: &Outcome) -> Result<Settled, EngineError> {
        let Some(now) = self.engine.get(&topic.path, &outcome.message.id).await? else {
            return Ok(Settled::Lost);
        };
        let message = Claimed { attempts: now.attempts, deaths: now.deaths, ..outcome.message.clone() };
        let done = Arc::new(vec![Outcome { message, ..outcome.clone() }]);
        for Lease { owner, .. } in self.engine.leases(topic).await? {
            let exchange = self.engine.exchange(&owner, topic, done.clone(), Want::default()).await?;
            if exchange.settled == [Settled::Done] {
                return Ok(Settled::Done);
            }
        }
        Ok(Settled::Lost)
    }

    /// Notes what finished, and gives one of those once more where there is room.
    fn give_again(&self, topic: &Topic, done: &[Outcome], want: Want, exchange: &mut Exchange) {
        let mut notes = self.notes();
        let before = notes.finished.iter().position(|(of, _)| of == topic);
        if let Some(at) = before.filter(|_| exchange.claimed.len() < want.count as usize) {
            let (_, message) = notes.finished.remove(at);
            notes.again.insert(message.id.clone());
            exchange.claimed.push(message);
        }
        let finished = done.iter().filter(|outcome| matches!(outcome.end, End::Finished { .. }));
        for Outcome { message, .. } in finished {
            if !notes.again.contains(&message.id) {
                notes.finished.push((topic.clone(), message.clone()));
            }
        }
    }
}

impl Engine for FaultyEngine {
    fn name(&self) -> &'static str {
        self.engine.name()
    }

    fn enqueue<'a>(
        &'a self,
        topic: &'a Topic,
        number: u64,
        messages: Arc<Vec<NewMessage>>,
    ) -> EngineFuture<'a, Vec<Result<Accepted, EngineError>>> {
        let number = if self.is(Fault::TakenTwice) { batch() } else { number };
        let now = |message: &NewMessage| NewMessage { run_at: None, ..message.clone() };
        let messages =
            if self.is(Fault::Hasty) { Arc::new(messages.iter().map(now).collect()) } else { messages };
        self.engine.enqueue(topic, number, messages)
    }

    fn exchange<'a>(
        &'a self,
        owner: &'a Owner,
        topic: &'a Topic,
        mut done: Arc<Vec<Outcome>>,
        want: Want,
    ) -> EngineFuture<'a, Exchange> {
        Box::pin(async move {
            // A case that a fault holds in a loop must come to its time limit.
            tokio::task::yield_now().await;
            self.tell().await?;
            let all = done.clone();
            if let (true, Some(last)) = (self.is(Fault::Acknowledging), done.last()) {
                self.notes().untold = Some((owner.clone(), topic.clone(), last.clone()));
                done = Arc::new(done[..done.len() - 1].to_vec());
            }
            let mut exchange = self.engine.exchange(owner, topic, done.clone(), want).await?;
            exchange.settled.resize(all.len(), Settled::Done);
            match self.fault {
                Fault::Reversed => exchange.claimed.reverse(),
                Fault::GivenAgain => self.give_again(topic, &done, want, &mut exchange),
                Fault::Unfenced => {
                    for (settled, outcome) in exchange.settled.iter_mut().zip(all.iter()) {
                        if *settled == Settled::Lost {
                            *settled = self.end_anyhow(topic, outcome).await?;
                        }
                    }
                }
                _ => (),
            }
            Ok(exchange)
        })
    }

    fn renew<'a>(
        &'a self,
        owner: &'a Owner,
        held: &'a [(Topic, Vec<Held>)],
    ) -> EngineFuture<'a, Vec<Renewed>> {
        self.engine.renew(owner, held)
    }

    fn reconcile<'a>(
        &'a self,
        owner: &'a Owner,
        topic: &'a Topic,
        known: &'a [Seq],
    ) -> EngineFuture<'a, u64> {
        self.engine.reconcile(owner, topic, known)
    }

    fn leases<'a>(&'a self, topic: &'a Topic) -> EngineFuture<'a, Vec<Lease>> {
        self.engine.leases(topic)
    }

    fn reap<'a>(&'a self, topic: &'a Topic, owner: &'a Owner, beat: u64) -> EngineFuture<'a, Reaped> {
        Box::pin(async move {
            let leases = self.engine.leases(topic).await?;
            let lease = leases.iter().find(|lease| lease.owner == *owner && self.is(Fault::Beatless));
            self.engine.reap(topic, owner, lease.map_or(beat, |lease| lease.beat)).await
        })
    }

    fn sweep<'a>(&'a self, topic: &'a Topic) -> EngineFuture<'a, u64> {
        self.engine.sweep(topic)
    }

    fn listen(&self, inbox: Arc<str>) -> Result<mpsc::UnboundedReceiver<Wake>, EngineError> {
        let mut wakes = self.engine.listen(inbox)?;
        if !self.is(Fault::Deaf) {
            return Ok(wakes);
        }
        let (to, heard) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(wake) = wakes.recv().await {
                if !matches!(wake, Wake::Topic(_)) && to.send(wake).is_err() {
                    return;
                }
            }
        });
        Ok(heard)
    }

    fn topics(&self) -> EngineFuture<'_, Vec<Arc<str>>> {
        self.engine.topics()
    }

    fn counts<'a>(&'a self, topic: &'a str) -> EngineFuture<'a, Counts> {
        Box::pin(async move {
            self.tell().await?;
            let counts = self.engine.counts(topic).await?;
            Ok(Counts { queued: counts.queued + self.notes().cancelled, ..counts })
        })
    }

    fn list<'a>(
        &'a self,
        topic: &'a str,
        state: State,
        offset: u64,
        limit: u64,
    ) -> EngineFuture<'a, Vec<Message>> {
        self.engine.list(topic, state, offset, limit)
    }

    fn get<'a>(&'a self, topic: &'a str, id: &'a MsgId) -> EngineFuture<'a, Option<Message>> {
        Box::pin(async move {
            self.tell().await?;
            self.engine.get(topic, id).await
        })
    }

    fn cancel<'a>(&'a self, topic: &'a str, id: &'a MsgId, error: &'a str) -> EngineFuture<'a, Changed> {
        Box::pin(async move {
            let changed = self.engine.cancel(topic, id, error).await?;
            self.notes().cancelled += u64::from(changed == Changed::Done && self.is(Fault::Drifting));
            Ok(changed)
        })
    }

    fn requeue<'a>(
        &'a self,
        topic: &'a str,
        id: &'a MsgId,
        edited: Option<Edited<'a>>,
    ) -> EngineFuture<'a, Changed> {
        self.engine.requeue(topic, id, edited)
    }

    fn delete<'a>(&'a self, topic: &'a str, id: &'a MsgId) -> EngineFuture<'a, Changed> {
        self.engine.delete(topic, id)
    }

    fn empty<'a>(&'a self, topic: &'a str, state: State, limit: u64) -> EngineFuture<'a, u64> {
        self.engine.empty(topic, state, limit)
    }

    fn set_paused<'a>(&'a self, topic: &'a str, paused: bool) -> EngineFuture<'a, ()> {
        self.engine.set_paused(topic, paused)
    }

    fn put_worker<'a>(&'a self, worker: &'a WorkerInfo, ttl_ms: u64) -> EngineFuture<'a, ()> {
        self.engine.put_worker(worker, ttl_ms)
    }

    fn remove_worker<'a>(&'a self, name: &'a str) -> EngineFuture<'a, ()> {
        self.engine.remove_worker(name)
    }

    fn workers(&self) -> EngineFuture<'_, Vec<WorkerInfo>> {
        self.engine.workers()
    }
}
