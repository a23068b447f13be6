//! The engine that needs no server: one SQLite file, which several processes on one machine share.
//!
//! Everything durable is in the file, and a call is one closure in one transaction of the [`Store`], together with the
//! calls of everybody else that wait. The processes tell each other what may be claimed and notice each other's death
//! through [`Peers`], so nobody polls. See the `schema` module for the tables.

mod books;
mod change;
mod ends;
mod enqueue;
mod exchange;
mod lanes;
mod lease;
mod line;
mod look;
mod pace;
mod record;
mod schema;
mod sweep;
mod wakes;
mod workers;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use butterfly_store::{PeerEvent, Peers, Store, StoreError, Tx};
use tokio::sync::mpsc;

use crate::engine::{
    Changed, Counts, Edited, Engine, EngineError, EngineFuture, Exchange, Held, Lease, Owner, Reaped,
    Renewed, Wake, Want, WorkerInfo,
};
use crate::message::{Accepted, Message, Millis, MsgId, NewMessage, Outcome, Seq, State, now_ms};
use crate::topic::{Limits, Topic};
use enqueue::{Batch, Recent};
use exchange::Asked;
use wakes::Wakes;

pub use butterfly_store::{Durability, Options};

/// The embedded engine. Cheap to clone.
#[derive(Clone)]
pub struct EmbeddedEngine {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    wakes: Arc<Wakes>,
    recent: Arc<Recent>,
}

impl EmbeddedEngine {
    /// Opens the queue of a file, making it where it is missing. Needs a Tokio runtime around it.
    ///
    /// Beside the file there is its log (`-wal`, `-shm`), the lock by which processes take turns (`-turn`), and the
    /// folder in which they find each other (`-peers`).
    ///
    /// # Errors
    ///
    /// [`EngineError::Foreign`] when the file is something else or was written by a newer version, and
    /// [`EngineError::Misconfigured`] when it cannot be written.
    pub fn open(file: impl AsRef<Path>, options: Options) -> Result<Self, EngineError> {
        let store = Store::open(file.as_ref(), &[schema::SCHEMA], options).map_err(of_opening)?;
        Self::on(store)
    }

    /// The queue in a store that is open, with [`SCHEMA`](Self::SCHEMA) among its schemas: schedules and workflows share
    /// the file with it so.
    ///
    /// # Errors
    ///
    /// When the folder in which processes find each other cannot be made, or outside of a Tokio runtime.
    pub fn on(store: Store) -> Result<Self, EngineError> {
        let (peers, events) = Peers::join(&peers_of(store.path())).map_err(of_opening)?;
        let wakes = Arc::new(Wakes::new(peers));
        let shared = Arc::new(Shared { store, wakes, recent: Arc::default() });
        tokio::spawn(notice(Arc::downgrade(&shared), events));
        Ok(Self { shared })
    }

    /// The tables of the queue, for who opens the store.
    pub const SCHEMA: butterfly_store::Schema = schema::SCHEMA;

    /// The store that the queue stands on.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// Runs a change.
    async fn write<T, F>(&self, change: F) -> Result<T, EngineError>
    where
        T: Send + 'static,
        F: Fn(&Tx<'_>, &Arc<Wakes>, Millis) -> Result<T, StoreError> + Send + 'static,
    {
        let wakes = Arc::clone(&self.shared.wakes);
        let run = move |tx: &Tx<'_>| change(tx, &wakes, now_ms());
        self.shared.store.write(run).await.map_err(EngineError::from)
    }

    /// Runs a look.
    async fn read<T, F>(&self, look: F) -> Result<T, EngineError>
    where
        T: Send + 'static,
        F: FnOnce(&butterfly_store::rusqlite::Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.shared.store.read(look).await.map_err(EngineError::from)
    }
}

impl fmt::Debug for EmbeddedEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedEngine").field("file", &self.shared.store.path()).finish_non_exhaustive()
    }
}

fn peers_of(file: &Path) -> PathBuf {
    let mut name = OsString::from(file);
    name.push("-peers");
    name.into()
}

