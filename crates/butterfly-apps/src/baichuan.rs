//! `/baichuan/…`: the queue over HTTP, for operators and their programs.
//!
//! Paths, parameters and the fields under `data` are the original's (`/canghai/…` there); what the original had no word
//! for stands beside them. Three things differ on purpose: `python_version` of workers is left out, for there is none;
//! an unknown message is `ERR_MSG_NOT_EXIST` and an unknown worker `ERR_WORKER_NOT_EXIST` everywhere, where some end points
//! of the original answered `ERR_SERVER_EXCEPTION`; and a name that nothing has is told as a wrong parameter.
//!
//! | path | does |
//! | --- | --- |
//! | `list_queues`, `list_workers`, `worker_info` | shows topics and workers |
//! | `list_msgs`, `msg_info` | shows messages |
//! | `enqueue` | hands in a message |
//! | `requeue`, `cancel`, `delete_msg` | changes one message |
//! | `empty_queue`, `pause`, `resume` | changes a topic |

mod send;
mod shown;

use std::sync::Arc;

use butterfly_core::reply::{ReplyExt, With};
use butterfly_core::schemars::JsonSchema;
use butterfly_core::serde::Serialize;
use butterfly_core::{BadParams, Ctx, Error, Fault, Result, bail};
use butterfly_macros::handler;
use butterfly_queue::engine::Changed;
use butterfly_queue::{Message, MsgId, Queue, State};

pub use send::{Args, Sent, enqueue};
pub use shown::{
    Cancelled, Deleted, MessageDetail, MessagePage, MessageRow, QueueList, QueueRow, Under, WorkerDetail,
    WorkerList, WorkerRow,
};

/// Messages are fetched from the engine so many at a time, for each may be large.
const FETCH: u64 = 100;
/// What a cancelled message has as its error.
const CANCELLED: &str = "cancelled by an operator";

/// Shows the topics and how many messages of each are in which state.
#[handler(ops)]
pub async fn list_queues(ctx: &Ctx) -> Result<With<Under<QueueList>>> {
    let queue = queue(ctx)?;
    let topics = queue.topics().await?;
    let shown = topics.iter().filter(|(topic, counts)| {
        let used = counts.paused || State::ALL.iter().any(|state| counts.of(*state) > 0);
        used || !is_built_in(queue, topic)
    });
    let queues = shown.map(|(topic, counts)| shown::queue(topic, counts)).collect();
    Ok(answer(Under::from(QueueList { queues })))
}

/// Shows the workers that are here.
#[handler(ops)]
pub async fn list_workers(ctx: &Ctx) -> Result<With<Under<WorkerList>>> {
    let mut workers: Vec<WorkerRow> = queue(ctx)?.workers().await?.iter().map(shown::worker_row).collect();
    workers.sort_by(|a, b| (&a.state, a.queues_count, &a.name).cmp(&(&b.state, b.queues_count, &b.name)));
    Ok(answer(Under::from(WorkerList { workers })))
}

/// Shows one worker.
#[handler(ops)]
pub async fn worker_info(
    ctx: &Ctx,
    /// the worker's name, as list_workers shows it
    name: String,
) -> Result<With<Under<WorkerDetail>>> {
    let workers = queue(ctx)?.workers().await?;
    match workers.into_iter().find(|worker| worker.name == name) {
        Some(worker) => Ok(answer(Under::from(shown::worker(worker)))),
        None => bail!("ERR_WORKER_NOT_EXIST"),
    }
}

/// Shows a page of a topic's messages in one state: waiting ones next first, ended ones last first.
#[handler(ops)]
pub async fn list_msgs(
    ctx: &Ctx,
    /// the topic: the path of a handler
    queue_name: String,
    /// scheduled, queued, started, finished or failed
    registry_name: String,
    #[default(20)]
    #[check(range(1..=1000))]
    page_size: u64,
    /// from 1
    #[default(1)]
    #[check(range(1..=1_000_000_000))]
    page_index: u64,
) -> Result<With<Under<MessagePage>>> {
    let queue = queue(ctx)?;
    let state = state(&registry_name)?;
    let topic = topic(queue, &queue_name).await?;
    let total_items = queue.counts(&topic).await?.of(state);
    let (first, end) = ((page_index - 1) * page_size, page_index * page_size);
    let mut msgs = Vec::new();
    for offset in (first..end).step_by(FETCH as usize) {
        let wanted = FETCH.min(end - offset);
        let some = queue.list(&topic, state, offset, wanted).await?;
        let last = (some.len() as u64) < wanted;
        msgs.extend(some.iter().map(shown::message_row));
        if last {
            break;
        }
    }
    Ok(answer(Under::from(MessagePage { name: queue_name, registry_name, total_items, msgs })))
}

/// Shows everything that is known of one message.
#[handler(ops)]
pub async fn msg_info(
    ctx: &Ctx,
    /// the message's id
    msg_id: String,
) -> Result<With<Under<MessageDetail>>> {
    Ok(answer(Under::from(shown::message(find(queue(ctx)?, &msg_id).await?))))
}

