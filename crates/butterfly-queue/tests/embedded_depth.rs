//! What a call of the embedded engine costs does not grow with what waits and what is kept: SQLite counts the steps of
//! each statement, and they are as many beside 5,500 messages as beside 500.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use butterfly_queue::embedded::{EmbeddedEngine, Options};
use butterfly_queue::engine::{Owner, Settled, Want};
use butterfly_queue::{
    Claimed, End, Engine, Hold, Limits, NewMessage, Outcome, Second, Spec, Topic, Unique, now_ms,
};
use butterfly_store::rusqlite::StatementStatus;
use butterfly_store::rusqlite::trace::{TraceEvent, TraceEventCodes};

/// What SQLite has counted of a statement since it was prepared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Work {
    steps: i32,
    /// Steps from row to row of a table without an index.
    scanned: i32,
    sorts: i32,
}

/// SQLite's own hook is a plain function: it has no other place. There is one test in this program.
static SEEN: Mutex<BTreeMap<String, Work>> = Mutex::new(BTreeMap::new());

fn note(event: TraceEvent<'_>) {
    let TraceEvent::Profile(statement, _) = event else { return };
    let count = |status| statement.get_status(status);
    let work = Work {
        steps: count(StatementStatus::VmStep),
        scanned: count(StatementStatus::FullscanStep),
        sorts: count(StatementStatus::Sort),
    };
    SEEN.lock().unwrap().insert(statement.sql().into_owned(), work);
}

/// The work of each statement that ran since the counts were so.
fn since(before: &BTreeMap<String, Work>) -> BTreeMap<String, Work> {
    let after = SEEN.lock().unwrap();
    let worked = after.iter().map(|(sql, after)| {
        let before = before.get(sql).copied().unwrap_or_default();
        let work = Work {
            steps: after.steps - before.steps,
            scanned: after.scanned - before.scanned,
            sorts: after.sorts - before.sorts,
        };
        (sql.clone(), work)
    });
    worked.filter(|(_, work)| *work != Work::default()).collect()
}

/// A worker at a topic.
struct Desk {
    engine: EmbeddedEngine,
    topic: Topic,
    owner: Owner,
}

static BATCH: AtomicU64 = AtomicU64::new(1);

impl Desk {
    fn at(engine: &EmbeddedEngine, path: &str, limits: Limits) -> Self {
        let owner = Owner { instance: "desk".into(), epoch: 1, worker: "host:1:2".into() };
        Self { engine: engine.clone(), topic: Topic::new(path).unwrap().with(limits), owner }
    }

    async fn send(&self, messages: Vec<NewMessage>) {
        let batch = BATCH.fetch_add(1, Ordering::Relaxed);
        let answers = self.engine.enqueue(&self.topic, batch, Arc::new(messages)).await.unwrap();
        assert!(answers.iter().all(Result::is_ok));
    }

    async fn exchange(&self, done: &[Claimed], count: u32) -> Vec<Claimed> {
        let end = || End::Finished { stat: "OK".into(), result: "{}".into() };
        let outcome = |message: &Claimed| Outcome {
            message: message.clone(),
            started: now_ms(),
            cost_us: 5,
            end: end(),
        };
        let done = done.iter().map(outcome).collect();
        let want = Want { count, last_chance: false };
        let exchange = self.engine.exchange(&self.owner, &self.topic, Arc::new(done), want).await.unwrap();
        assert!(exchange.settled.iter().all(|settled| *settled == Settled::Done));
        exchange.claimed
    }

    /// So many more wait, so many for a later time, and so many are kept that have ended.
    async fn fill(&self, count: usize, message: impl Fn(usize) -> NewMessage) {
        for from in (0..count).step_by(500) {
            self.send((from..from + 500).map(&message).collect()).await;
            self.exchange(&self.exchange(&[], 500).await, 0).await;
            self.send((from..from + 500).map(|n| message(count + n)).collect()).await;
            let later = |n| NewMessage { run_at: Some(now_ms() + 3_600_000), ..message(2 * count + n) };
            self.send((from..from + 500).map(later).collect()).await;
        }
    }

    /// One message's whole life, and what a worker does beside it.
    async fn life(&self, message: NewMessage) {
        self.send(vec![message]).await;
        let claimed = self.exchange(&[], 1).await;
        assert_eq!(claimed.len(), 1);
        let held = [(self.topic.clone(), vec![])];
        assert!(self.engine.renew(&self.owner, &held).await.unwrap()[0].held);
        self.exchange(&claimed, 0).await;
        assert_eq!(self.engine.sweep(&self.topic).await.unwrap(), 0);
    }
}

fn plain(n: usize) -> NewMessage {
    Spec::new(format!("{{\"n\":{n}}}")).into()
}

/// A message with all that has an index of its own.
fn rich(n: usize) -> NewMessage {
    let mut spec = Spec::new(format!("{{\"n\":{n}}}"));
    spec.ttl_ms = Some(86_400_000);
    let unique = Unique { key: format!("key-{n}"), hold: Hold::WhileAlive, second: Second::Dropped };
    NewMessage { spec, id: Some(format!("id-{n}").into()), run_at: None, unique: Some(unique) }
}

/// A message of one of many keys.
fn keyed(n: usize) -> NewMessage {
    let mut spec = Spec::new(format!("{{\"n\":{n}}}"));
    spec.key = Some(format!("key-{n}"));
    spec.into()
}

async fn same_work(desk: &Desk, name: &str, message: impl Fn(usize) -> NewMessage) {
    let mut works = Vec::new();
    for (round, count) in [(0, 500), (1, 5000)] {
        let from = 100_000_000 * (round + 1);
        desk.fill(count, |n| message(from + n)).await;
        // The first time statements are prepared, and lines made that stay.
        desk.life(message(from + 90_000_000)).await;
        let before = SEEN.lock().unwrap().clone();
        desk.life(message(from + 90_000_001)).await;
        works.push(since(&before));
    }
    let [few, many] = &works[..] else { panic!("two rounds") };
    assert!(few.len() > 10, "{name}: {few:?}");
    for (sql, work) in many {
        assert_eq!(few.get(sql), Some(work), "{name}: what beside 500 is other beside 5,500: {sql}");
        assert_eq!((work.scanned, work.sorts), (0, 0), "{name}: no index has the order: {sql}");
    }
    assert_eq!(few.len(), many.len(), "{name}");
}

#[tokio::test]
async fn a_call_takes_as_many_steps_beside_many_messages_as_beside_few() {
    let folder = tempfile::tempdir().unwrap();
    let engine = EmbeddedEngine::open(folder.path().join("queue.db"), Options::default()).unwrap();
    let watch = |tx: &butterfly_store::Tx<'_>| {
        tx.trace_v2(TraceEventCodes::SQLITE_TRACE_PROFILE, Some(note));
        // What a transaction looks through at its commit is bounded as well.
        Ok(tx.query_row("PRAGMA cache_size", [], |row| row.get::<_, i64>(0))?)
    };
    let cache = engine.store().write(watch).await.unwrap();
    assert!((-16_384..0).contains(&cache), "the writer keeps {cache} KiB (negative) or pages");

    same_work(&Desk::at(&engine, "/plain", Limits::default()), "plain", plain).await;
    same_work(&Desk::at(&engine, "/rich", Limits::default()), "rich", rich).await;
    let limits = Limits { keyed: true, key_concurrency: Some(1), ..Limits::default() };
    same_work(&Desk::at(&engine, "/keyed", limits), "keyed", keyed).await;
}
