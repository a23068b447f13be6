//! What an engine must be able to do. The worker, the sender's side and the apps are the same on every engine.
//!
//! # How a message lives
//!
//! ```text
//!              run_at            claim            end
//!  enqueue ─▶ scheduled ─▶ queued ─▶ started ─▶ finished
//!      └───────────────────▶  ▲  ◀──────┤  └──▶ failed ──▶ (requeue)
//!                             └ retry, released, owner dead
//! ```
//!
//! Counts by state are kept, not counted. Every arrow is one atomic step of the engine: a crash leaves the message
//! on one side of it or on the other.
//!
//! # Leases
//!
//! A message that is claimed belongs to an [`Owner`]: one life (epoch) of one worker process (instance). An owner shows
//! that it lives by its *beat*, a counter that [`renew`](Engine::renew) moves. Who watches a beat stand still for a whole
//! lease by a clock that cannot jump may [`reap`](Engine::reap) the owner: its messages are queued again, each with one
//! death more, and a message whose workers died [`DEATHS_MAX`] times is failed. No wall clock decides about a lease.
//!
//! An end counts only while the message is still in the lease of the owner that claimed it ([`Settled::Lost`] else);
//! an owner that was reaped takes a new epoch, so that what it still runs can never end twice.
//!
//! # Order
//!
//! By priority, higher first, then first in, first out. Messages that come back (dead owner, released) go before all
//! others. A message with two deaths is suspected of killing its workers, and is given out alone: only to a worker that
//! asks with [`Want::last_chance`], one at a time; so it cannot take innocent ones with it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::message::{Accepted, Claimed, Message, Millis, MsgId, NewMessage, Outcome, Seq, State};
use crate::topic::Topic;

/// A future of an engine's.
pub type EngineFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, EngineError>> + Send + 'a>>;

/// A message that so many workers died with is set aside as failed.
pub const DEATHS_MAX: u32 = 3;

/// What a queue stands on. See the [module](self) for the rules; the conformance suite proves them.
///
/// Calls may come at once from many tasks. Each call either is done as a whole or fails with an [`EngineError`]; after
/// [`EngineError::Unavailable`] the caller cannot know which, and may repeat it: an enqueue that is repeated with the
/// same `batch` number, and an exchange that is repeated, do nothing twice.
pub trait Engine: Send + Sync + fmt::Debug {
    /// A word for it: `embedded`, `redis`.
    fn name(&self) -> &'static str;

