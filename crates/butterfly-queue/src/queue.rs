//! The queue of a process: what handlers, apps and the command line use.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use butterfly_core::{Ctx, Error, Fault, Handler, Job, Registry, Result};
use butterfly_core::{Later, TakingIn};
use serde_json::Value;

use crate::bus::Bus;
use crate::catalog::{Catalog, Entry};
use crate::engine::{Changed, Counts, Edited, Engine, EngineError, Owner, WorkerInfo};
use crate::enqueue::Enqueue;
use crate::figures::{self, Figures};
use crate::message::{Message, MsgId, State, now_ms};
use crate::reach::Reach;
use crate::sender::{Answer, Sender};
use crate::settings::Settings;

/// The queue as this process knows it: its engine, its topics, its senders. Cheap to clone.
///
/// The facade puts one into the app's state; handlers reach it by [`EnqueueExt`](crate::EnqueueExt) or
/// `ctx.state::<Queue>()?`.
#[derive(Clone)]
pub struct Queue(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) catalog: Catalog,
    pub(crate) sender: Arc<Sender>,
    pub(crate) bus: Bus,
    pub(crate) figures: Figures,
    reach: Arc<Reach>,
    /// The process as an owner of leases.
    pub(crate) owner: Owner,
    /// Where messages wait that were sent within a transaction.
    #[cfg(feature = "sql")]
    pub(crate) outbox: std::sync::OnceLock<crate::Outbox>,
}

/// How many messages an operation on a whole state changes in one step of the engine.
const STEP: u64 = 1000;
/// The access log names so many messages of a call that sends many.
const LOGGED: usize = 16;
/// Who waits for an answer looks for himself so often, in case that he was not told.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

impl Queue {
    /// A queue on an engine, with a topic for each handler.
    #[must_use]
    pub fn new(engine: Arc<dyn Engine>, registry: &Registry, settings: Settings) -> Self {
        let owner = owner(&settings);
        let catalog = Catalog::new(registry, settings);
        Self(Arc::new(Inner {
            bus: Bus::new(engine.clone(), owner.key().into()),
            sender: Sender::new(engine.clone()),
            figures: Figures::new(catalog.entries().len()),
            catalog,
            engine,
            reach: Arc::default(),
            owner,
            #[cfg(feature = "sql")]
            outbox: std::sync::OnceLock::new(),
        }))
    }

