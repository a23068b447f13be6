//! Where the answers of handlers with the option `cache` are kept: the app's cache.

use std::io;
use std::time::Duration;

use butterfly_core::{App, Finding, Keeping, Replies, Turn, Turning};
use butterfly_model::cache::{Cache, Disk, Flight, Keep, Store};
use bytes::Bytes;

use crate::config::{CacheStore, Config};

/// The file in the data folder that holds the cache.
const FILE: &str = "cache.db";

/// Gives the app the cache that is configured, unless the program gave it one, and lets it keep answers there.
///
/// # Errors
///
/// Why the cache cannot be used.
pub(crate) fn install(app: &mut App, config: &Config) -> io::Result<()> {
    let cache = match app.state.get::<Cache>() {
        Some(given) => given.clone(),
        None => {
            let opened = open(config);
            let cache = opened.map_err(|why| io::Error::other(format!("cache.store: {why}")))?;
            app.state.insert(cache.clone());
            cache
        }
    };
    app.replies = Some(Box::new(Kept(cache.named("main"))));
    Ok(())
}

fn open(config: &Config) -> Result<Cache, String> {
    let (size, near) = (config.cache.size.as_u64(), config.cache.near.as_u64());
    match &config.cache.store {
        CacheStore::Memory => Ok(Cache::memory(size)),
        CacheStore::Disk => {
            let opened = Disk::at(config.data_dir.join(FILE)).size_limit(size).open();
            opened.map(|store| below(near, store)).map_err(|why| why.to_string())
        }
        CacheStore::Redis(name) => redis(config, name, near),
    }
}

/// A cache on a store, with memory above it where there is any.
fn below(near: u64, store: impl Store) -> Cache {
    if near == 0 { Cache::of(store) } else { Cache::two_level(near, store) }
}

/// Programs of other names have other caches in the same Redis.
#[cfg(feature = "redis")]
fn redis(config: &Config, name: &str, near: u64) -> Result<Cache, String> {
    let redis = crate::redis::open(config, name)?;
    Ok(below(near, butterfly_model::cache::RedisStore::new(&redis, &config.name)))
}

#[cfg(not(feature = "redis"))]
fn redis(_: &Config, name: &str, _: u64) -> Result<Cache, String> {
    Err(format!("it names redis.{name}, and this program was built without the feature redis of butterfly"))
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

    fn turn<'a>(&'a self, key: &'a str) -> Turning<'a> {
        Box::pin(async move {
            match self.0.flight(key).await {
                Flight::Mine(landing) => Turn::Make(Box::new(move |answer| landing.land(answer))),
                Flight::Landed(Some(answer)) => Turn::Made(answer),
                Flight::Landed(None) => Turn::Alone,
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
        install(&mut app, &Config::default()).unwrap();
        let replies = app.replies.as_deref().unwrap();
        assert_eq!(replies.find("k").await, None);
        replies.keep("k", "answer".into(), MINUTE).await;
        assert_eq!(replies.find("k").await.as_deref(), Some(&b"answer"[..]));
        let cache = app.state.get::<Cache>().unwrap();
        assert_eq!(cache.get_bytes("k").await.unwrap().as_deref(), Some(&b"answer"[..]));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn of_a_thousand_who_want_an_answer_one_makes_it() {
        use std::sync::atomic::{AtomicU32, Ordering};
        let mut app = App::default();
        install(&mut app, &Config::default()).unwrap();
        let (app, made) = (std::sync::Arc::new(app), std::sync::Arc::new(AtomicU32::new(0)));
        let callers: Vec<_> = (0..1000)
            .map(|_| {
                let (app, made) = (app.clone(), made.clone());
                tokio::spawn(async move {
                    let replies = app.replies.as_deref().unwrap();
                    if let Some(found) = replies.find("k").await {
                        return found;
                    }
                    let hand_on = match replies.turn("k").await {
                        Turn::Make(hand_on) => hand_on,
                        Turn::Made(answer) => return answer,
                        Turn::Alone => panic!("it was made for all"),
                    };
                    tokio::task::yield_now().await;
                    let answer = Bytes::from(format!("answer {}", made.fetch_add(1, Ordering::SeqCst)));
                    replies.keep("k", answer.clone(), MINUTE).await;
                    hand_on(Some(answer.clone()));
                    answer
                })
            })
            .collect();
        for caller in callers {
            assert_eq!(caller.await.unwrap(), "answer 0");
        }
    }

    #[tokio::test]
    async fn what_is_for_one_caller_is_made_by_each_and_one_that_is_given_up_is_replaced() {
        let mut app = App::default();
        install(&mut app, &Config::default()).unwrap();
        let replies = app.replies.as_deref().unwrap();
        let Turn::Make(hand_on) = replies.turn("k").await else { panic!("nobody makes it") };
        let (waiting, ()) = tokio::join!(replies.turn("k"), async { hand_on(None) });
        assert!(matches!(waiting, Turn::Alone));
        let given_up = replies.turn("k").await;
        let (waiting, ()) = tokio::join!(replies.turn("k"), async { drop(given_up) });
        assert!(matches!(waiting, Turn::Make(_)));
    }

    #[tokio::test]
    async fn the_programs_own_cache_is_used_and_its_failures_harm_nobody() {
        let mut app = App::default();
        // Too small for anything.
        app.state.insert(Cache::memory(10));
        install(&mut app, &Config::default()).unwrap();
        let replies = app.replies.as_deref().unwrap();
        replies.keep("k", "answer".into(), MINUTE).await;
        assert_eq!(replies.find("k").await, None);
        assert_eq!(app.state.get::<Cache>().unwrap().counters().miss, 1);
    }
    fn installed(flags: &[(&str, &str)]) -> io::Result<App> {
        let flags = flags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let config = crate::config::Loader::new("shop").flags(flags).load().unwrap().config;
        let mut app = App::default();
        install(&mut app, &config).map(|()| app)
    }

    #[tokio::test]
    async fn the_cache_is_what_the_configuration_says() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().to_str().unwrap();
        for near in ["0", "1MiB"] {
            let flags = [("data_dir", place), ("cache.store", "disk"), ("cache.near", near)];
            let app = installed(&flags).unwrap();
            let cache = app.state.get::<Cache>().unwrap();
            cache.set("k", near, MINUTE).await.unwrap();
            assert_eq!(format!("{cache:?}").contains("memory: Some"), near != "0", "{cache:?}");
            assert!(folder.path().join("cache.db").exists());
        }
        let small = installed(&[("cache.size", "1MiB")]).unwrap();
        let cache = small.state.get::<Cache>().unwrap();
        assert!(cache.set_bytes("k", vec![0; 2 << 20], MINUTE).await.is_err());
        std::fs::write(folder.path().join("cache.db"), "no cache at all, but long enough to be looked at")
            .unwrap();
        let why = installed(&[("data_dir", place), ("cache.store", "disk")]).unwrap_err().to_string();
        assert!(why.starts_with("cache.store: ") && why.contains("cache.db"), "{why}");
    }

    #[cfg(feature = "redis")]
    #[tokio::test]
    async fn a_redis_that_is_away_keeps_nothing_and_harms_nobody() {
        let app = installed(&[("redis.a", "redis://127.0.0.1:1"), ("cache.store", "redis.a")]).unwrap();
        let replies = app.replies.as_deref().unwrap();
        replies.keep("k", "answer".into(), MINUTE).await;
        assert_eq!(replies.find("k").await, None);
        assert!(matches!(replies.turn("k").await, Turn::Make(_)));
    }
}
