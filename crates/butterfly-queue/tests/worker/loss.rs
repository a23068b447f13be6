//! Workers that die, are silent, or come back.

use butterfly_core::Registry;
use butterfly_queue::conformance::memory::Memory;
use butterfly_queue::engine::{Owner, Want};
use butterfly_queue::{MsgId, Queue, Settings, State};
use std::sync::Arc;

use crate::handlers::*;
use crate::support::{Process, settings};

/// Claims a message as a worker that then does nothing more.
async fn claim_and_die(memory: &Memory, instance: &str, topic: &str) {
    claim_and_die_at(memory, instance, topic, 1).await;
}

async fn claim_and_die_at(memory: &Memory, instance: &str, topic: &str, epoch: u64) {
    let registry = Registry::of([&note::HANDLER]).unwrap();
    let queue = Queue::new(Arc::new(memory.open()), &registry, settings(instance));
    let topic = queue.entries().iter().find(|entry| &*entry.topic.path == topic).unwrap().topic.clone();
    let owner = Owner { instance: instance.into(), epoch, worker: "gone:0:1".into() };
    let want = Want { count: 1, last_chance: true };
    let got = queue.engine().exchange(&owner, &topic, Arc::default(), want).await.unwrap();
    assert_eq!(got.claimed.len(), 1);
}

