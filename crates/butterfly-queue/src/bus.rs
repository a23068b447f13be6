//! What the engine tells this process, and who in it wants to know.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::{Notify, mpsc};

use crate::engine::{Engine, EngineError, Wake};
use crate::message::MsgId;

/// One subscription to the engine, shared by the worker and by all who wait for an answer.
#[derive(Debug)]
pub(crate) struct Bus {
    engine: Arc<dyn Engine>,
    inbox: Arc<str>,
    listening: OnceLock<Result<(), EngineError>>,
    listeners: Arc<Listeners>,
}

#[derive(Debug, Default)]
struct Listeners {
    waiters: Mutex<HashMap<MsgId, Vec<Arc<Notify>>>>,
    worker: Mutex<Option<mpsc::UnboundedSender<Wake>>>,
}

impl Bus {
    pub(crate) fn new(engine: Arc<dyn Engine>, inbox: Arc<str>) -> Self {
        Self { engine, inbox, listening: OnceLock::new(), listeners: Arc::default() }
    }

    /// The name under which this process is told that a message ended.
    pub(crate) fn inbox(&self) -> Arc<str> {
        self.inbox.clone()
    }

    /// Begins to listen, at the first call.
    fn listen(&self) -> Result<(), EngineError> {
        let begin = || {
            let wakes = self.engine.listen(self.inbox.clone())?;
            tokio::spawn(self.listeners.clone().pass_on(wakes));
            Ok(())
        };
        self.listening.get_or_init(begin).clone()
    }

    /// What concerns a worker. The worker before, if there was one, is told nothing more.
    pub(crate) fn worker(&self) -> Result<mpsc::UnboundedReceiver<Wake>, EngineError> {
        let (tell, told) = mpsc::unbounded_channel();
        *lock(&self.listeners.worker) = Some(tell);
        self.listen()?;
        Ok(told)
    }

    /// Tells those who wait here of messages that this process's own worker has ended.
    pub(crate) fn ended_here<'a>(&self, ids: impl IntoIterator<Item = &'a MsgId>) {
        let waiters = lock(&self.listeners.waiters);
        if waiters.is_empty() {
            return;
        }
        let waiting = ids.into_iter().filter_map(|id| waiters.get(id));
        waiting.flatten().for_each(|waiter| waiter.notify_one());
    }

    /// Waits for the end of a message.
    pub(crate) fn waiter(&self, id: &MsgId) -> Result<Waiter, EngineError> {
        let notify = Arc::new(Notify::new());
        lock(&self.listeners.waiters).entry(id.clone()).or_default().push(notify.clone());
        let waiter = Waiter { listeners: self.listeners.clone(), id: id.clone(), notify };
        self.listen()?;
        Ok(waiter)
    }
}

impl Listeners {
    async fn pass_on(self: Arc<Self>, mut wakes: mpsc::UnboundedReceiver<Wake>) {
        while let Some(wake) = wakes.recv().await {
            match &wake {
                Wake::Ended(id) => self.wake_waiters(Some(id)),
                // What happened meanwhile is not known: everybody looks for himself.
                Wake::All => self.wake_waiters(None),
                _ => {}
            }
            if !matches!(wake, Wake::Ended(_))
                && let Some(worker) = &*lock(&self.worker)
            {
                // A worker that has stopped needs no wake.
                let _ = worker.send(wake);
            }
        }
    }

    fn wake_waiters(&self, id: Option<&MsgId>) {
        let waiters = lock(&self.waiters);
        let of_id = id.and_then(|id| waiters.get(id)).into_iter().flatten();
        let of_all = waiters.values().flatten().filter(|_| id.is_none());
        of_id.chain(of_all).for_each(|waiter| waiter.notify_one());
    }
}

/// Somebody who waits for the end of a message.
#[derive(Debug)]
pub(crate) struct Waiter {
    listeners: Arc<Listeners>,
    id: MsgId,
    notify: Arc<Notify>,
}

impl Waiter {
    /// Completes when it is time to look at the message again.
    pub(crate) async fn woken(&self) {
        self.notify.notified().await;
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut waiters = lock(&self.listeners.waiters);
        if let Some(list) = waiters.get_mut(&self.id) {
            list.retain(|other| !Arc::ptr_eq(other, &self.notify));
            if list.is_empty() {
                waiters.remove(&self.id);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
