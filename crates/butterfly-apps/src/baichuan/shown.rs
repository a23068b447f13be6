//! Topics, workers and messages as they are shown. Times are local, `YYYY-MM-DD HH:MM:SS`, and `-` when there is none.

use butterfly_core::serde_json::{Value, from_str};
use butterfly_macros::data;
use butterfly_queue::engine::{Counts, WorkerInfo};
use butterfly_queue::{Message, Millis, Spec, now_ms};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// An answer that stands under `data`.
#[data]
pub struct Under<T> {
    /// what was asked for
    pub data: T,
}

impl<T> From<T> for Under<T> {
    fn from(data: T) -> Self {
        Self { data }
    }
}

/// The topics.
#[data]
pub struct QueueList {
    /// sorted by name
    pub queues: Vec<QueueRow>,
}

/// A topic and how many of its messages are in which state.
#[data]
pub struct QueueRow {
    /// the path of its handler
    pub name: String,
    /// messages that wait for a worker
    pub count: u64,
    /// messages that wait for their time
    pub scheduled_msg_registry_count: u64,
    /// messages that a worker has
    pub started_msg_registry_count: u64,
    /// messages that were answered
    pub finished_msg_registry_count: u64,
    /// messages that were given up
    pub failed_msg_registry_count: u64,
    /// whether claims are stopped
    pub paused: bool,
    /// seconds since the oldest waiting message was handed in; null when none waits
    pub oldest_age: Option<f64>,
}

/// The workers.
#[data]
pub struct WorkerList {
    /// sorted by state, number of topics, name
    pub workers: Vec<WorkerRow>,
}

/// A worker in short.
#[data]
pub struct WorkerRow {
    /// `host:port:pid`
    pub name: String,
    /// the service's name
    pub nickname: String,
    /// how many topics it serves
    pub queues_count: usize,
    /// idle, busy or stopping
    pub state: String,
    /// the program's version
    pub version: String,
}

/// A worker.
#[data]
pub struct WorkerDetail {
    /// `host:port:pid`
    pub name: String,
    /// the service's name
    pub nickname: String,
    /// the topics that it serves
    pub queues: Vec<String>,
    /// idle, busy or stopping
    pub state: String,
    /// the program's version
    pub version: String,
    /// the folder that it runs in
    pub home_dir: String,
    /// when it began
    pub birth_date: String,
    /// when it was last heard of
    pub last_heartbeat: String,
    /// messages that it failed
    pub failed_msg_count: u64,
    /// messages that it finished
    pub successful_msg_count: u64,
    /// messages that it runs now
    pub running_msg_count: u64,
    /// ends that did not count, for the message had passed to another worker
    pub lost_msg_count: u64,
    /// the sum of its runs, in seconds
    pub total_working_time: f64,
}

/// A page of messages.
#[data]
pub struct MessagePage {
    /// the topic
    pub name: String,
    /// their state
    pub registry_name: String,
    /// messages in this state
    pub total_items: u64,
    /// waiting ones next first, ended ones last first
    pub msgs: Vec<MessageRow>,
}

/// A message in short; long texts are cut and end in `…`.
#[data]
pub struct MessageRow {
    /// its id
    pub id: String,
    /// when it was handed in
    pub created_at: String,
    /// when it finished or failed
    pub ended_at: String,
    /// why it failed, or why its last run did
    pub exc_info: String,
    /// its arguments: JSON text
    pub msg_data: String,
    /// the sender's text for people
    pub description: String,
    /// 0 to 9, higher first
    pub priority: u8,
    /// runs that failed
    pub attempts: u32,
    /// workers that died with it
    pub deaths: u32,
    /// when it runs, while it waits for its time
    pub run_at: String,
    /// the id of the call that sent it
    pub reqid: String,
}

/// A message.
#[data]
pub struct MessageDetail {
    /// its id
    pub id: String,
    /// its arguments: JSON text
    pub msg_data: String,
    /// when it was handed in
    pub created_at: String,
    /// when it could run: its own time, or when it was handed in
    pub enqueued_at: String,
    /// when its last run began
    pub started_at: String,
    /// when it finished or failed
    pub ended_at: String,
    /// its topic
    pub origin: String,
    /// scheduled, queued, started, finished or failed
    pub status: String,
    /// the worker that has it, or had it last
    pub handle_worker: String,
    /// the handler's reply
    pub result: Option<Value>,
    /// why it failed, or why its last run did
    pub exc_info: String,
    /// the sender's text for people
    pub description: String,
    /// the handler's stat
    pub stat: Option<String>,
    /// what the handler says of its progress
    pub progress: Option<Value>,
    /// 0 to 9, higher first
    pub priority: u8,
    /// runs that failed
    pub attempts: u32,
    /// how many of them are tried again
    pub retries: u32,
    /// workers that died with it
    pub deaths: u32,
    /// when it runs, while it waits for its time
    pub run_at: String,
    /// seconds that one run may take; 0 is without a limit
    pub timeout: f64,
    /// seconds that it may wait for its first run before it fails
    pub ttl: Option<f64>,
    /// seconds that the last run took
    pub cost: f64,
    /// the id of the call that sent it, the same in all log lines
    pub reqid: String,
    /// who made that call
    pub user: Option<String>,
    /// from where
    pub ip: Option<String>,
    /// the message whose handler sent it
    pub parent: Option<String>,
}

