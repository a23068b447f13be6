//! Every hostile text as a key, a name and a value of everything that is kept in Redis: it comes back as it was, or is refused
//! with why. What others keep beside it stays as it is.

use std::time::{Duration, SystemTime};

use butterfly_model::redis::{
    Array, Autocomplete, BloomFilter, Counter, Fields, FullText, Graph, Hash, HyperLogLog, List, Lock,
    Models, Order, RateLimiter, Redis, RedisError, RedisModel, Set, Single, SortedSet, Stream, StreamId,
    Term, TimeSeries,
};

use super::hostile_values::{NO_TEXT, short_texts};
use super::{alone, key};

const LONG: Duration = Duration::from_secs(60);

#[derive(RedisModel, Clone, Debug, PartialEq)]
#[redis(name = "hostile")]
struct Record {
    #[redis(key)]
    key: String,
    #[redis(index)]
    value: String,
    #[redis(text)]
    text: String,
    plain: Option<String>,
}

fn record(text: &str) -> Record {
    Record { key: text.into(), value: text.into(), text: text.into(), plain: Some(text.into()) }
}

/// What was refused by its own words is fine; a word of the server's is not.
fn refused<T: std::fmt::Debug>(result: Result<T, RedisError>, what: &str) {
    assert!(matches!(&result, Err(RedisError::Invalid(why)) if !why.is_empty()), "{what}: {result:?}");
}

/// What somebody else keeps on the same server.
struct Kept {
    single: Single<String>,
    hash: Hash<String>,
    graph: Graph,
    records: Models<Record>,
}

impl Kept {
    async fn make(redis: &Redis) -> Self {
        let kept = Self {
            single: Single::new(redis, key(redis, "kept")),
            hash: Hash::new(redis, key(redis, "kept-hash")),
            graph: Graph::new(redis, "kept"),
            records: Models::new(redis),
        };
        kept.single.set(&"kept".to_owned()).await.unwrap();
        kept.hash.set_many([("a", &"b".to_owned()), ("c", &"d".to_owned())]).await.unwrap();
        kept.graph.add([("a", "is", "b")]).await.unwrap();
        kept.records.save(&record("kept")).await.unwrap();
        kept
    }

    async fn check(&self, text: &str) {
        assert_eq!(self.single.get().await.unwrap().as_deref(), Some("kept"), "{text:?}");
        assert_eq!(self.hash.len().await.unwrap(), 2, "{text:?}");
        assert_eq!(self.hash.get("a").await.unwrap().as_deref(), Some("b"), "{text:?}");
        assert_eq!(self.graph.len().await.unwrap(), 1, "{text:?}");
        assert_eq!(self.records.all().rows().await.unwrap(), [record("kept")], "{text:?}");
    }
}

/// Runs a test with each text on both servers, beside what another keeps there.
async fn with_each(test: impl AsyncFn(&Redis, &str)) {
    for form in ["", "_CLUSTER"] {
        let (redis, other) = (Redis::open(&alone(form)).unwrap(), Redis::open(&alone(form)).unwrap());
        let kept = Kept::make(&other).await;
        for text in short_texts() {
            test(&redis, &text).await;
            kept.check(&text).await;
        }
    }
}

