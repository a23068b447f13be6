//! Limits that handlers declare.

use butterfly_queue::conformance::memory::Memory;
use butterfly_queue::{Patterns, Settings, State};

use crate::handlers::*;
use crate::support::{Process, settings};

#[tokio::test(flavor = "multi_thread")]
async fn no_more_run_at_once_than_the_handler_allows_over_two_workers() {
    let memory = Memory::default();
    let processes = [Process::of(&memory, settings("a")), Process::of(&memory, settings("b"))];
    let _workers: Vec<_> = processes.iter().map(Process::worker).collect();
    for _ in 0..40 {
        processes[0].send(two::job("two")).await;
    }
    let seen = until("two", 40).await;
    assert!(seen.iter().all(|here| here == "1" || here == "2"), "{seen:?}");
    assert!(seen.iter().any(|here| here == "2"), "never two at once: {seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_take_turns_and_each_runs_alone() {
    let process = Process::alone();
    for _ in 0..30 {
        process.send(one_each::job("keys", "busy")).await;
    }
    process.send(one_each::job("keys", "quiet")).await;
    let _worker = process.worker();
    let order = until("keys", 31).await;
    let place = order.iter().position(|key| key == "quiet").unwrap();
    assert!(place < 10, "the quiet key came at place {place}");
    assert!(all("keys/busy").iter().all(|here| here == "1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_topic_waits_until_it_is_resumed() {
    let process = Process::alone();
    process.queue.pause(note::PATH).await.unwrap();
    let _worker = process.worker();
    let id = process.send(note::job("pause", "x")).await;
    let other = process.send(add::job(1, 1)).await;
    process.ended(add::PATH, &other).await;
    assert_eq!(process.queue.find(&id).await.unwrap().unwrap().state, State::Queued);
    process.queue.resume(note::PATH).await.unwrap();
    process.ended(note::PATH, &id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_serves_the_topics_that_it_is_told() {
    let memory = Memory::default();
    let topics = Patterns::new(["!*/note"]);
    let process = Process::of(&memory, Settings { topics, ..settings("some") });
    let _worker = process.worker();
    let id = process.send(note::job("patterns", "x")).await;
    let other = process.send(add::job(1, 1)).await;
    process.ended(add::PATH, &other).await;
    assert_eq!(process.queue.find(&id).await.unwrap().unwrap().state, State::Queued);
    let all = Process::of(&memory, settings("all"));
    let _other = all.worker();
    process.ended(note::PATH, &id).await;
}
