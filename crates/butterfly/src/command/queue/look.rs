//! Looking: topics, workers, messages.

use butterfly_queue::engine::{Counts, WorkerInfo};
use butterfly_queue::{Message, Millis, MsgId, State, now_ms};
use serde_json::{Value, json};

use super::document;
use crate::command::desk::{Desk, Done, Failure};
use crate::command::shown::{cost, cut, harmless, pretty, short_time, span, time};
use crate::command::table::table;
use crate::say::say;

pub(super) async fn list(desk: &Desk<'_>, all: bool) -> Done {
    let topics = desk.queue.topics().await?;
    if desk.json {
        let topics = topics.iter().map(|(topic, counts)| document::topic(topic, counts)).collect();
        say!("{:#}", Value::Array(topics));
        return Ok(());
    }
    let shown: Vec<_> = topics.iter().filter(|(_, counts)| all || used(counts)).collect();
    let hidden = topics.len() - shown.len();
    if !shown.is_empty() {
        let rows: Vec<_> = shown.iter().map(|(topic, counts)| topic_row(topic, counts)).collect();
        let head = ["TOPIC", "SCHEDULED", "QUEUED", "STARTED", "FINISHED", "FAILED", "OLDEST", ""];
        say!("{}", table(&head, &[1, 2, 3, 4, 5, 6], &rows).trim_end());
    }
    match (shown.len(), hidden) {
        (_, 0) => {}
        (0, _) => say!("no topic has messages; `queue list --all` shows all {hidden}"),
        (_, _) => say!("\n{hidden} more without messages: --all shows them"),
    }
    Ok(())
}

pub(super) fn used(counts: &Counts) -> bool {
    counts.paused || State::ALL.iter().any(|state| counts.of(*state) > 0)
}

fn topic_row(topic: &str, counts: &Counts) -> Vec<String> {
    let oldest = counts.oldest.map_or_else(|| "-".into(), |oldest| span(now_ms().saturating_sub(oldest)));
    let paused = if counts.paused { "paused" } else { "" };
    let mut row = vec![topic.to_owned()];
    row.extend(State::ALL.iter().map(|state| counts.of(*state).to_string()));
    row.extend([oldest, paused.to_owned()]);
    row
}

pub(super) async fn workers(desk: &Desk<'_>) -> Done {
    let workers = desk.queue.workers().await?;
    if desk.json {
        say!("{:#}", Value::Array(workers.iter().map(document::worker).collect()));
    } else if workers.is_empty() {
        say!("no worker is here; `serve` starts one where roles has worker");
    } else {
        say!("{}", worker_table(&workers).trim_end());
    }
    Ok(())
}

pub(super) fn worker_table(workers: &[WorkerInfo]) -> String {
    let head =
        ["WORKER", "SERVICE", "VERSION", "STATE", "RUNNING", "FINISHED", "FAILED", "LOST", "UP", "TOPICS"];
    let row = |worker: &WorkerInfo| {
        let numbers = [worker.running, worker.finished, worker.failed, worker.lost].map(|n| n.to_string());
        let up = span(now_ms().saturating_sub(worker.birth));
        let words =
            [&worker.name, &worker.nickname, &worker.version, &worker.state].map(|word| cut(word, 60));
        words.into_iter().chain(numbers).chain([up, worker.topics.len().to_string()]).collect()
    };
    let rows: Vec<Vec<String>> = workers.iter().map(row).collect();
    table(&head, &[4, 5, 6, 7, 8, 9], &rows)
}

