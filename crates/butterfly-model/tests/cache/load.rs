//! Loading: once for all, whatever becomes of the load.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use butterfly_core::{Error, Result, Stat};
use butterfly_model::cache::{Cache, Disk, Keep};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;

const MINUTE: Duration = Duration::from_secs(60);
/// Past its fresh time at once, and shown for a minute more.
const STALE: Keep<'static> = Keep::fresh(Duration::ZERO).stale(MINUTE);

/// A loader that many calls share: it begins, waits to be let go, and counts.
#[derive(Default)]
struct Loader {
    begun: Notify,
    gate: Arc<Notify>,
    runs: AtomicU32,
}

impl Loader {
    async fn load(&self, outcome: impl FnOnce() -> Result<String>) -> Result<String> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        self.begun.notify_one();
        self.gate.notified().await;
        outcome()
    }

    fn runs(&self) -> u32 {
        self.runs.load(Ordering::SeqCst)
    }
}

/// Starts a thousand calls; returns once one loads and all others wait.
async fn thousand(
    cache: &Cache,
    loader: &Arc<Loader>,
    outcome: fn() -> Result<String>,
) -> Vec<JoinHandle<Result<String>>> {
    let started = Arc::new(Semaphore::new(0));
    let tasks = (0..1000)
        .map(|_| {
            let (cache, loader, started) = (cache.clone(), loader.clone(), started.clone());
            tokio::spawn(async move {
                started.add_permits(1);
                cache.get_or_load("k", MINUTE, || loader.load(outcome)).await
            })
        })
        .collect();
    let _ = started.acquire_many(1000).await.unwrap();
    loader.begun.notified().await;
    // A call that began counts a miss before it waits.
    while cache.counters().miss < 1000 {
        tokio::task::yield_now().await;
    }
    tasks
}

#[tokio::test]
async fn one_load_serves_a_thousand() {
    let folder = tempfile::tempdir().unwrap();
    for cache in [Cache::memory(1 << 20), Cache::disk(folder.path().join("c.db")).unwrap()] {
        let loader = Arc::<Loader>::default();
        let tasks = thousand(&cache, &loader, || Ok("v".into())).await;
        loader.gate.notify_one();
        for task in tasks {
            assert_eq!(task.await.unwrap().unwrap(), "v");
        }
        assert_eq!((loader.runs(), cache.counters().load), (1, 1));
        assert_eq!(cache.get::<String>("k").await.unwrap().as_deref(), Some("v"));
    }
}

#[tokio::test]
async fn one_failure_serves_a_thousand_and_is_not_stored() {
    let cache = Cache::memory(1 << 20);
    let loader = Arc::<Loader>::default();
    let tasks = thousand(&cache, &loader, || Err(Error::business_because("ERR_GONE", "no such user"))).await;
    loader.gate.notify_one();
    for task in tasks {
        let error = task.await.unwrap().unwrap_err();
        assert_eq!((error.stat(), error.fault().reason().as_ref()), (Stat::new("ERR_GONE"), "no such user"));
    }
    assert_eq!(loader.runs(), 1);
    let value: String = cache.get_or_load("k", MINUTE, || async { Ok("v".into()) }).await.unwrap();
    assert_eq!(value, "v");
}

#[tokio::test]
async fn one_panic_serves_a_thousand() {
    let cache = Cache::memory(1 << 20);
    let loader = Arc::<Loader>::default();
    let tasks = thousand(&cache, &loader, || panic!("expected by this test")).await;
    loader.gate.notify_one();
    let (mut panicked, mut failed) = (0, 0);
    for task in tasks {
        match task.await {
            Err(task) => panicked += u32::from(task.is_panic()),
            Ok(result) => {
                assert_eq!(result.unwrap_err().stat(), Stat::ERR_SERVER_EXCEPTION);
                failed += 1;
            }
        }
    }
    assert_eq!((panicked, failed, loader.runs()), (1, 999, 1));
    let value: String = cache.get_or_load("k", MINUTE, || async { Ok("v".into()) }).await.unwrap();
    assert_eq!(value, "v");
}

#[tokio::test]
async fn when_the_loader_is_given_up_one_other_loads() {
    let cache = Cache::memory(1 << 20);
    let begun = Arc::new(Notify::new());
    let first = tokio::spawn({
        let (cache, begun) = (cache.clone(), begun.clone());
        async move {
            let load = || async {
                begun.notify_one();
                pending::<Result<String>>().await
            };
            cache.get_or_load("k", MINUTE, load).await
        }
    });
    begun.notified().await;
    let loader = Arc::<Loader>::default();
    let tasks: Vec<_> = (0..999)
        .map(|_| {
            let (cache, loader) = (cache.clone(), loader.clone());
            tokio::spawn(
                async move { cache.get_or_load("k", MINUTE, || loader.load(|| Ok("v".into()))).await },
            )
        })
        .collect();
    while cache.counters().miss < 1000 {
        tokio::task::yield_now().await;
    }
    first.abort();
    loader.begun.notified().await;
    loader.gate.notify_one();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap(), "v");
    }
    assert_eq!(loader.runs(), 1);
}

