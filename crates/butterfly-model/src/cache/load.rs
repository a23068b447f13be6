//! Loading what is not there: single flight, and stale values while a new one is loaded.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::task::Poll;

use butterfly_core::Result;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;

use super::counters::Count;
use super::entry::now_ms;
use super::flight::{Failure, Lead, Turn};
use super::handle::{decode, encode};
use super::{Age, Cache, CacheError, Keep};

impl Cache {
    /// The value of a key; if there is none, it is loaded and stored.
    ///
    /// Of many that want the same key at once, one loads and all get what it got: a value, or the failure of its
    /// loader, by an error or a panic. A failure is not stored. If the one that loads is given up (its future is
    /// dropped), another of them loads. Different processes each load for themselves.
    ///
    /// A value past its fresh time (see [`Keep::stale`]) is loaded anew by the first that meets it; those that come
    /// meanwhile get the old one at once, and so does the first if its loader fails.
    ///
    /// The store being out of order harms nobody: it is written to the log, and the value is loaded.
    ///
    /// # Errors
    ///
    /// The loader's own.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use butterfly_model::cache::Cache;
    ///
    /// # #[tokio::main]
    /// # async fn main() -> butterfly_core::Result<()> {
    /// let cache = Cache::memory(16 << 20);
    /// let answer: u32 = cache.get_or_load("answer", Duration::from_secs(60), || async { Ok(6 * 7) }).await?;
    /// assert_eq!(answer, 42);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_or_load<T, F, Fut>(&self, key: &str, keep: impl Into<Keep<'_>>, load: F) -> Result<T>
    where
        T: Serialize + DeserializeOwned,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let keep = keep.into();
        let old = match self.seek(key).await {
            Sought::Fresh(value) => return Ok(value),
            Sought::Stale(old) => Some(old),
            Sought::Nothing => None,
        };
        self.obtain(key, &keep, old, load).await
    }

    /// As [`get_or_load`](Self::get_or_load), but nobody waits for a value that only is past its fresh time: it is
    /// loaded anew in a task of its own, so the loader may borrow nothing.
    ///
    /// # Errors
    ///
    /// The loader's own, where there was nothing to give.
    pub async fn get_or_refresh<T, F, Fut>(&self, key: &str, keep: impl Into<Keep<'_>>, load: F) -> Result<T>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<T>> + Send + 'static,
    {
        let keep = keep.into();
        let old = match self.seek(key).await {
            Sought::Fresh(value) => return Ok(value),
            Sought::Nothing => return self.obtain(key, &keep, None, load).await,
            Sought::Stale(old) => old,
        };
        let Ok(runtime) = Handle::try_current() else {
            return self.obtain(key, &keep, Some(old), load).await;
        };
        if let Turn::Lead(lead) = self.inner.flights.turn(key, keep.tags) {
            let (cache, key, Keep { fresh, stale, .. }) = (self.clone(), key.to_owned(), keep);
            let tags: Vec<String> = keep.tags.iter().map(|tag| (*tag).to_owned()).collect();
            runtime.spawn(async move {
                let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
                let keep = Keep { fresh, stale, tags: &tags };
                if cache.loaded_since::<T>(&key).await.is_none()
                    && let Err(error) = cache.lead(&key, &keep, lead, load).await
                {
                    let why = error.chain();
                    tracing::warn!(target: TARGET, key, "stays past its time, for it cannot be loaded: {why}");
                }
            });
        }
        self.inner.counts.add(Count::Stale);
        Ok(old)
    }

    /// Loads, or waits for who does; `old` is what may be given instead.
    async fn obtain<T, F, Fut>(&self, key: &str, keep: &Keep<'_>, old: Option<T>, load: F) -> Result<T>
    where
        T: Serialize + DeserializeOwned,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        if old.is_none() {
            self.inner.counts.add(Count::Miss);
        }
        let lead = loop {
            match self.inner.flights.turn(key, keep.tags) {
                Turn::Lead(lead) => break lead,
                Turn::Wait(waiting) => {
                    if let Some(old) = old {
                        self.inner.counts.add(Count::Stale);
                        return Ok(old);
                    }
                    match waiting.outcome().await {
                        Some(Ok(json)) => return Ok(decode(key, &json)?),
                        Some(Err(failure)) => return Err(failure.error(key)),
                        None => {}
                    }
                }
            }
        };
        if let Some((value, json)) = self.loaded_since(key).await {
            lead.publish(Ok(json));
            return Ok(value);
        }
        match (self.lead(key, keep, lead, load).await, old) {
            (Err(error), Some(old)) => {
                let why = error.chain();
                tracing::warn!(target: TARGET, key, "shown past its time, for it cannot be loaded: {why}");
                self.inner.counts.add(Count::Stale);
                Ok(old)
            }
            (result, old) => {
                if old.is_some() {
                    self.inner.counts.add(Count::Miss);
                }
                result
            }
        }
    }

    /// Loads, stores, and tells those who wait.
    async fn lead<T, F, Fut>(&self, key: &str, keep: &Keep<'_>, lead: Lead, load: F) -> Result<T>
    where
        T: Serialize,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        self.inner.counts.add(Count::Load);
        let value = match caught(async move { load().await }).await {
            Ok(Ok(value)) => value,
            Ok(Err(error)) => {
                lead.publish(Err(Failure::of(&error)));
                return Err(error);
            }
            Err(panicked) => {
                lead.publish(Err(Failure::panicked()));
                resume_unwind(panicked);
            }
        };
        match encode(key, &value) {
            Ok(json) => {
                let json = Bytes::from(json);
                self.keep(key, &lead, json.clone(), keep).await;
                lead.publish(Ok(json));
            }
            Err(why) => {
                self.complain(key, &why);
                lead.publish(Err(Failure::Server(why.to_string().into())));
            }
        }
        Ok(value)
    }

    /// Stores what was loaded, unless the key was changed meanwhile.
    async fn keep(&self, key: &str, lead: &Lead, json: Bytes, keep: &Keep<'_>) {
        if !lead.counts() {
            return;
        }
        let stored = self.put(key, json, keep).await;
        let settled = match stored {
            Ok(()) if lead.counts() => Ok(()),
            // Changed while it was being stored: what holds now is not known.
            Ok(()) => self.change(key, |store| store.delete(key)).await.map(drop),
            Err(why) => Err(why),
        };
        if let Err(why) = settled {
            self.complain(key, &why);
        }
    }

    /// Looks for a value, and counts a hit. A store that is out of order has nothing.
    async fn seek<T: DeserializeOwned>(&self, key: &str) -> Sought<T> {
        let found = self.look(key).await.and_then(|found| {
            let Some((entry, age)) = found else { return Ok(Sought::Nothing) };
            let value = decode(key, &entry.value)?;
            Ok(if age == Age::Fresh { Sought::Fresh(value) } else { Sought::Stale(value) })
        });
        let found = found.unwrap_or_else(|why| {
            self.complain(key, &why);
            Sought::Nothing
        });
        if let Sought::Fresh(_) = found {
            self.inner.counts.add(Count::Hit);
        }
        found
    }

    /// What another stored between this call's look and its turn to load.
    async fn loaded_since<T: DeserializeOwned>(&self, key: &str) -> Option<(T, Bytes)> {
        match self.look(key).await {
            Ok(Some((entry, Age::Fresh))) => Some((decode(key, &entry.value).ok()?, entry.value)),
            _ => None,
        }
    }

    /// Counts a failure that the caller is not told, and writes it to the log, at most once a second.
    fn complain(&self, key: &str, why: &CacheError) {
        self.inner.counts.add(Count::Error);
        let (now, last) = (now_ms(), &self.inner.complained);
        if now.saturating_sub(last.load(Ordering::Relaxed)) >= 1000 {
            last.store(now, Ordering::Relaxed);
            tracing::warn!(target: TARGET, key, "loaded all the same: {why}");
        }
    }
}

const TARGET: &str = "butterfly::cache";

enum Sought<T> {
    Fresh(T),
    Stale(T),
    Nothing,
}

/// Runs a future of the user's; its panic comes out as a value, so that those who wait for it are told.
async fn caught<T>(future: impl Future<Output = T>) -> std::thread::Result<T> {
    let mut future = pin!(future);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(panicked) => Poll::Ready(Err(panicked)),
    })
    .await
}
