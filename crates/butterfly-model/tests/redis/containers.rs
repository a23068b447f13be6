//! Every container, against what it must answer.

use std::collections::HashMap;
use std::time::Duration;

use butterfly_model::redis::{
    Array, Bitmap, BloomFilter, Counter, Hash, HyperLogLog, Json, List, Order, RedisError, Set, Single,
    SortedSet,
};

use super::{key, on_both};

fn texts<const N: usize>(texts: [&str; N]) -> [String; N] {
    texts.map(str::to_owned)
}

#[tokio::test]
async fn single() {
    on_both(async |redis| {
        let single = Single::<Json<HashMap<String, u8>>>::new(&redis, key(&redis, "single"));
        let value = Json(HashMap::from([("a}{\n".to_owned(), 1)]));
        assert_eq!(single.get().await.unwrap(), None);
        single.set(&value).await.unwrap();
        assert_eq!(single.get().await.unwrap(), Some(value.clone()));
        assert_eq!(single.ttl().await.unwrap(), None);
        assert!(!single.set_if_absent(&Json(HashMap::new()), None).await.unwrap());
        assert_eq!(single.replace(&Json(HashMap::new())).await.unwrap(), Some(value.clone()));
        single.set_for(&value, Duration::from_secs(9)).await.unwrap();
        let left = single.ttl().await.unwrap().unwrap();
        assert!(left > Duration::from_secs(7) && left <= Duration::from_secs(9), "{left:?}");
        assert!(single.persist().await.unwrap() && single.ttl().await.unwrap().is_none());
        assert!(single.expire(Duration::from_secs(9)).await.unwrap());
        assert!(single.expire(Duration::ZERO).await.is_err());
        assert!(single.delete().await.unwrap() && !single.exists().await.unwrap());
        assert!(single.set_if_absent(&value, Some(Duration::from_secs(9))).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn counter() {
    on_both(async |redis| {
        let counter = Counter::new(&redis, key(&redis, "counter"));
        assert_eq!(counter.get().await.unwrap(), 0);
        assert_eq!(counter.add(5).await.unwrap(), 5);
        assert_eq!(counter.add(-7).await.unwrap(), -2);
        assert_eq!(counter.reset().await.unwrap(), -2);
        counter.set(i64::MAX).await.unwrap();
        assert!(matches!(counter.add(1).await, Err(RedisError::Invalid(_))));
        counter.delete().await.unwrap();
        assert_eq!(counter.add_for(2, Duration::from_secs(9)).await.unwrap(), 2);
        let before = counter.ttl().await.unwrap().unwrap();
        assert_eq!(counter.add_for(2, Duration::from_secs(900)).await.unwrap(), 4);
        assert!(counter.ttl().await.unwrap().unwrap() <= before);
    })
    .await;
}

#[tokio::test]
async fn hash() {
    on_both(async |redis| {
        let hash = Hash::<i64>::new(&redis, key(&redis, "hash"));
        assert!(hash.is_empty().await.unwrap());
        assert!(hash.set("a", &1).await.unwrap() && !hash.set("a", &2).await.unwrap());
        assert_eq!(hash.set_many([("b", &3), ("c", &4)]).await.unwrap(), 2);
        assert_eq!(hash.set_many([]).await.unwrap(), 0);
        assert_eq!(hash.get("a").await.unwrap(), Some(2));
        assert_eq!(hash.get_many(&["c", "none", "a"]).await.unwrap(), [Some(4), None, Some(2)]);
        assert!(!hash.set_if_absent("a", &9).await.unwrap());
        assert_eq!(hash.add("a", 5).await.unwrap(), 7);
        assert!(hash.contains("a").await.unwrap() && !hash.contains("none").await.unwrap());
        let all = HashMap::from([("a".to_owned(), 7), ("b".into(), 3), ("c".into(), 4)]);
        assert_eq!(hash.all().await.unwrap(), all);
        let (next, some) = hash.scan(0, "*").await.unwrap();
        assert_eq!((next, some.into_iter().collect::<HashMap<_, _>>()), (0, all));
        let mut names = hash.names().await.unwrap();
        names.sort();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(hash.remove(&["a", "none"]).await.unwrap(), 1);
        assert_eq!(hash.len().await.unwrap(), 2);
        let floats = Hash::<f64>::new(&redis, key(&redis, "floats"));
        assert_eq!(floats.add_float("x", 0.5).await.unwrap(), 0.5);
        assert_eq!(floats.add_float("x", -2.25).await.unwrap(), -1.75);
    })
    .await;
}

#[tokio::test]
async fn list() {
    on_both(async |redis| {
        let list = List::<String>::new(&redis, key(&redis, "list"));
        let [a, b, c, d] = texts(["a", "b", "c", "d"]);
        assert_eq!(list.push_last([&b, &c]).await.unwrap(), 2);
        assert_eq!(list.push_first([&a]).await.unwrap(), 3);
        assert_eq!(list.push_first([]).await.unwrap(), 3);
        assert!(
            list.insert_before(&c, &d).await.unwrap() && !list.insert_after(&"x".into(), &d).await.unwrap()
        );
        assert_eq!(list.range(0, -1).await.unwrap(), ["a", "b", "d", "c"]);
        list.set(-1, &a).await.unwrap();
        assert!(matches!(list.set(9, &a).await, Err(RedisError::Invalid(_))));
        assert_eq!(list.remove(&a, 0).await.unwrap(), 2);
        assert_eq!(list.get(1).await.unwrap().as_deref(), Some("d"));
        assert_eq!(list.get(2).await.unwrap(), None);
        let other = List::<String>::new(&redis, key(&redis, "other"));
        assert_eq!(list.move_last_to(&other).await.unwrap().as_deref(), Some("d"));
        assert_eq!(other.pop_last().await.unwrap().as_deref(), Some("d"));
        assert_eq!(list.pop_first().await.unwrap().as_deref(), Some("b"));
        assert_eq!(list.pop_first().await.unwrap(), None);
        list.push_last([&a, &b, &c, &d]).await.unwrap();
        list.trim(1, 2).await.unwrap();
        assert_eq!((list.len().await.unwrap(), list.is_empty().await.unwrap()), (2, false));
    })
    .await;
}

#[tokio::test]
async fn a_reader_of_a_list_waits_for_longer_than_an_answer_may_take() {
    for form in ["", "_CLUSTER"] {
        let redis =
            butterfly_model::redis::Redis::open(&format!("{}&socket_timeout=0.2", super::alone(form)))
                .unwrap();
        let list = List::<u32>::new(&redis, key(&redis, "list"));
        let mut reader = list.reader().await.unwrap();
        assert_eq!(reader.pop_first(Duration::from_millis(500)).await.unwrap(), None);
        let (popped, pushed) =
            tokio::join!(reader.pop_last(Duration::from_secs(20)), list.push_last([&1, &2]));
        assert_eq!(pushed.unwrap(), 2);
        let mut all =
            vec![popped.unwrap().unwrap(), reader.pop_first(Duration::from_secs(9)).await.unwrap().unwrap()];
        all.sort_unstable();
        assert_eq!(all, [1, 2]);
        assert!(reader.pop_first(Duration::ZERO).await.is_err());
    }
}

#[tokio::test]
async fn set() {
    on_both(async |redis| {
        let set = |name| Set::<u32>::new(&redis, key(&redis, name));
        let (even, low, out) = (set("even"), set("low"), set("out"));
        assert_eq!(even.add(&[2, 4, 6, 2]).await.unwrap(), 3);
        assert_eq!(low.add(&[1, 2, 3]).await.unwrap(), 3);
        assert_eq!(low.add(&[]).await.unwrap(), 0);
        assert!(even.contains(&2).await.unwrap() && !even.contains(&3).await.unwrap());
        assert_eq!(even.union(&[&low]).await.unwrap(), [1, 2, 3, 4, 6].into());
        assert_eq!(even.intersection(&[&low]).await.unwrap(), [2].into());
        assert_eq!(even.difference(&[&low]).await.unwrap(), [4, 6].into());
        assert_eq!(out.store_difference(&[&low, &even]).await.unwrap(), 2);
        assert_eq!(out.store_union(&[&low, &even]).await.unwrap(), 5);
        assert_eq!(out.store_intersection(&[&low, &even]).await.unwrap(), 1);
        assert!(out.store_union(&[]).await.is_err());
        assert_eq!(out.all().await.unwrap(), [2].into());
        assert!(low.move_to(&out, &3).await.unwrap() && !low.move_to(&out, &9).await.unwrap());
        assert_eq!(low.remove(&[1, 9]).await.unwrap(), 1);
        assert_eq!(low.random(5).await.unwrap(), [2]);
        assert_eq!(low.pop_one().await.unwrap(), Some(2));
        assert!(low.pop(3).await.unwrap().is_empty() && low.is_empty().await.unwrap());
        assert_eq!(even.len().await.unwrap(), 3);
    })
    .await;
}

#[tokio::test]
async fn sorted_set() {
    on_both(async |redis| {
        let set = |name| SortedSet::<String>::new(&redis, key(&redis, name));
        let best = set("best");
        let [a, b, c] = texts(["a", "b", "c"]);
        assert_eq!(best.add([(&a, 1.5), (&b, -2.0), (&c, f64::from(u32::MAX))]).await.unwrap(), 3);
        assert!(best.add([(&a, f64::NAN)]).await.is_err());
        assert_eq!(best.add_score(&a, 0.25).await.unwrap(), 1.75);
        assert_eq!(best.score(&a).await.unwrap(), Some(1.75));
        assert_eq!(best.score(&"x".into()).await.unwrap(), None);
        assert_eq!(best.rank(&b, Order::Rising).await.unwrap(), Some(0));
        assert_eq!(best.rank(&b, Order::Falling).await.unwrap(), Some(2));
        let low = [(b.clone(), -2.0), (a.clone(), 1.75)];
        assert_eq!(best.range(0, 1, Order::Rising).await.unwrap(), low);
        assert_eq!(best.by_score(..=1.75, Order::Rising, 0, 10).await.unwrap(), low);
        assert_eq!(best.by_score(..1.75, Order::Falling, 0, 10).await.unwrap(), low[..1]);
        assert_eq!(best.by_score(.., Order::Falling, 1, 1).await.unwrap(), low[1..]);
        assert_eq!(best.count(0.0..).await.unwrap(), 2);
        let (other, out) = (set("other"), set("out"));
        other.add([(&a, 1.0)]).await.unwrap();
        assert_eq!(out.store_union(&[&best, &other]).await.unwrap(), 3);
        assert_eq!(out.store_intersection(&[&best, &other]).await.unwrap(), 1);
        assert_eq!(out.score(&a).await.unwrap(), Some(2.75));
        assert_eq!(best.pop(Order::Falling, 1).await.unwrap(), [(c.clone(), f64::from(u32::MAX))]);
        assert_eq!(best.pop_lowest().await.unwrap(), Some(b));
        assert_eq!(best.remove(&[a.clone(), c]).await.unwrap(), 1);
        assert!(best.is_empty().await.unwrap());
        assert_eq!(out.remove_by_score(3.0..).await.unwrap(), 0);
        assert_eq!(out.remove_by_rank(0, -1).await.unwrap(), 1);
        assert_eq!(best.len().await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn hyperloglog() {
    on_both(async |redis| {
        let make = |name| HyperLogLog::<u32>::new(&redis, key(&redis, name));
        let (a, b) = (make("a"), make("b"));
        assert!(a.add(&(0..1_000).collect::<Vec<_>>()).await.unwrap());
        assert!(!a.add(&[1, 2, 3]).await.unwrap());
        b.add(&(500..1_500).collect::<Vec<_>>()).await.unwrap();
        for (count, right) in [(a.count().await.unwrap(), 1_000), (a.count_with(&[&b]).await.unwrap(), 1_500)]
        {
            assert!(count.abs_diff(right) < right / 20, "{count} for {right}");
        }
        let both = a.count_with(&[&b]).await.unwrap();
        a.merge(&[&b]).await.unwrap();
        assert_eq!(a.count().await.unwrap(), both);
    })
    .await;
}

#[tokio::test]
async fn bitmap() {
    on_both(async |redis| {
        let make = |name| Bitmap::new(&redis, key(&redis, name));
        let (a, b, out) = (make("a"), make("b"), make("out"));
        assert_eq!(a.first(true).await.unwrap(), None);
        assert!(!a.set(9, true).await.unwrap() && a.set(9, true).await.unwrap());
        a.set(3, true).await.unwrap();
        b.set(9, true).await.unwrap();
        assert!(a.get(3).await.unwrap() && !a.get(u32::MAX).await.unwrap());
        assert_eq!((a.count().await.unwrap(), a.first(true).await.unwrap()), (2, Some(3)));
        assert_eq!(a.first(false).await.unwrap(), Some(0));
        out.store_and(&[&a, &b]).await.unwrap();
        assert_eq!((out.count().await.unwrap(), out.first(true).await.unwrap()), (1, Some(9)));
        out.store_or(&[&a, &b]).await.unwrap();
        assert_eq!(out.count().await.unwrap(), 2);
        out.store_xor(&[&a, &b]).await.unwrap();
        assert_eq!(out.first(true).await.unwrap(), Some(3));
        assert!(out.store_or(&[]).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn bloom_filter() {
    on_both(async |redis| {
        let filter = BloomFilter::new(&redis, key(&redis, "bloom"), 1_000, 0.001).unwrap();
        assert!(!filter.contains("a").await.unwrap());
        assert!(filter.add("a").await.unwrap() && !filter.add("a").await.unwrap());
        assert!(filter.contains("a").await.unwrap() && !filter.contains("b").await.unwrap());
        let names: Vec<String> = (0..500).map(|n| format!("name {n}")).collect();
        let new = filter.add_many(&names).await.unwrap();
        assert!(new.iter().filter(|new| **new).count() >= 495);
        assert_eq!(filter.contains_many(&names).await.unwrap(), vec![true; 500]);
        let others: Vec<String> = (0..500).map(|n| format!("other {n}")).collect();
        assert!(filter.contains_many(&others).await.unwrap().iter().filter(|seen| **seen).count() < 10);
        assert!(filter.add_many(&[""; 0]).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn array() {
    on_both(async |redis| {
        let array = Array::<String>::new(&redis, key(&redis, "array"));
        let all = texts(["a", "b", "c", "d"]);
        assert_eq!(array.push(&all).await.unwrap(), 4);
        assert_eq!(array.push(&[]).await.unwrap(), 4);
        assert_eq!(array.get(-4).await.unwrap().as_deref(), Some("a"));
        assert_eq!((array.get(4).await.unwrap(), array.get(-5).await.unwrap()), (None, None));
        array.set(-1, &"z".into()).await.unwrap();
        let error = array.set(4, &"z".into()).await.unwrap_err().to_string();
        assert!(error.contains("no number 4"), "{error}");
        assert_eq!(array.remove(1).await.unwrap().as_deref(), Some("b"));
        assert_eq!(array.range(0, -1).await.unwrap(), ["a", "c", "z"]);
        assert_eq!(array.range(-2, 9).await.unwrap(), ["c", "z"]);
        assert_eq!(array.pop().await.unwrap().as_deref(), Some("z"));
        assert_eq!(array.remove(9).await.unwrap(), None);
        assert_eq!((array.len().await.unwrap(), array.is_empty().await.unwrap()), (2, false));
    })
    .await;
}
