//! Streams, groups and time series.

use std::ops::Bound;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use butterfly_model::redis::{
    Consumer, Entry, Fields, Json, Order, Redis, RedisError, Stream, StreamId, TimeSeries,
};

use super::{alone, key, on_both};

const LONG: Duration = Duration::from_secs(20);

fn fields(n: u32) -> Fields {
    Fields::new().with("n", &n).unwrap().with("text", &"a}{\n".to_owned()).unwrap()
}

fn numbers(entries: &[Entry]) -> Vec<u32> {
    entries.iter().map(|entry| entry.get("n").unwrap()).collect()
}

#[tokio::test]
async fn a_stream_is_added_to_ranged_and_trimmed() {
    on_both(async |redis| {
        let stream = Stream::new(&redis, key(&redis, "s"));
        let mut ids = Vec::new();
        for n in 0..5 {
            ids.push(stream.add(&fields(n), None).await.unwrap());
        }
        assert!(ids.is_sorted());
        let all = stream.range(.., Order::Rising, 9).await.unwrap();
        assert_eq!(numbers(&all), [0, 1, 2, 3, 4]);
        assert_eq!(all[0].get::<String>("text").unwrap(), "a}{\n");
        assert!(all[0].get::<u8>("none").unwrap_err().to_string().contains("none"));
        assert_eq!(numbers(&stream.range(ids[1]..ids[3], Order::Falling, 9).await.unwrap()), [2, 1]);
        let open = (Bound::Excluded(ids[1]), Bound::Included(ids[3]));
        assert_eq!(numbers(&stream.range(open, Order::Rising, 1).await.unwrap()), [2]);
        assert!(stream.range(ids[3]..ids[1], Order::Rising, 9).await.unwrap().is_empty());
        assert_eq!(stream.remove(&[ids[0]]).await.unwrap(), 1);
        assert_eq!(stream.trim(2).await.unwrap(), 2);
        assert_eq!(stream.len().await.unwrap(), 2);
        let far = StreamId { ms: 1 << 50, seq: 7 };
        stream.add_with_id(far, &fields(9), Some(1_000)).await.unwrap();
        assert!(matches!(stream.add_with_id(far, &fields(9), None).await, Err(RedisError::Invalid(_))));
        assert!(stream.add(&Fields::new(), None).await.is_err());
        assert!(stream.delete().await.unwrap() && stream.is_empty().await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_reader_waits_and_goes_on_where_it_was() {
    for form in ["", "_CLUSTER"] {
        // Waiting takes longer than an answer may.
        let redis = Redis::open(&format!("{}&socket_timeout=0.2", alone(form))).unwrap();
        let stream = Stream::new(&redis, key(&redis, "s"));
        let mut reader = stream.reader(StreamId::MIN).await.unwrap();
        assert!(reader.read(9, None).await.unwrap().is_empty());
        assert!(reader.read(9, Some(Duration::from_millis(500))).await.unwrap().is_empty());
        let one = fields(1);
        let (read, added) = tokio::join!(reader.read(9, Some(LONG)), stream.add(&one, None));
        assert_eq!(numbers(&read.unwrap()), [1]);
        assert_eq!(reader.position(), added.unwrap());
        stream.add(&fields(2), None).await.unwrap();
        assert_eq!(numbers(&reader.read(9, Some(LONG)).await.unwrap()), [2]);
        let mut later = stream.reader(reader.position()).await.unwrap();
        assert!(later.read(9, None).await.unwrap().is_empty());
        // A call that is dropped while it waits does no harm.
        let dropped = tokio::time::timeout(Duration::from_millis(50), reader.read(9, Some(LONG))).await;
        assert!(dropped.is_err());
        stream.add(&fields(3), None).await.unwrap();
        assert_eq!(numbers(&reader.read(9, Some(LONG)).await.unwrap()), [3]);
    }
}

#[tokio::test]
async fn a_group_shares_entries_out_and_loses_none() {
    on_both(async |redis| {
        let stream = Stream::new(&redis, key(&redis, "s"));
        let group = stream.group("g}{");
        let mut a: Consumer = group.consumer("a").await.unwrap();
        let error = a.read(1, None).await.unwrap_err().to_string();
        assert!(error.contains("create it first"), "{error}");
        assert!(group.create(true).await.unwrap() && !group.create(true).await.unwrap());
        for n in 0..4 {
            stream.add(&fields(n), None).await.unwrap();
        }
        let mut b = group.consumer("b").await.unwrap();
        let first = a.read(3, Some(LONG)).await.unwrap();
        assert_eq!(numbers(&first), [0, 1, 2]);
        assert_eq!(numbers(&b.read(3, None).await.unwrap()), [3]);
        assert_eq!(group.ack(&[first[0].id, first[0].id]).await.unwrap(), 1);
        assert_eq!(numbers(&a.again(StreamId::MIN, 9).await.unwrap()), [1, 2]);
        let pending = group.pending(StreamId::MIN, 9).await.unwrap();
        let who: Vec<(&str, u64)> = pending.iter().map(|it| (&*it.consumer, it.deliveries)).collect();
        assert_eq!(who, [("a", 2), ("a", 2), ("b", 1)]);
        assert!(b.claim(LONG, &[first[1].id]).await.unwrap().is_empty(), "a has it not for long enough");
        assert_eq!(numbers(&b.claim(Duration::ZERO, &[first[1].id]).await.unwrap()), [1]);
        assert_eq!(numbers(&a.claim_idle(Duration::ZERO, 9).await.unwrap()), [1, 2, 3]);
        assert!(a.claim_idle(LONG, 9).await.unwrap().is_empty());
        assert_eq!(numbers(&a.claim_idle(Duration::ZERO, 2).await.unwrap()), [1, 2]);
        assert!(group.destroy().await.unwrap() && !group.destroy().await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn claiming_goes_on_past_a_page() {
    on_both(async |redis| {
        let stream = Stream::new(&redis, key(&redis, "s"));
        let group = stream.group("g");
        group.create(true).await.unwrap();
        for n in 0..250 {
            stream.add(&fields(n), None).await.unwrap();
        }
        let mut dead = group.consumer("dead").await.unwrap();
        assert_eq!(dead.read(250, None).await.unwrap().len(), 250);
        let heir = group.consumer("heir").await.unwrap();
        let got = heir.claim_idle(Duration::ZERO, 240).await.unwrap();
        assert_eq!(numbers(&got), (0..240).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test]
async fn a_time_series_gives_values_by_time() {
    on_both(async |redis| {
        let series = TimeSeries::<Json<(u32, String)>>::new(&redis, key(&redis, "t"));
        let at = |ms| UNIX_EPOCH + Duration::from_millis(ms);
        let value = |n| Json((n, "x".to_owned()));
        for (ms, n) in [(1_000, 1), (1_000, 2), (2_000, 3), (3_000, 4)] {
            series.add_at(at(ms), &value(n)).await.unwrap();
        }
        assert!(series.add_at(at(2_999), &value(9)).await.is_err());
        let found = async |times: (Bound<SystemTime>, Bound<SystemTime>)| {
            let found = series.between(times, Order::Rising, 9).await.unwrap();
            found.into_iter().map(|(_, Json((n, _)))| n).collect::<Vec<_>>()
        };
        assert_eq!(found((Bound::Unbounded, Bound::Included(at(1_000)))).await, [1, 2]);
        assert_eq!(found((Bound::Excluded(at(1_000)), Bound::Excluded(at(3_000)))).await, [3]);
        assert_eq!(found((Bound::Included(at(2_000)), Bound::Unbounded)).await, [3, 4]);
        assert_eq!(series.latest().await.unwrap(), Some((at(3_000), value(4))));
        assert_eq!(series.remove_before(at(2_000)).await.unwrap(), 2);
        let before = SystemTime::now() - Duration::from_secs(60);
        assert!(series.add(&value(5)).await.unwrap() > before);
        assert_eq!(series.stream().len().await.unwrap(), 3);
    })
    .await;
}
