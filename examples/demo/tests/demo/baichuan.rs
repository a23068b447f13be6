//! `/baichuan/…`: what operators see of the queue, and what they do with it.

use serde_json::{Value, json};

use crate::folder::Folder;
use crate::messages::{begun, ended, info, later};
use crate::service::Service;
use crate::wire::{Connection, Request, encoded};

const TOKEN: &str = "0123456789abcdef-token";

fn ask(connection: &mut Connection, path: &str, params: &Value) -> Value {
    connection.call(&Request::json(&format!("/baichuan/{path}"), params)).json()
}

#[track_caller]
fn done(connection: &mut Connection, path: &str, params: &Value) -> Value {
    let answer = connection.call(&Request::json(&format!("/baichuan/{path}"), params));
    assert_eq!(answer.json()["stat"], "OK", "{path} {params}: {answer:?}");
    assert_eq!(answer.header("baichuan"), Some("0.1.0"), "the app's header");
    answer.json()
}

/// What is wrong with one parameter.
#[track_caller]
fn refused(connection: &mut Connection, path: &str, params: &Value, name: &str) -> String {
    let answer = ask(connection, path, params);
    assert_eq!(answer["stat"], "ERR_BAD_PARAMS", "{path} {params}: {answer}");
    let problem = answer["params"][name].as_str();
    problem.unwrap_or_else(|| panic!("{name} is not named: {answer}")).to_owned()
}

/// The counts of a topic: scheduled, queued, started, finished, failed.
fn counts(connection: &mut Connection, topic: &str) -> [u64; 5] {
    let answer = done(connection, "list_queues", &json!({}));
    let queues = answer["data"]["queues"].as_array().unwrap();
    let row = queues.iter().find(|row| row["name"] == topic).unwrap();
    ["scheduled_msg_registry", "", "started_msg_registry", "finished_msg_registry", "failed_msg_registry"]
        .map(|state| if state.is_empty() { "count".to_owned() } else { format!("{state}_count") })
        .map(|field| row[&field].as_u64().unwrap_or_else(|| panic!("{field} in {row}")))
}