#[tokio::test]
async fn while_one_loads_anew_others_get_the_old_value() {
    let cache = Cache::memory(1 << 20);
    cache.set("k", "old", STALE).await.unwrap();
    let loader = Arc::<Loader>::default();
    let first = tokio::spawn({
        let (cache, loader) = (cache.clone(), loader.clone());
        async move { cache.get_or_load("k", MINUTE, || loader.load(|| Ok("new".into()))).await }
    });
    loader.begun.notified().await;
    for _ in 0..10 {
        let value: String =
            cache.get_or_load("k", MINUTE, || async { panic!("loaded twice") }).await.unwrap();
        assert_eq!(value, "old");
    }
    loader.gate.notify_one();
    assert_eq!(first.await.unwrap().unwrap(), "new");
    assert_eq!(cache.get::<String>("k").await.unwrap().as_deref(), Some("new"));
    assert_eq!((cache.counters().stale, cache.counters().load), (10, 1));
}

#[tokio::test]
async fn a_load_that_fails_leaves_the_old_value_standing() {
    let cache = Cache::memory(1 << 20);
    cache.set("k", "old", STALE).await.unwrap();
    let failed = || async { Err(Error::business("ERR_DOWN")) };
    assert_eq!(cache.get_or_load::<String, _, _>("k", MINUTE, failed).await.unwrap(), "old");
    // But what is only for those who can load is not given to those who cannot.
    assert_eq!(cache.get::<String>("k").await, Ok(None));
    assert_eq!(cache.counters().stale, 1);
}

#[tokio::test]
async fn a_refresh_lets_nobody_wait() {
    let cache = Cache::memory(1 << 20);
    cache.set("k", "old", STALE).await.unwrap();
    let loader = Arc::<Loader>::default();
    for _ in 0..10 {
        let loader = loader.clone();
        let load = move || async move { loader.load(|| Ok("new".into())).await };
        assert_eq!(cache.get_or_refresh("k", MINUTE, load).await.unwrap(), "old");
    }
    loader.begun.notified().await;
    loader.gate.notify_one();
    while cache.get::<String>("k").await.unwrap().as_deref() != Some("new") {
        tokio::task::yield_now().await;
    }
    assert_eq!(loader.runs(), 1);
    let missing: String = cache.get_or_refresh("m", MINUTE, || async { Ok("m".into()) }).await.unwrap();
    assert_eq!(missing, "m");
}

#[tokio::test]
async fn what_changes_during_a_load_is_not_overwritten_by_it() {
    for how in ["set", "delete", "tag", "clear"] {
        let cache = Cache::memory(1 << 20);
        let loader = Arc::<Loader>::default();
        let first = tokio::spawn({
            let (cache, loader) = (cache.clone(), loader.clone());
            let keep = Keep::fresh(MINUTE).tags(&["t"]);
            async move { cache.get_or_load("k", keep, || loader.load(|| Ok("old".into()))).await }
        });
        loader.begun.notified().await;
        match how {
            "set" => cache.set("k", "new", MINUTE).await.unwrap(),
            "delete" => drop(cache.delete("k").await.unwrap()),
            "tag" => cache.invalidate_tag("t").await.unwrap(),
            _ => cache.clear().await.unwrap(),
        }
        // Who comes after the change does not wait for the old load.
        let value: String = cache.get_or_load("k", MINUTE, || async { Ok("new".into()) }).await.unwrap();
        assert_eq!(value, "new", "{how}");
        loader.gate.notify_one();
        assert_eq!(first.await.unwrap().unwrap(), "old", "{how}");
        assert_eq!(cache.get::<String>("k").await.unwrap().as_deref(), Some("new"), "{how}");
    }
}

#[tokio::test]
async fn a_value_of_another_type_is_loaded_anew() {
    let cache = Cache::memory(1 << 20);
    cache.set("k", "text", MINUTE).await.unwrap();
    let value: u32 = cache.get_or_load("k", MINUTE, || async { Ok(7) }).await.unwrap();
    assert_eq!((value, cache.get("k").await), (7, Ok(Some(7))));
    assert_eq!(cache.counters().error, 1);
}

#[tokio::test]
async fn a_loader_may_borrow() {
    let cache = Cache::memory(1 << 20);
    let text = String::from("borrowed");
    let value: String = cache.get_or_load("k", MINUTE, || async { Ok(text.clone()) }).await.unwrap();
    assert_eq!(value, text);
}

#[tokio::test]
async fn a_function_remembers() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::of(Disk::at(folder.path().join("c.db")).open().unwrap());
    let runs = AtomicU32::new(0);
    let double = cache.memoize("double", MINUTE, async |number: u32| {
        runs.fetch_add(1, Ordering::SeqCst);
        Ok(number * 2)
    });
    for _ in 0..3 {
        assert_eq!((double.call(1).await.unwrap(), double.call(2).await.unwrap()), (2, 4));
    }
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    assert!(double.forget(&1).await.unwrap() && !double.forget(&1).await.unwrap());
    double.call(2).await.unwrap();
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    double.forget_all().await.unwrap();
    double.call(2).await.unwrap();
    assert_eq!(runs.load(Ordering::SeqCst), 3);
}
