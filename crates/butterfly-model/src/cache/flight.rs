//! Single flight: of all who want to load a key, one does, and the others wait for what it gets.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use butterfly_core::{Error, Fault, Stat};
use bytes::Bytes;
use tokio::sync::watch;

/// What a load came to, for all who waited.
pub(super) type Outcome = Result<Bytes, Failure>;

/// The loads that run.
#[derive(Debug, Default)]
pub(super) struct Flights {
    all: Mutex<Map>,
    /// How many there are: most calls that change a value meet none, and need no lock to know it.
    count: AtomicUsize,
}

#[derive(Debug, Default)]
struct Map {
    flights: HashMap<Box<str>, Flight>,
    last: u64,
}

#[derive(Debug)]
struct Flight {
    number: u64,
    tags: Box<[Box<str>]>,
    outcome: watch::Receiver<Option<Outcome>>,
}

/// What becomes of one who wants to load.
pub(super) enum Turn {
    /// It loads.
    Lead(Lead),
    /// Another loads already.
    Wait(Waiting),
}

/// The outcome of somebody else's load, to come.
pub(super) struct Waiting(watch::Receiver<Option<Outcome>>);

/// The right to load. When it is dropped without an outcome, one of those who wait takes its place.
#[derive(Debug)]
pub(super) struct Lead {
    flights: Arc<Flights>,
    key: Box<str>,
    number: u64,
    // Dropped after `drop` has taken the flight off the list: who is woken by that finds no flight.
    publish: watch::Sender<Option<Outcome>>,
}

impl Flights {
    pub(super) fn turn(self: &Arc<Self>, key: &str, tags: &[&str]) -> Turn {
        let mut map = self.map();
        map.last += 1;
        let number = map.last;
        let publish = match map.flights.entry(key.into()) {
            Place::Occupied(flight) => return Turn::Wait(Waiting(flight.get().outcome.clone())),
            Place::Vacant(place) => {
                let (publish, outcome) = watch::channel(None);
                let tags = tags.iter().map(|tag| Box::from(*tag)).collect();
                place.insert(Flight { number, tags, outcome });
                publish
            }
        };
        self.count.store(map.flights.len(), Ordering::SeqCst);
        Turn::Lead(Lead { flights: self.clone(), key: key.into(), number, publish })
    }

    /// The key changes: what is being loaded is for those who wait already, and is not stored.
    pub(super) fn outdate(&self, key: &str) {
        self.outdate_where(|known, _| known == key);
    }

    /// As [`outdate`](Self::outdate), for all keys with a tag.
    pub(super) fn outdate_tag(&self, tag: &str) {
        self.outdate_where(|_, flight| flight.tags.iter().any(|known| **known == *tag));
    }

    /// As [`outdate`](Self::outdate), for all keys.
    pub(super) fn outdate_all(&self) {
        self.outdate_where(|_, _| true);
    }

    fn outdate_where(&self, gone: impl Fn(&str, &Flight) -> bool) {
        if self.count.load(Ordering::SeqCst) > 0 {
            let mut map = self.map();
            map.flights.retain(|key, flight| !gone(key, flight));
            self.count.store(map.flights.len(), Ordering::SeqCst);
        }
    }

    fn map(&self) -> MutexGuard<'_, Map> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lead {
    /// False when the key was changed since the load began.
    pub(super) fn counts(&self) -> bool {
        self.flights.map().flights.get(&self.key).is_some_and(|flight| flight.number == self.number)
    }

    pub(super) fn publish(self, outcome: Outcome) {
        self.land();
        // Nobody may wait.
        self.publish.send_replace(Some(outcome));
    }

    /// Takes the flight off the list: who comes now looks into the cache.
    fn land(&self) {
        let mut map = self.flights.map();
        if let Place::Occupied(flight) = map.flights.entry(self.key.clone())
            && flight.get().number == self.number
        {
            flight.remove();
        }
        self.flights.count.store(map.flights.len(), Ordering::SeqCst);
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        self.land();
    }
}

