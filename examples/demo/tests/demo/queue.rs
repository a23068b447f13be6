//! Calls that are made later: how they are sent, run and tried again, and what the logs say of them.

use serde_json::{Value, json};

use crate::folder::Folder;
use crate::messages::{begun, ended, info, later, runs, until};
use crate::service::Service;
use crate::wire::{Connection, Request, encoded};

/// The message that a handler of the demo sent.
fn ordered(connection: &mut Connection, target: &str) -> String {
    let answer = connection.get(target).json();
    answer["msg_id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[test]
fn a_caller_need_not_wait_for_the_answer() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let mut connection = service.connect();
    let answer = connection.call(&Request::get("/demo_api/add?a=1&b=2").header("prefer", "respond-async"));
    assert_eq!((answer.status, answer.header("preference-applied")), (202, Some("respond-async")));
    let document = answer.json();
    let id = document["msg_id"].as_str().unwrap();
    assert_eq!(answer.header("location"), Some(format!("/baichuan/msg_info?msg_id={id}").as_str()));
    let message = ended(&mut connection, id);
    assert_eq!(
        (&message["status"], &message["result"]),
        (&json!("finished"), &json!({"stat": "OK", "data": 3}))
    );
    assert_eq!(message["reqid"], answer.reqid());
    let wrong = connection.call(&Request::get("/demo_api/add?a=1").header("prefer", "respond-async"));
    assert_eq!(wrong.json()["stat"], "ERR_BAD_PARAMS", "the arguments are checked now");
}

#[test]
fn a_full_topic_sends_callers_away_for_a_while() {
    let folder = Folder::new();
    let service = Service::start(&folder, &["--set=queue.max_depth=2"]);
    let mut connection = service.connect();
    connection.get("/baichuan/pause?queue_name=/demo_api/ping");
    let ids = [(); 2].map(|()| later(&mut connection, "/demo_api/ping"));
    for request in [
        Request::get("/demo_api/ping").header("prefer", "respond-async"),
        Request::json("/baichuan/enqueue", &json!({"topic": "/demo_api/ping"})),
    ] {
        let full = connection.call(&request);
        assert_eq!((full.status, full.header("retry-after")), (503, Some("1")), "{full:?}");
        let said = full.json();
        assert_eq!(said["stat"], "ERR_BUSY");
        assert!(said["reason"].as_str().unwrap().contains("at most 2 may"), "{said}");
    }
    later(&mut connection, "/demo_api/hello?str_info=another+topic");
    connection.get("/baichuan/resume?queue_name=/demo_api/ping");
    for id in ids {
        assert_eq!(ended(&mut connection, &id)["status"], "finished");
    }
    later(&mut connection, "/demo_api/ping");
}

#[test]
fn one_id_leads_through_all_lines_of_a_call() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let mut connection = service.connect();
    let answer = connection.call(&Request::get("/demo_async/light").header("prefer", "respond-async"));
    let id = answer.json()["msg_id"].as_str().unwrap().to_owned();
    let message = ended(&mut connection, &id);
    assert_eq!((&message["result"]["data"], &message["attempts"]), (&json!(3), &json!(2)), "{message}");
    let reqid = answer.reqid().to_owned();
    service.stop();
    let lines: Vec<String> =
        folder.lines("acc.log").into_iter().filter(|line| line.contains(&reqid)).collect();
    let http: Vec<&String> = lines.iter().filter(|line| line.contains("\tGET\t")).collect();
    assert!(http.len() == 1 && http[0].contains(&format!("enqueued={id};")), "{http:?}");
    let runs = runs(&lines);
    let stats: Vec<&str> = runs.iter().map(|(_, stat, _)| stat.as_str()).collect();
    assert_eq!(stats, ["ERR_SERVER_EXCEPTION", "ERR_SERVER_EXCEPTION", "OK"], "{lines:?}");
    assert!(runs.iter().all(|(message, ..)| *message == id));
    assert!(runs[1].2.contains("attempt=2;") && runs[2].2.contains("attempt=3;"), "{runs:?}");
    let errors = folder.lines("common.log.wf");
    let of_call = errors.iter().filter(|line| line.contains(&reqid) && line.contains("the match went out"));
    assert_eq!(of_call.count(), 2, "each failure has its causes in the error log: {errors:?}");
}

