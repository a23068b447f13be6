//! What lies between dispatcher and runners: messages that are ready to run, and ends on their way back.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, Semaphore};

use crate::message::{Claimed, Outcome};

/// A piece of work for a runner.
#[derive(Debug)]
pub(super) struct Work {
    /// The place of the topic.
    pub(super) lane: usize,
    /// The life of this worker that claimed it.
    pub(super) epoch: u64,
    pub(super) messages: Messages,
}

/// The messages that one run takes.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are `One`, and a box for each would be an allocation a message"
)]
pub(super) enum Messages {
    One(Claimed),
    /// Of a batch handler.
    Many(Vec<Claimed>),
}

impl Messages {
    pub(super) fn as_slice(&self) -> &[Claimed] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }

    pub(super) fn into_vec(self) -> Vec<Claimed> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

/// Work that waits for a runner, first in, first out.
#[derive(Debug)]
pub(super) struct Ready {
    works: Mutex<VecDeque<Work>>,
    /// One permit for each work.
    count: Semaphore,
}

impl Ready {
    pub(super) fn new() -> Self {
        Self { works: Mutex::default(), count: Semaphore::new(0) }
    }

    pub(super) fn push(&self, works: impl IntoIterator<Item = Work>) {
        let mut all = lock(&self.works);
        let before = all.len();
        all.extend(works);
        let added = all.len() - before;
        drop(all);
        self.count.add_permits(added);
    }

    /// The next work; `None` once it is closed.
    pub(super) async fn next(&self) -> Option<Work> {
        loop {
            self.count.acquire().await.ok()?.forget();
            // Works that were taken back leave their permits behind.
            if let Some(work) = lock(&self.works).pop_front() {
                return Some(work);
            }
        }
    }

    /// Takes back what no runner has begun, as far as it `is_wanted`.
    pub(super) fn take_back(&self, mut is_wanted: impl FnMut(&Work) -> bool) -> Vec<Work> {
        let mut works = lock(&self.works);
        let (back, stay): (VecDeque<_>, VecDeque<_>) = works.drain(..).partition(|work| is_wanted(work));
        *works = stay;
        back.into()
    }

    /// Lets runners end once they have nothing to run.
    pub(super) fn close(&self) {
        self.count.close();
    }
}

/// An end on its way to the dispatcher.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) lane: usize,
    pub(super) epoch: u64,
    pub(super) outcome: Outcome,
}

/// Ends that the dispatcher has not taken yet.
#[derive(Debug, Default)]
pub(super) struct Done {
    ended: Mutex<Vec<Ended>>,
    news: Notify,
}

impl Done {
    pub(super) fn push(&self, ended: impl IntoIterator<Item = Ended>) {
        let mut all = lock(&self.ended);
        let silent = all.is_empty();
        all.extend(ended);
        drop(all);
        // More ends join those that the dispatcher was told of.
        if silent {
            self.news.notify_one();
        }
    }

    pub(super) fn take(&self) -> Vec<Ended> {
        std::mem::take(&mut *lock(&self.ended))
    }

    pub(super) async fn news(&self) {
        self.news.notified().await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