/// Passes on what is noticed of other processes, as long as the engine is there.
async fn notice(shared: Weak<Shared>, mut events: mpsc::UnboundedReceiver<PeerEvent>) {
    while let Some(event) = events.recv().await {
        let Some(shared) = shared.upgrade() else { return };
        match event {
            PeerEvent::Joined(name) => shared.wakes.joined(&name),
            PeerEvent::Told(name, text) => shared.wakes.told(&name, &text),
            PeerEvent::Gone(name) => {
                shared.wakes.gone(&name);
                shared.tell_of_the_dead().await;
            }
        }
    }
}

impl Shared {
    /// Tells of the owners whose process is gone while they hold messages.
    async fn tell_of_the_dead(&self) {
        match self.store.read(lease::holders).await {
            Ok(holders) => {
                for (owner, process) in holders {
                    if !self.wakes.peers().lives(&process.as_str().into()) {
                        self.wakes.dead(owner);
                    }
                }
            }
            // Their leases end by time then.
            Err(error) => tracing::warn!("cannot see what a process that is gone held: {error}"),
        }
    }
}

/// Calls that name a topic by its path alone know no limits of it.
fn topic_of(path: &str) -> Topic {
    Topic { path: path.into(), tag: crate::tag(path), limits: Limits::default() }
}

fn of_opening(error: StoreError) -> EngineError {
    match error {
        StoreError::ReadOnly(_) | StoreError::Refused(_) => EngineError::Misconfigured(error.to_string()),
        other => other.into(),
    }
}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        let why = error.to_string();
        match error {
            StoreError::NoRoom(_) => Self::NoRoom(why),
            StoreError::ReadOnly(_) => Self::Misconfigured(why),
            StoreError::Foreign(_) | StoreError::Refused(_) => Self::Foreign(why),
            _ => Self::Unavailable(why),
        }
    }
}