impl Waiting {
    /// The outcome; `None` when whoever loaded was given up.
    pub(super) async fn outcome(mut self) -> Option<Outcome> {
        self.0.wait_for(Option::is_some).await.ok()?.clone()
    }
}

/// Why a load failed, for each of those who waited for it: an error itself cannot be had twice.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    Business { stat: Stat, reason: Option<String> },
    Busy { reason: String, retry_after: std::time::Duration },
    Forbidden(String),
    NotFound,
    Timeout(std::time::Duration),
    Server(Arc<str>),
}

impl Failure {
    pub(super) fn of(error: &Error) -> Self {
        match error.fault() {
            Fault::Business { stat, reason } => Self::Business { stat: stat.clone(), reason: reason.clone() },
            Fault::Busy { reason, retry_after } => {
                Self::Busy { reason: reason.clone(), retry_after: *retry_after }
            }
            Fault::Forbidden(why) => Self::Forbidden(why.clone()),
            Fault::NotFound => Self::NotFound,
            Fault::Timeout(limit) => Self::Timeout(*limit),
            _ => Self::Server(error.chain().into()),
        }
    }

    pub(super) fn panicked() -> Self {
        Self::Server("its loader panicked".into())
    }

    pub(super) fn error(self, key: &str) -> Error {
        match self {
            Self::Business { stat, reason } => Fault::Business { stat, reason }.into(),
            Self::Busy { reason, retry_after } => Fault::Busy { reason, retry_after }.into(),
            Self::Forbidden(why) => Fault::Forbidden(why).into(),
            Self::NotFound => Fault::NotFound.into(),
            Self::Timeout(limit) => Fault::Timeout(limit).into(),
            Self::Server(why) => {
                Error::server(format!("another call loaded {key:?} for this one too: {why}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lead(flights: &Arc<Flights>, key: &str, tags: &[&str]) -> Lead {
        match flights.turn(key, tags) {
            Turn::Lead(lead) => lead,
            Turn::Wait(_) => panic!("somebody loads {key} already"),
        }
    }

    fn wait(flights: &Arc<Flights>, key: &str) -> Waiting {
        match flights.turn(key, &[]) {
            Turn::Lead(_) => panic!("nobody loads {key}"),
            Turn::Wait(waiting) => waiting,
        }
    }

    #[tokio::test]
    async fn all_who_wait_get_the_outcome() {
        let flights = Arc::default();
        let first = lead(&flights, "k", &[]);
        let waiting = [wait(&flights, "k"), wait(&flights, "k")];
        first.publish(Ok("v".into()));
        for waiting in waiting {
            assert_eq!(waiting.outcome().await.unwrap().unwrap(), "v");
        }
        assert!(lead(&flights, "k", &[]).counts());
    }

    #[tokio::test]
    async fn a_load_that_is_given_up_leaves_its_place() {
        let flights = Arc::default();
        let first = lead(&flights, "k", &[]);
        let waiting = wait(&flights, "k");
        drop(first);
        assert!(waiting.outcome().await.is_none());
        drop(lead(&flights, "k", &[]));
    }

    #[tokio::test]
    async fn a_change_outdates_the_loads_that_it_concerns() {
        let flights = Arc::default();
        let (one, two, three) =
            (lead(&flights, "1", &["t"]), lead(&flights, "2", &["u"]), lead(&flights, "3", &[]));
        let waiting = wait(&flights, "1");
        flights.outdate_tag("t");
        assert!(!one.counts() && two.counts() && three.counts());
        // Who comes after the change loads anew, and the old load ending does not end the new one.
        let anew = lead(&flights, "1", &[]);
        one.publish(Ok("old".into()));
        assert!(anew.counts());
        assert_eq!(waiting.outcome().await.unwrap().unwrap(), "old");
        flights.outdate("2");
        assert!(!two.counts() && three.counts());
        flights.outdate_all();
        assert!(!three.counts());
    }
}
