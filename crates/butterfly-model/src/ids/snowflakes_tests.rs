use super::*;
use crate::ids::FileWorkers;
use proptest::prelude::*;
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Instant;

/// A clock that stands where it is put, and moves while somebody sleeps by it (unless it is stuck).
#[derive(Clone, Default)]
struct Hand(Arc<Hands>);

#[derive(Default)]
struct Hands {
    nanos: AtomicU64,
    stuck: bool,
    slept: AtomicU64,
}

const START: u64 = EPOCH_MS + 1_000_000;

impl Hand {
    fn at(ms: u64) -> Self {
        let hand = Self::default();
        hand.set(ms);
        hand
    }

    fn stuck_at(ms: u64) -> Self {
        Self(Arc::new(Hands { nanos: (ms * 1_000_000).into(), stuck: true, slept: 0.into() }))
    }

    fn set(&self, ms: u64) {
        self.0.nanos.store(ms * 1_000_000, SeqCst);
    }
}

impl Clock for Hand {
    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.nanos.load(SeqCst))
    }

    fn sleep(&self, time: Duration) {
        self.0.slept.fetch_add(time.as_nanos() as u64, SeqCst);
        if !self.0.stuck {
            self.0.nanos.fetch_add(time.as_nanos() as u64, SeqCst);
        }
    }
}

fn maker(folder: &std::path::Path, clock: &Hand) -> Result<Snowflakes, IdError> {
    Snowflakes::start_with(FileWorkers::new(folder), Options::default().clock(clock.clone()))
}

/// Forgets a maker as a killed process would: the lock goes, the mark stays.
fn kill(ids: Snowflakes) {
    struct Gone;
    impl WorkerLease for Gone {
        fn datacenter(&self) -> u8 {
            0
        }
        fn worker(&self) -> u8 {
            0
        }
        fn mark(&self) -> u64 {
            0
        }
        fn reserve(&mut self, _: u64) -> Result<(), IdError> {
            Ok(())
        }
        fn release(&mut self, _: u64) {}
    }
    *ids.0.lease.lock().unwrap() = Box::new(Gone);
}

#[test]
fn an_exhausted_millisecond_waits_for_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Hand::at(START);
    let ids = maker(folder.path(), &clock).unwrap();
    let made: Vec<_> = (0..3 * 4096).map(|_| ids.next_id().unwrap()).collect();
    assert!(made.is_sorted_by(|a, b| a < b));
    assert_eq!(made[4095].unix_ms(), START);
    assert_eq!((made[4096].unix_ms(), made[4096].sequence()), (START + 1, 0));
    assert_eq!(clock.0.slept.load(SeqCst), 2_000_000);
}

#[test]
fn a_clock_that_goes_back_is_waited_for_at_the_pace_of_time() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Hand::stuck_at(START);
    let ids = maker(folder.path(), &clock).unwrap();
    let first = ids.next_id().unwrap();
    clock.set(START - 60_000);
    let made: Vec<_> = (0..10 * 4096).map(|_| ids.next_id().unwrap()).collect();
    assert!(first < made[0] && made.is_sorted_by(|a, b| a < b));
    assert_eq!(made.last().unwrap().unix_ms(), START + 10);
    assert_eq!(clock.0.slept.load(SeqCst), 10_000_000, "one millisecond for each 4096 ids");
}

#[test]
fn a_clock_far_behind_is_an_error_and_the_ids_go_on_when_it_is_right_again() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Hand::at(START);
    let ids = maker(folder.path(), &clock).unwrap();
    let first = ids.next_id().unwrap();
    clock.set(START - 600_001);
    let Err(error) = ids.next_id() else { panic!("an id") };
    assert!(error.to_string().contains("600.001s behind"), "{error}");
    clock.set(START - 600_000);
    assert!(ids.next_id().unwrap() > first);
    drop(ids);
    // A start at such a time leaves the number alone.
    clock.set(START - 700_000);
    assert_eq!(maker(folder.path(), &clock).unwrap().number(), (0, 1));
}

#[test]
fn a_clock_outside_the_years_of_ids_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for wrong in [0, EPOCH_MS - 1, EPOCH_MS + TIME_MAX + 1, 10_000_000_000_000] {
        assert_eq!(
            maker(folder.path(), &Hand::at(wrong)).unwrap_err(),
            IdError::ClockWrong { unix_ms: wrong }
        );
    }
    let clock = Hand::at(EPOCH_MS + TIME_MAX);
    let ids = maker(folder.path(), &clock).unwrap();
    let made: Vec<_> = (0..4096).map(|_| ids.next_id().unwrap()).collect();
    assert_eq!(made[4095].get(), i64::MAX as u64 & !(31 << 12 | 31 << 17));
    assert!(matches!(ids.next_id(), Err(IdError::ClockWrong { .. })));
}

