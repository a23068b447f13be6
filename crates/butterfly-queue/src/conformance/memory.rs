//! An engine in memory: the executable form of what [`engine`](crate::engine) says.
//!
//! One mutex, ordered maps, no cleverness. What an engine has to do in a case that the words leave open is what this one
//! does. It also stands in where a worker is tested and no disk or server should take part.

mod books;
mod claim;
mod pace;
mod record;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use crate::engine::{
    Changed, Counts, Edited, Engine, EngineError, EngineFuture, Exchange, Held, Lease, Owner, Reaped,
    Renewed, Settled, Wake, Want, WorkerInfo,
};
use crate::message::{Accepted, Message, Millis, MsgId, NewMessage, Outcome, Seq, State, now_ms};
use crate::topic::Topic;
use books::{Books, News};

/// What all handles of one memory engine share: it stands where another engine has its file or its server.
///
/// # Example
///
/// ```
/// use butterfly_queue::conformance::memory::Memory;
/// use butterfly_queue::{Engine, NewMessage, Spec, Topic};
/// use std::sync::Arc;
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let memory = Memory::default();
/// let (one, other) = (memory.open(), memory.open());
/// let topic = Topic::new("/demo_api/hello")?;
/// one.enqueue(&topic, 1, Arc::new(vec![NewMessage::from(Spec::new("{}"))])).await?;
/// assert_eq!(other.counts("/demo_api/hello").await?.queued, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<World>>);

impl Memory {
    /// A handle, as another process would have it.
    #[must_use]
    pub fn open(&self) -> MemoryEngine {
        let mut world = lock(&self.0);
        world.processes += 1;
        MemoryEngine { world: self.0.clone(), process: world.processes }
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Memory").field(&lock(&self.0).books.len()).finish()
    }
}

/// One process's handle on a [`Memory`].
pub struct MemoryEngine {
    world: Arc<Mutex<World>>,
    process: u64,
}

impl fmt::Debug for MemoryEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryEngine").field("process", &self.process).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct World {
    processes: u64,
    books: BTreeMap<Arc<str>, Books>,
    workers: BTreeMap<String, (WorkerInfo, Millis)>,
    listeners: Vec<Listener>,
}

struct Listener {
    inbox: Arc<str>,
    to: mpsc::UnboundedSender<Wake>,
}

impl World {
    /// The books of a topic, opened at their first use.
    fn of(&mut self, path: &str) -> &mut Books {
        self.books.entry(path.into()).or_insert_with_key(|path| Books::new(path.clone()))
    }

    /// Does something in a topic's books, then tells the listeners what has happened in them.
    fn change<T>(&mut self, path: &str, work: impl FnOnce(&mut Books) -> T) -> T {
        let books = self.of(path);
        let done = work(books);
        let (path, news) = (books.path.clone(), std::mem::take(&mut books.news));
        self.tell(&path, news);
        done
    }

    fn tell(&mut self, path: &Arc<str>, news: News) {
        self.listeners.retain(|listener| !listener.to.is_closed());
        for Listener { inbox, to } in &self.listeners {
            // A listener that has gone away since is none that could miss something.
            if news.claimable {
                let _ = to.send(Wake::Topic(path.clone()));
            }
            for (_, id) in news.ended.iter().filter(|(named, _)| named == inbox) {
                let _ = to.send(Wake::Ended(id.clone()));
            }
            for seq in &news.cancelled {
                let _ = to.send(Wake::Cancelled(path.clone(), *seq));
            }
        }
    }
}

fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MemoryEngine {
    /// An answer worked out in one go under the lock.
    fn answer<'a, T: Send>(
        &'a self,
        work: impl FnOnce(&mut World, Millis) -> T + Send + 'a,
    ) -> EngineFuture<'a, T> {
        Box::pin(async move { Ok(work(&mut lock(&self.world), now_ms())) })
    }
}

