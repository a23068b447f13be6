//! What becomes of a message by what its handler does.

use butterfly_queue::{MsgId, State};

use crate::handlers::*;
use crate::support::Process;

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_run_and_its_answer_kept() {
    let process = Process::alone();
    let _worker = process.worker();
    let id = process.send(add::job(2, 3)).await;
    let message = process.ended(add::PATH, &id).await;
    assert_eq!(message.state, State::Finished);
    assert_eq!(message.result.as_deref(), Some(r#"{"stat":"OK","data":5}"#));
    assert_eq!(message.stat.as_deref(), Some("OK"));
    assert!(message.started.is_some() && message.ended >= message.started);
    assert!(message.worker.unwrap().ends_with(&std::process::id().to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_is_tried_again_and_then_finishes() {
    let process = Process::alone();
    let _worker = process.worker();
    let id = process.send(flaky::job("tried", 2)).await;
    let message = process.ended(flaky::PATH, &id).await;
    assert_eq!((message.state, message.attempts), (State::Finished, 2));
    assert_eq!(message.result.as_deref(), Some(r#"{"stat":"OK","data":3}"#));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_fails_too_often_is_kept_with_its_error_and_runs_again_on_demand() {
    let process = Process::alone();
    let _worker = process.worker();
    let id = process.send(flaky::job("too_often", 3)).await;
    let message = process.ended(flaky::PATH, &id).await;
    assert_eq!((message.state, all("too_often").len()), (State::Failed, 3));
    assert!(message.error.unwrap().contains("not yet"));
    process.queue.requeue(&id, None).await.unwrap();
    let message = process.ended(flaky::PATH, &id).await;
    assert_eq!((message.state, message.error), (State::Finished, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_says_never_again_or_later() {
    let process = Process::alone();
    let _worker = process.worker();
    let never = process.send(hopeless::job("never")).await;
    assert_eq!(process.ended(hopeless::PATH, &never).await.state, State::Failed);
    assert_eq!(all("never").len(), 1);
    let later = process.send(patient::job("later")).await;
    let message = process.ended(patient::PATH, &later).await;
    assert_eq!((message.state, message.attempts), (State::Finished, 0));
    assert_eq!(all("later").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_fails_its_message_and_nothing_else() {
    let process = Process::alone();
    let _worker = process.worker();
    let id = process.send(panics::job("panic")).await;
    let message = process.ended(panics::PATH, &id).await;
    assert_eq!(message.state, State::Failed);
    assert!(message.error.unwrap().contains("boom"));
    let next = process.send(add::job(1, 1)).await;
    assert_eq!(process.ended(add::PATH, &next).await.state, State::Finished);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_two_stats_fail_a_message() {
    let process = Process::alone();
    let _worker = process.worker();
    let run = async |stat: &str| {
        let id = process.send(refuses::job(stat)).await;
        process.ended(refuses::PATH, &id).await
    };
    for stat in ["ERR", "ERR_EMPTY"] {
        let message = run(stat).await;
        assert_eq!((message.state, message.stat.as_deref()), (State::Finished, Some(stat)));
    }
    for stat in ["ERR_BAD_PARAMS", "ERR_SERVER_EXCEPTION"] {
        assert_eq!(run(stat).await.state, State::Failed, "{stat}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_takes_too_long_is_stopped_and_fails() {
    let process = Process::alone();
    let _worker = process.worker();
    let id = process.queue.enqueue(&endless::job("overdue")).timeout(std::time::Duration::from_millis(30));
    let message = process.ended(endless::PATH, &id.await.unwrap().id).await;
    assert_eq!(message.state, State::Failed);
    assert!(message.error.as_deref().unwrap().contains("No answer within 30ms"), "{:?}", message.error);
    assert_eq!(until("overdue", 2).await, ["begun", "gone"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_message_can_be_cancelled_and_shows_its_progress_before() {
    let process = Process::alone();
    let _worker = process.worker();
    let id = process.send(endless::job("cancelled")).await;
    until("cancelled", 1).await;
    // Long runs are written down when the lease is renewed.
    crate::support::within(async {
        while process.queue.find(&id).await.unwrap().unwrap().progress.as_deref() != Some("42") {
            tokio::task::yield_now().await;
        }
    })
    .await;
    process.queue.cancel(&id, "not wanted any more").await.unwrap();
    let message = process.ended(endless::PATH, &id).await;
    assert_eq!(message.state, State::Failed);
    assert!(message.error.as_deref().unwrap().contains("cancelled"), "{:?}", message.error);
    assert_eq!(all("cancelled"), ["begun", "gone"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_handler_takes_many_messages_at_once() {
    let process = Process::alone();
    let mut ids = Vec::new();
    for number in 0..25 {
        ids.push(process.send(gather::job("batch", vec![number])).await);
    }
    let _worker = process.worker();
    for id in &ids {
        let message = process.ended(gather::PATH, id).await;
        assert_eq!(message.state, State::Finished);
    }
    let seen: Vec<Vec<u32>> = all("batch").iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    let sizes: Vec<usize> = seen.iter().map(Vec::len).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 25);
    assert!(sizes.len() <= 4 && sizes.iter().all(|size| *size <= 10), "{sizes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_waits_for_its_batch_can_be_cancelled() {
    let process = Process::alone();
    let worker = process.worker();
    let one = process.send(gather_slowly::job(vec![1])).await;
    let two = process.send(gather_slowly::job(vec![2])).await;
    for id in [&one, &two] {
        process.until(id, State::Started).await;
    }
    process.queue.cancel(&one, "not wanted any more").await.unwrap();
    let message = process.ended(gather_slowly::PATH, &one).await;
    assert_eq!(message.state, State::Failed);
    assert!(message.error.as_deref().unwrap().contains("cancelled"), "{:?}", message.error);
    assert_eq!(process.until(&two, State::Started).await.attempts, 0);
    worker.stop(std::time::Duration::ZERO).await;
    process.until(&two, State::Queued).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_messages_each_run_once() {
    let process = Process::alone();
    let _worker = process.worker();
    let jobs = (0..5000).map(|number| note::job("many", number.to_string()));
    let ids: Vec<MsgId> = process.queue.enqueue_many(jobs).await.unwrap();
    for id in &ids {
        assert_eq!(process.ended(note::PATH, id).await.state, State::Finished);
    }
    let mut seen = until("many", 5000).await;
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 5000);
    let counts = process.queue.counts(note::PATH).await.unwrap();
    assert_eq!((counts.queued, counts.started, counts.finished), (0, 0, 5000));
}
