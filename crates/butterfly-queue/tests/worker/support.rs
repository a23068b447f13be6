//! A process with a queue and perhaps a worker, on an engine in memory.

use std::sync::Arc;
use std::time::Duration;

use butterfly_core::{App, Ctx, Door, Job, Registry};
use butterfly_queue::conformance::memory::Memory;
use butterfly_queue::{Message, MsgId, Queue, Settings, State, Worker};

use crate::handlers;

pub(crate) struct Process {
    pub(crate) queue: Queue,
    pub(crate) app: Arc<App>,
}

impl Process {
    pub(crate) fn of(memory: &Memory, settings: Settings) -> Self {
        let handlers = [
            &handlers::add::HANDLER,
            &handlers::note::HANDLER,
            &handlers::flaky::HANDLER,
            &handlers::hopeless::HANDLER,
            &handlers::patient::HANDLER,
            &handlers::panics::HANDLER,
            &handlers::refuses::HANDLER,
            &handlers::empty_handed::HANDLER,
            &handlers::endless::HANDLER,
            &handlers::sends::HANDLER,
            &handlers::gather::HANDLER,
            &handlers::gather_slowly::HANDLER,
            &handlers::two::HANDLER,
            &handlers::one_each::HANDLER,
        ];
        let mut app = App::new(Registry::of(handlers).unwrap());
        let queue = Queue::new(Arc::new(memory.open()), &app.registry, settings);
        app.state.insert(queue.clone());
        Self { queue, app: Arc::new(app) }
    }

    /// A process on an engine of its own.
    pub(crate) fn alone() -> Self {
        Self::of(&Memory::default(), settings("alone"))
    }

    pub(crate) fn worker(&self) -> Worker {
        Worker::start(self.queue.clone(), self.app.clone(), None).unwrap()
    }

    /// A call in this process, such as the HTTP door makes.
    pub(crate) fn ctx(&self) -> Ctx {
        Ctx::within(self.app.clone(), Door::Http)
    }

    pub(crate) async fn send<R: 'static>(&self, job: Job<R>) -> MsgId {
        self.queue.enqueue(&job).await.unwrap().id
    }

    /// The message, once it has ended.
    pub(crate) async fn ended(&self, topic: &str, id: &MsgId) -> Message {
        let ended = tokio::time::timeout(Duration::from_secs(30), self.queue.ended(topic, id)).await;
        match ended {
            Ok(message) => message.unwrap(),
            Err(_) => panic!("it has not ended: {:?}", self.queue.find(id).await),
        }
    }

    /// The message as soon as it is in a state.
    pub(crate) async fn until(&self, id: &MsgId, state: State) -> Message {
        within(async {
            loop {
                let message = self.queue.find(id).await.unwrap().unwrap();
                if message.state == state {
                    return message;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }
}

pub(crate) fn settings(instance: &str) -> Settings {
    Settings { instance: instance.into(), lease: Duration::from_millis(600), ..Settings::default() }
}

/// What is awaited comes within reason, or the test fails.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("it did not come within 30 s")
}