/// What became of a message that was cancelled.
#[data]
pub struct Cancelled {
    /// true when it runs, and its worker was told to stop it; false when it has ended
    pub stopping: bool,
}

/// How many messages were removed.
#[data]
pub struct Deleted {
    /// messages that are gone
    pub deleted_count: u64,
}

pub(super) fn queue(topic: &str, counts: &Counts) -> QueueRow {
    QueueRow {
        name: topic.to_owned(),
        count: counts.queued,
        scheduled_msg_registry_count: counts.scheduled,
        started_msg_registry_count: counts.started,
        finished_msg_registry_count: counts.finished,
        failed_msg_registry_count: counts.failed,
        paused: counts.paused,
        oldest_age: counts.oldest.map(|at| seconds(now_ms().saturating_sub(at))),
    }
}

pub(super) fn worker_row(worker: &WorkerInfo) -> WorkerRow {
    WorkerRow {
        name: worker.name.clone(),
        nickname: worker.nickname.clone(),
        queues_count: worker.topics.len(),
        state: worker.state.clone(),
        version: worker.version.clone(),
    }
}

pub(super) fn worker(worker: WorkerInfo) -> WorkerDetail {
    WorkerDetail {
        name: worker.name,
        nickname: worker.nickname,
        queues: worker.topics,
        state: worker.state,
        version: worker.version,
        home_dir: worker.home_dir,
        birth_date: time(Some(worker.birth)),
        last_heartbeat: time(Some(worker.last_heartbeat)),
        failed_msg_count: worker.failed,
        successful_msg_count: worker.finished,
        running_msg_count: worker.running,
        lost_msg_count: worker.lost,
        total_working_time: worker.working_us as f64 / 1e6,
    }
}

pub(super) fn message_row(message: &Message) -> MessageRow {
    let Spec { args, priority, created, reqid, description, .. } = &message.spec;
    MessageRow {
        id: message.id.to_string(),
        created_at: time(Some(*created)),
        ended_at: time(message.ended),
        exc_info: cut(message.error.as_deref()),
        msg_data: cut(Some(args)),
        description: cut(description.as_deref()),
        priority: *priority,
        attempts: message.attempts,
        deaths: message.deaths,
        run_at: time(message.run_at),
        reqid: reqid.to_string(),
    }
}

pub(super) fn message(message: Message) -> MessageDetail {
    let spec = message.spec;
    MessageDetail {
        id: message.id.to_string(),
        msg_data: spec.args,
        created_at: time(Some(spec.created)),
        enqueued_at: time(Some(message.run_at.unwrap_or(spec.created))),
        started_at: time(message.started),
        ended_at: time(message.ended),
        origin: message.topic.to_string(),
        status: message.state.to_string(),
        handle_worker: message.worker.unwrap_or_default(),
        result: message.result.map(value),
        exc_info: message.error.unwrap_or_default(),
        description: spec.description.unwrap_or_default(),
        stat: message.stat,
        progress: message.progress.map(value),
        priority: spec.priority,
        attempts: message.attempts,
        retries: spec.retries,
        deaths: message.deaths,
        run_at: time(message.run_at),
        timeout: seconds(spec.timeout_ms),
        ttl: spec.ttl_ms.map(seconds),
        cost: message.cost_us as f64 / 1e6,
        reqid: spec.reqid.to_string(),
        user: spec.user,
        ip: spec.ip.map(|ip| ip.to_string()),
        parent: spec.parent,
    }
}

/// JSON text as a value; what is none, as text.
fn value(text: String) -> Value {
    from_str(&text).unwrap_or(Value::String(text))
}

fn seconds(ms: u64) -> f64 {
    ms as f64 / 1e3
}

/// The part of a long text that a list shows, in bytes.
const CUT: usize = 1024;

fn cut(text: Option<&str>) -> String {
    let text = text.unwrap_or_default();
    let end = text.floor_char_boundary(CUT);
    let more = if end < text.len() { "…" } else { "" };
    format!("{}{more}", &text[..end])
}

fn time(at: Option<Millis>) -> String {
    let at = at.and_then(|at| Timestamp::from_millisecond(i64::try_from(at).ok()?).ok());
    at.map_or_else(
        || "-".to_owned(),
        |at| TimeZone::system().to_datetime(at).strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_the_original_writes_them() {
        assert_eq!(time(None), "-");
        let shown = time(Some(1_795_188_600_123));
        assert!(shown.starts_with("2026-11-") && shown.len() == "2026-11-20 15:30:00".len(), "{shown}");
        assert_eq!(time(Some(u64::MAX)), "-", "no time of the calendar's");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let long = "é".repeat(CUT);
        assert_eq!(cut(Some(&long)), format!("{}…", "é".repeat(CUT / 2)));
        assert_eq!((cut(Some("short")).as_str(), cut(None).as_str()), ("short", ""));
    }

    #[test]
    fn a_result_that_is_no_json_is_shown_as_text() {
        assert_eq!(value("{\"a\":1}".into())["a"], 1);
        assert_eq!(value("{broken".into()), Value::String("{broken".into()));
    }
}
