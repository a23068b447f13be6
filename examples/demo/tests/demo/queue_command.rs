//! `queue …` and `call --queue`: the message queue on the command line.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::folder::Folder;
use crate::service::{PATIENCE, Service};

/// The count of a topic in a state.
fn count(folder: &Folder, topic: &str, state: &str) -> u64 {
    let topics = folder.json(&["queue", "list", "--json"]);
    let found = topics.as_array().unwrap().iter().find(|one| one["topic"] == topic);
    found.unwrap_or_else(|| panic!("{topic}: {topics}"))[state].as_u64().unwrap()
}

#[track_caller]
fn wait_for(what: &str, is: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is() {
        assert!(Instant::now() < deadline, "{what} did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn enqueue(folder: &Folder, words: &[&str]) -> String {
    let mut all = vec!["queue", "enqueue", "--json"];
    all.extend(words);
    folder.json(&all)["msg_id"].as_str().unwrap().to_owned()
}

#[test]
fn messages_are_sent_and_seen_without_a_server() {
    let folder = Folder::new();
    assert!(folder.run(&["queue", "list"]).ok().contains("no topic has messages"));
    let first = enqueue(&folder, &["/demo_api/hello", "str_info=a\u{1b}[2Jb"]);
    let urgent =
        enqueue(&folder, &["demo_api/hello", "{\"str_info\":\"c\"}", "--priority", "9", "--id", "order-7"]);
    assert_eq!(urgent, "order-7");
    let later = enqueue(&folder, &["/demo_api/hello", "d", "--delay", "1h", "--unique", "k"]);
    assert_eq!(enqueue(&folder, &["/demo_api/hello", "e", "--unique", "k"]), later);
    let counts = folder.run(&["queue", "list"]).ok();
    let row = counts.lines().find(|line| line.starts_with("/demo_api/hello")).unwrap();
    assert_eq!(row.split_whitespace().collect::<Vec<_>>()[1..6], ["1", "2", "0", "0", "0"], "{counts}");
    let page = |words: &[&str]| {
        let mut all = vec!["queue", "messages", "/demo_api/hello", "--json"];
        all.extend(words);
        folder.json(&all)
    };
    assert_eq!(page(&[])["messages"][0]["msg_id"], "order-7", "the higher priority goes first");
    let second = page(&["--page", "2", "--size", "1"]);
    assert_eq!((&second["total"], &second["messages"][0]["msg_id"]), (&json!(2), &json!(first)));
    assert_eq!(page(&["--state", "scheduled"])["messages"][0]["args"], json!({"str_info": "d"}));
    let shown = folder.run(&["queue", "show", &first]).ok();
    assert!(shown.contains("queued") && !shown.contains('\u{1b}'), "{shown:?}");
    let text = folder.run(&["queue", "messages", "/demo_api/hello"]).ok();
    assert!(text.contains(&first) && !text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn what_does_not_fit_is_refused_and_says_why() {
    let folder = Folder::new();
    let refuse = |words: &[&str], code: i32, says: &[&str]| {
        let mut all = vec!["queue"];
        all.extend(words);
        folder.run(&all).fails(code, says);
    };
    refuse(&["enqueue", "/demo_api/add", "1"], 1, &["b: missing"]);
    refuse(&["enqueue", "/demo_api/add", "1", "2", "3"], 2, &["\"3\" is one argument too many"]);
    refuse(&["enqueue", "/demo_api/nothing"], 2, &["/demo_api/nothing", "allow_unknown"]);
    refuse(&["enqueue", "/demo_api/add", "1", "2", "--priority", "10"], 2, &["--priority"]);
    refuse(&["enqueue", "/demo_api/add", "1", "2", "--delay", "soon"], 2, &["10s"]);
    refuse(&["enqueue", "/demo_api/add", "1", "2", "--at", "soon"], 2, &["2026-11-25T18:00:00"]);
    for word in ["show", "cancel", "delete", "requeue"] {
        refuse(&[word, "5f3a9c1e0064f3a1b2c3d"], 1, &["there is no such message"]);
        refuse(&[word, "a b"], 2, &["a message id is"]);
        refuse(&[word], 2, &["MSG_ID"]);
    }
    for word in ["pause", "resume", "messages"] {
        refuse(&[word, "/nothing"], 1, &["/nothing", "queue list --all"]);
    }
    refuse(
        &["messages", "/demo_api/add", "--state", "done"],
        2,
        &["scheduled, queued, started, finished, failed"],
    );
    refuse(&["empty", "/demo_api/add", "started", "--yes"], 2, &["queue cancel"]);
    refuse(&["empty", "/demo_api/add", "queued"], 2, &["--yes"]);
    refuse(&["worker", "here:0:1"], 1, &["here:0:1", "none"]);
    refuse(&["requeue", "--all-failed", "/demo_api/add", "x"], 2, &["--all-failed"]);
}

#[test]
fn messages_are_cancelled_requeued_deleted_and_emptied() {
    let folder = Folder::new();
    let ids: Vec<String> =
        (0..5).map(|n| enqueue(&folder, &["/demo_api/add", "1", &n.to_string()])).collect();
    folder.run(&["queue", "cancel", &ids[0]]).ok();
    let cancelled = folder.json(&["queue", "show", &ids[0], "--json"]);
    assert_eq!(
        (&cancelled["state"], &cancelled["error"]),
        (&json!("failed"), &json!("cancelled from the command line"))
    );
    folder.run(&["queue", "requeue", &ids[0], "{\"a\":1}"]).fails(1, &["b: missing"]);
    folder.run(&["queue", "requeue", &ids[0], "{\"a\":7,\"b\":8}"]).ok();
    let again = folder.json(&["queue", "show", &ids[0], "--json"]);
    assert_eq!((&again["state"], &again["args"]), (&json!("queued"), &json!({"a": 7, "b": 8})));
    folder.run(&["queue", "requeue", &ids[0]]).fails(1, &["only an ended message"]);
    ids[..3].iter().for_each(|id| drop(folder.run(&["queue", "cancel", id]).ok()));
    assert_eq!(folder.json(&["queue", "requeue", "--json", "--all-failed", "/demo_api/add"])["requeued"], 3);
    assert_eq!(count(&folder, "/demo_api/add", "queued"), 5);
    folder.run(&["queue", "delete", &ids[4]]).ok();
    assert_eq!(folder.json(&["queue", "empty", "/demo_api/add", "queued", "--yes", "--json"])["removed"], 4);
    assert_eq!(count(&folder, "/demo_api/add", "queued"), 0);
}

#[test]
fn a_worker_runs_what_the_command_line_sends_and_answers() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    assert_eq!(
        folder.json(&["call", "--queue", "--json", "/demo_api/add", "1", "b=2"]),
        json!({"stat": "OK", "data": 3})
    );
    let ended = folder.json(&["queue", "enqueue", "--wait", "--json", "/demo_api/hello", "hi"]);
    assert_eq!((&ended["state"], &ended["result"]["str_info"]), (&json!("finished"), &json!("hi")));
    folder.run(&["call", "--queue", "/demo_api/fail"]).fails(1, &["No such file"]);
    folder.run(&["call", "--queue", "/demo_api/withdraw", "20000"]).fails(1, &["ERR_INSUFFICIENT"]);
    let workers = folder.json(&["queue", "workers", "--json"]);
    let name = workers[0]["name"].as_str().unwrap();
    assert_eq!(workers[0]["pid"], service.pid());
    assert!(folder.run(&["queue", "worker", name]).ok().contains("/demo_api/hello"));
    assert!(folder.run(&["queue", "workers"]).ok().contains(name));
    service.stop();
    assert!(folder.run(&["queue", "workers"]).ok().contains("no worker is here"));
}

#[test]
fn a_paused_topic_waits_until_it_is_resumed() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    folder.run(&["queue", "pause", "/demo_api/hello"]).ok();
    enqueue(&folder, &["/demo_api/hello", "hi"]);
    // The worker takes the other topic's message, sent later, and not the paused one's.
    folder.run(&["call", "--queue", "/demo_api/add", "1", "2"]).ok();
    assert_eq!(count(&folder, "/demo_api/hello", "queued"), 1);
    assert!(folder.run(&["queue", "list"]).ok().contains("paused"));
    folder.run(&["queue", "resume", "/demo_api/hello"]).ok();
    wait_for("its end", || count(&folder, "/demo_api/hello", "finished") == 1);
    service.stop();
}

#[test]
fn handlers_called_on_the_command_line_have_the_queue() {
    let folder = Folder::new();
    folder.run(&["call", "/demo_api/ping"]).ok();
    let line = folder.read("logs/dev/acc.log");
    assert!(line.contains("\tCLI\t/demo_api/ping\t"), "{line}");
    assert!(folder.path("data/queue.db").exists());
}
