//! What holds for every cache, whatever store it stands on.

use std::sync::Arc;
use std::time::Duration;

use butterfly_model::cache::{Cache, CacheError, Disk, DiskStore, Keep, MemoryStore};
use tempfile::TempDir;

const MINUTE: Duration = Duration::from_secs(60);

fn disk(folder: &TempDir) -> DiskStore {
    Disk::at(folder.path().join("cache.db")).open().unwrap()
}

/// Every kind of cache, by name; on Redis with the feature `live`.
pub(super) fn caches(folder: &TempDir) -> Vec<(&'static str, Cache)> {
    let below = Disk::at(folder.path().join("below.db")).open().unwrap();
    let here = vec![
        ("memory", Cache::memory(8 << 20)),
        ("memory as a store", Cache::of(MemoryStore::new(8 << 20))),
        ("disk", Cache::of(disk(folder))),
        ("two levels", Cache::two_level(8 << 20, below)),
    ];
    #[cfg(all(feature = "live", feature = "redis"))]
    let here = here.into_iter().chain(super::redis::caches()).collect();
    here
}

/// Whether a cache can look through its keys. Those that cannot say so.
pub(super) async fn lists(kind: &str, cache: &Cache) -> bool {
    if !kind.contains("proxy") {
        return true;
    }
    let refused = |why: CacheError| matches!(&why, CacheError::Refused(why) if why.contains("proxy"));
    assert!(refused(cache.count().await.unwrap_err()) && refused(cache.clear().await.unwrap_err()), "{kind}");
    false
}

macro_rules! each {
    ($name:ident, $cache:ident, $kind:ident, $body:block) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $name() {
            let folder = tempfile::tempdir().unwrap();
            for ($kind, $cache) in caches(&folder) {
                $body
            }
        }
    };
}

each!(what_is_set_is_got_until_it_is_deleted, cache, kind, {
    assert_eq!(cache.get::<u32>("k").await, Ok(None), "{kind}");
    cache.set("k", &1, MINUTE).await.unwrap();
    cache.set("k", &2, Keep::FOREVER).await.unwrap();
    assert_eq!(cache.get("k").await, Ok(Some(2)), "{kind}");
    if lists(kind, &cache).await {
        assert_eq!(cache.count().await, Ok(1), "{kind}");
    }
    assert!(cache.delete("k").await.unwrap() && !cache.delete("k").await.unwrap(), "{kind}");
    assert_eq!(cache.get::<u32>("k").await, Ok(None), "{kind}");
    let counters = cache.counters();
    assert_eq!((counters.hit, counters.miss), (1, 2), "{kind}");
});

each!(odd_keys_and_values_are_their_own, cache, kind, {
    let keys =
        ["", " ", "a\nb", "{a}", "a\0b", "a\0c", "'; DROP TABLE entry; --", "ключ", "%", "_", "\u{1F98B}"];
    for (number, key) in keys.iter().enumerate() {
        cache.set_bytes(key, format!("{number}\0\u{ff}").into_bytes(), MINUTE).await.unwrap();
    }
    for (number, key) in keys.iter().enumerate() {
        let value = cache.get_bytes(key).await.unwrap();
        assert_eq!(value.as_deref(), Some(format!("{number}\0\u{ff}").as_bytes()), "{kind} {key:?}");
    }
    cache.set_bytes("empty", Vec::new(), MINUTE).await.unwrap();
    assert_eq!(cache.get_bytes("empty").await.unwrap().as_deref(), Some(&[][..]), "{kind}");
});

each!(what_has_expired_is_as_if_it_were_not_there, cache, kind, {
    let gone = Duration::ZERO;
    for key in ["get", "pop", "touch", "delete"] {
        cache.set(key, &1, gone).await.unwrap();
    }
    assert_eq!(cache.get::<u32>("get").await, Ok(None), "{kind}");
    assert_eq!(cache.pop::<u32>("pop").await, Ok(None), "{kind}");
    assert_eq!(cache.touch("touch", MINUTE).await, Ok(false), "{kind}");
    assert_eq!(cache.delete("delete").await, Ok(false), "{kind}");
    cache.set("add", &1, gone).await.unwrap();
    assert_eq!(cache.add("add", &2, MINUTE).await, Ok(true), "{kind}");
    cache.set("incr", &1, gone).await.unwrap();
    assert_eq!(cache.incr("incr", 5, MINUTE).await, Ok(5), "{kind}");
    cache.purge().await.unwrap();
    if lists(kind, &cache).await {
        assert_eq!(cache.count().await, Ok(2), "{kind}");
    }
});

each!(touch_changes_how_long_a_value_is_kept, cache, kind, {
    cache.set("k", &1, MINUTE).await.unwrap();
    assert_eq!(cache.touch("k", Keep::FOREVER).await, Ok(true), "{kind}");
    assert_eq!(cache.get("k").await, Ok(Some(1)), "{kind}");
    assert_eq!(cache.touch("k", Duration::ZERO).await, Ok(true), "{kind}");
    assert_eq!(cache.get::<u32>("k").await, Ok(None), "{kind}");
    assert_eq!(cache.touch("missing", MINUTE).await, Ok(false), "{kind}");
});

