//! The disk store: what it survives, how large it gets, what it refuses.

use std::path::Path;
use std::time::Duration;

use butterfly_model::cache::{Cache, CacheError, Disk, Evict, Keep, Store};

const MINUTE: Duration = Duration::from_secs(60);
const MB: u64 = 1 << 20;

#[tokio::test]
async fn a_restart_keeps_values_tags_and_times() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made/by/it/cache.db");
    {
        let cache = Cache::disk(&path).unwrap();
        cache.set("kept", "v", Keep::FOREVER).await.unwrap();
        cache.set("tagged", "v", Keep::FOREVER.tags(&["t"])).await.unwrap();
        cache.set("gone", "v", Duration::ZERO).await.unwrap();
    }
    let cache = Cache::disk(&path).unwrap();
    assert_eq!(cache.get::<String>("kept").await.unwrap().as_deref(), Some("v"));
    assert_eq!(cache.get::<String>("gone").await.unwrap(), None);
    cache.invalidate_tag("t").await.unwrap();
    assert_eq!(cache.get::<String>("tagged").await.unwrap(), None);
}

#[tokio::test]
async fn it_is_bounded_by_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.db");
    let store = Disk::at(&path).size_limit(4 * MB).open().unwrap();
    let cache = Cache::of(store.clone());
    for number in 0..3000_u32 {
        cache.set_bytes(&number.to_string(), vec![7; 5000], Keep::FOREVER.tags(&["t"])).await.unwrap();
        assert!(store.bytes().unwrap() <= 4 * MB + 4 * MB / 64, "after {number}");
    }
    assert!(store.bytes().unwrap() > 3 * MB);
    assert!(std::fs::metadata(&path).unwrap().len() <= 5 * MB);
    // What was stored last is there, what was stored first is not.
    assert!(
        cache.get_bytes("2999").await.unwrap().is_some() && cache.get_bytes("0").await.unwrap().is_none()
    );
    // A lower limit counts from the next write on.
    drop((store, cache));
    let store = Disk::at(&path).size_limit(MB).open().unwrap();
    Cache::of(store.clone()).set("small", &1, MINUTE).await.unwrap();
    assert!(store.bytes().unwrap() <= MB);
}

/// Fills a store far beyond its limit while one key is read again and again; true if that key stays.
async fn survives(evict: Evict) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::of(Disk::at(folder.path().join("c.db")).size_limit(MB).evict(evict).open().unwrap());
    cache.set("read", &1, Keep::FOREVER).await.unwrap();
    for number in 0..1000_u32 {
        cache.set_bytes(&format!("k{number}"), vec![7; 4000], Keep::FOREVER).await.unwrap();
        if cache.get::<u32>("read").await.unwrap().is_none() {
            return false;
        }
    }
    true
}

#[tokio::test]
async fn the_rule_decides_what_goes_first() {
    assert!(!survives(Evict::LeastRecentlyStored).await);
    assert!(survives(Evict::LeastRecentlyUsed).await);
    assert!(survives(Evict::LeastFrequentlyUsed).await);
}

#[tokio::test]
async fn what_is_read_often_outlives_what_was_read_last() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.db");
    let open = || Disk::at(&path).size_limit(MB).evict(Evict::LeastFrequentlyUsed).open().unwrap();
    {
        let cache = Cache::of(open());
        cache.set("often", &1, Keep::FOREVER).await.unwrap();
        for _ in 0..5 {
            cache.get::<u32>("often").await.unwrap();
        }
    }
    // How often it was read is known after a restart.
    let cache = Cache::of(open());
    for number in 0..1000_u32 {
        let key = format!("k{number}");
        cache.set_bytes(&key, vec![7; 4000], Keep::FOREVER).await.unwrap();
        cache.get_bytes(&key).await.unwrap();
    }
    assert_eq!(cache.get("often").await, Ok(Some(1)));
}

#[tokio::test]
async fn expired_values_make_room_before_others() {
    let folder = tempfile::tempdir().unwrap();
    let store = Disk::at(folder.path().join("c.db")).size_limit(MB).evict(Evict::Nothing).open().unwrap();
    let cache = Cache::of(store);
    cache.set("kept", &1, Keep::FOREVER).await.unwrap();
    for number in 0..1000_u32 {
        cache.set_bytes(&format!("k{number}"), vec![7; 4000], Duration::ZERO).await.unwrap();
    }
    assert_eq!(cache.get("kept").await, Ok(Some(1)));
}

