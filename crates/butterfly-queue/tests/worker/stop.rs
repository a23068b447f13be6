//! A worker that is told to stop.

use std::time::Duration;

use butterfly_queue::State;

use crate::handlers::*;
use crate::support::{Process, within};

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_ends_and_what_waits_is_handed_back() {
    let process = Process::alone();
    let worker = process.worker();
    let mut ids = Vec::new();
    for number in 0..15 {
        ids.push(process.send(endless::job(format!("stop{number}"))).await);
    }
    for number in 0..10 {
        until(&format!("stop{number}"), 1).await;
    }
    within(worker.stop(Duration::from_millis(50))).await;
    let counts = process.queue.counts(endless::PATH).await.unwrap();
    assert_eq!((counts.queued, counts.started, counts.failed), (15, 0, 0));
    for id in &ids {
        let message = process.queue.find(id).await.unwrap().unwrap();
        assert_eq!((message.state, message.attempts, message.deaths), (State::Queued, 0, 0));
    }
    assert_eq!(process.queue.workers().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn short_runs_end_by_themselves() {
    let process = Process::alone();
    let jobs = (0..500).map(|number| note::job("drain", number.to_string()));
    process.queue.enqueue_many(jobs).await.unwrap();
    let worker = process.worker();
    until("drain", 50).await;
    within(worker.stop(Duration::from_secs(10))).await;
    let counts = process.queue.counts(note::PATH).await.unwrap();
    assert_eq!((counts.started, counts.failed), (0, 0));
    assert_eq!(counts.finished as usize, all("drain").len(), "each run is in the books");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_is_on_the_list_while_it_is_here() {
    let process = Process::alone();
    let worker = process.worker();
    let info = within(async {
        loop {
            if let [one] = &process.queue.workers().await.unwrap()[..] {
                return one.clone();
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!((info.pid, info.state.as_str()), (std::process::id(), "idle"));
    assert!(info.topics.contains(&add::PATH.to_owned()));
    within(worker.stop(Duration::ZERO)).await;
    assert!(process.queue.workers().await.unwrap().is_empty());
}
