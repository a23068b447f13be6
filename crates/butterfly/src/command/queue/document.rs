//! What the queue knows, as JSON for programs.

use butterfly_queue::engine::{Counts, WorkerInfo};
use butterfly_queue::{Message, Millis, State, now_ms};
use serde_json::{Value, json};

/// A topic and its counts.
pub(super) fn topic(topic: &str, counts: &Counts) -> Value {
    let mut document = json!({
        "topic": topic,
        "paused": counts.paused,
        "oldest_ms": counts.oldest.map(|oldest| now_ms().saturating_sub(oldest)),
    });
    for state in State::ALL {
        document[state.as_str()] = counts.of(state).into();
    }
    document
}

/// A worker.
pub(super) fn worker(worker: &WorkerInfo) -> Value {
    // A struct of texts and numbers always is JSON.
    serde_json::to_value(worker).unwrap_or_default()
}

/// Everything about a message. Times are Unix milliseconds; JSON texts stand as JSON.
pub(in crate::command) fn message(message: &Message) -> Value {
    let spec = &message.spec;
    json!({
        "msg_id": message.id.to_string(),
        "topic": &*message.topic,
        "state": message.state.as_str(),
        "args": json_of(&spec.args),
        "priority": spec.priority,
        "created": spec.created,
        "run_at": message.run_at,
        "started": message.started,
        "ended": message.ended,
        "cost_us": message.cost_us,
        "attempts": message.attempts,
        "deaths": message.deaths,
        "retries": spec.retries,
        "timeout_ms": spec.timeout_ms,
        "ttl_ms": spec.ttl_ms,
        "result_ttl_ms": spec.result_ttl_ms,
        "failure_ttl_ms": spec.failure_ttl_ms,
        "limit_key": spec.key,
        "reqid": spec.reqid.as_str(),
        "parent": spec.parent,
        "user": spec.user,
        "ip": spec.ip.map(|ip| ip.to_string()),
        "description": spec.description,
        "worker": message.worker,
        "progress": message.progress.as_deref().map(json_of),
        "stat": message.stat,
        "result": message.result.as_deref().map(json_of),
        "error": message.error,
    })
}

/// The value of a JSON text; a text that is none stays a text.
fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

/// How long a message waits, waited or has been running, for people.
pub(super) fn age(message: &Message, now: Millis) -> u64 {
    message.ended.unwrap_or(now).saturating_sub(message.spec.created)
}
