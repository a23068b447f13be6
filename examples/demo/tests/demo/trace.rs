//! `trace`: one call after the fact.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::folder::Folder;
use crate::service::{PATIENCE, Service};
use crate::wire::Request;

/// The trace of a call, once it is as it should be: lines are written a moment after their call.
#[track_caller]
fn trace(folder: &Folder, reqid: &str, is: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let ran = folder.run(&["trace", reqid, "--json"]);
        let tree: Value = serde_json::from_str(&ran.out).unwrap_or_default();
        if is(&tree) {
            return tree;
        }
        assert!(Instant::now() < deadline, "{reqid}: {ran:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn send(service: &Service, target: &str) -> String {
    let answer = service.connect().call(&Request::get(target).header("prefer", "respond-async"));
    answer.reqid().to_owned()
}

fn message(tree: &Value) -> &Value {
    &tree["calls"][0]["messages"][0]
}

#[test]
fn a_deferred_call_is_traced_from_the_door_to_its_last_run() {
    let folder = Folder::new();
    let service = Service::start(&folder, &["--set=queue.retries=1"]);
    let ok = send(&service, "/demo_api/slow?ms=150");
    let fails = send(&service, "/demo_api/fail");
    let tree = trace(&folder, &ok, |tree| {
        message(tree)["runs"][0].is_object() && message(tree)["state"] == "finished"
    });
    assert_eq!(tree["calls"][0]["function"], "/demo_api/slow");
    assert_eq!((&tree["calls"][0]["method"], &message(&tree)["stat"]), (&json!("GET"), &json!("OK")));
    let run = &message(&tree)["runs"][0];
    assert!(run["cost_us"].as_u64().unwrap() >= 150_000, "{run}");
    let began = run["at"].as_u64().unwrap();
    let (created, ended) =
        (message(&tree)["created"].as_u64().unwrap(), message(&tree)["ended"].as_u64().unwrap());
    assert!(created <= began && began + 150 <= ended + 1, "{created} {began} {ended}");
    let tree = trace(&folder, &fails, |tree| {
        message(tree)["runs"].as_array().is_some_and(|runs| runs.len() == 2)
            && message(tree)["state"] == "failed"
    });
    let attempts: Vec<_> = (0..2).map(|run| message(&tree)["runs"][run]["attempt"].clone()).collect();
    assert_eq!(attempts, [1, 2]);
    let text = folder.run(&["trace", &fails]).ok();
    for part in [
        "1 call, 1 message, 2 runs",
        "all ended",
        "GET /demo_api/fail",
        "run 2  ERR_SERVER_EXCEPTION",
        "No such file",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("slow"), "another call's: {text}");
    service.stop();
}

#[test]
fn a_message_that_waits_is_in_its_trace_whoever_sent_it() {
    let folder = Folder::new();
    let service = Service::start(&folder, &["--roles=http"]);
    let reqid = send(&service, "/demo_api/hello?str_info=hi");
    let tree = trace(&folder, &reqid, |tree| tree["calls"][0].is_object());
    assert_eq!((&message(&tree)["state"], &message(&tree)["runs"]), (&json!("queued"), &json!([])));
    assert!(folder.run(&["trace", &reqid]).ok().contains("1 not ended"));
    service.stop();
    let sent = folder.json(&["queue", "enqueue", "--json", "/demo_api/hello", "hi", "--delay", "1h"]);
    let tree = folder.json(&["trace", sent["reqid"].as_str().unwrap(), "--json"]);
    assert_eq!((&tree["calls"][0]["method"], &message(&tree)["msg_id"]), (&json!("CLI"), &sent["msg_id"]));
    assert_eq!(message(&tree)["state"], "scheduled");
    folder.run(&["queue", "delete", sent["msg_id"].as_str().unwrap()]).ok();
    let tree = folder.json(&["trace", sent["reqid"].as_str().unwrap(), "--json"]);
    assert_eq!(message(&tree)["state"], "gone");
}

#[test]
fn what_a_message_sends_hangs_below_it() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let args = "{\"topic\":\"/demo_api/hello\",\"args\":{\"str_info\":\"hi\"}}";
    let sent = folder.json(&["queue", "enqueue", "--json", "/baichuan/enqueue", args]);
    let inner = |tree: &Value| message(tree)["messages"][0].clone();
    let tree = trace(&folder, sent["reqid"].as_str().unwrap(), |tree| inner(tree)["runs"][0].is_object());
    assert_eq!(message(&tree)["topic"], "/baichuan/enqueue");
    assert_eq!(
        (&inner(&tree)["topic"], &inner(&tree)["parent"]),
        (&json!("/demo_api/hello"), &sent["msg_id"])
    );
    assert_eq!(tree["messages"], json!([]), "nothing stands there twice");
    service.stop();
}

#[test]
fn it_is_found_in_json_lines_and_in_files_set_aside() {
    let folder = Folder::new();
    let service = Service::start(
        &folder,
        &["--set=log.format=json", "--set=log.rotate_bytes=4KiB", "--set=log.keep=0"],
    );
    let reqid = send(&service, "/demo_api/hello?str_info=hi");
    let found = |tree: &Value| message(tree)["runs"][0].is_object() && message(tree)["state"] == "finished";
    trace(&folder, &reqid, found);
    let deadline = Instant::now() + PATIENCE;
    while folder.log_files("acc.log").len() < 3 {
        assert!(Instant::now() < deadline, "the log does not turn");
        service.get("/demo_api/hello?str_info=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    }
    // Between two lines the file that is written may not be there.
    let newest = std::fs::read_to_string(folder.path("logs/acc.log")).unwrap_or_default();
    assert!(!newest.contains(&reqid), "it is in an older file");
    trace(&folder, &reqid, found);
    service.stop();
}

#[test]
fn what_is_not_there_is_said() {
    let folder = Folder::new();
    folder.run(&["trace", "32B3AB191422E701"]).fails(1, &["32B3AB191422E701", "--logs"]);
    folder.run(&["trace", "of-another-making"]).fails(1, &["--since"]);
    folder.run(&["trace", "a b"]).fails(2, &["a reqid is"]);
    folder.run(&["trace", "x", "--since", "never"]).fails(2, &["--since"]);
}