impl Engine for EmbeddedEngine {
    fn name(&self) -> &'static str {
        "embedded"
    }

    fn enqueue<'a>(
        &'a self,
        topic: &'a Topic,
        batch: u64,
        messages: Arc<Vec<NewMessage>>,
    ) -> EngineFuture<'a, Vec<Result<Accepted, EngineError>>> {
        let batch = Batch::new(batch, topic, messages);
        let recent = Arc::clone(&self.shared.recent);
        Box::pin(self.write(move |tx, wakes, now| enqueue::enqueue(tx, wakes, &recent, &batch, now)))
    }

    fn exchange<'a>(
        &'a self,
        owner: &'a Owner,
        topic: &'a Topic,
        done: Arc<Vec<Outcome>>,
        want: Want,
    ) -> EngineFuture<'a, Exchange> {
        let asked = Asked { owner: owner.clone(), topic: topic.clone(), done, want };
        Box::pin(self.write(move |tx, wakes, now| {
            exchange::exchange(tx, wakes, wakes.peers().name().as_str(), &asked, now)
        }))
    }

    fn renew<'a>(
        &'a self,
        owner: &'a Owner,
        held: &'a [(Topic, Vec<Held>)],
    ) -> EngineFuture<'a, Vec<Renewed>> {
        let (owner, held) = (owner.clone(), held.to_vec());
        Box::pin(self.write(move |tx, _, now| {
            // A power cut ends the owner as well as its beat.
            tx.relax();
            held.iter().map(|(topic, held)| lease::renew(tx, &owner, topic, held, now)).collect()
        }))
    }

    fn reconcile<'a>(
        &'a self,
        owner: &'a Owner,
        topic: &'a Topic,
        known: &'a [Seq],
    ) -> EngineFuture<'a, u64> {
        let (owner, topic, known) = (owner.clone(), topic.clone(), known.to_vec());
        Box::pin(self.write(move |tx, wakes, now| lease::reconcile(tx, wakes, &owner, &topic, &known, now)))
    }

    fn leases<'a>(&'a self, topic: &'a Topic) -> EngineFuture<'a, Vec<Lease>> {
        let path = topic.path.clone();
        Box::pin(self.read(move |db| lease::list(db, &path)))
    }

    fn reap<'a>(&'a self, topic: &'a Topic, owner: &'a Owner, beat: u64) -> EngineFuture<'a, Reaped> {
        let (topic, owner) = (topic.clone(), owner.clone());
        Box::pin(self.write(move |tx, wakes, now| lease::reap(tx, wakes, &topic, &owner, beat, now)))
    }

    fn sweep<'a>(&'a self, topic: &'a Topic) -> EngineFuture<'a, u64> {
        let topic = topic.clone();
        Box::pin(self.write(move |tx, wakes, now| sweep::sweep(tx, wakes, &topic, now)))
    }

    fn listen(&self, inbox: Arc<str>) -> Result<mpsc::UnboundedReceiver<Wake>, EngineError> {
        let wakes = self.shared.wakes.listen(inbox);
        let runtime = tokio::runtime::Handle::try_current().map_err(|error| {
            EngineError::Misconfigured(format!("the queue needs a Tokio runtime: {error}"))
        })?;
        // Some may have died before there was anybody to tell.
        let shared = Arc::clone(&self.shared);
        runtime.spawn(async move { shared.tell_of_the_dead().await });
        Ok(wakes)
    }

    fn topics(&self) -> EngineFuture<'_, Vec<Arc<str>>> {
        Box::pin(self.read(look::topics))
    }

    fn counts<'a>(&'a self, topic: &'a str) -> EngineFuture<'a, Counts> {
        let path = topic.to_owned();
        Box::pin(self.read(move |db| look::counts(db, &path)))
    }

    fn list<'a>(
        &'a self,
        topic: &'a str,
        state: State,
        offset: u64,
        limit: u64,
    ) -> EngineFuture<'a, Vec<Message>> {
        let topic = topic_of(topic);
        Box::pin(self.read(move |db| look::list(db, &topic, state, offset, limit)))
    }

    fn get<'a>(&'a self, topic: &'a str, id: &'a MsgId) -> EngineFuture<'a, Option<Message>> {
        let (topic, id) = (topic_of(topic), id.clone());
        Box::pin(self.read(move |db| look::get(db, &topic, &id)))
    }

    fn cancel<'a>(&'a self, topic: &'a str, id: &'a MsgId, error: &'a str) -> EngineFuture<'a, Changed> {
        let (topic, id, error) = (topic_of(topic), id.clone(), error.to_owned());
        Box::pin(self.write(move |tx, wakes, now| change::cancel(tx, wakes, &topic, &id, &error, now)))
    }

    fn requeue<'a>(
        &'a self,
        topic: &'a str,
        id: &'a MsgId,
        edited: Option<Edited<'a>>,
    ) -> EngineFuture<'a, Changed> {
        let (topic, id) = (topic_of(topic), id.clone());
        let edited = edited.map(|edited| (edited.args.to_owned(), edited.key.map(str::to_owned)));
        Box::pin(self.write(move |tx, wakes, now| {
            let edited = edited.as_ref().map(|(args, key)| Edited { args, key: key.as_deref() });
            change::requeue(tx, wakes, &topic, &id, edited, now)
        }))
    }

    fn delete<'a>(&'a self, topic: &'a str, id: &'a MsgId) -> EngineFuture<'a, Changed> {
        let (topic, id) = (topic_of(topic), id.clone());
        Box::pin(self.write(move |tx, _, _| change::delete(tx, &topic, &id)))
    }

    fn empty<'a>(&'a self, topic: &'a str, state: State, limit: u64) -> EngineFuture<'a, u64> {
        let topic = topic_of(topic);
        Box::pin(self.write(move |tx, _, _| change::empty(tx, &topic, state, limit)))
    }

    fn set_paused<'a>(&'a self, topic: &'a str, paused: bool) -> EngineFuture<'a, ()> {
        let topic = topic_of(topic);
        Box::pin(self.write(move |tx, wakes, _| change::set_paused(tx, wakes, &topic, paused)))
    }

    fn put_worker<'a>(&'a self, worker: &'a WorkerInfo, ttl_ms: u64) -> EngineFuture<'a, ()> {
        let worker = worker.clone();
        Box::pin(self.write(move |tx, _, now| workers::put(tx, &worker, now.saturating_add(ttl_ms), now)))
    }

    fn remove_worker<'a>(&'a self, name: &'a str) -> EngineFuture<'a, ()> {
        let name = name.to_owned();
        Box::pin(self.write(move |tx, _, _| workers::remove(tx, &name)))
    }

    fn workers(&self) -> EngineFuture<'_, Vec<WorkerInfo>> {
        Box::pin(self.read(|db| workers::list(db, now_ms())))
    }
}
