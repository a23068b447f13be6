//! Messages, sent and looked at over HTTP.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::service::PATIENCE;
use crate::wire::{Connection, Request, encoded};

/// Sends a call to be made later; gives the message's id.
#[track_caller]
pub(crate) fn later(connection: &mut Connection, target: &str) -> String {
    let answer = connection.call(&Request::get(target).header("prefer", "respond-async"));
    assert_eq!(answer.status, 202, "{answer:?}");
    answer.json()["msg_id"].as_str().unwrap().to_owned()
}

/// What is known of a message.
#[track_caller]
pub(crate) fn info(connection: &mut Connection, id: &str) -> Value {
    let answer = connection.get(&format!("/baichuan/msg_info?msg_id={}", encoded(id))).json();
    assert_eq!(answer["stat"], "OK", "{id}: {answer}");
    answer["data"].clone()
}

/// Waits until a message has ended, and gives it.
#[track_caller]
pub(crate) fn ended(connection: &mut Connection, id: &str) -> Value {
    until(id, || {
        Some(info(connection, id))
            .filter(|message| message["status"] == "finished" || message["status"] == "failed")
    })
}

/// Waits until a worker runs a message.
#[track_caller]
pub(crate) fn begun(connection: &mut Connection, id: &str) -> Value {
    until(id, || Some(info(connection, id)).filter(|message| message["status"] == "started"))
}

/// Asks until there is an answer.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The lines of an access log that runs of messages wrote: of each its message, its stat and its line.
pub(crate) fn runs(lines: &[String]) -> Vec<(String, String, String)> {
    let field = |line: &str, name: &str| {
        let field = line.split('\t').find_map(|field| field.strip_prefix(name));
        field.unwrap_or_else(|| panic!("{name} is not in {line}")).to_owned()
    };
    let of_queue = lines.iter().filter(|line| line.split('\t').nth(5) == Some("QUEUE"));
    let run = |line: &String| {
        let notes = field(line, "res:");
        let id = notes.split(';').find_map(|note| note.strip_prefix("msg=")).map(str::to_owned);
        (id.unwrap_or_default(), field(line, "stat:"), line.clone())
    };
    of_queue.map(run).collect()
}
