//! Where the answers of handlers with the option `cache` are kept: the app's cache.

use std::time::Duration;

use butterfly_core::{App, Finding, Keeping, Replies};
use butterfly_model::cache::{Cache, Keep};
use bytes::Bytes;

/// The size of the cache of an app that brings none, in bytes.
const MEMORY: u64 = 64 << 20;

/// Gives the app a cache in memory, unless the program gave it one, and lets it keep answers there.
pub(crate) fn install(app: &mut App) {
    let given = app.state.get::<Cache>().cloned();
    let cache = given.unwrap_or_else(|| {
        let cache = Cache::memory(MEMORY);
        app.state.insert(cache.clone());
        cache
    });
    app.replies = Some(Box::new(Kept(cache)));
}

#[derive(Debug)]
struct Kept(Cache);

impl Replies for Kept {
    fn find<'a>(&'a self, key: &'a str) -> Finding<'a> {
        Box::pin(async move {
            self.0.get_bytes(key).await.unwrap_or_else(|why| {
                tracing::warn!(target: "butterfly::cache", "answered without what was kept: {why}");
                None
            })
        })
    }

    fn keep<'a>(&'a self, key: &'a str, answer: Bytes, time: Duration) -> Keeping<'a> {
        Box::pin(async move {
            if let Err(why) = self.0.set_bytes(key, answer, Keep::fresh(time)).await {
                tracing::warn!(target: "butterfly::cache", "an answer is not kept: {why}");
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn an_app_has_a_cache_and_keeps_answers_there() {
        let mut app = App::default();
        install(&mut app);
        let replies = app.replies.as_deref().unwrap();
        assert_eq!(replies.find("k").await, None);
        replies.keep("k", "answer".into(), MINUTE).await;
        assert_eq!(replies.find("k").await.as_deref(), Some(&b"answer"[..]));
        let cache = app.state.get::<Cache>().unwrap();
        assert_eq!(cache.get_bytes("k").await.unwrap().as_deref(), Some(&b"answer"[..]));
    }

    #[tokio::test]
    async fn the_programs_own_cache_is_used_and_its_failures_harm_nobody() {
        let mut app = App::default();
        // Too small for anything.
        app.state.insert(Cache::memory(10));
        install(&mut app);
        let replies = app.replies.as_deref().unwrap();
        replies.keep("k", "answer".into(), MINUTE).await;
        assert_eq!(replies.find("k").await, None);
        assert_eq!(app.state.get::<Cache>().unwrap().counters().miss, 1);
    }
}