impl Engine for MemoryEngine {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn enqueue<'a>(
        &'a self,
        topic: &'a Topic,
        batch: u64,
        messages: Arc<Vec<NewMessage>>,
    ) -> EngineFuture<'a, Vec<Result<Accepted, EngineError>>> {
        let batch = (self.process, batch);
        self.answer(move |world, now| {
            world.change(&topic.path, |books| books.enqueue(&topic.limits, batch, &messages, now))
        })
    }

    fn exchange<'a>(
        &'a self,
        owner: &'a Owner,
        topic: &'a Topic,
        done: Arc<Vec<Outcome>>,
        want: Want,
    ) -> EngineFuture<'a, Exchange> {
        self.answer(move |world, now| {
            world.change(&topic.path, |books| {
                let settled: Vec<Settled> =
                    done.iter().map(|outcome| books.settle(owner, outcome, now)).collect();
                if settled.contains(&Settled::Done) {
                    books.room_was_made(&topic.limits);
                }
                let (claimed, next) = books.claim(&topic.limits, owner, want, now);
                Exchange { settled, claimed, next }
            })
        })
    }

    fn renew<'a>(
        &'a self,
        owner: &'a Owner,
        held: &'a [(Topic, Vec<Held>)],
    ) -> EngineFuture<'a, Vec<Renewed>> {
        self.answer(move |world, _| {
            held.iter().map(|(topic, held)| world.of(&topic.path).renew(owner, held)).collect()
        })
    }

    fn reconcile<'a>(
        &'a self,
        owner: &'a Owner,
        topic: &'a Topic,
        known: &'a [Seq],
    ) -> EngineFuture<'a, u64> {
        self.answer(move |world, now| world.change(&topic.path, |books| books.reconcile(owner, known, now)))
    }

    fn leases<'a>(&'a self, topic: &'a Topic) -> EngineFuture<'a, Vec<Lease>> {
        self.answer(move |world, _| world.of(&topic.path).leases())
    }

    fn reap<'a>(&'a self, topic: &'a Topic, owner: &'a Owner, beat: u64) -> EngineFuture<'a, Reaped> {
        self.answer(move |world, now| world.change(&topic.path, |books| books.reap(owner, beat, now)))
    }

    fn sweep<'a>(&'a self, topic: &'a Topic) -> EngineFuture<'a, u64> {
        self.answer(move |world, now| world.change(&topic.path, |books| books.sweep(now)))
    }

    fn listen(&self, inbox: Arc<str>) -> Result<mpsc::UnboundedReceiver<Wake>, EngineError> {
        let (to, wakes) = mpsc::unbounded_channel();
        lock(&self.world).listeners.push(Listener { inbox, to });
        Ok(wakes)
    }

    fn topics(&self) -> EngineFuture<'_, Vec<Arc<str>>> {
        self.answer(|world, _| {
            let used = world.books.values().filter(|books| books.had_a_message());
            used.map(|books| books.path.clone()).collect()
        })
    }

    fn counts<'a>(&'a self, topic: &'a str) -> EngineFuture<'a, Counts> {
        self.answer(move |world, _| world.of(topic).counts())
    }

    fn list<'a>(
        &'a self,
        topic: &'a str,
        state: State,
        offset: u64,
        limit: u64,
    ) -> EngineFuture<'a, Vec<Message>> {
        self.answer(move |world, _| {
            let all = world.of(topic).list(state).into_iter();
            all.skip(offset as usize).take(limit as usize).cloned().collect()
        })
    }

    fn get<'a>(&'a self, topic: &'a str, id: &'a MsgId) -> EngineFuture<'a, Option<Message>> {
        self.answer(move |world, _| world.of(topic).get(id).cloned())
    }

    fn cancel<'a>(&'a self, topic: &'a str, id: &'a MsgId, error: &'a str) -> EngineFuture<'a, Changed> {
        self.answer(move |world, now| world.change(topic, |books| books.cancel(id, error, now)))
    }

    fn requeue<'a>(
        &'a self,
        topic: &'a str,
        id: &'a MsgId,
        edited: Option<Edited<'a>>,
    ) -> EngineFuture<'a, Changed> {
        self.answer(move |world, now| world.change(topic, |books| books.requeue(id, edited, now)))
    }

    fn delete<'a>(&'a self, topic: &'a str, id: &'a MsgId) -> EngineFuture<'a, Changed> {
        self.answer(move |world, _| world.of(topic).delete(id))
    }

    fn empty<'a>(&'a self, topic: &'a str, state: State, limit: u64) -> EngineFuture<'a, u64> {
        self.answer(move |world, _| world.of(topic).empty(state, limit))
    }

    fn set_paused<'a>(&'a self, topic: &'a str, paused: bool) -> EngineFuture<'a, ()> {
        self.answer(move |world, _| world.change(topic, |books| books.set_paused(paused)))
    }

    fn put_worker<'a>(&'a self, worker: &'a WorkerInfo, ttl_ms: u64) -> EngineFuture<'a, ()> {
        self.answer(move |world, now| {
            world.workers.insert(worker.name.clone(), (worker.clone(), now + ttl_ms));
        })
    }

    fn remove_worker<'a>(&'a self, name: &'a str) -> EngineFuture<'a, ()> {
        self.answer(move |world, _| {
            world.workers.remove(name);
        })
    }

    fn workers(&self) -> EngineFuture<'_, Vec<WorkerInfo>> {
        self.answer(|world, now| {
            world.workers.retain(|_, (_, until)| now < *until);
            world.workers.values().map(|(worker, _)| worker.clone()).collect()
        })
    }
}