#[test]
fn a_message_is_handed_in_looked_at_and_removed() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let mut connection = service.connect();
    let hello = json!({"topic": "/demo_api/hello", "args": {"str_info": "hi"}, "description": "greets"});
    let sent = done(&mut connection, "enqueue", &hello);
    let id = sent["msg_id"].as_str().unwrap();
    assert_eq!((id.len(), &sent["new"]), (21, &json!(true)));
    let message = ended(&mut connection, id);
    for (field, value) in [
        ("id", json!(id)),
        ("origin", json!("/demo_api/hello")),
        ("status", json!("finished")),
        ("stat", json!("OK")),
        ("msg_data", json!(r#"{"str_info":"hi"}"#)),
        ("result", json!({"stat": "OK", "str_info": "hi"})),
        ("description", json!("greets")),
        ("exc_info", json!("")),
        ("ip", json!("127.0.0.1")),
        ("attempts", json!(0)),
        ("deaths", json!(0)),
        ("priority", json!(4)),
        ("timeout", json!(180.0)),
        ("run_at", json!("-")),
    ] {
        assert_eq!(message[field], value, "{field}");
    }
    for field in ["created_at", "enqueued_at", "started_at", "ended_at"] {
        assert_eq!(message[field].as_str().unwrap().len(), "2026-11-20 08:30:00".len(), "{field}");
    }
    let listed = json!({"queue_name": "/demo_api/hello", "registry_name": "finished"});
    let page = done(&mut connection, "list_msgs", &listed)["data"].clone();
    assert_eq!((&page["name"], &page["registry_name"]), (&listed["queue_name"], &listed["registry_name"]));
    assert_eq!((&page["total_items"], &page["msgs"][0]["id"]), (&json!(1), &json!(id)));
    done(&mut connection, "delete_msg", &json!({"msg_id": id}));
    for path in ["msg_info", "delete_msg", "requeue", "cancel"] {
        let answer = ask(&mut connection, path, &json!({"msg_id": id}));
        assert_eq!(answer["stat"], "ERR_MSG_NOT_EXIST", "{path}");
    }
}

#[test]
fn what_a_sender_says_of_a_message_holds() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let mut connection = service.connect();
    let all = json!({
        "topic": "/demo_api/hello", "args": {"str_info": "hi"}, "msg_id": "order-7", "delay": 3600, "priority": 9,
        "unique": "hi", "timeout": 2.5, "retries": 3, "ttl": 60, "description": "later",
    });
    assert_eq!(
        done(&mut connection, "enqueue", &all),
        json!({"stat": "OK", "msg_id": "order-7", "new": true})
    );
    let message = info(&mut connection, "order-7");
    assert_eq!((&message["status"], &message["priority"]), (&json!("scheduled"), &json!(9)));
    assert_eq!((&message["timeout"], &message["retries"]), (&json!(2.5), &json!(3)));
    assert_eq!(message["ttl"], 60.0);
    assert_ne!(message["run_at"], "-");
    // Sent twice, by its id or by its key, it is one message.
    assert_eq!(done(&mut connection, "enqueue", &all)["new"], false);
    let other = json!({"topic": "/demo_api/hello", "args": {"str_info": "x"}, "unique": "hi"});
    assert_eq!(
        done(&mut connection, "enqueue", &other),
        json!({"stat": "OK", "msg_id": "order-7", "new": false})
    );
    let on_time = json!({"topic": "/demo_api/ping", "at": "2099-01-01 00:00:00"});
    let id = done(&mut connection, "enqueue", &on_time)["msg_id"].as_str().unwrap().to_owned();
    assert_eq!(info(&mut connection, &id)["run_at"], "2099-01-01 00:00:00");
    // A form works as well as JSON.
    let args = encoded(r#"{"str_info":"form"}"#);
    let by_query = connection.get(&format!("/baichuan/enqueue?topic=/demo_api/hello&args={args}")).json();
    let message = ended(&mut connection, by_query["msg_id"].as_str().unwrap());
    assert_eq!(message["result"]["str_info"], "form");
}

#[test]
fn a_message_that_nobody_could_run_is_refused_when_it_is_sent() {
    let folder = Folder::new();
    let service = Service::start(&folder, &["--set=http.max_body=20MiB"]);
    let mut connection = service.connect();
    let topic = "/demo_api/hello";
    let mut enqueue = |params: Value, name: &str| refused(&mut connection, "enqueue", &params, name);
    assert!(enqueue(json!({"topic": topic}), "str_info").contains("missing"));
    assert!(enqueue(json!({"topic": topic, "args": {"str": 1}}), "str").contains("known are str_info"));
    assert!(enqueue(json!({"topic": topic, "args": [1]}), "args").contains("expected a map"));
    assert!(enqueue(json!({"topic": "/no/such", "args": {}}), "topic").contains("/no/such"));
    assert!(enqueue(json!({"topic": "/demo_upload/raw"}), "topic").contains("stream"));
    assert!(enqueue(json!({"topic": "no path"}), "topic").contains("no path"));
    let hi = json!({"str_info": "hi"});
    for (name, value) in [
        ("priority", json!(10)),
        ("msg_id", json!("two words")),
        ("msg_id", json!("e22cca4166116b338e110")),
        ("delay", json!(-1)),
        ("ttl", json!(0)),
        ("retries", json!(-1)),
        ("unique", json!("x".repeat(513))),
        ("description", json!("x".repeat(4097))),
        ("at", json!("tomorrow")),
    ] {
        let mut params = json!({"topic": topic, "args": hi});
        params[name] = value;
        enqueue(params, name);
    }
    let both = json!({"topic": topic, "args": hi, "delay": 1, "at": "2099-01-01 00:00:00"});
    assert!(enqueue(both, "at").contains("delay"));
    let huge = json!({"topic": topic, "args": {"str_info": "x".repeat(10 << 20)}});
    let problem = enqueue(huge, "args");
    assert!(problem.contains("queue.max_args") && problem.contains("1048576"), "{problem}");
    assert_eq!(counts(&mut connection, topic), [0; 5], "nothing was taken in");
}

#[test]
fn names_that_nothing_has_are_told_with_what_there_is() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let mut connection = service.connect();
    for path in ["msg_info", "delete_msg", "requeue", "cancel"] {
        for id in ["", "a b", "a\nb", "../../etc", "é", "'; drop table", "\u{0}", &"x".repeat(129)] {
            let answer = ask(&mut connection, path, &json!({"msg_id": id}));
            // Two dots and slashes are letters of ids like any other.
            let stat = if id == "../../etc" { "ERR_MSG_NOT_EXIST" } else { "ERR_BAD_PARAMS" };
            assert_eq!(answer["stat"], stat, "{path} {id:?}: {answer}");
        }
        for id in ["nobody", "e22cca4166116b338e110", "ffffffffffffffffffffe"] {
            let answer = ask(&mut connection, path, &json!({"msg_id": id}));
            assert_eq!(answer["stat"], "ERR_MSG_NOT_EXIST", "{path} {id}");
        }
        refused(&mut connection, path, &json!({}), "msg_id");
    }
    let at = |registry: &str| json!({"queue_name": "/demo_api/hello", "registry_name": registry});
    for path in ["list_msgs", "empty_queue"] {
        let problem = refused(&mut connection, path, &at("done"), "registry_name");
        assert!(problem.contains("scheduled, queued, started, finished, failed"), "{problem}");
        let nowhere = json!({"queue_name": "/no/such", "registry_name": "queued"});
        refused(&mut connection, path, &nowhere, "queue_name");
    }
    for path in ["pause", "resume"] {
        let problem = refused(&mut connection, path, &json!({"queue_name": "/no/such"}), "queue_name");
        assert!(problem.contains("list_queues"), "{problem}");
    }
    let problem = refused(&mut connection, "empty_queue", &at("started"), "registry_name");
    assert!(problem.contains("cancel"), "{problem}");
    for (name, value) in [("page_index", 0), ("page_size", 0), ("page_size", 1001), ("page_index", -1)] {
        let mut params = at("queued");
        params[name] = json!(value);
        refused(&mut connection, "list_msgs", &params, name);
    }
    assert_eq!(ask(&mut connection, "worker_info", &json!({"name": "x"}))["stat"], "ERR_WORKER_NOT_EXIST");
}

