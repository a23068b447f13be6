//! Memory above a file.

use std::time::Duration;

use butterfly_model::cache::{Cache, Disk, Keep};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn what_is_below_is_asked_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.db");
    let below = Cache::disk(&path).unwrap();
    let cache = Cache::two_level(1 << 20, Disk::at(&path).open().unwrap()).near_for(HOUR);
    below.set("k", &1, Keep::FOREVER).await.unwrap();
    assert_eq!(cache.at_hand("k"), None);
    assert_eq!(cache.get("k").await, Ok(Some(1)));
    assert_eq!(cache.at_hand("k").as_deref(), Some(&b"1"[..]));
    // Another's change is not seen while the copy counts.
    below.set("k", &2, Keep::FOREVER).await.unwrap();
    assert_eq!(cache.get("k").await, Ok(Some(1)));
    let cache = cache.near_for(Duration::ZERO);
    cache.delete("other").await.unwrap();
    assert!(cache.touch("k", Keep::FOREVER).await.unwrap());
    assert_eq!(cache.get("k").await, Ok(Some(2)));
    assert_eq!(cache.at_hand("k"), None);
}

#[tokio::test]
async fn own_changes_are_seen_at_once_on_both_levels() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.db");
    let below = Cache::disk(&path).unwrap();
    let cache = Cache::two_level(1 << 20, Disk::at(&path).open().unwrap()).near_for(HOUR);
    cache.set("k", &1, Keep::FOREVER.tags(&["t"])).await.unwrap();
    assert!(cache.at_hand("k").is_some());
    assert_eq!(below.get("k").await, Ok(Some(1)));
    assert_eq!(cache.incr("k", 1, Keep::FOREVER).await, Ok(2));
    assert_eq!((cache.get("k").await, below.get("k").await), (Ok(Some(2)), Ok(Some(2))));
    // The copy was read from below, and goes with the tag all the same.
    cache.invalidate_tag("t").await.unwrap();
    assert_eq!((cache.get::<u32>("k").await, below.get::<u32>("k").await), (Ok(None), Ok(None)));
}

#[tokio::test]
async fn a_copy_lives_no_longer_than_the_value() {
    let folder = tempfile::tempdir().unwrap();
    let cache =
        Cache::two_level(1 << 20, Disk::at(folder.path().join("c.db")).open().unwrap()).near_for(HOUR);
    cache.set("k", &1, Keep::fresh(Duration::ZERO).stale(HOUR)).await.unwrap();
    assert_eq!(cache.at_hand("k"), None);
    let value: u32 = cache.get_or_load("k", HOUR, || async { Ok(2) }).await.unwrap();
    assert_eq!(value, 2);
    assert!(cache.at_hand("k").is_some());
}

#[tokio::test]
async fn a_value_too_large_for_memory_is_kept_below() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::two_level(10_000, Disk::at(folder.path().join("c.db")).open().unwrap());
    cache.set_bytes("large", vec![7; 100_000], HOUR).await.unwrap();
    assert_eq!(cache.get_bytes("large").await.unwrap().unwrap().len(), 100_000);
    assert_eq!(cache.at_hand("large"), None);
}
