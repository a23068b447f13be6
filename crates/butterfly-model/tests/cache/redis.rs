//! The cache in Redis, in each of its forms, which `.ci/redis` starts.

use std::sync::Arc;
use std::time::Duration;

use butterfly_core::ReqId;
use butterfly_model::cache::{Cache, CacheError, Keep, RedisStore};
use butterfly_model::redis::{Redis, cmd};

const MINUTE: Duration = Duration::from_secs(60);

/// A Redis with a prefix that nobody else uses.
fn alone(form: &str) -> Redis {
    let name = format!("QUEUE_TEST_REDIS{form}");
    let url =
        std::env::var(&name).unwrap_or_else(|_| panic!("{name} is not set: bash .ci/redis COMMAND sets it"));
    let sign = if url.contains('?') { '&' } else { '?' };
    Redis::open(&format!("{url}{sign}prefix=t.{}", ReqId::new())).unwrap()
}

pub(crate) fn caches() -> Vec<(&'static str, Cache)> {
    let store = |form| RedisStore::new(&alone(form), "main");
    vec![
        ("Redis", Cache::of(store(""))),
        ("a cluster", Cache::of(store("_CLUSTER"))),
        ("Sentinel", Cache::of(store("_SENTINEL"))),
        ("behind a proxy", Cache::of(store("_PROXY"))),
        ("two levels on a cluster", Cache::two_level(8 << 20, store("_CLUSTER"))),
    ]
}

#[tokio::test]
async fn caches_of_other_names_and_processes() {
    for form in ["", "_CLUSTER"] {
        let redis = alone(form);
        let [one, same, other] = ["a", "a", "a:{"].map(|name| Cache::of(RedisStore::new(&redis, name)));
        one.set("k", &1, MINUTE).await.unwrap();
        assert_eq!(same.get("k").await, Ok(Some(1)));
        assert_eq!(other.get::<u32>("k").await, Ok(None));
        other.set("k", &2, Keep::fresh(MINUTE).tags(&["t"])).await.unwrap();
        one.invalidate_tag("t").await.unwrap();
        one.clear().await.unwrap();
        // What would be a pattern stands for itself.
        let all = Cache::of(RedisStore::new(&redis, "*"));
        all.clear().await.unwrap();
        assert_eq!(all.count().await, Ok(0));
        assert_eq!((one.count().await, other.count().await), (Ok(0), Ok(1)));
        assert_eq!(other.get("k").await, Ok(Some(2)));
    }
}

#[tokio::test]
async fn a_tag_of_many_values_takes_all_of_them_along() {
    for form in ["", "_CLUSTER", "_PROXY"] {
        let cache = Arc::new(Cache::of(RedisStore::new(&alone(form), "main")));
        let keep = Keep::fresh(MINUTE).tags(&["all", "{odd} tag\n"]);
        for number in 0..1500 {
            cache.set(&format!("k{number}"), &number, keep).await.unwrap();
        }
        cache.touch("k7", Keep::FOREVER).await.unwrap();
        cache.invalidate_tag("{odd} tag\n").await.unwrap();
        for number in 0..1500 {
            assert_eq!(cache.get::<u32>(&format!("k{number}")).await, Ok(None), "{form} {number}");
        }
    }
}

#[tokio::test]
async fn what_is_stale_stays_for_those_who_can_load() {
    let redis = alone("");
    let cache = Cache::of(RedisStore::new(&redis, "main"));
    let keep = Keep::fresh(Duration::ZERO).stale(MINUTE);
    cache.set("k", &1, keep).await.unwrap();
    assert_eq!(cache.get::<u32>("k").await, Ok(None));
    let failed = cache
        .get_or_load("k", keep, || async { Err::<u32, _>(butterfly_core::Error::business("ERR_AWAY")) })
        .await;
    assert_eq!(failed.unwrap(), 1, "the old one is given when there is no new one");
    assert_eq!(cache.get_or_load("k", MINUTE, || async { Ok(2) }).await.unwrap(), 2);
    assert_eq!(cache.get("k").await, Ok(Some(2)));
}

#[tokio::test]
async fn what_others_wrote_there_and_a_redis_that_is_away_are_told() {
    let redis = alone("");
    let cache = Cache::of(RedisStore::new(&redis, "main"));
    let key = format!("{}:cache:main:{{k}}", redis.options().prefix);
    redis.command(cmd("SET").arg(&key).arg("a text")).await.unwrap();
    assert!(matches!(cache.get::<u32>("k").await, Err(CacheError::Foreign(_))));
    cache.set("k", &1, MINUTE).await.unwrap();
    assert_eq!(cache.get("k").await, Ok(Some(1)));

    let away = Cache::of(RedisStore::new(&Redis::open("redis://127.0.0.1:1").unwrap(), "main"));
    assert!(matches!(away.set("k", &1, MINUTE).await, Err(CacheError::Unavailable(_))));
    assert_eq!(away.get_or_load("k", MINUTE, || async { Ok(5) }).await.unwrap(), 5);
    assert_eq!(away.counters().error, 2);
}
