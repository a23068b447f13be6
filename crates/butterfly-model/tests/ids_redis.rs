//! Worker numbers in a real Redis: `QUEUE_TEST_REDIS`, or the one at 127.0.0.1:6379.

#![cfg(all(feature = "live", feature = "redis"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use butterfly_model::ids::{Clock, EPOCH_MS, IdError, Options, RedisWorkers, Snowflakes};

#[path = "hostile/mod.rs"]
mod hostile_values;

const START: u64 = EPOCH_MS + 1_000_000;

fn url() -> String {
    let address = std::env::var("QUEUE_TEST_REDIS").unwrap_or_else(|_| "127.0.0.1:6379".into());
    if address.contains("://") { address } else { format!("redis://{address}") }
}

/// Numbers under a key of this test's own, which goes away with it.
struct Numbers(String);

impl Numbers {
    fn new() -> Self {
        Self(format!("test:ids:{}", butterfly_model::ids::uuid_v7()))
    }

    fn workers(&self) -> RedisWorkers {
        RedisWorkers::open(&url()).unwrap().name(&self.0)
    }
}

impl Drop for Numbers {
    fn drop(&mut self) {
        let mut connection = redis::Client::open(url()).unwrap().get_connection().unwrap();
        redis::cmd("DEL").arg(format!("{}:0", self.0)).query::<u64>(&mut connection).unwrap();
    }
}

#[derive(Clone)]
struct Hand(Arc<AtomicU64>);

impl Clock for Hand {
    fn now(&self) -> Duration {
        Duration::from_millis(self.0.load(SeqCst))
    }

    fn sleep(&self, time: Duration) {
        self.0.fetch_add(time.as_millis() as u64, SeqCst);
    }
}

fn start(workers: RedisWorkers, clock: &Hand) -> Result<Snowflakes, IdError> {
    Snowflakes::start_with(workers, Options::default().clock(clock.clone()))
}

#[test]
fn numbers_are_given_once_and_come_back() {
    let numbers = Numbers::new();
    let mut makers: Vec<_> = (0..32).map(|_| Snowflakes::start(numbers.workers()).unwrap()).collect();
    let held: HashSet<_> = makers.iter().map(Snowflakes::number).collect();
    assert_eq!(held.len(), 32);
    let Err(IdError::NoNumber(why)) = Snowflakes::start(numbers.workers()) else { panic!("a 33rd") };
    assert!(why.contains("32 are held"), "{why}");
    makers.remove(5);
    assert_eq!(Snowflakes::start(numbers.workers()).unwrap().number(), (0, 5));
}

#[test]
fn a_holder_that_comes_back_late_takes_another_number_and_no_id_comes_twice() {
    let numbers = Numbers::new();
    let clock = Hand(Arc::new(START.into()));
    let short = || numbers.workers().lease(Duration::from_millis(1));
    let late = start(short(), &clock).unwrap();
    let mut all = HashSet::new();
    assert!(all.insert(late.next_id().unwrap()));
    let mut others: Vec<_> = (1..32).map(|_| start(numbers.workers(), &clock).unwrap()).collect();
    // The lease has run out by the clock of Redis once somebody else gets the number.
    let other = loop {
        match start(numbers.workers(), &clock) {
            Ok(other) => break other,
            Err(error) => assert!(matches!(error, IdError::NoNumber(_)), "{error}"),
        }
    };
    assert_eq!(other.number(), late.number());
    for _ in 0..10_000 {
        assert!(all.insert(late.next_id().unwrap()), "below what it had reserved");
        assert!(all.insert(other.next_id().unwrap()), "above it");
    }
    assert_eq!(late.number(), other.number());
    clock.0.fetch_add(60_000, SeqCst);
    assert!(matches!(late.next_id(), Err(IdError::NoNumber(_))), "there is no other number yet");
    others.pop();
    let mut last = late.next_id().unwrap();
    assert_ne!(late.number(), other.number());
    for _ in 0..10_000 {
        assert!(all.insert(other.next_id().unwrap()));
        let next = late.next_id().unwrap();
        assert!(next > last && all.insert(next));
        last = next;
    }
}

#[test]
fn a_hostile_name_is_a_name() {
    for text in hostile_values::short_texts() {
        let prefix = format!("test:ids:{}:", butterfly_model::ids::uuid_v7());
        let numbers = [Numbers(format!("{prefix}{text}")), Numbers(format!("{prefix}{text}-"))];
        let held: Vec<_> = numbers.iter().map(|one| Snowflakes::start(one.workers()).unwrap()).collect();
        assert_eq!((held[0].number(), held[1].number()), ((0, 0), (0, 0)), "{text:?}");
        assert_eq!(Snowflakes::start(numbers[0].workers()).unwrap().number(), (0, 1), "{text:?}");
    }
}

#[test]
fn a_redis_that_is_not_there_is_an_error_without_a_password() {
    let workers = RedisWorkers::open("redis://:secret@127.0.0.1:1").unwrap();
    assert!(!format!("{workers:?}").contains("secret"));
    let Err(IdError::Unavailable(why)) = Snowflakes::start(workers) else { panic!("ids from nowhere") };
    assert!(why.contains("127.0.0.1:1") && !why.contains("secret"), "{why}");
    assert!(matches!(RedisWorkers::open("nonsense"), Err(IdError::BadOption(_))));
}