#[tokio::test]
async fn a_store_that_evicts_nothing_refuses_when_it_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let store = Disk::at(folder.path().join("c.db")).size_limit(MB).evict(Evict::Nothing).open().unwrap();
    let cache = Cache::of(store.clone());
    let mut stored = 0;
    let error = loop {
        match cache.set_bytes(&format!("k{stored}"), vec![7; 4000], Keep::FOREVER).await {
            Ok(()) => stored += 1,
            Err(error) => break error,
        }
        assert!(stored < 1000, "it never filled up");
    };
    assert!(matches!(&error, CacheError::NoRoom(why) if why.contains("size_limit")), "{error}");
    assert!(store.bytes().unwrap() <= MB);
    assert_eq!(cache.count().await, Ok(stored));
    // The load is served all the same, and the failure is counted.
    let value: String = cache.get_or_load("new", MINUTE, || async { Ok("v".repeat(5000)) }).await.unwrap();
    assert_eq!((value.len(), cache.counters().error), (5000, 1));
    cache.delete("k0").await.unwrap();
    cache.delete("k1").await.unwrap();
    cache.set_bytes("again", vec![7; 4000], Keep::FOREVER).await.unwrap();
}

#[tokio::test]
async fn one_value_does_not_push_out_all_others() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::of(Disk::at(folder.path().join("c.db")).size_limit(MB).open().unwrap());
    let error = cache.set_bytes("large", vec![0; 300_000], MINUTE).await.unwrap_err();
    assert!(matches!(&error, CacheError::TooLarge(why) if why.contains("\"large\"")), "{error}");
    cache.set_bytes("large", vec![0; 200_000], MINUTE).await.unwrap();
    assert_eq!(cache.get_bytes("large").await.unwrap().unwrap().len(), 200_000);
}

#[test]
fn a_limit_too_small_is_refused() {
    let error = Disk::at("never_made.db").size_limit(1000).open().unwrap_err().to_string();
    assert!(error.contains("never_made.db") && error.contains("1048576"), "{error}");
    assert!(!Path::new("never_made.db").exists());
}

#[test]
fn it_works_without_a_runtime() {
    let folder = tempfile::tempdir().unwrap();
    let store = Disk::at(folder.path().join("c.db")).open().unwrap();
    let mut set = store.clear();
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(matches!(set.as_mut().poll(&mut cx), std::task::Poll::Ready(Ok(()))));
}

#[tokio::test]
async fn the_log_beside_the_file_is_folded_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.db");
    let cache = Cache::of(Disk::at(&path).size_limit(8 * MB).open().unwrap());
    for number in 0..20_000_u32 {
        cache.set_bytes(&format!("k{}", number % 500), vec![7; 2000], Keep::FOREVER).await.unwrap();
    }
    let log = std::fs::metadata(folder.path().join("c.db-wal")).unwrap().len();
    // Not folded back, it would have well above 100 MB.
    assert!(log < 100 * MB, "{log}");
}

#[tokio::test]
async fn what_is_stored_again_is_not_the_oldest() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::of(Disk::at(folder.path().join("c.db")).size_limit(MB).open().unwrap());
    cache.set("once", &1, Keep::FOREVER).await.unwrap();
    for number in 0..1000_u32 {
        cache.set("again", &number, Keep::FOREVER).await.unwrap();
        cache.set("again_tagged", &number, Keep::FOREVER.tags(&["t"])).await.unwrap();
        cache.set_bytes(&format!("k{number}"), vec![7; 4000], Keep::FOREVER).await.unwrap();
    }
    assert_eq!(cache.get::<u32>("once").await, Ok(None));
    assert_eq!(cache.get("again").await, Ok(Some(999)));
    cache.invalidate_tag("t").await.unwrap();
    assert_eq!(cache.get::<u32>("again_tagged").await, Ok(None));
    assert_eq!(cache.get("again").await, Ok(Some(999)));
}

#[tokio::test]
async fn what_another_handle_writes_is_seen_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.db");
    let (one, two) = (Cache::disk(&path).unwrap(), Cache::disk(&path).unwrap());
    for number in 0..200_u32 {
        one.set("k", &number, Keep::FOREVER).await.unwrap();
        // Read more than once: the second time nothing was written in between.
        for cache in [&two, &one, &two] {
            assert_eq!(cache.get("k").await, Ok(Some(number)));
        }
        two.delete("k").await.unwrap();
        assert_eq!((one.get::<u32>("k").await, two.get::<u32>("k").await), (Ok(None), Ok(None)));
    }
    // One handle gone, the other still has its locks.
    drop(two);
    one.set("k", &1, Duration::ZERO).await.unwrap();
    assert_eq!(one.get::<u32>("k").await, Ok(None));
}

#[tokio::test]
async fn a_value_that_was_read_expires_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::disk(folder.path().join("c.db")).unwrap();
    cache.set("k", &1, Duration::from_millis(300)).await.unwrap();
    let begun = std::time::Instant::now();
    while cache.get::<u32>("k").await.unwrap().is_some() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never expired");
        tokio::task::yield_now().await;
    }
}