#[test]
fn a_restart_with_the_clock_set_back_goes_on_above_every_id_before() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Hand::at(START);
    let mut last = None;
    for life in 0..50u64 {
        let ids = maker(folder.path(), &clock).unwrap();
        assert_eq!(ids.number(), (0, 0));
        for _ in 0..10 {
            let id = ids.next_id().unwrap();
            assert!(last < Some(id), "life {life}: {id:?} after {last:?}");
            last = Some(id);
        }
        // All the other numbers are in use: this one has to serve, although its mark is ahead.
        let others: Vec<_> = (0..31).map(|_| maker(folder.path(), &clock).unwrap()).collect();
        if life % 2 == 0 {
            kill(ids);
        } else {
            drop(ids);
        }
        clock.set(START + life * 20_000 - life * 100);
        let mut again = Some(maker(folder.path(), &clock).unwrap());
        assert_eq!(again.as_ref().unwrap().number(), (0, 0));
        let id = again.as_ref().unwrap().next_id().unwrap();
        assert!(last < Some(id));
        last = Some(id);
        drop(again.take());
        drop(others);
        clock.set(START + (life + 1) * 20_000);
    }
}

#[test]
fn options_without_bounds_are_no_overflow() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options::default().block(Duration::MAX).max_behind(Duration::MAX);
    let ids = Snowflakes::start_with(FileWorkers::new(folder.path()), options.clone().clock(Hand::at(START)))
        .unwrap();
    assert_eq!(ids.next_id().unwrap().unix_ms(), START);
    let none = Snowflakes::start_with(FileWorkers::new(folder.path()), options.block(Duration::ZERO));
    assert!(matches!(none, Err(IdError::BadOption(why)) if why.starts_with("block")));
}

#[test]
fn a_lost_number_is_replaced_and_the_ids_still_rise() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Hand::at(START);
    let high = {
        let _low = maker(folder.path(), &clock).unwrap();
        maker(folder.path(), &clock).unwrap()
    };
    assert_eq!(high.number(), (0, 1));
    let mut last = high.next_id().unwrap();
    std::fs::remove_file(folder.path().join("0-1")).unwrap();
    clock.set(START + 5_000);
    for _ in 0..10 {
        let next = high.next_id().unwrap();
        assert!(next > last);
        last = next;
    }
    assert_eq!(high.number(), (0, 0));
}

#[test]
fn threads_share_a_maker_and_no_id_comes_twice() {
    let folder = tempfile::tempdir().unwrap();
    let ids = Snowflakes::start(FileWorkers::new(folder.path())).unwrap();
    let began = Instant::now();
    let makers: Vec<_> = (0..4)
        .map(|_| {
            let ids = ids.clone();
            std::thread::spawn(move || (0..20_000).map(|_| ids.next_id().unwrap()).collect::<Vec<_>>())
        })
        .collect();
    let made: Vec<Vec<Snowflake>> = makers.into_iter().map(|maker| maker.join().unwrap()).collect();
    assert!(made.iter().all(|made| made.is_sorted_by(|a, b| a < b)));
    assert_eq!(made.iter().flatten().collect::<HashSet<_>>().len(), 80_000);
    assert!(began.elapsed() >= Duration::from_millis(18), "4096 in a millisecond is the limit");
}

#[tokio::test]
async fn tasks_share_a_maker_and_do_not_hold_the_thread() {
    let folder = tempfile::tempdir().unwrap();
    let ids = Snowflakes::start(FileWorkers::new(folder.path())).unwrap();
    let makers: Vec<_> = (0..4)
        .map(|_| {
            let ids = ids.clone();
            tokio::spawn(async move {
                let mut made = Vec::new();
                for _ in 0..10_000 {
                    made.push(ids.next_id_async().await.unwrap());
                }
                made
            })
        })
        .collect();
    let mut all = HashSet::new();
    for maker in makers {
        all.extend(maker.await.unwrap());
    }
    assert_eq!(all.len(), 40_000);
}

#[derive(Debug, Clone)]
enum Event {
    Make(u16),
    Clock(i64),
    Restart { killed: bool },
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (1..5000u16).prop_map(Event::Make),
        2 => (-20_000..20_000i64).prop_map(Event::Clock),
        1 => any::<bool>().prop_map(|killed| Event::Restart { killed }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_clock_and_process_do_ids_differ_and_one_maker_s_rise(events in prop::collection::vec(event(), 1..25)) {
        let folder = tempfile::tempdir().unwrap();
        let clock = Hand::at(START);
        let mut ids = maker(folder.path(), &clock).unwrap();
        let mut all = HashSet::new();
        let mut last = None;
        let mut time = START as i64;
        for event in events {
            match event {
                Event::Make(count) => for _ in 0..count {
                    let id = ids.next_id().unwrap();
                    prop_assert!(last < Some(id));
                    prop_assert!(all.insert(id));
                    last = Some(id);
                },
                Event::Clock(by) => {
                    // Within what is allowed to be behind.
                    time = (time + by).clamp(START as i64 - 100_000, START as i64 + 100_000);
                    clock.set(time as u64);
                }
                Event::Restart { killed } => {
                    if killed { kill(ids) } else { drop(ids) }
                    ids = maker(folder.path(), &clock).unwrap();
                    last = None;
                }
            }
        }
    }
}