/// Removes a message that is not running.
#[handler(ops)]
pub async fn delete_msg(
    ctx: &Ctx,
    /// the message's id
    msg_id: String,
) -> Result<With<()>> {
    queue(ctx)?.delete(&id(&msg_id)?).await.map(answer)
}

/// Queues an ended message again, as new, with other arguments if some are given.
#[handler(ops)]
pub async fn requeue(
    ctx: &Ctx,
    /// the message's id
    msg_id: String,
    /// a JSON object; kept out of this call's log line, for some may be secret
    #[secret]
    args: Option<Args>,
) -> Result<With<()>> {
    let args = args.map(send::text).transpose()?;
    queue(ctx)?.requeue(&id(&msg_id)?, args.as_deref()).await.map(answer)
}

/// Cancels a message: one that waits fails at once, one that runs is stopped by its worker.
#[handler(ops)]
pub async fn cancel(
    ctx: &Ctx,
    /// the message's id
    msg_id: String,
) -> Result<With<Cancelled>> {
    let changed = queue(ctx)?.cancel(&id(&msg_id)?, CANCELLED).await?;
    Ok(answer(Cancelled { stopping: changed == Changed::Told }))
}

/// Removes all messages of a topic in one state. Those that run stay: cancel them.
#[handler(ops, timeout = "10m")]
pub async fn empty_queue(
    ctx: &Ctx,
    /// the topic: the path of a handler
    queue_name: String,
    /// scheduled, queued, finished or failed
    registry_name: String,
) -> Result<With<Deleted>> {
    let queue = queue(ctx)?;
    let state = state(&registry_name)?;
    if state == State::Started {
        return Err(wrong("registry_name", "started messages run and cannot be removed: cancel them"));
    }
    let deleted_count = queue.empty(&topic(queue, &queue_name).await?, state).await?;
    ctx.note(format!("deleted={deleted_count}"));
    Ok(answer(Deleted { deleted_count }))
}

/// Stops the claims of a topic in all processes: what runs goes on, what waits stays.
#[handler(ops)]
pub async fn pause(
    ctx: &Ctx,
    /// the topic: the path of a handler
    queue_name: String,
) -> Result<With<()>> {
    let queue = queue(ctx)?;
    queue.pause(&topic(queue, &queue_name).await?).await.map(answer)
}

/// Lets a paused topic go on.
#[handler(ops)]
pub async fn resume(
    ctx: &Ctx,
    /// the topic: the path of a handler
    queue_name: String,
) -> Result<With<()>> {
    let queue = queue(ctx)?;
    queue.resume(&topic(queue, &queue_name).await?).await.map(answer)
}

/// An answer of this app: as the original's apps do, it says its version in a header of its name.
fn answer<T: Serialize + JsonSchema>(value: T) -> With<T> {
    value.with_header("baichuan", env!("CARGO_PKG_VERSION"))
}

fn queue(ctx: &Ctx) -> Result<&Queue> {
    let missing = |_| Error::business_because("ERR_NO_QUEUE", "this program runs without a queue");
    ctx.state::<Queue>().map_err(missing)
}

async fn find(queue: &Queue, msg_id: &str) -> Result<Message> {
    match queue.find(&id(msg_id)?).await? {
        Some(message) => Ok(message),
        None => bail!("ERR_MSG_NOT_EXIST"),
    }
}

fn id(text: &str) -> Result<MsgId> {
    text.parse().map_err(|error: butterfly_queue::BadMsgId| wrong("msg_id", error.to_string()))
}

fn state(word: &str) -> Result<State> {
    State::of(word).ok_or_else(|| {
        let known = State::ALL.map(State::as_str).join(", ");
        wrong("registry_name", format!("must be one of {known}"))
    })
}

/// The topic of this name: of a handler here, or one that has or had messages.
async fn topic(queue: &Queue, name: &str) -> Result<Arc<str>> {
    if let Some(entry) = queue.entries().iter().find(|entry| &*entry.topic.path == name) {
        return Ok(entry.topic.path.clone());
    }
    let stored = queue.stored_topics().await?;
    let found = stored.into_iter().find(|topic| &**topic == name);
    found.ok_or_else(|| wrong("queue_name", "no such topic: list_queues shows all"))
}

/// Whether a topic's handler is one that every program has.
fn is_built_in(queue: &Queue, topic: &str) -> bool {
    let entry = queue.entries().iter().find(|entry| &*entry.topic.path == topic);
    entry.is_some_and(|entry| entry.handler.source.krate() == env!("CARGO_CRATE_NAME"))
}

/// A problem with one parameter.
fn wrong(name: &str, problem: impl Into<String>) -> Error {
    let mut bad = BadParams::default();
    bad.push(name, problem);
    Fault::BadParams(bad).into()
}