/// Nothing comes of a beat but of the first.
fn with_a_long_lease(instance: &str) -> Settings {
    Settings { lease: std::time::Duration::from_secs(3600), ..settings(instance) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_workers_message_runs_again_when_its_lease_has_run_out() {
    let memory = Memory::default();
    let process = Process::of(&memory, settings("alive"));
    let id = process.send(note::job("dead", "again")).await;
    claim_and_die(&memory, "other", note::PATH).await;
    let _worker = process.worker();
    let message = process.ended(note::PATH, &id).await;
    assert_eq!((message.state, message.deaths), (State::Finished, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_process_takes_back_its_own_at_once() {
    let memory = Memory::default();
    let process = Process::of(&memory, with_a_long_lease("same"));
    let id = process.send(note::job("restart", "again")).await;
    claim_and_die(&memory, "same", note::PATH).await;
    let _worker = process.worker();
    assert_eq!(process.ended(note::PATH, &id).await.state, State::Finished);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_takes_them_back_though_the_clock_went_back_meanwhile() {
    let memory = Memory::default();
    let process = Process::of(&memory, with_a_long_lease("backwards"));
    let id = process.send(note::job("backwards", "again")).await;
    claim_and_die_at(&memory, "backwards", note::PATH, u64::MAX >> 11).await;
    let _worker = process.worker();
    assert_eq!(process.ended(note::PATH, &id).await.state, State::Finished);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_three_workers_died_with_is_set_aside() {
    let memory = Memory::default();
    let process = Process::of(&memory, settings("fourth"));
    let id = process.send(note::job("poison", "never")).await;
    for death in 0..3 {
        claim_and_die(&memory, "dying", note::PATH).await;
        let topic = process.queue.entries().iter().find(|entry| &*entry.topic.path == note::PATH).unwrap();
        let engine = process.queue.engine();
        let leases = engine.leases(&topic.topic).await.unwrap();
        assert_eq!(leases.len(), 1, "death {death}");
        engine.reap(&topic.topic, &leases[0].owner, leases[0].beat).await.unwrap();
    }
    let _worker = process.worker();
    let message = process.ended(note::PATH, &id).await;
    assert_eq!((message.state, message.deaths), (State::Failed, 3));
    assert!(all("poison").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn suspected_messages_of_every_topic_run_one_after_the_other() {
    let memory = Memory::default();
    let process = Process::of(&memory, settings("third"));
    let mut suspects = Vec::new();
    for (topic, args) in [
        (add::PATH, serde_json::json!({"a": 1, "b": 2})),
        (note::PATH, serde_json::json!({"test": "suspected", "text": "ran"})),
        (empty_handed::PATH, serde_json::json!({"given": true})),
    ] {
        for _ in 0..2 {
            suspects.push((topic, suspected(&process, topic, &args).await));
        }
    }
    let _worker = process.worker();
    for (topic, id) in suspects {
        let message = process.ended(topic, &id).await;
        assert_eq!((message.state, message.deaths), (State::Finished, 2), "{topic}");
    }
}

/// A message with which two workers died.
async fn suspected(process: &Process, path: &str, args: &serde_json::Value) -> MsgId {
    let id = process.queue.send(path, args).await.unwrap().id;
    let topic = &process.queue.entries().iter().find(|entry| &*entry.topic.path == path).unwrap().topic;
    let engine = process.queue.engine();
    // The newest is the last in line: those before it are suspects already, and not given out to who does not ask.
    let want = Want { count: 1, last_chance: false };
    for epoch in 1..=2 {
        let owner = Owner { instance: "dying".into(), epoch, worker: "gone:0:1".into() };
        let got = engine.exchange(&owner, topic, Arc::default(), want).await.unwrap();
        assert_eq!(got.claimed[0].id, id);
        let lease = engine.leases(topic).await.unwrap().remove(0);
        engine.reap(topic, &owner, lease.beat).await.unwrap();
    }
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_lost_its_lease_stops_the_run_and_its_end_does_not_count() {
    let memory = Memory::default();
    let process = Process::of(&memory, settings("slow"));
    let worker = process.worker();
    let id = process.send(endless::job("lost")).await;
    until("lost", 1).await;
    // Somebody takes the worker for dead, though it lives.
    let topic = process.queue.entries().iter().find(|entry| &*entry.topic.path == endless::PATH).unwrap();
    let engine = process.queue.engine();
    let reaped = crate::support::within(async {
        loop {
            let lease = engine.leases(&topic.topic).await.unwrap().remove(0);
            let reaped = engine.reap(&topic.topic, &lease.owner, lease.beat).await.unwrap();
            if reaped.returned > 0 {
                return reaped.returned;
            }
        }
    })
    .await;
    assert_eq!(reaped, 1);
    // It notices at its next beat, stops the run, and claims the message again under a new life.
    let events = until("lost", 3).await;
    assert!(events.contains(&"gone".to_owned()), "{events:?}");
    process.until(&id, State::Started).await;
    process.queue.cancel(&id, "enough").await.unwrap();
    let message = process.ended(endless::PATH, &id).await;
    assert_eq!(message.deaths, 1);
    drop(worker);
}

/// The life that was given up may have begun others meanwhile: each has run once for nothing, and the books say so.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_worker_has_begun_since_it_was_taken_for_dead_is_a_death_in_the_books() {
    let memory = Memory::default();
    let process = Process::of(&memory, with_a_long_lease("unaware"));
    let _worker = process.worker();
    let engine = process.queue.engine();
    // Its first beat is over then, and the next is far.
    crate::support::within(async {
        while engine.workers().await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let first = process.send(endless::job("first")).await;
    until("first", 1).await;
    process.queue.pause(endless::PATH).await.unwrap();
    let topic = process.queue.entries().iter().find(|entry| &*entry.topic.path == endless::PATH).unwrap();
    let lease = engine.leases(&topic.topic).await.unwrap().remove(0);
    assert_eq!(engine.reap(&topic.topic, &lease.owner, lease.beat).await.unwrap().returned, 1);
    process.queue.cancel(&first, "enough").await.unwrap();
    process.queue.resume(endless::PATH).await.unwrap();
    let second = process.send(endless::job("second")).await;
    until("second", 1).await;
    // It is given what it runs already, and so it learns.
    process.queue.requeue(&first, None).await.unwrap();
    let events = until("second", 3).await;
    assert_eq!(events, ["begun", "gone", "begun"]);
    process.queue.cancel(&second, "enough").await.unwrap();
    assert_eq!(process.ended(endless::PATH, &second).await.deaths, 1);
}
