//! The lock and the rate limiter.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use butterfly_model::redis::{Lock, RateLimiter, Redis, RedisError, Single, cmd};

use super::{alone, on_both};

const LONG: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_held_by_one_at_a_time_and_its_fence_grows() {
    on_both(async |redis| {
        let (inside, last) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let lock = Lock::new(&redis, "a}{\n", LONG).unwrap();
            let (inside, last) = (Arc::clone(&inside), Arc::clone(&last));
            tasks.spawn(async move {
                for _ in 0..10 {
                    let guard = lock.acquire(LONG).await.unwrap().expect("its turn comes");
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    assert!(guard.fence() > last.swap(guard.fence(), Ordering::SeqCst));
                    tokio::task::yield_now().await;
                    assert_eq!(inside.fetch_sub(1, Ordering::SeqCst), 1);
                    assert!(guard.release().await.unwrap());
                }
            });
        }
        let began = Instant::now();
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        // A waiter that is not woken sleeps for the time to live.
        assert!(began.elapsed() < LONG, "{:?}", began.elapsed());
        assert!(!Lock::new(&redis, "a}{\n", LONG).unwrap().is_held().await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_lock_is_renewed_while_it_is_held_and_lost_when_it_is_taken_away() {
    on_both(async |redis| {
        let ttl = Duration::from_millis(300);
        let lock = Lock::new(&redis, "a", ttl).unwrap();
        let guard = lock.try_acquire().await.unwrap().unwrap();
        assert!(lock.acquire(ttl * 3).await.unwrap().is_none());
        assert!(guard.is_held());
        assert!(lock.clear().await.unwrap());
        tokio::time::timeout(LONG, guard.lost()).await.unwrap();
        assert!(!guard.is_held());
        let other = lock.try_acquire().await.unwrap().unwrap();
        assert!(other.fence() > guard.fence());
        assert!(!guard.release().await.unwrap(), "only its owner releases a lock");
        assert!(other.is_held() && lock.is_held().await.unwrap());
        drop(other);
        drop(lock.acquire(LONG).await.unwrap().expect("a guard that is dropped releases it"));
    })
    .await;
}

#[tokio::test]
async fn a_lock_of_one_that_died_is_got_when_its_time_is_over() {
    on_both(async |redis| {
        let lock = Lock::new(&redis, "a", LONG).unwrap();
        let key = format!("{}:lock:{{a}}", redis.options().prefix);
        Single::<String>::new(&redis, key)
            .set_for(&"one that died".into(), Duration::from_millis(200))
            .await
            .unwrap();
        let began = Instant::now();
        assert!(lock.acquire(LONG).await.unwrap().is_some());
        assert!(began.elapsed() < LONG / 2);
    })
    .await;
    let redis = Redis::open("redis://h").unwrap();
    assert!(Lock::new(&redis, "a", Duration::from_millis(29)).is_err());
}

#[tokio::test]
async fn a_lock_is_waited_for_behind_a_proxy_too() {
    let redis = Redis::open(&alone("_PROXY")).unwrap();
    let lock = Lock::new(&redis, "a", LONG).unwrap();
    let guard = lock.try_acquire().await.unwrap().unwrap();
    let (got, released) = tokio::join!(lock.acquire(LONG), guard.release());
    assert!(released.unwrap() && got.unwrap().is_some());
}

#[tokio::test]
async fn a_rate_limiter_lets_so_many_through_and_refills_evenly() {
    on_both(async |redis| {
        // So slow that nothing is refilled during the test.
        let limit = RateLimiter::new(&redis, "a:b", 5, Duration::from_secs(50_000)).unwrap();
        for left in (0..5).rev() {
            let decision = limit.take("k").await.unwrap();
            assert!(decision.allowed && decision.remaining == left, "{decision:?}");
        }
        let refused = limit.take("k").await.unwrap();
        assert!(!refused.allowed && refused.remaining == 0, "{refused:?}");
        let (most, few) = (Duration::from_secs(10_000), Duration::from_secs(9_900));
        assert!(refused.retry_after > few && refused.retry_after <= most, "{refused:?}");
        assert!(refused.reset_after > few * 5 && refused.reset_after <= most * 5, "{refused:?}");
        assert_eq!(limit.take_many("k", 0).await.unwrap().remaining, 0);
        assert!(limit.take("other").await.unwrap().allowed);
        assert!(matches!(limit.take_many("k", 6).await, Err(RedisError::Invalid(_))));
        limit.reset("k").await.unwrap();
        assert_eq!(limit.take_many("k", 5).await.unwrap().remaining, 0);

        let quick = RateLimiter::new(&redis, "quick", 1_000, Duration::from_secs(10)).unwrap().burst(1);
        assert!(quick.take("k").await.unwrap().allowed);
        let mut refused = 0;
        while !quick.take("k").await.unwrap().allowed {
            refused += 1;
            assert!(refused < 100_000, "one is let through each 10 ms");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limiter_counts_right_when_many_ask_at_once_and_leaves_nothing_behind() {
    on_both(async |redis| {
        let limit = RateLimiter::new(&redis, "many", 20, Duration::from_secs(50_000)).unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let limit = limit.clone();
            tasks.spawn(async move { limit.take("k").await.unwrap().allowed });
        }
        let answers = tasks.join_all().await;
        assert_eq!(answers.iter().filter(|allowed| **allowed).count(), 20);
        let key = format!("{}:rate:many:{{k}}", redis.options().prefix);
        let ttl: i64 = redis.query(cmd("PTTL").arg(key)).await.unwrap();
        assert!(ttl > 0 && ttl <= 50_000_000, "{ttl}");
    })
    .await;
}
