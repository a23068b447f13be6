//! What a sender may say, and what he is told.

use std::time::{Duration, Instant};

use butterfly_core::{Fault, Stat};
use butterfly_queue::conformance::memory::Memory;
use butterfly_queue::{EnqueueExt, Settings, State};
use serde_json::json;

use crate::handlers::*;
use crate::support::{Process, settings, within};

fn problems(error: &butterfly_core::Error) -> Vec<String> {
    let Fault::BadParams(bad) = error.fault() else { panic!("{error}") };
    bad.iter().map(|(name, why)| format!("{name}: {why}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_are_checked_before_they_are_queued() {
    let queue = Process::alone().queue;
    let error = queue.send(add::PATH, &json!({"a": "x", "c": 1})).await.unwrap_err();
    let problems = problems(&error);
    assert!(problems.iter().any(|line| line.starts_with("a: ")), "{problems:?}");
    assert!(problems.iter().any(|line| line.starts_with("b: missing")), "{problems:?}");
    assert!(problems.iter().any(|line| line.starts_with("c: unknown")), "{problems:?}");
    for bad in ["", "[]", "nonsense", "null"] {
        assert_eq!(queue.send_text(add::PATH, bad).await.unwrap_err().stat(), Stat::ERR_BAD_PARAMS, "{bad}");
    }
    assert_eq!(queue.counts(add::PATH).await.unwrap().queued, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_no_handler_has_is_refused_unless_it_is_allowed() {
    let error = Process::alone().queue.send("/nobody/here", &json!({})).await.unwrap_err();
    assert!(problems(&error)[0].starts_with("topic: no handler here has the path /nobody/here"));
    let settings = Settings { allow_unknown: true, ..settings("open") };
    let open = Process::of(&Memory::default(), settings).queue;
    open.send("/nobody/here", &json!({"x": 1})).await.unwrap();
    open.send("/nobody/here", &json!({"a \"quoted\" name": 1})).await.unwrap();
    assert_eq!(open.counts("/nobody/here").await.unwrap().queued, 2);
    assert!(open.send_text("/nobody/here", "[1]").await.is_err());
    assert!(open.send("no path", &json!({})).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_or_malformed_is_refused_by_name() {
    let queue = Process::alone().queue;
    let large = note::job("large", "x".repeat(2 << 20));
    let error = queue.enqueue(&large).await.unwrap_err();
    assert!(problems(&error)[0].contains("queue.max_args allows 1048576"), "{error}");
    let send = || queue.enqueue(&add::job(1, 2));
    assert!(problems(&send().priority(10).await.unwrap_err())[0].starts_with("priority: "));
    assert!(problems(&send().id("a b").await.unwrap_err())[0].starts_with("msg_id: "));
    assert!(problems(&send().id("0".repeat(21)).await.unwrap_err())[0].starts_with("msg_id: "));
    assert!(problems(&send().unique("k".repeat(513)).await.unwrap_err())[0].starts_with("unique: "));
    let never = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1 << 40);
    assert!(problems(&send().at(never).await.unwrap_err())[0].starts_with("at: "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_over_the_queue_gives_the_handlers_answer_or_its_stat() {
    let process = Process::alone();
    let _worker = process.worker();
    let ctx = process.ctx();
    assert_eq!(within(ctx.enqueue(add::job(20, 22)).wait()).await.unwrap(), 42);
    assert_eq!(within(ctx.enqueue(empty_handed::job(true)).wait()).await.unwrap(), 1);
    within(ctx.enqueue(note::job("unit", "x")).wait()).await.unwrap();
    let error = within(ctx.enqueue(empty_handed::job(false)).wait()).await.unwrap_err();
    assert_eq!((error.stat().as_str(), &*error.fault().reason()), ("ERR_EMPTY", "nothing was given"));
    let error = within(ctx.enqueue(panics::job("wait")).wait()).await.unwrap_err();
    assert_eq!(error.stat(), Stat::ERR_SERVER_EXCEPTION);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_worker_begins_at_once() {
    let process = Process::alone();
    let _worker = process.worker();
    // The worker has looked at everything once it has run one message.
    within(process.queue.enqueue(&add::job(1, 1)).wait()).await.unwrap();
    let begun = Instant::now();
    for _ in 0..20 {
        within(process.queue.enqueue(&add::job(1, 1)).wait()).await.unwrap();
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "20 calls took {:?}: it polls", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delayed_message_waits_and_a_debounced_one_is_put_off() {
    let process = Process::alone();
    let _worker = process.worker();
    let begun = Instant::now();
    let receipt =
        process.queue.enqueue(&note::job("delay", "late")).delay(Duration::from_millis(200)).await.unwrap();
    process.ended(note::PATH, &receipt.id).await;
    assert!(begun.elapsed() >= Duration::from_millis(195), "{:?}", begun.elapsed());

    let quiet = Duration::from_millis(300);
    let send = |text: &str| process.queue.enqueue(&note::job("debounce", text)).debounce("key", quiet);
    let first = send("one").await.unwrap();
    let second = send("two").await.unwrap();
    assert_eq!((first.id.clone(), false), (second.id, second.new));
    process.ended(note::PATH, &first.id).await;
    assert_eq!(all("debounce"), ["two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_id_and_one_unique_key_are_one_message() {
    let process = Process::alone();
    let send = |id: &str| process.queue.enqueue(&note::job("once", "x")).id(id);
    assert!(send("order-7").await.unwrap().new);
    assert!(!send("order-7").await.unwrap().new);
    let unique = || process.queue.enqueue(&note::job("once", "y")).unique("only");
    let first = unique().await.unwrap();
    assert_eq!(unique().await.unwrap().id, first.id);
    let _worker = process.worker();
    process.ended(note::PATH, &first.id).await;
    until("once", 2).await;
    assert!(!send("order-7").await.unwrap().new, "it is one message when it has ended, too");
    assert!(unique().await.unwrap().new, "the key is free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_id_follows_the_call_and_the_message_names_its_parent() {
    let process = Process::alone();
    let _worker = process.worker();
    let mut ctx = process.ctx();
    ctx.set_username(Some("ann".into()));
    let parent = ctx.enqueue(sends::job("family")).ended().await.unwrap();
    assert_eq!((parent.spec.reqid, parent.spec.user.as_deref()), (ctx.reqid(), Some("ann")));
    let child: serde_json::Value = serde_json::from_str(parent.result.as_deref().unwrap()).unwrap();
    let child = process.ended(note::PATH, &child["data"].as_str().unwrap().parse().unwrap()).await;
    assert_eq!(child.spec.reqid, ctx.reqid());
    assert_eq!(child.spec.parent, Some(parent.id.to_string()));
    assert_eq!(ctx.notes_mut().res, [format!("enqueued={}", parent.id)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_topic_refuses_and_says_when_to_come_again() {
    let process = Process::of(&Memory::default(), Settings { max_depth: 2, ..settings("full") });
    process.send(add::job(1, 1)).await;
    process.send(add::job(1, 1)).await;
    let error = process.queue.enqueue(&add::job(1, 1)).await.unwrap_err();
    assert_eq!((error.stat().as_str(), error.fault().http_status()), ("ERR_BUSY", 503));
    assert!(matches!(error.fault(), Fault::Busy { retry_after, .. } if *retry_after > Duration::ZERO));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_waits_too_long_fails_and_says_why() {
    let process = Process::alone();
    let sent = process.queue.enqueue(&note::job("ttl", "never")).ttl(Duration::from_millis(1)).await.unwrap();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(2) {
        tokio::task::yield_now().await;
    }
    let _worker = process.worker();
    let message = process.ended(note::PATH, &sent.id).await;
    assert_eq!((message.state, all("ttl").len()), (State::Failed, 0));
}

/// The original's defaults where it has some: 180 s for a run, kept for a year whatever the end, no time to live; and the
/// middle priority, no second try.
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_says_is_as_the_original_has_it() {
    let process = Process::of(&Memory::default(), Settings::default());
    let id = process.send(add::job(1, 2)).await;
    let sent = process.queue.find(&id).await.unwrap().unwrap();
    assert_eq!(
        (sent.state, sent.attempts, sent.run_at, sent.worker.as_deref()),
        (State::Queued, 0, None, None)
    );
    let spec = &sent.spec;
    assert_eq!((spec.timeout_ms, spec.retries, spec.priority), (180_000, 0, 4));
    assert_eq!((spec.ttl_ms, spec.result_ttl_ms), (None, Some(31_536_000_000)));
    assert_eq!(spec.failure_ttl_ms, Some(31_536_000_000));
    assert_eq!((&spec.key, &spec.parent, &spec.notify), (&None, &None, &None));
}