#[test]
fn a_paused_topic_waits_is_paged_and_emptied() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let mut connection = service.connect();
    let topic = json!({"queue_name": "/demo_api/hello"});
    done(&mut connection, "pause", &topic);
    let ids: Vec<String> =
        (0..250).map(|n| later(&mut connection, &format!("/demo_api/hello?str_info={n}"))).collect();
    assert_eq!(counts(&mut connection, "/demo_api/hello"), [0, 250, 0, 0, 0]);
    let mut page = |size: u64, index: u64| -> Vec<String> {
        let params = json!({
            "queue_name": "/demo_api/hello", "registry_name": "queued", "page_size": size, "page_index": index,
        });
        let answer = done(&mut connection, "list_msgs", &params);
        assert_eq!(answer["data"]["total_items"], 250);
        let rows = answer["data"]["msgs"].as_array().unwrap();
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(page(20, 1), ids[..20]);
    assert_eq!(page(20, 13), ids[240..]);
    assert_eq!(page(220, 1), ids[..220], "a page of more than one piece");
    assert_eq!(page(1000, 1), ids);
    assert_eq!(page(1000, 1_000_000_000), [""; 0]);
    let cancelled = done(&mut connection, "cancel", &json!({"msg_id": ids[0]}));
    assert_eq!(cancelled["stopping"], false);
    assert!(info(&mut connection, &ids[0])["exc_info"].as_str().unwrap().contains("cancelled"));
    done(&mut connection, "delete_msg", &json!({"msg_id": ids[1]}));
    let all = json!({"queue_name": "/demo_api/hello", "registry_name": "queued"});
    assert_eq!(done(&mut connection, "empty_queue", &all)["deleted_count"], 248);
    assert_eq!(done(&mut connection, "empty_queue", &all)["deleted_count"], 0);
    assert_eq!(counts(&mut connection, "/demo_api/hello"), [0, 0, 0, 0, 1]);
    let id = later(&mut connection, "/demo_api/hello?str_info=last");
    done(&mut connection, "resume", &topic);
    assert_eq!(ended(&mut connection, &id)["status"], "finished");
}