#[tokio::test]
async fn in_containers_of_one_value_or_many() {
    with_each(async |redis, text| {
        let value = text.to_owned();
        // The name of a key is the program's; here it is the attacker's.
        let name = |kind: &str| format!("{}{kind}{text}", redis.options().prefix);
        let single = Single::<String>::new(redis, name("single"));
        single.set(&value).await.unwrap();
        assert_eq!(single.replace(&value).await.unwrap(), Some(value.clone()));
        assert!(single.delete().await.unwrap());
        let counter = Counter::new(redis, name("counter"));
        assert_eq!(counter.add(7).await.unwrap(), 7);
        assert!(counter.delete().await.unwrap());
        let hash = Hash::<String>::new(redis, name("hash"));
        assert!(hash.set(text, &value).await.unwrap());
        assert_eq!(hash.get_many(&[text, "other"]).await.unwrap(), [Some(value.clone()), None]);
        assert_eq!(hash.names().await.unwrap(), [value.as_str()]);
        hash.scan(0, text).await.unwrap();
        assert_eq!(hash.remove(&[text]).await.unwrap(), 1);
        let list = List::<String>::new(redis, name("list"));
        list.push_last([&value, &"x".to_owned()]).await.unwrap();
        assert!(list.insert_before(&"x".into(), &value).await.unwrap());
        assert_eq!(list.range(0, 1).await.unwrap(), [value.clone(), value.clone()]);
        assert_eq!(list.remove(&value, 0).await.unwrap(), if text == "x" { 3 } else { 2 });
        list.delete().await.unwrap();
        let set = Set::<String>::new(redis, name("set"));
        set.add(&[value.clone(), "y".into()]).await.unwrap();
        assert!(
            set.contains(&value).await.unwrap()
                && set.remove(std::slice::from_ref(&value)).await.unwrap() == 1
        );
        set.delete().await.unwrap();
        let sorted = SortedSet::<String>::new(redis, name("sorted"));
        sorted.add([(&value, 2.5)]).await.unwrap();
        assert_eq!(sorted.by_score(2.0.., Order::Rising, 0, 9).await.unwrap(), [(value.clone(), 2.5)]);
        assert_eq!(sorted.pop_lowest().await.unwrap(), Some(value.clone()));
        let array = Array::<String>::new(redis, name("array"));
        array.push(std::slice::from_ref(&value)).await.unwrap();
        assert_eq!(array.pop().await.unwrap(), Some(value.clone()));
        let seen = HyperLogLog::<String>::new(redis, name("seen"));
        assert!(seen.add(std::slice::from_ref(&value)).await.unwrap() && seen.delete().await.unwrap());
        let filter = BloomFilter::new(redis, name("bloom"), 100, 0.01).unwrap();
        assert!(filter.add(text).await.unwrap() && filter.contains(text).await.unwrap());
        filter.delete().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn in_locks_limits_graphs_and_streams() {
    with_each(async |redis, text| {
        let lock = Lock::new(redis, text, LONG).unwrap();
        let guard = lock.try_acquire().await.unwrap().expect("nobody has it");
        assert!(lock.try_acquire().await.unwrap().is_none() && guard.release().await.unwrap());
        let limit = RateLimiter::new(redis, text, 1, LONG).unwrap();
        assert!(limit.take(text).await.unwrap().allowed && !limit.take(text).await.unwrap().allowed);
        assert!(limit.take(&format!("{text} of another")).await.unwrap().allowed);
        limit.reset(text).await.unwrap();
        let graph = Graph::new(redis, text);
        assert_eq!(graph.add([(text, text, text), ("a", "b", "c")]).await.unwrap(), 2);
        let found = graph.find(Some(text), None, None, 9).await.unwrap();
        assert_eq!(found.len(), 1 + usize::from(text == "a"), "{text:?}");
        assert_eq!(found.iter().filter(|triple| triple.object == text).count(), 1, "{text:?}");
        let found = graph.search(&[(Term::var(text), Term::is(text), Term::is(text))], 9).await.unwrap();
        assert_eq!(found.len(), 1, "{text:?}");
        assert_eq!(found[0].get(text).map(String::as_str), Some(text));
        assert!(graph.remove(text, text, text).await.unwrap() && graph.delete().await.unwrap());
        let stream = Stream::new(redis, key(redis, text));
        let fields = Fields::new().with(text, &text.to_owned()).unwrap();
        let id = stream.add(&fields, None).await.unwrap();
        let group = stream.group(text);
        assert!(group.create(true).await.unwrap());
        let mut consumer = group.consumer(text).await.unwrap();
        let read = consumer.read(9, None).await.unwrap();
        assert_eq!(read[0].get::<String>(text).unwrap(), text);
        assert_eq!(
            (group.ack(&[id]).await.unwrap(), group.pending(StreamId::MIN, 9).await.unwrap().len()),
            (1, 0)
        );
        assert!(stream.delete().await.unwrap());
        let series = TimeSeries::<String>::new(redis, key(redis, text));
        series.add_at(SystemTime::UNIX_EPOCH + LONG, &text.to_owned()).await.unwrap();
        assert_eq!(series.latest().await.unwrap().unwrap().1, text);
        series.stream().delete().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn in_records_and_texts_that_are_searched() {
    with_each(async |redis, text| {
        let (records, f) = (Models::<Record>::new(redis), Record::FIELDS);
        let one = record(text);
        assert!(records.create(&one).await.unwrap() && !records.create(&one).await.unwrap());
        assert_eq!(records.get(&one.key).await.unwrap().as_ref(), Some(&one));
        let by_value = f.value.is(text.into()).unwrap();
        assert_eq!(records.query(by_value).rows().await.unwrap(), std::slice::from_ref(&one));
        // A search is words and signs of its own; what it means is another test's.
        let searched = records.query(f.text.matches(text)).count().await.unwrap();
        assert!(searched <= 1, "{text:?}");
        let change = f.plain.set(None).unwrap();
        assert!(records.update(&one.key, [change]).await.unwrap());
        assert!(records.delete(&one.key).await.unwrap());
        assert_eq!(records.all().count().await.unwrap(), 0, "{text:?}");
        let texts = FullText::<String>::new(redis, text);
        assert!(texts.put(text, text, &text.to_owned()).await.unwrap());
        texts.search(text, 0, 9).await.unwrap();
        assert!(texts.remove(text).await.unwrap() && texts.is_empty().await.unwrap());
        let titles = Autocomplete::<String>::new(redis, text);
        match titles.put(text, text, 1.0, &text.to_owned()).await {
            Ok(new) => {
                assert!(new, "{text:?}");
                for found in titles.search(text, 9).await.unwrap() {
                    assert_eq!((&*found.id, &*found.title, &*found.kept), (text, text, text));
                }
                assert!(titles.remove(text).await.unwrap() && titles.is_empty().await.unwrap());
            }
            // There is no word in it by which it could be found.
            error => refused(error, text),
        }
    })
    .await;
}

#[tokio::test]
async fn bytes_that_are_no_text_are_kept_as_bytes_and_not_read_as_text() {
    super::on_both(async |redis| {
        for bytes in NO_TEXT {
            let single = Single::<Vec<u8>>::new(&redis, key(&redis, "bytes"));
            single.set(&bytes.to_vec()).await.unwrap();
            assert_eq!(single.get().await.unwrap().as_deref(), Some(*bytes));
            let text = Single::<String>::new(&redis, key(&redis, "bytes"));
            assert!(matches!(text.get().await, Err(RedisError::Unreadable(_))), "{bytes:?}");
            let filter = BloomFilter::new(&redis, key(&redis, "bloom"), 100, 0.01).unwrap();
            filter.add(bytes).await.unwrap();
            assert!(filter.contains(bytes).await.unwrap());
        }
    })
    .await;
}
