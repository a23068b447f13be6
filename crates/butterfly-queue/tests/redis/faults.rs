//! The server's faults: what was accepted is there, callers get clear errors, and it goes on by itself.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use butterfly_core::Registry;
use butterfly_queue::engine::{Settled, Wake};
use butterfly_queue::redis::RedisEngine;
use butterfly_queue::{Engine, EngineError, NewMessage, Queue, Settings, Spec};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::server::{Line, PATIENCE, Server};
use super::{Desk, finished};

/// Waits for a wake-up; others may be before it.
pub(crate) async fn hear(ear: &mut mpsc::UnboundedReceiver<Wake>, wake: Wake) {
    let hearing = async { while ear.recv().await.expect("the engine listens") != wake {} };
    timeout(PATIENCE, hearing).await.unwrap_or_else(|_| panic!("{wake:?} was not heard"));
}

/// Repeats a call while the engine is out of reach.
async fn until_it_answers<T>(mut call: impl AsyncFnMut() -> Result<T, EngineError>) -> T {
    let calls = async {
        loop {
            match call().await {
                Ok(answer) => return answer,
                Err(EngineError::Unavailable(_)) => tokio::task::yield_now().await,
                Err(other) => panic!("{other}"),
            }
        }
    };
    timeout(PATIENCE, calls).await.expect("it recovers")
}

