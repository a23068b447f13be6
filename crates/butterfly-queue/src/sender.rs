//! Messages on their way into the engine, batched without a delay: what comes while a batch is on its way makes up the
//! next one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::engine::{Engine, EngineError};
use crate::message::{Accepted, NewMessage, now_ms};
use crate::topic::Topic;

/// One call of an engine takes in at most so many messages.
const BATCH_MAX: usize = 512;
/// How long a sender waits before it tries again, when the engine is out of reach; then it gives up.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(800),
    Duration::from_secs(2),
];

pub(crate) type Answer = Result<Accepted, EngineError>;

/// The way into an engine, shared by all senders of a process.
#[derive(Debug)]
pub(crate) struct Sender {
    engine: Arc<dyn Engine>,
    waiting: Mutex<HashMap<Arc<str>, Vec<Waiting>>>,
    batches: AtomicU64,
}

#[derive(Debug)]
struct Waiting {
    message: NewMessage,
    answer: oneshot::Sender<Answer>,
}

impl Sender {
    pub(crate) fn new(engine: Arc<dyn Engine>) -> Arc<Self> {
        // Batches of this process's earlier lives have other numbers: the count begins at the time.
        Arc::new(Self { engine, waiting: Mutex::default(), batches: AtomicU64::new(now_ms() << 20) })
    }

    /// Sends one message, together with others of its topic that are sent at the same time.
    pub(crate) async fn send(self: &Arc<Self>, topic: &Topic, message: NewMessage) -> Answer {
        let (answer, answered) = oneshot::channel();
        let first = {
            let mut waiting = self.lock();
            // A topic stands in the map while a task sends for it.
            let first = !waiting.contains_key(&topic.path);
            waiting.entry(topic.path.clone()).or_default().push(Waiting { message, answer });
            first
        };
        if first {
            // A task of its own: the sender may be given up while others' messages are on their way.
            tokio::spawn(self.clone().flush(topic.clone()));
        }
        answered.await.unwrap_or_else(|_| Err(EngineError::Unavailable("the process is ending".into())))
    }

    /// Sends until nothing waits.
    async fn flush(self: Arc<Self>, topic: Topic) {
        while let Some(batch) = self.take(&topic) {
            let (messages, askers): (Vec<_>, Vec<_>) =
                batch.into_iter().map(|waiting| (waiting.message, waiting.answer)).unzip();
            let answers = self.send_batch(&topic, messages).await;
            for (asker, answer) in askers.into_iter().zip(answers) {
                // Who gave up waiting needs no answer.
                let _ = asker.send(answer);
            }
        }
    }

    fn take(&self, topic: &Topic) -> Option<Vec<Waiting>> {
        let mut all = self.lock();
        let waiting = all.get_mut(&topic.path)?;
        if waiting.is_empty() {
            all.remove(&topic.path);
            return None;
        }
        let rest = waiting.split_off(waiting.len().min(BATCH_MAX));
        Some(std::mem::replace(waiting, rest))
    }

    /// Sends many messages of one topic; answers come in their order.
    pub(crate) async fn send_many(&self, topic: &Topic, mut messages: Vec<NewMessage>) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(messages.len());
        while !messages.is_empty() {
            let rest = messages.split_off(messages.len().min(BATCH_MAX));
            answers.append(&mut self.send_batch(topic, std::mem::replace(&mut messages, rest)).await);
        }
        answers
    }

    async fn send_batch(&self, topic: &Topic, messages: Vec<NewMessage>) -> Vec<Answer> {
        let (count, messages) = (messages.len(), Arc::new(messages));
        // The same number at each try: the engine knows a batch that it has already.
        let batch = self.batches.fetch_add(1, Ordering::Relaxed);
        let mut pauses = PAUSES.into_iter();
        loop {
            match self.engine.enqueue(topic, batch, messages.clone()).await {
                Ok(answers) => return answers,
                Err(EngineError::Unavailable(why)) => match pauses.next() {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return vec![Err(EngineError::Unavailable(why)); count],
                },
                Err(error) => return vec![Err(error); count],
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Vec<Waiting>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
