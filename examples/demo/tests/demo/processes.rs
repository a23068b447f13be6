//! Several processes at one queue: they share the work, and none of it goes down with one of them.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use crate::folder::Folder;
use crate::messages::{begun, ended, info, later, until};
use crate::service::Service;
use crate::wire::Connection;

/// What is taken over at once is taken over in a small part of a lease, which is 15 s unless set.
const AT_ONCE: Duration = Duration::from_secs(7);

pub(crate) fn brew(connection: &mut Connection, ms: u64) -> String {
    later(connection, &format!("/demo_async/brew?tea=green&cups=1&ms={ms}"))
}

/// The process that runs a message.
pub(crate) fn runner(connection: &mut Connection, id: &str) -> u32 {
    let worker = info(connection, id)["handle_worker"].clone();
    worker.as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap()
}

/// Each message finished, once.
#[track_caller]
pub(crate) fn all_finished(connection: &mut Connection, ids: &[String]) {
    for id in ids {
        let message = ended(connection, id);
        assert_eq!(message["status"], "finished", "{message}");
    }
    let queues = connection.get("/baichuan/list_queues").json()["data"]["queues"].clone();
    let brewed = queues.as_array().unwrap().iter().find(|row| row["name"] == "/demo_async/brew").unwrap();
    let counts =
        ["count", "started_msg_registry_count", "failed_msg_registry_count", "finished_msg_registry_count"]
            .map(|field| brewed[field].as_u64().unwrap());
    assert_eq!(counts, [0, 0, 0, ids.len() as u64]);
}

#[test]
fn the_messages_of_a_killed_process_are_another_s_at_once() {
    let folder = Folder::new();
    let (one, two) = (Service::start(&folder, &[]), Service::start(&folder, &["--set=instance=w2"]));
    let mut connection = two.connect();
    let ids: Vec<String> = (0..24).map(|_| brew(&mut connection, 1000)).collect();
    let victim = until("a message that the first process runs", || {
        ids.iter().find(|id| {
            info(&mut connection, id)["status"] == "started" && runner(&mut connection, id) == one.pid()
        })
    });
    one.signal(Signal::KILL);
    let killed = Instant::now();
    all_finished(&mut connection, &ids);
    assert!(killed.elapsed() < AT_ONCE, "{:?}", killed.elapsed());
    let message = info(&mut connection, victim);
    assert_eq!((&message["deaths"], runner(&mut connection, victim)), (&json!(1), two.pid()), "{message}");
}

#[test]
fn a_process_that_was_killed_goes_on_where_it_was() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let mut connection = service.connect();
    let ids: Vec<String> = (0..20).map(|_| brew(&mut connection, 1000)).collect();
    let victim = &ids[19];
    begun(&mut connection, victim);
    service.signal(Signal::KILL);
    service.ended();
    let started = Instant::now();
    let service = Service::start(&folder, &[]);
    let mut connection = service.connect();
    all_finished(&mut connection, &ids);
    assert!(started.elapsed() < AT_ONCE, "{:?}", started.elapsed());
    assert_eq!(info(&mut connection, victim)["deaths"], 1);
}

#[test]
fn a_process_that_is_told_to_stop_hands_its_messages_back() {
    let folder = Folder::new();
    let service = Service::start(&folder, &["--set=queue.concurrency=1", "--set=http.drain_timeout=100ms"]);
    let mut connection = service.connect();
    let slow = brew(&mut connection, 1500);
    begun(&mut connection, &slow);
    let mut ids: Vec<String> = (0..5).map(|_| brew(&mut connection, 1)).collect();
    service.signal(Signal::TERM);
    let (code, last) = service.ended();
    assert_eq!(code, 0, "{last}");
    let started = Instant::now();
    let service = Service::start(&folder, &["--set=instance=w2"]);
    let mut connection = service.connect();
    ids.push(slow);
    all_finished(&mut connection, &ids);
    assert!(started.elapsed() < AT_ONCE, "{:?}", started.elapsed());
    for id in &ids {
        let message = info(&mut connection, id);
        assert_eq!((&message["deaths"], &message["attempts"]), (&json!(0), &json!(0)), "{message}");
        assert_eq!(runner(&mut connection, id), service.pid());
    }
}

#[test]
fn one_process_answers_and_another_works() {
    let folder = Folder::new();
    let front = Service::start(&folder, &["--set=roles=http"]);
    let mut connection = front.connect();
    let id = brew(&mut connection, 1);
    assert_eq!(info(&mut connection, &id)["status"], "queued", "nobody works yet");
    let back = Service::start(&folder, &["--set=roles=worker", "--set=instance=w2"]);
    assert_eq!(back.address.port(), 0, "it does not listen");
    assert_eq!(ended(&mut connection, &id)["status"], "finished");
    assert_eq!(runner(&mut connection, &id), back.pid());
    let asked = Instant::now();
    let answer = connection.get("/demo_async/order_and_wait?tea=white");
    assert_eq!(answer.json(), json!({"stat": "OK", "data": "1 cups of white"}));
    // Who waits in another process is told: he does not have to look again, which he does every 5 s.
    assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
    back.stop();
    front.stop();
}
