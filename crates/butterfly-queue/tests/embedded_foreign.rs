//! Files that are not for this version of the embedded engine, records in them, and names that mean harm: each is
//! refused or set aside with a clear error, and the rest goes on.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use butterfly_queue::embedded::{EmbeddedEngine, Options};
use butterfly_queue::engine::{Engine, Exchange, Owner, Settled, Want};
use butterfly_queue::{End, EngineError, NewMessage, Outcome, Spec, State, Topic};
use butterfly_store::rusqlite::Connection;
use tempfile::TempDir;

struct Desk {
    engine: EmbeddedEngine,
    topic: Topic,
    owner: Owner,
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(&file_in(&folder)).unwrap();
        let owner = Owner { instance: "desk".into(), epoch: 1, worker: "host:1:2".into() };
        Self { engine, topic: Topic::new("/a").unwrap(), owner, folder }
    }

    async fn send(&self, batch: u64, messages: Vec<NewMessage>) -> Vec<butterfly_queue::MsgId> {
        let answers = self.engine.enqueue(&self.topic, batch, Arc::new(messages)).await.unwrap();
        answers.into_iter().map(|answer| answer.unwrap().id).collect()
    }

    async fn exchange(&self, done: Vec<Outcome>, count: u32) -> Exchange {
        let want = Want { count, last_chance: false };
        self.engine.exchange(&self.owner, &self.topic, Arc::new(done), want).await.unwrap()
    }

    /// What somebody does to the file with SQLite's own tools.
    fn spoil(&self, sql: &str) {
        let changed = Connection::open(file_in(&self.folder)).unwrap().execute(sql, []).unwrap();
        assert!(changed > 0, "{sql} changes nothing");
    }
}

fn file_in(folder: &TempDir) -> PathBuf {
    folder.path().join("queue.db")
}

fn open(file: &Path) -> Result<EmbeddedEngine, EngineError> {
    EmbeddedEngine::open(file, Options::default())
}

fn messages(count: usize) -> Vec<NewMessage> {
    (0..count).map(|n| NewMessage::from(Spec::new(format!("{{\"n\":{n}}}")))).collect()
}

#[tokio::test]
async fn what_is_no_queue_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    let words = "these are notes, and no database; ".repeat(200);
    std::fs::write(&text, &words).unwrap();
    let error = open(&text).unwrap_err();
    assert!(matches!(error, EngineError::Foreign(_)) && error.to_string().contains("notes.txt"), "{error}");
    assert_eq!(std::fs::read_to_string(&text).unwrap(), words);

    let other = folder.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE message (theirs)").unwrap();
    let error = open(&other).unwrap_err();
    assert!(matches!(error, EngineError::Foreign(_)) && error.to_string().contains("other.db"), "{error}");
    let kept = Connection::open(&other).unwrap().execute("INSERT INTO message VALUES (1)", []);
    assert_eq!(kept, Ok(1));
}

#[tokio::test]
async fn a_queue_of_a_newer_version_is_refused() {
    let desk = Desk::new();
    desk.send(1, messages(1)).await;
    desk.spoil("UPDATE schema SET version = version + 1 WHERE name = 'queue'");
    let error = open(&file_in(&desk.folder)).unwrap_err();
    assert!(matches!(error, EngineError::Foreign(_)) && error.to_string().contains("version 2"), "{error}");
    desk.spoil("UPDATE schema SET version = version - 1 WHERE name = 'queue'");
    assert_eq!(open(&file_in(&desk.folder)).unwrap().counts("/a").await.unwrap().queued, 1);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_set_aside_and_the_rest_goes_on() {
    for spoiled in [
        "options = 'of a later version'",
        "options = x'00ff'",
        "created = 'yesterday'",
        "priority = 1000",
        "args = x'ff00ff'",
    ] {
        let desk = Desk::new();
        let ids = desk.send(1, messages(3)).await;
        desk.spoil(&format!("UPDATE message SET {spoiled} WHERE args LIKE '%1%'"));
        let claimed = desk.exchange(vec![], 10).await.claimed;
        let claimed_ids: Vec<_> = claimed.iter().map(|message| message.id.clone()).collect();
        assert_eq!(claimed_ids, [ids[0].clone(), ids[2].clone()], "{spoiled}");
        let end = End::Finished { stat: "OK".into(), result: "{}".into() };
        let ends =
            claimed.into_iter().map(|message| Outcome { message, started: 1, cost_us: 1, end: end.clone() });
        assert_eq!(desk.exchange(ends.collect(), 10).await.settled, [Settled::Done; 2], "{spoiled}");
        let counts = desk.engine.counts("/a").await.unwrap();
        assert_eq!(
            (counts.queued, counts.started, counts.finished, counts.failed),
            (0, 0, 2, 1),
            "{spoiled}"
        );
        // Who looks at the ended ones still sees them.
        assert_eq!(desk.engine.list("/a", State::Finished, 0, 10).await.unwrap().len(), 2, "{spoiled}");
        let failed = desk.engine.list("/a", State::Failed, 0, 10).await;
        assert!(failed.as_ref().is_ok_and(|failed| failed.len() == 1), "{spoiled}: {failed:?}");
        assert_eq!(
            desk.engine.empty("/a", State::Failed, 10).await.unwrap(),
            1,
            "{spoiled}: it can be removed"
        );
    }
}

#[tokio::test]
async fn names_that_mean_harm_are_names_and_no_more() {
    let desk = Desk::new();
    let hostile = "/a'; DROP TABLE message; --";
    assert!(Topic::new(hostile).unwrap_err().contains("is no topic"));
    desk.send(1, messages(1)).await;
    // Looking for what nobody has finds nothing.
    for path in [hostile, "", "\0", "/a\n", "%", &"/x".repeat(100_000)] {
        assert_eq!(desk.engine.counts(path).await.unwrap().queued, 0, "{path:.20}");
        assert!(desk.engine.list(path, State::Queued, 0, 10).await.unwrap().is_empty(), "{path:.20}");
    }
    let key = butterfly_queue::Unique {
        key: "'); DELETE FROM message; \0 {}*".into(),
        hold: butterfly_queue::Hold::WhileAlive,
        second: butterfly_queue::Second::Dropped,
    };
    let unique = NewMessage { unique: Some(key), ..NewMessage::from(Spec::new("{\"a\":\"';--\"}")) };
    let first = desk.send(2, vec![unique.clone()]).await;
    assert_eq!(desk.send(3, vec![unique]).await, first);
    assert_eq!(desk.engine.counts("/a").await.unwrap().queued, 2);
}