each!(add_and_pop_let_one_through, cache, kind, {
    let cache = Arc::new(cache);
    let added = all(64, |number| {
        let cache = cache.clone();
        async move { cache.add("k", &number, MINUTE).await.unwrap() }
    });
    assert_eq!(added.await.into_iter().filter(|added| *added).count(), 1, "{kind}");
    let popped = all(64, |_| {
        let cache = cache.clone();
        async move { cache.pop::<u32>("k").await.unwrap() }
    });
    assert_eq!(popped.await.into_iter().flatten().count(), 1, "{kind}");
});

each!(no_incr_is_lost, cache, kind, {
    let cache = Arc::new(cache);
    let mut sums = all(200, |_| {
        let cache = cache.clone();
        async move { cache.incr("k", 1, MINUTE).await.unwrap() }
    })
    .await;
    sums.sort_unstable();
    assert_eq!(sums, (1..=200).collect::<Vec<i64>>(), "{kind}");
    assert_eq!(cache.decr("k", 300, MINUTE).await, Ok(-100), "{kind}");
    assert_eq!(cache.get("k").await, Ok(Some(-100)), "{kind}");
    cache.set("k", "text", MINUTE).await.unwrap();
    assert!(
        matches!(cache.incr("k", 1, MINUTE).await, Err(CacheError::Value(why)) if why.contains("\"k\"")),
        "{kind}"
    );
    cache.set("k", &i64::MAX, MINUTE).await.unwrap();
    assert!(
        cache.incr("k", 1, MINUTE).await.is_err() && cache.decr("k", i64::MIN, MINUTE).await.is_err(),
        "{kind}"
    );
    assert_eq!(cache.get("k").await, Ok(Some(i64::MAX)), "{kind}");
});

each!(a_tag_takes_its_values_along, cache, kind, {
    let keep = Keep::fresh(MINUTE);
    cache.set("both", &1, keep.tags(&["a", "b"])).await.unwrap();
    cache.set("a", &1, keep.tags(&["a", "a"])).await.unwrap();
    cache.set("b", &1, keep.tags(&["b"])).await.unwrap();
    cache.set("none", &1, keep).await.unwrap();
    // Replaced: it has no tag any more.
    cache.set("was_a", &1, keep.tags(&["a"])).await.unwrap();
    cache.set("was_a", &2, keep).await.unwrap();
    cache.touch("a", keep).await.unwrap();
    cache.invalidate_tag("a").await.unwrap();
    cache.invalidate_tag("unknown").await.unwrap();
    let mut found = Vec::new();
    for key in ["both", "a", "b", "none", "was_a"] {
        found.extend(cache.get::<u32>(key).await.unwrap().map(|_| key));
    }
    assert_eq!(found, ["b", "none", "was_a"], "{kind}");
    cache.set("a", &3, keep.tags(&["a"])).await.unwrap();
    assert_eq!(cache.get("a").await, Ok(Some(3)), "{kind}");
    if lists(kind, &cache).await {
        cache.clear().await.unwrap();
        assert_eq!(cache.count().await, Ok(0), "{kind}");
        assert_eq!(cache.get::<u32>("none").await, Ok(None), "{kind}");
    }
});

each!(what_does_not_fit_is_refused_with_its_name, cache, kind, {
    let long = "k".repeat(9000);
    assert!(matches!(cache.set(&long, &1, MINUTE).await, Err(CacheError::TooLarge(_))), "{kind}");
    cache.set("k", &1, MINUTE).await.unwrap();
    let error = cache.get::<String>("k").await.unwrap_err();
    assert!(
        matches!(&error, CacheError::Value(why) if why.contains("\"k\"") && why.contains("String")),
        "{kind}"
    );
});

/// Runs so many at once, in tasks of their own.
async fn all<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    count: u32,
    make: impl Fn(u32) -> F,
) -> Vec<T> {
    let tasks: Vec<_> = (0..count).map(|number| tokio::spawn(make(number))).collect();
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await.unwrap());
    }
    done
}

#[tokio::test]
async fn memory_is_bounded_by_bytes() {
    let cache = Cache::memory(1 << 20);
    for number in 0..1000 {
        cache.set_bytes(&format!("k{number}"), vec![0; 10_000], MINUTE).await.unwrap();
    }
    cache.purge().await.unwrap();
    let count = cache.count().await.unwrap();
    assert!((1..=104).contains(&count), "{count}");
    let error = cache.set_bytes("large", vec![0; 2 << 20], MINUTE).await.unwrap_err();
    assert!(matches!(&error, CacheError::TooLarge(why) if why.contains("\"large\"")), "{error}");
}

#[tokio::test]
async fn what_is_at_hand_needs_no_waiting() {
    let cache = Cache::memory(1 << 20);
    assert_eq!(cache.at_hand("k"), None);
    cache.set("k", &7, MINUTE).await.unwrap();
    assert_eq!(cache.at_hand("k").as_deref(), Some(&b"7"[..]));
    assert_eq!((cache.counters().hit, cache.counters().miss), (1, 0));
}