#[test]
fn an_ended_message_runs_again_as_it_was_or_otherwise() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let mut connection = service.connect();
    let id = later(&mut connection, "/demo_api/fail");
    let failed = ended(&mut connection, &id);
    assert_eq!((&failed["status"], &failed["stat"]), (&json!("failed"), &Value::Null), "{failed}");
    assert!(failed["exc_info"].as_str().unwrap().contains("No such file"), "{failed}");
    let id = later(&mut connection, "/demo_api/hello?str_info=one");
    ended(&mut connection, &id);
    let wrong = json!({"msg_id": id, "args": {"str_info": 5}});
    refused(&mut connection, "requeue", &wrong, "str_info");
    done(&mut connection, "requeue", &json!({"msg_id": id, "args": {"str_info": "two"}}));
    assert_eq!(ended(&mut connection, &id)["result"]["str_info"], "two");
    done(&mut connection, "requeue", &json!({"msg_id": id}));
    assert_eq!(ended(&mut connection, &id)["result"]["str_info"], "two");
    // A sender's own id does not say in which topic it is: the arguments are held against that of the message.
    done(
        &mut connection,
        "enqueue",
        &json!({"topic": "/demo_api/hello", "args": {"str_info": "x"}, "msg_id": "mine"}),
    );
    ended(&mut connection, "mine");
    done(&mut connection, "requeue", &json!({"msg_id": "mine", "args": {"str_info": "y"}}));
    assert_eq!(ended(&mut connection, "mine")["result"]["str_info"], "y");
    done(&mut connection, "pause", &json!({"queue_name": "/demo_api/ping"}));
    let waiting = later(&mut connection, "/demo_api/ping");
    let answer = ask(&mut connection, "requeue", &json!({"msg_id": waiting}));
    assert_eq!(answer["stat"], "ERR_MSG_STATE", "{answer}");
}

#[test]
fn a_message_that_runs_is_stopped_and_not_removed() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let mut connection = service.connect();
    let id = later(&mut connection, "/demo_async/brew?tea=green&cups=1&ms=60000");
    begun(&mut connection, &id);
    let answer = ask(&mut connection, "delete_msg", &json!({"msg_id": id}));
    assert_eq!(answer["stat"], "ERR_MSG_STATE", "{answer}");
    assert_eq!(done(&mut connection, "cancel", &json!({"msg_id": id}))["stopping"], true);
    let message = ended(&mut connection, &id);
    assert_eq!(message["status"], "failed");
    assert!(message["exc_info"].as_str().unwrap().contains("cancelled"), "{message}");
}

#[test]
fn workers_are_shown() {
    let folder = Folder::new();
    let service = Service::start(&folder, &["--set=queue.topics=/demo_api/*"]);
    let mut connection = service.connect();
    let id = later(&mut connection, "/demo_api/ping");
    let name = ended(&mut connection, &id)["handle_worker"].clone();
    let list = done(&mut connection, "list_workers", &json!({}))["data"]["workers"].clone();
    assert_eq!(list.as_array().unwrap().len(), 1, "{list}");
    assert_eq!((&list[0]["name"], &list[0]["nickname"]), (&name, &json!("demo")));
    assert_eq!(list[0]["version"], "0.1.0");
    assert!(name.as_str().unwrap().ends_with(&format!(":{}", service.pid())), "{name}");
    let worker = done(&mut connection, "worker_info", &json!({"name": name}))["data"].clone();
    let queues = worker["queues"].as_array().unwrap();
    assert_eq!(list[0]["queues_count"], queues.len());
    assert!(queues.contains(&json!("/demo_api/ping")) && !queues.contains(&json!("/demo_async/brew")));
    for field in ["birth_date", "last_heartbeat"] {
        assert_eq!(worker[field].as_str().unwrap().len(), 19, "{worker}");
    }
    for field in ["failed_msg_count", "successful_msg_count", "running_msg_count", "lost_msg_count"] {
        assert!(worker[field].is_u64(), "{field} in {worker}");
    }
    assert!(worker["total_working_time"].is_f64() && worker["home_dir"].is_string(), "{worker}");
}

#[test]
fn the_queue_is_for_operators() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[&format!("--set=ops.token={TOKEN}")]);
    let mut connection = service.connect();
    let id = later(&mut connection, "/demo_api/ping");
    let params = json!({
        "msg_id": id, "queue_name": "/demo_api/ping", "registry_name": "queued", "name": "x", "topic": "/demo_api/ping",
    });
    for path in [
        "list_queues",
        "list_workers",
        "worker_info",
        "list_msgs",
        "msg_info",
        "delete_msg",
        "empty_queue",
        "enqueue",
        "requeue",
        "cancel",
        "pause",
        "resume",
    ] {
        let request =
            Request::json(&format!("/baichuan/{path}"), &params).header("x-forwarded-for", "203.0.113.9");
        assert_eq!(connection.call(&request).json()["stat"], "ERR_FORBIDDEN", "{path}");
        let with_token = request.header("authorization", &format!("Bearer {TOKEN}"));
        assert_ne!(connection.call(&with_token).json()["stat"], "ERR_FORBIDDEN", "{path}");
    }
}