pub(super) async fn worker(desk: &Desk<'_>, name: &str) -> Done {
    let workers = desk.queue.workers().await?;
    let Some(worker) = workers.iter().find(|worker| worker.name == name) else {
        let here: Vec<&str> = workers.iter().map(|worker| worker.name.as_str()).collect();
        let here = if here.is_empty() { "none".to_owned() } else { here.join(", ") };
        return Err(Failure::Not(format!("no worker {name:?} is here; those that are: {here}")));
    };
    if desk.json {
        say!("{:#}", document::worker(worker));
        return Ok(());
    }
    let now = now_ms();
    let ago = |at: Millis| format!("{}, {} ago", time(at), span(now.saturating_sub(at)));
    line("name", &worker.name);
    line("service", &format!("{} {}", cut(&worker.nickname, 60), cut(&worker.version, 60)));
    line("state", &worker.state);
    line(
        "place",
        &format!("{}, pid {}, in {}", cut(&worker.hostname, 200), worker.pid, cut(&worker.home_dir, 200)),
    );
    line("started", &ago(worker.birth));
    line("heard of", &ago(worker.last_heartbeat));
    let (finished, failed, lost) = (worker.finished, worker.failed, worker.lost);
    line(
        "messages",
        &format!("{} running, {finished} finished, {failed} failed, {lost} lost", worker.running),
    );
    line("working", &cost(worker.working_us));
    for (index, topic) in worker.topics.iter().enumerate() {
        line(if index == 0 { "topics" } else { "" }, topic);
    }
    Ok(())
}

pub(super) async fn messages(desk: &Desk<'_>, topic: &str, state: State, (page, size): (u64, u64)) -> Done {
    let topic = known(desk, topic).await?;
    let counts = desk.queue.counts(&topic).await?;
    let first = (page - 1).saturating_mul(size);
    let messages = desk.queue.list(&topic, state, first, size).await?;
    if desk.json {
        let list: Vec<_> = messages.iter().map(document::message).collect();
        say!(
            "{:#}",
            json!({ "topic": topic, "state": state.as_str(), "total": counts.of(state), "page": page, "size": size, "messages": list })
        );
        return Ok(());
    }
    if messages.is_empty() {
        let others: Vec<_> = State::ALL.iter().filter(|state| counts.of(**state) > 0).collect();
        let others: Vec<_> = others.iter().map(|state| format!("{} {state}", counts.of(**state))).collect();
        let others = if others.is_empty() { "no messages at all".to_owned() } else { others.join(", ") };
        say!("{topic}: no {state} messages on page {page}; there are {others}");
        return Ok(());
    }
    let last = first + messages.len() as u64;
    say!("{topic}: {state} {} to {last} of {}\n", first + 1, counts.of(state));
    say!("{}", message_table(state, &messages).trim_end());
    Ok(())
}

/// The characters of a text that a table shows.
const CELL: usize = 60;

fn message_table(state: State, messages: &[Message]) -> String {
    let now = now_ms();
    let ended = matches!(state, State::Finished | State::Failed);
    let [when, how] = match state {
        State::Scheduled => ["RUNS IN", "NOTE"],
        State::Queued => ["WAITS", "NOTE"],
        State::Started => ["WORKER", "NOTE"],
        State::Finished => ["COST", "STAT"],
        State::Failed => ["COST", "ERROR"],
    };
    let row = |message: &Message| {
        let when = match state {
            State::Scheduled => span(message.run_at.unwrap_or(now).saturating_sub(now)),
            State::Queued => span(document::age(message, now)),
            State::Started => message.worker.clone().unwrap_or_else(|| "-".into()),
            State::Finished | State::Failed => cost(message.cost_us),
        };
        let how = match state {
            State::Finished => message.stat.clone().unwrap_or_default(),
            _ => message.error.clone().unwrap_or_default(),
        };
        let at = if ended { message.ended.unwrap_or(now) } else { message.spec.created };
        vec![
            message.id.to_string(),
            short_time(at, now),
            message.spec.priority.to_string(),
            message.attempts.to_string(),
            cut(&when, CELL),
            cut(&message.spec.args, CELL),
            cut(&how, CELL),
        ]
    };
    let rows: Vec<_> = messages.iter().map(row).collect();
    let at = if ended { "ENDED" } else { "CREATED" };
    table(&["MSG_ID", at, "PRIO", "TRIES", when, "ARGS", how], &[2, 3], &rows)
}