    /// Whether the engine can be used now. One that is reached over a network may be made while it is out of reach, and
    /// may go out of reach: this fails with [`EngineError::Unavailable`] as long as it is away, and with another error when
    /// it will never do.
    fn check(&self) -> EngineFuture<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Takes in messages. When it returns, the engine has them: durably, as far as it is configured to be.
    ///
    /// `batch` is a number that this process uses for this batch alone. Answers come in the order of `messages`; one
    /// that goes above the topic's depth is answered with [`EngineError::Full`], the others are taken in.
    fn enqueue<'a>(
        &'a self,
        topic: &'a Topic,
        batch: u64,
        messages: Arc<Vec<NewMessage>>,
    ) -> EngineFuture<'a, Vec<Result<Accepted, EngineError>>>;

    /// Ends runs of messages of a topic and claims others of the same topic, in one step.
    ///
    /// `done` are ends of messages that `owner` claimed. Messages whose `ttl` has passed are failed and not claimed.
    fn exchange<'a>(
        &'a self,
        owner: &'a Owner,
        topic: &'a Topic,
        done: Arc<Vec<Outcome>>,
        want: Want,
    ) -> EngineFuture<'a, Exchange>;

    /// Moves the owner's beat in each of these topics, and keeps what runs long: when it began, and its progress.
    fn renew<'a>(
        &'a self,
        owner: &'a Owner,
        held: &'a [(Topic, Vec<Held>)],
    ) -> EngineFuture<'a, Vec<Renewed>>;

    /// Hands back what the owner holds of a topic without knowing it, after a call whose answer was lost: every
    /// message in its lease that is not in `known` is queued again, without a death. Gives their count.
    fn reconcile<'a>(&'a self, owner: &'a Owner, topic: &'a Topic, known: &'a [Seq])
    -> EngineFuture<'a, u64>;

    /// The owners that hold messages of a topic, and their beats.
    fn leases<'a>(&'a self, topic: &'a Topic) -> EngineFuture<'a, Vec<Lease>>;

    /// Takes a dead owner's messages of a topic away, if its beat is still `beat`.
    fn reap<'a>(&'a self, topic: &'a Topic, owner: &'a Owner, beat: u64) -> EngineFuture<'a, Reaped>;

    /// Drops what is kept past its time, at most some thousands a call; fails waiting messages past their `ttl`.
    /// Gives how many it dropped or failed: not 0 means that there may be more.
    fn sweep<'a>(&'a self, topic: &'a Topic) -> EngineFuture<'a, u64>;

    /// What wakes a worker or somebody who waits: call once a process, before the first claim.
    ///
    /// `inbox` is the name under which messages' [`notify`](crate::Spec::notify) finds this process.
    fn listen(&self, inbox: Arc<str>) -> Result<mpsc::UnboundedReceiver<Wake>, EngineError>;

    /// The topics that ever had a message, sorted.
    fn topics(&self) -> EngineFuture<'_, Vec<Arc<str>>>;

    /// How many messages of a topic are in which state: exact, and cheap at any depth.
    fn counts<'a>(&'a self, topic: &'a str) -> EngineFuture<'a, Counts>;

    /// A page of a topic's messages in a state: waiting ones next first, ended ones last first.
    fn list<'a>(
        &'a self,
        topic: &'a str,
        state: State,
        offset: u64,
        limit: u64,
    ) -> EngineFuture<'a, Vec<Message>>;

    /// A message; `None` when the topic has none of this id.
    fn get<'a>(&'a self, topic: &'a str, id: &'a MsgId) -> EngineFuture<'a, Option<Message>>;

    /// Cancels: one that waits is failed with `error`; the worker of one that runs is told to stop it and to fail it.
    fn cancel<'a>(&'a self, topic: &'a str, id: &'a MsgId, error: &'a str) -> EngineFuture<'a, Changed>;

    /// Queues an ended message again, as new: no attempts, no deaths, no result; with other arguments if `edited`.
    fn requeue<'a>(
        &'a self,
        topic: &'a str,
        id: &'a MsgId,
        edited: Option<Edited<'a>>,
    ) -> EngineFuture<'a, Changed>;

    /// Removes a message that is not running.
    fn delete<'a>(&'a self, topic: &'a str, id: &'a MsgId) -> EngineFuture<'a, Changed>;

    /// Removes up to `limit` messages of a topic in a state (`started` excepted: it removes none). Gives their count;
    /// 0 means that none is left.
    fn empty<'a>(&'a self, topic: &'a str, state: State, limit: u64) -> EngineFuture<'a, u64>;

    /// Stops or lets go on the claims of a topic, in all processes.
    fn set_paused<'a>(&'a self, topic: &'a str, paused: bool) -> EngineFuture<'a, ()>;

    /// Says that a worker is here, for so long; again before it has passed.
    fn put_worker<'a>(&'a self, worker: &'a WorkerInfo, ttl_ms: u64) -> EngineFuture<'a, ()>;

    /// Takes a worker off the list.
    fn remove_worker<'a>(&'a self, name: &'a str) -> EngineFuture<'a, ()>;

    /// The workers that are here.
    fn workers(&self) -> EngineFuture<'_, Vec<WorkerInfo>>;
}

/// One life of one worker process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner {
    /// The process's place: the same after a restart. Letters, digits and `_ - . :`.
    pub instance: Arc<str>,
    /// Which of its lives: later ones are larger.
    pub epoch: u64,
    /// The worker's name for people: `host:port:pid`.
    pub worker: Arc<str>,
}

impl Owner {
    /// `instance/epoch`: what engines write beside a lease.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}/{}", self.instance, self.epoch)
    }
}

/// How many messages a worker wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Want {
    /// At most so many.
    pub count: u32,
    /// Whether one of them may be a message with two deaths. If there is one, it is the only one given.
    pub last_chance: bool,
}

/// What an exchange gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// What became of each end, in order.
    pub settled: Vec<Settled>,
    /// The messages claimed.
    pub claimed: Vec<Claimed>,
    /// When to ask again.
    pub next: Next,
}

/// Whether an end counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It is in the books.
    Done,
    /// The message is no longer this owner's: nothing was changed.
    Lost,
}

/// When to ask a topic again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// At once: there may be more.
    Now,
    /// At this time (a message's, or a rate's), or when woken before.
    At(Millis),
    /// When woken.
    Wake,
    /// Never as this owner: it was taken for dead, and is given nothing more. Who lives comes back under a new epoch.
    Over,
}