    /// The engine below.
    #[must_use]
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.0.engine
    }

    /// The topics of this program.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        self.0.catalog.entries()
    }

    /// What holds for all topics.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        self.0.catalog.settings()
    }

    /// A typed call to be queued. Handlers use [`EnqueueExt`](crate::EnqueueExt) instead, so that the message carries
    /// the call's id.
    pub fn enqueue<R>(&self, job: &Job<R>) -> Enqueue<'static, R> {
        Enqueue::new(Ok(self.clone()), job.path().to_owned(), job.args())
    }

    /// A call to be queued that is known by its path and its arguments, a JSON object.
    pub fn send(&self, path: &str, args: &Value) -> Enqueue<'static, Value> {
        self.send_text(path, args.to_string())
    }

    /// The same, with the arguments as the text of a JSON object.
    pub fn send_text(&self, path: &str, args: impl Into<String>) -> Enqueue<'static, Value> {
        Enqueue::new(Ok(self.clone()), path.to_owned(), Ok(args.into()))
    }

    /// Queues many calls of one handler in few steps. Answers come in the order of the jobs.
    ///
    /// # Errors
    ///
    /// When the arguments of one do not fit (then none is queued); `ERR_BUSY` when the topic is full or the engine cannot
    /// be reached (then those before it may be queued).
    pub async fn enqueue_many<R>(&self, jobs: impl IntoIterator<Item = Job<R>>) -> Result<Vec<MsgId>> {
        self.enqueue_many_as(None, jobs).await
    }

    pub(crate) async fn enqueue_many_as<R>(
        &self,
        origin: Option<&Ctx>,
        jobs: impl IntoIterator<Item = Job<R>>,
    ) -> Result<Vec<MsgId>> {
        let mut topics: Vec<(crate::Topic, Vec<usize>, Vec<crate::NewMessage>)> = Vec::new();
        let mut count = 0;
        for (index, job) in jobs.into_iter().enumerate() {
            let enqueue = self.enqueue(&job);
            let enqueue = match origin {
                Some(ctx) => enqueue.from(ctx),
                None => enqueue,
            };
            let (_, topic, message) = enqueue.prepare()?;
            let at = topics.iter().position(|(known, ..)| known.path == topic.path).unwrap_or_else(|| {
                topics.push((topic, Vec::new(), Vec::new()));
                topics.len() - 1
            });
            topics[at].1.push(index);
            topics[at].2.push(message);
            count = index + 1;
        }
        let mut ids: Vec<Option<MsgId>> = vec![None; count];
        for (topic, places, messages) in topics {
            let answers = self.0.sender.send_many(&topic, messages).await;
            for (place, answer) in places.into_iter().zip(answers) {
                let id = accepted(answer)?.id;
                if let Some(ctx) = origin.filter(|_| place < LOGGED) {
                    ctx.note(format!("enqueued={id}"));
                }
                ids[place] = Some(id);
            }
        }
        Ok(ids.into_iter().flatten().collect())
    }

    /// A message by its id, in whichever topic; `None` when there is none.
    ///
    /// # Errors
    ///
    /// `ERR_BUSY` when the engine cannot be reached.
    pub async fn find(&self, id: &MsgId) -> Result<Option<Message>> {
        for topic in self.topics_of(id).await? {
            if let Some(message) = self.0.engine.get(&topic, id).await.map_err(fault)? {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// The topics in which an id may be: ours names its own.
    async fn topics_of(&self, id: &MsgId) -> Result<Vec<Arc<str>>> {
        let mut topics = self.stored_topics().await?;
        if let MsgId::Ours { tag, .. } = id {
            topics.retain(|topic| crate::tag(topic) == *tag);
        }
        Ok(topics)
    }

    /// The topics that have or had messages, sorted.
    ///
    /// # Errors
    ///
    /// `ERR_BUSY` when the engine cannot be reached.
    pub async fn stored_topics(&self) -> Result<Vec<Arc<str>>> {
        self.0.engine.topics().await.map_err(fault)
    }

    /// Every topic of this program, and every other that has or had messages, with its counts; sorted.
    ///
    /// # Errors
    ///
    /// `ERR_BUSY` when the engine cannot be reached.
    pub async fn topics(&self) -> Result<Vec<(Arc<str>, Counts)>> {
        let stored: BTreeSet<Arc<str>> = self.stored_topics().await?.into_iter().collect();
        let own = self.entries().iter().map(|entry| entry.topic.path.clone());
        let all: BTreeSet<Arc<str>> = stored.iter().cloned().chain(own).collect();
        let mut topics = Vec::with_capacity(all.len());
        for topic in all {
            let counts = match stored.contains(&topic) {
                true => self.0.engine.counts(&topic).await.map_err(fault)?,
                false => Counts::default(),
            };
            topics.push((topic, counts));
        }
        Ok(topics)
    }

    /// How many messages of a topic are in which state.
    ///
    /// # Errors
    ///
    /// `ERR_BUSY` when the engine cannot be reached.
    pub async fn counts(&self, topic: &str) -> Result<Counts> {
        self.0.engine.counts(topic).await.map_err(fault)
    }

    /// A page of a topic's messages: waiting ones next first, ended ones last first.
    ///
    /// # Errors
    ///
    /// `ERR_BUSY` when the engine cannot be reached.
    pub async fn list(&self, topic: &str, state: State, offset: u64, limit: u64) -> Result<Vec<Message>> {
        self.0.engine.list(topic, state, offset, limit).await.map_err(fault)
    }

    /// Cancels a message: one that waits fails with `error` as its reason, one that runs is stopped by its worker.
    ///
    /// # Errors
    ///
    /// `ERR_MSG_NOT_EXIST`, `ERR_MSG_STATE` when it has ended, `ERR_BUSY`.
    pub async fn cancel(&self, id: &MsgId, error: &str) -> Result<Changed> {
        for topic in self.topics_of(id).await? {
            match self.0.engine.cancel(&topic, id, error).await.map_err(fault)? {
                Changed::Missing => {}
                changed => return allowed(changed, "it cannot be cancelled"),
            }
        }
        Err(missing())
    }

    /// Queues an ended message again, as new, with other arguments if some are given. They are checked as at the first
    /// time.
    ///
    /// # Errors
    ///
    /// `ERR_BAD_PARAMS`, `ERR_MSG_NOT_EXIST`, `ERR_MSG_STATE` when it has not ended, `ERR_BUSY`.
    pub async fn requeue(&self, id: &MsgId, args: Option<&str>) -> Result<()> {
        for topic in self.topics_of(id).await? {
            let mut key = None;
            if let Some(args) = args {
                // A sender's id may be in any topic: what fits is only known where the message is.
                if self.0.engine.get(&topic, id).await.map_err(fault)?.is_none() {
                    continue;
                }
                key = self.0.catalog.spec(self.0.catalog.get(&topic), args.to_owned())?.key;
            }
            let edited = args.map(|args| Edited { args, key: key.as_deref() });
            match self.0.engine.requeue(&topic, id, edited).await.map_err(fault)? {
                Changed::Missing => {}
                changed => return allowed(changed, "only an ended message is queued again").map(drop),
            }
        }
        Err(missing())
    }

    /// Removes a message that is not running.
    ///
    /// # Errors
    ///
    /// `ERR_MSG_NOT_EXIST`, `ERR_MSG_STATE` when it runs, `ERR_BUSY`.
    pub async fn delete(&self, id: &MsgId) -> Result<()> {
        for topic in self.topics_of(id).await? {
            match self.0.engine.delete(&topic, id).await.map_err(fault)? {
                Changed::Missing => {}
                changed => return allowed(changed, "cancel it first").map(drop),
            }
        }
        Err(missing())
    }

    /// Removes all messages of a topic in a state, in steps; gives their count. `started` ones stay: cancel them. Those
    /// that come in meanwhile may stay too, so that it ends however fast they come.
    ///
    /// # Errors
    ///
    /// `ERR_BUSY` when the engine cannot be reached; what was removed by then is removed.
    pub async fn empty(&self, topic: &str, state: State) -> Result<u64> {
        let there = self.counts(topic).await?.of(state);
        let mut removed = 0;
        while removed < there {
            match self.0.engine.empty(topic, state, STEP).await.map_err(fault)? {
                0 => break,
                count => removed += count,
            }
        }
        Ok(removed)
    }

    /// Stops the claims of a topic in all processes: what runs goes on, what waits stays.
    ///
    /// # Errors
    ///
    /// `ERR_BUSY` when the engine cannot be reached.
    pub async fn pause(&self, topic: &str) -> Result<()> {
        self.0.engine.set_paused(topic, true).await.map_err(fault)
    }

    /// Lets a paused topic go on.
    ///
    /// # Errors
    ///
    /// `ERR_BUSY` when the engine cannot be reached.
    pub async fn resume(&self, topic: &str) -> Result<()> {
        self.0.engine.set_paused(topic, false).await.map_err(fault)
    }

    /// The workers that are here.
    ///
    /// # Errors
    ///
    /// `ERR_BUSY` when the engine cannot be reached.
    pub async fn workers(&self) -> Result<Vec<WorkerInfo>> {
        self.0.engine.workers().await.map_err(fault)
    }

    /// Whether the engine is in reach now, as far as it says so within `patience`. Many who ask at once are answered by one
    /// look.
    ///
    /// # Errors
    ///
    /// Why it is not: for the log, since it names places.
    pub async fn in_reach(&self, patience: Duration) -> Result<(), EngineError> {
        let engine = self.0.engine.clone();
        self.0.reach.look(patience, || async move { engine.check().await }).await
    }

    /// The queue's figures in the Prometheus text format: messages by topic and state over all processes, and what this
    /// process's worker did.
    ///
    /// An engine that does not answer within `patience` costs its own figures alone, and `butterfly_queue_up` is 0.
    pub async fn prometheus(&self, patience: Duration) -> String {
        let topics = tokio::time::timeout(patience, self.topics()).await;
        let topics = topics.unwrap_or_else(|_| Err(Error::server("the queue's engine does not answer")));
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = figures::write_up(&mut out, topics.is_ok());
        let _ = topics.is_ok_and(|topics| figures::write_counts(&mut out, &topics).is_ok());
        let _ = self.0.figures.write(&mut out, &self.0.catalog);
        out
    }

    /// Waits until a message has ended, and gives it.
    ///
    /// Of a message that this process sent to wait for it ([`Enqueue::wait`]), or that its own worker runs, the end is
    /// noticed at once, of others within some seconds.
    ///
    /// # Errors
    ///
    /// `ERR_MSG_NOT_EXIST` when it is gone, `ERR_BUSY` when the engine cannot be reached.
    pub async fn ended(&self, topic: &str, id: &MsgId) -> Result<Message> {
        // First the ear, then the look: an end between the two is heard.
        let waiter = self.0.bus.waiter(id).map_err(fault)?;
        loop {
            match self.0.engine.get(topic, id).await {
                Ok(None) => return Err(missing()),
                Ok(Some(message)) if matches!(message.state, State::Finished | State::Failed) => {
                    return Ok(message);
                }
                // An engine that is out of reach may come back before the caller loses patience.
                Ok(Some(_)) | Err(EngineError::Unavailable(_)) => {}
                Err(error) => return Err(fault(error)),
            }
            let _ = tokio::time::timeout(LOOK_AGAIN, waiter.woken()).await;
        }
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Queue({}, {} topics)", self.0.engine.name(), self.entries().len())
    }
}

/// This life of this process.
fn owner(settings: &Settings) -> Owner {
    let pid = std::process::id();
    let host = crate::worker::hostname();
    Owner {
        instance: settings.instance.clone(),
        epoch: now_ms() * 1000 + u64::from(pid % 1000),
        worker: format!("{host}:{}:{pid}", settings.port).into(),
    }
}

fn allowed(changed: Changed, advice: &str) -> Result<Changed> {
    match changed {
        Changed::NotIn(state) => {
            Err(Error::business_because("ERR_MSG_STATE", format!("the message is {state}: {advice}")))
        }
        changed => Ok(changed),
    }
}

fn missing() -> Error {
    Error::business("ERR_MSG_NOT_EXIST")
}

/// What a sender is told.
pub(crate) fn accepted(answer: Answer) -> Result<crate::Accepted> {
    answer.map_err(fault)
}

/// An engine's error as the caller of a handler sees it; what is internal goes to the log.
pub(crate) fn fault(error: EngineError) -> Error {
    let busy =
        |reason: String, seconds| Fault::Busy { reason, retry_after: Duration::from_secs(seconds) }.into();
    match error {
        EngineError::Full { .. } => busy(error.to_string(), 1),
        EngineError::Unavailable(_) => {
            tracing::error!(target: "butterfly::queue", "{error}");
            busy("the queue's engine is out of reach".into(), 5)
        }
        EngineError::NoRoom(_) => {
            tracing::error!(target: "butterfly::queue", "{error}");
            busy("the queue's engine has no room left".into(), 30)
        }
        other => Error::server(other),
    }
}

impl Later for Queue {
    fn take_in<'a>(&'a self, ctx: &'a Ctx, handler: &'static Handler, args: String) -> TakingIn<'a> {
        Box::pin(async move { Ok(self.send_text(handler.path, args).unlogged(ctx).await?.id.to_string()) })
    }
}