/// The topic of a path, if the program or the engine knows it.
pub(super) async fn known(desk: &Desk<'_>, path: &str) -> Result<String, Failure> {
    let path = format!("/{}", path.trim_matches('/'));
    let own = desk.queue.entries().iter().any(|entry| *entry.topic.path == path);
    if own || desk.queue.engine().topics().await?.iter().any(|topic| **topic == path) {
        return Ok(path);
    }
    Err(Failure::Not(format!("there is no topic {path}; `queue list --all` shows all")))
}

/// The bytes of a text that `show` prints without `--full`.
const SHOWN: usize = 2000;

pub(super) async fn show(desk: &Desk<'_>, id: &MsgId, full: bool) -> Done {
    let message = found(desk, id).await?;
    if desk.json {
        say!("{:#}", document::message(&message));
        return Ok(());
    }
    show_fate(&message);
    show_spec(&message);
    let texts = [
        ("args", Some(&message.spec.args)),
        ("progress", message.progress.as_ref()),
        ("result", message.result.as_ref()),
        ("error", message.error.as_ref()),
    ];
    for (name, text) in texts.into_iter().filter_map(|(name, text)| Some((name, text?))) {
        let whole = pretty(text);
        let end = if full { whole.len() } else { whole.floor_char_boundary(SHOWN) };
        say!("\n{name}:\n{}", &whole[..end]);
        if end < whole.len() {
            say!("… {} bytes more: --full shows them", whole.len() - end);
        }
    }
    Ok(())
}

pub(super) async fn found(desk: &Desk<'_>, id: &MsgId) -> Result<Message, Failure> {
    let missing = || Failure::from(butterfly_core::Error::business("ERR_MSG_NOT_EXIST"));
    desk.queue.find(id).await?.ok_or_else(missing)
}

fn show_fate(message: &Message) {
    let now = now_ms();
    line("msg_id", &message.id.to_string());
    line("topic", &message.topic);
    let stat = message.stat.as_ref().map(|stat| format!(", {}", cut(stat, CELL))).unwrap_or_default();
    line("state", &format!("{}{stat}", message.state));
    line(
        "created",
        &format!("{}, {} ago", time(message.spec.created), span(now.saturating_sub(message.spec.created))),
    );
    if let Some(at) = message.run_at {
        line("runs at", &format!("{}, in {}", time(at), span(at.saturating_sub(now))));
    }
    if let Some(started) = message.started {
        let waited = span(started.saturating_sub(message.spec.created));
        line("started", &format!("{}, {waited} after it was created", time(started)));
    }
    if let Some(ended) = message.ended {
        line("ended", &format!("{}, cost {}", time(ended), cost(message.cost_us)));
    }
    if let Some(worker) = &message.worker {
        line("worker", worker);
    }
    line("failures", &format!("{} of its runs, {} of its workers", message.attempts, message.deaths));
}

fn show_spec(message: &Message) {
    let spec = &message.spec;
    let limit = if spec.timeout_ms == 0 { "without a limit".into() } else { span(spec.timeout_ms) };
    line("limits", &format!("priority {}, retries {}, timeout {limit}", spec.priority, spec.retries));
    let kept = |ttl: Option<u64>| ttl.map_or_else(|| "for ever".into(), span);
    line("kept", &format!("finished {}, failed {}", kept(spec.result_ttl_ms), kept(spec.failure_ttl_ms)));
    line("reqid", &format!("{}  (`trace {0}`)", spec.reqid));
    let optional = [
        ("ttl", spec.ttl_ms.map(span)),
        ("limit key", spec.key.clone()),
        ("sent by", spec.parent.as_ref().map(|id| format!("message {id}"))),
        ("user", spec.user.clone()),
        ("ip", spec.ip.map(|ip| ip.to_string())),
        ("about", spec.description.clone()),
    ];
    for (name, text) in optional.into_iter().filter_map(|(name, text)| Some((name, text?))) {
        line(name, &cut(&text, SHOWN));
    }
}

fn line(name: &str, value: &str) {
    say!("{name:<10} {}", harmless(value));
}