/// A message that its worker has had for a second or more.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// Its number.
    pub seq: Seq,
    /// When its run began.
    pub started: Millis,
    /// What the handler said of its progress: JSON text.
    pub progress: Option<String>,
}

/// What a renewal told of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewed {
    /// False when the owner was reaped: what it runs is no longer its own.
    pub held: bool,
    /// Messages to be stopped, for they were cancelled.
    pub cancelled: Vec<Seq>,
}

/// An owner that holds messages of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Who.
    pub owner: Owner,
    /// Its beat: a number that another one follows while the owner lives.
    pub beat: u64,
}

/// What was taken from a dead owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reaped {
    /// Messages queued again.
    pub returned: u64,
    /// Messages failed, for too many workers died with them.
    pub failed: u64,
}

/// Why a worker or a waiter is woken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Something of this topic may be claimed.
    Topic(Arc<str>),
    /// Everything is to be looked at again: the engine was out of reach for a while, or tells by a timer.
    All,
    /// A message that this process waits for has ended.
    Ended(MsgId),
    /// A message that this process may be running was cancelled.
    Cancelled(Arc<str>, Seq),
    /// An owner is known to be dead: its process ended on this machine.
    Dead(Owner),
}

/// How many messages are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Waiting for their time.
    pub scheduled: u64,
    /// Waiting for a worker.
    pub queued: u64,
    /// Leased.
    pub started: u64,
    /// Kept after they finished.
    pub finished: u64,
    /// Kept after they failed.
    pub failed: u64,
    /// Whether claims are stopped.
    pub paused: bool,
    /// When the oldest message that is queued was handed in; on Redis, of a topic with more than some hundred keys
    /// (`limit_by`) that wait, the oldest of some.
    pub oldest: Option<Millis>,
}

impl Counts {
    /// The count of one state.
    #[must_use]
    pub fn of(&self, state: State) -> u64 {
        match state {
            State::Scheduled => self.scheduled,
            State::Queued => self.queued,
            State::Started => self.started,
            State::Finished => self.finished,
            State::Failed => self.failed,
        }
    }
}

/// What a message that is queued again has instead of what its sender said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edited<'a> {
    /// The arguments: the text of a JSON object.
    pub args: &'a str,
    /// Their value of the topic's `limit_by` argument, where it has one.
    pub key: Option<&'a str>,
}

/// What a change of one message did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is done.
    Done,
    /// Its worker was told; the message ends when the worker has stopped it.
    Told,
    /// There is no such message.
    Missing,
    /// The message's state does not allow it.
    NotIn(State),
}

/// A worker, as others see it.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WorkerInfo {
    /// `host:port:pid`.
    pub name: String,
    /// The service's name.
    pub nickname: String,
    /// The host.
    pub hostname: String,
    /// The process.
    pub pid: u32,
    /// The program's version.
    pub version: String,
    /// The folder that it runs in.
    pub home_dir: String,
    /// The topics that it serves.
    pub topics: Vec<String>,
    /// `idle`, `busy` or `stopping`.
    pub state: String,
    /// When it began, in Unix milliseconds.
    pub birth: Millis,
    /// When it was last heard of.
    pub last_heartbeat: Millis,
    /// Messages that it runs now.
    pub running: u64,
    /// Messages that it finished.
    pub finished: u64,
    /// Messages that it failed.
    pub failed: u64,
    /// Leases that it lost.
    pub lost: u64,
    /// The sum of its runs, in microseconds.
    pub working_us: u64,
}

/// Why an engine did not do as told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EngineError {
    /// It cannot be reached or does not answer; whether the call was done is not known. Trying again may help.
    Unavailable(String),
    /// The topic is full.
    Full {
        /// The messages that wait.
        depth: u64,
        /// The most that may.
        limit: u64,
    },
    /// There is no room left: disk or memory is full. Nothing was changed.
    NoRoom(String),
    /// What is stored is not what this version can read: made by a newer version, or by something else.
    Foreign(String),
    /// The engine cannot be used as it is configured.
    Misconfigured(String),
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) => write!(f, "the queue's engine is out of reach: {why}"),
            Self::Full { depth, limit } => {
                write!(f, "the topic is full: {depth} messages wait, and at most {limit} may")
            }
            Self::NoRoom(why) => write!(f, "the queue's engine has no room left: {why}"),
            Self::Foreign(why) => write!(f, "the queue's engine holds what this version cannot read: {why}"),
            Self::Misconfigured(why) => write!(f, "the queue's engine cannot be used: {why}"),
        }
    }
}

impl std::error::Error for EngineError {}
