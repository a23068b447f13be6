//! What is special to the queue on Redis: its server's faults and forms. What every engine must do is in the
//! conformance suite.
//!
//! Tests of faults start a `redis-server` of their own; those of the other forms read where they are from the variables
//! that `.ci/redis` sets: `bash .ci/redis cargo test -p butterfly-queue --features live`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

mod depth;
mod faults;
mod foreign;
mod forms;
mod neighbours;
mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use butterfly_queue::engine::{Exchange, Owner, Settled, Want};
use butterfly_queue::redis::RedisEngine;
use butterfly_queue::{Claimed, End, Engine, EngineError, Message, MsgId, NewMessage, Outcome, Spec, Topic};

/// A worker at a topic.
struct Desk {
    engine: RedisEngine,
    topic: Topic,
    owner: Owner,
}

static BATCH: AtomicU64 = AtomicU64::new(1);

impl Desk {
    async fn new(url: &str, topic: &str) -> Self {
        let engine = RedisEngine::connect(url.parse().unwrap()).await.unwrap();
        let owner = Owner { instance: "desk".into(), epoch: 1, worker: "host:1:2".into() };
        Self { engine, topic: Topic::new(topic).unwrap(), owner }
    }

    async fn send(&self, count: usize) -> Result<Vec<MsgId>, EngineError> {
        let messages = (0..count).map(|n| NewMessage::from(Spec::new(format!("{{\"n\":{n}}}")))).collect();
        self.send_as(BATCH.fetch_add(1, Ordering::Relaxed), messages).await
    }

    async fn send_as(&self, batch: u64, messages: Vec<NewMessage>) -> Result<Vec<MsgId>, EngineError> {
        let answers = self.engine.enqueue(&self.topic, batch, Arc::new(messages)).await?;
        answers.into_iter().map(|answer| answer.map(|accepted| accepted.id)).collect()
    }

    async fn exchange(&self, done: Vec<Outcome>, count: u32) -> Result<Exchange, EngineError> {
        let want = Want { count, last_chance: false };
        self.engine.exchange(&self.owner, &self.topic, Arc::new(done), want).await
    }

    async fn claim(&self, count: u32) -> Result<Vec<Claimed>, EngineError> {
        Ok(self.exchange(vec![], count).await?.claimed)
    }

    async fn finish(&self, claimed: &[Claimed]) -> Result<Vec<Settled>, EngineError> {
        Ok(self.exchange(claimed.iter().map(finished).collect(), 0).await?.settled)
    }

    /// Scheduled, queued, started, finished, failed.
    async fn counts(&self) -> [u64; 5] {
        let counts = self.engine.counts(&self.topic.path).await.unwrap();
        [counts.scheduled, counts.queued, counts.started, counts.finished, counts.failed]
    }

    async fn message(&self, id: &MsgId) -> Message {
        self.engine.get(&self.topic.path, id).await.unwrap().unwrap()
    }
}

fn finished(message: &Claimed) -> Outcome {
    let end = End::Finished { stat: "OK".into(), result: "{}".into() };
    Outcome { message: message.clone(), started: 1_700_000_000_000, cost_us: 5, end }
}