#[tokio::test]
async fn a_server_that_forgot_the_scripts_is_given_them_again() {
    let server = Server::start(&[]);
    let desk = Desk::new(&server.url(), "/a").await;
    desk.send(3).await.unwrap();
    for count in 1..=3 {
        let (): () = server.ask("SCRIPT FLUSH").await;
        let claimed = desk.claim(1).await.unwrap();
        let (): () = server.ask("SCRIPT FLUSH").await;
        assert_eq!(desk.finish(&claimed).await.unwrap(), [Settled::Done]);
        let (): () = server.ask("SCRIPT FLUSH").await;
        assert_eq!(desk.counts().await, [0, 3 - count, 0, count, 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_survives_a_server_that_is_killed() {
    let mut server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let desk = Desk::new(&server.url(), "/a").await;
    let mut ear = desk.engine.listen("me".into()).unwrap();
    hear(&mut ear, Wake::All).await;
    let killed = AtomicBool::new(false);
    let sending = async {
        let mut accepted = HashSet::new();
        while !killed.load(Ordering::Relaxed) {
            accepted.extend(until_it_answers(async || desk.send(20).await).await);
        }
        accepted
    };
    let killing = async {
        for _ in 0..3 {
            let before = until_it_answers(async || desk.engine.counts("/a").await).await.queued;
            while desk.engine.counts("/a").await.is_ok_and(|counts| counts.queued < before + 200) {}
            server.kill();
            let start = Instant::now();
            let error = desk.engine.counts("/a").await.unwrap_err();
            assert!(matches!(error, EngineError::Unavailable(_)), "{error}");
            assert!(start.elapsed() < Duration::from_secs(5), "told after {:?}", start.elapsed());
            server.run();
            hear(&mut ear, Wake::All).await;
        }
        killed.store(true, Ordering::Relaxed);
    };
    let (accepted, ()) = tokio::join!(sending, killing);
    let mut ran = HashSet::new();
    loop {
        let claimed = desk.claim(500).await.unwrap();
        if claimed.is_empty() {
            break;
        }
        for message in &claimed {
            assert!(ran.insert(message.id.clone()), "given twice: {}", message.id);
        }
        assert!(desk.finish(&claimed).await.unwrap().iter().all(|settled| *settled == Settled::Done));
    }
    let lost: Vec<_> = accepted.difference(&ran).collect();
    assert!(lost.is_empty(), "{} of {} were lost", lost.len(), accepted.len());
    // A batch whose answer was lost may be there, and was sent again.
    assert!(ran.len() < accepted.len() + 200, "{} accepted, {} ran", accepted.len(), ran.len());
    assert_eq!(desk.counts().await, [0, 0, 0, ran.len() as u64, 0]);
}

#[tokio::test]
async fn what_was_claimed_and_finished_survives_too() {
    let mut server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let desk = Desk::new(&server.url(), "/a").await;
    desk.send(10).await.unwrap();
    let claimed = desk.claim(6).await.unwrap();
    desk.finish(&claimed[..2]).await.unwrap();
    server.kill();
    server.run();
    until_it_answers(async || desk.engine.counts("/a").await).await;
    assert_eq!(desk.counts().await, [0, 4, 4, 2, 0]);
    assert_eq!(desk.finish(&claimed[2..]).await.unwrap(), [Settled::Done; 4]);
    assert_eq!(desk.finish(&claimed).await.unwrap(), [Settled::Done; 6], "told a second time");
    assert_eq!(desk.counts().await, [0, 4, 0, 6, 0]);
}

#[tokio::test]
async fn a_connection_that_is_cut_is_made_again_and_listeners_look_again() {
    let server = Server::start(&[]);
    let line = Line::to(server.port).await;
    let desk = Desk::new(&line.url(), "/a").await;
    let mut ear = desk.engine.listen("me".into()).unwrap();
    hear(&mut ear, Wake::All).await;
    for round in 1..=5 {
        line.cut();
        hear(&mut ear, Wake::All).await;
        let ids = until_it_answers(async || desk.send(1).await).await;
        assert_eq!(ids.len(), 1);
        assert_eq!(desk.counts().await, [0, round, 0, 0, 0]);
    }
}

#[tokio::test]
async fn an_enqueue_whose_answer_was_lost_is_taken_in_once() {
    let server = Server::start(&[]);
    let line = Line::to(server.port).await;
    let desk = Desk::new(&line.url(), "/a").await;
    let first = desk.send(2).await.unwrap();
    line.lose_next_answer();
    let messages: Vec<NewMessage> = (0..3).map(|_| Spec::new("{}").into()).collect();
    let ids = until_it_answers(async || desk.send_as(77_777, messages.clone()).await).await;
    assert_eq!(desk.counts().await, [0, 5, 0, 0, 0]);
    let again = desk.send_as(77_777, messages).await.unwrap();
    assert_eq!(again, ids, "the answer to a batch that was taken in before");
    assert!(ids.iter().all(|id| !first.contains(id)));
    assert_eq!(desk.counts().await, [0, 5, 0, 0, 0]);
}

#[tokio::test]
async fn long_batches_are_taken_in_once_too() {
    let server = Server::start(&[]);
    let desk = Desk::new(&server.url(), "/a").await;
    let messages: Vec<NewMessage> = (0..2000).map(|_| Spec::new("{}").into()).collect();
    let ids = desk.send_as(5, messages.clone()).await.unwrap();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 2000);
    assert_eq!(desk.send_as(5, messages).await.unwrap(), ids);
    assert_eq!(desk.counts().await, [0, 2000, 0, 0, 0]);
}

#[tokio::test]
async fn an_exchange_whose_answer_was_lost_is_repeated_and_its_claims_are_handed_back() {
    let server = Server::start(&[]);
    let line = Line::to(server.port).await;
    let desk = Desk::new(&line.url(), "/a").await;
    desk.send(10).await.unwrap();
    let claimed = desk.claim(4).await.unwrap();
    let ends: Vec<_> = claimed[..2].iter().map(finished).collect();
    line.lose_next_answer();
    let lost = desk.exchange(ends.clone(), 3).await.unwrap_err();
    assert!(matches!(lost, EngineError::Unavailable(_)), "{lost}");
    assert_eq!(desk.counts().await, [0, 3, 5, 2, 0], "the server has done it");
    let again = desk.exchange(ends, 0).await.unwrap();
    assert_eq!(again.settled, [Settled::Done; 2]);
    let known: Vec<_> = claimed[2..].iter().map(|message| message.seq).collect();
    let returned = desk.engine.reconcile(&desk.owner, &desk.topic, &known).await.unwrap();
    assert_eq!(returned, 3, "claims that nobody heard of");
    assert_eq!(desk.counts().await, [0, 6, 2, 2, 0]);
    assert_eq!(desk.finish(&claimed[2..]).await.unwrap(), [Settled::Done; 2]);
}

#[tokio::test]
async fn a_server_that_is_full_says_so_and_goes_on() {
    let server = Server::start(&["--maxmemory-policy", "noeviction"]);
    let desk = Desk::new(&server.url(), "/a").await;
    desk.send(3).await.unwrap();
    let (): () = server.ask("CONFIG SET maxmemory 1").await;
    let full = desk.send(1).await.unwrap_err();
    assert!(matches!(full, EngineError::NoRoom(_)), "{full}");
    let (): () = server.ask("CONFIG SET maxmemory 0").await;
    assert_eq!(desk.counts().await, [0, 3, 0, 0, 0], "nothing was changed");
    let claimed = desk.claim(3).await.unwrap();
    let (): () = server.ask("CONFIG SET maxmemory 1").await;
    assert_eq!(desk.finish(&claimed).await.unwrap(), [Settled::Done; 3], "ends are taken in");
    assert_eq!(desk.counts().await, [0, 0, 0, 3, 0]);
}

#[tokio::test]
async fn nobody_at_home_is_told_soon() {
    let start = Instant::now();
    let error = RedisEngine::connect("redis://:geheim@127.0.0.1:1".parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, EngineError::Unavailable(_)), "{error}");
    let text = error.to_string();
    assert!(text.contains("Redis at 127.0.0.1:1:") && !text.contains("geheim"), "{text}");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn an_engine_that_was_made_before_its_server_works_once_it_is_there() {
    let mut server = Server::start(&[]);
    server.kill();
    let engine = RedisEngine::new(server.url().parse().unwrap(), None).unwrap();
    let away = engine.check().await.unwrap_err();
    assert!(matches!(away, EngineError::Unavailable(_)), "{away}");
    let mut ear = engine.listen("me".into()).unwrap();
    server.run();
    hear(&mut ear, Wake::All).await;
    until_it_answers(async || engine.check().await).await;
    assert_eq!(engine.counts("/a").await.unwrap().queued, 0);
}

#[tokio::test]
async fn a_wrong_password_is_told_and_never_shown() {
    let server = Server::start(&["--requirepass", "right"]);
    let right = format!("redis://:right@127.0.0.1:{}", server.port);
    assert!(!format!("{:?}", Desk::new(&right, "/a").await.engine).contains("right"));
    let cluster = format!("redis+cluster://:geheim@127.0.0.1:{}", server.port);
    for url in [format!("redis://:geheim@127.0.0.1:{}", server.port), cluster, server.url()] {
        let error = RedisEngine::connect(url.parse().unwrap()).await.unwrap_err();
        assert!(matches!(error, EngineError::Misconfigured(_)), "{error}");
        assert!(!error.to_string().contains("geheim"), "{error}");
    }
}

/// Time itself is what is looked at here: for a while nothing may be sent.
#[tokio::test]
async fn an_idle_engine_sends_nothing() {
    let server = Server::start(&[]);
    let desk = Desk::new(&server.url(), "/a").await;
    let mut ear = desk.engine.listen("me".into()).unwrap();
    hear(&mut ear, Wake::All).await;
    desk.claim(1).await.unwrap();
    let commands = async || {
        let info: String = server.ask("INFO stats").await;
        let line = info.lines().find_map(|line| line.strip_prefix("total_commands_processed:"));
        line.unwrap().parse::<u64>().unwrap()
    };
    let before = commands().await;
    let between = commands().await - before;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(commands().await - before, 2 * between, "commands beside those that count them");
    desk.send(1).await.unwrap();
    hear(&mut ear, Wake::Topic("/a".into())).await;
}

#[tokio::test]
async fn a_process_shows_its_own_figures_while_the_server_is_away() {
    let mut server = Server::start(&[]);
    let engine = RedisEngine::connect(server.url().parse().unwrap()).await.unwrap();
    let queue = Queue::new(Arc::new(engine), &Registry::default(), Settings::default());
    let up = queue.prometheus(PATIENCE).await;
    assert!(up.contains("\nbutterfly_queue_up 1\n") && up.contains("butterfly_queue_messages"), "{up}");
    server.kill();
    let down = queue.prometheus(PATIENCE).await;
    assert!(down.contains("\nbutterfly_queue_up 0\n"), "{down}");
    assert!(!down.contains("butterfly_queue_messages") && down.contains("butterfly_queue_finished_total"));
}