#[test]
fn a_message_knows_who_sent_it() {
    let folder = Folder::new();
    let service = Service::start(&folder, &["--set=http.trusted_proxies=127.0.0.1"]);
    let mut connection = service.connect();
    let order = Request::get("/demo_async/order?tea=green")
        .header("x-username", "ann")
        .header("x-real-ip", "203.0.113.9")
        .header("prefer", "respond-async");
    let answer = connection.call(&order);
    let parent = answer.json()["msg_id"].as_str().unwrap().to_owned();
    let message = ended(&mut connection, &parent);
    let child = message["result"]["msg_id"].as_str().unwrap();
    let child = ended(&mut connection, child);
    assert_eq!((&child["result"]["data"], &child["parent"]), (&json!("1 cups of green"), &json!(parent)));
    for message in [message, child] {
        assert_eq!((&message["user"], &message["ip"]), (&json!("ann"), &json!("203.0.113.9")));
        assert_eq!(message["reqid"], answer.reqid());
    }
}

#[test]
fn a_handler_waits_for_another_over_the_queue() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let answer = service.get("/demo_async/order_and_wait?tea=white&cups=3");
    assert_eq!(answer.json(), json!({"stat": "OK", "data": "3 cups of white"}));
    let wrong = service.get("/demo_async/order_and_wait?tea=white&cups=0").json();
    assert_eq!(
        (&wrong["stat"], &wrong["params"]["cups"]),
        (&json!("ERR_BAD_PARAMS"), &json!("must be in 1..=20, got 0"))
    );
}

#[test]
fn an_order_for_later_is_one_order_and_comes_at_its_time() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let mut connection = service.connect();
    let id = ordered(&mut connection, "/demo_async/order_for_later?tea=green&after=1");
    assert_eq!(ordered(&mut connection, "/demo_async/order_for_later?tea=green&after=1"), id);
    let other = ordered(&mut connection, "/demo_async/order_for_later?tea=white&after=3600");
    assert_eq!(info(&mut connection, &id)["status"], "scheduled");
    assert_eq!(ended(&mut connection, &id)["status"], "finished");
    assert_eq!(info(&mut connection, &other)["status"], "scheduled");
    assert_ne!(
        ordered(&mut connection, "/demo_async/order_for_later?tea=green&after=1"),
        id,
        "the first one has ended"
    );
}

#[test]
fn progress_is_seen_while_it_runs() {
    let folder = Folder::new();
    let service = Service::start(&folder, &["--set=queue.lease=2s"]);
    let mut connection = service.connect();
    let id = later(&mut connection, "/demo_async/brew?tea=green&cups=20&ms=500");
    begun(&mut connection, &id);
    let seen =
        until("progress", || Some(info(&mut connection, &id)["progress"].clone()).filter(Value::is_string));
    assert!(seen.as_str().unwrap().ends_with("of 20 cups"), "{seen}");
    connection.get(&format!("/baichuan/cancel?msg_id={id}"));
    ended(&mut connection, &id);
}

#[test]
fn a_run_that_is_put_off_costs_no_retry() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let mut connection = service.connect();
    let soon = std::time::SystemTime::now() + std::time::Duration::from_secs(1);
    let soon = soon.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let until = butterfly::jiff::Timestamp::from_millisecond(i64::try_from(soon).unwrap()).unwrap();
    let id = later(&mut connection, &format!("/demo_async/steep?until={}", encoded(&until.to_string())));
    let message = ended(&mut connection, &id);
    assert_eq!(
        (&message["result"]["data"], &message["attempts"]),
        (&json!("served"), &json!(0)),
        "{message}"
    );
    service.stop();
    let stats: Vec<String> = runs(&folder.lines("acc.log")).into_iter().map(|(_, stat, _)| stat).collect();
    assert!(stats.len() >= 2 && stats[0] == "ERR_BUSY" && stats.last().unwrap() == "OK", "{stats:?}");
}

#[test]
fn a_batch_takes_messages_together_and_each_has_its_end() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let mut connection = service.connect();
    connection.get("/baichuan/pause?queue_name=/demo_async/wash");
    let ids: Vec<String> =
        (0..30).map(|n| later(&mut connection, &format!("/demo_async/wash?cups={n}"))).collect();
    connection.get("/baichuan/resume?queue_name=/demo_async/wash");
    for id in &ids {
        assert_eq!(ended(&mut connection, id)["status"], "finished");
    }
    service.stop();
    let lines = folder.lines("acc.log");
    let washed = runs(&lines).len();
    assert!((1..=10).contains(&washed), "30 messages in {washed} runs");
}
