//! Whether the engine is in reach: asked by many, looked at by one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::engine::EngineError;

type Found = Result<(), EngineError>;

/// Looks at an engine when somebody asks, never by itself: an idle process stays idle.
#[derive(Debug, Default)]
pub(crate) struct Reach(Mutex<Looking>);

#[derive(Debug, Default)]
struct Looking {
    /// The look that is on its way; who asks meanwhile is answered by it too.
    flight: Option<watch::Receiver<Option<Found>>>,
    /// What the last look found, so that the log has the changes alone.
    last: Option<EngineError>,
}

impl Reach {
    /// What a look finds that ends within `patience`. One that takes longer goes on, so that a connection that is slow to
    /// make is there for the next who asks.
    pub(crate) async fn look<F>(self: &Arc<Self>, patience: Duration, look: impl FnOnce() -> F) -> Found
    where
        F: Future<Output = Found> + Send + 'static,
    {
        let mut flight = self.join(look);
        match tokio::time::timeout(patience, flight.wait_for(Option::is_some)).await {
            Ok(Ok(found)) => found.clone().unwrap_or(Ok(())),
            Ok(Err(_)) => Err(EngineError::Unavailable("the look at it was broken off".into())),
            Err(_) => Err(EngineError::Unavailable(format!("no answer in {} ms", patience.as_millis()))),
        }
    }

    fn join<F>(self: &Arc<Self>, look: impl FnOnce() -> F) -> watch::Receiver<Option<Found>>
    where
        F: Future<Output = Found> + Send + 'static,
    {
        let mut looking = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // One that broke off has no sender any more.
        if let Some(flight) = looking.flight.as_ref().filter(|flight| flight.has_changed().is_ok()) {
            return flight.clone();
        }
        let (tell, flight) = watch::channel(None);
        looking.flight = Some(flight.clone());
        let (reach, look) = (self.clone(), look());
        tokio::spawn(async move {
            let found = look.await;
            reach.landed(&found);
            tell.send_replace(Some(found));
        });
        flight
    }

    fn landed(&self, found: &Found) {
        let mut looking = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        looking.flight = None;
        let why = found.as_ref().err().cloned();
        if looking.last != why {
            match &why {
                Some(error) => tracing::warn!(target: "butterfly::queue", "{error}"),
                None => tracing::info!(target: "butterfly::queue", "the queue's engine is in reach again"),
            }
        }
        looking.last = why;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::oneshot;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn away(why: &str) -> Found {
        Err(EngineError::Unavailable(why.into()))
    }

    #[tokio::test]
    async fn many_who_ask_at_once_are_answered_by_one_look() {
        let (reach, looks) = (Arc::new(Reach::default()), AtomicUsize::new(0));
        let (tell, told) = oneshot::channel();
        let one = reach.look(LONG, || {
            looks.fetch_add(1, Ordering::Relaxed);
            async { told.await.unwrap() }
        });
        let two = reach.look(LONG, || {
            looks.fetch_add(1, Ordering::Relaxed);
            async { Ok(()) }
        });
        let answer = async { tell.send(away("gone")).unwrap() };
        let (one, two, ()) = tokio::join!(one, two, answer);
        assert_eq!((one, two, looks.load(Ordering::Relaxed)), (away("gone"), away("gone"), 1));
        assert_eq!(reach.look(LONG, || async { Ok(()) }).await, Ok(()));
    }

    #[tokio::test]
    async fn a_look_that_takes_longer_than_patience_is_there_for_the_next_who_asks() {
        let reach = Arc::new(Reach::default());
        let (tell, told) = oneshot::channel();
        let found = reach.look(Duration::ZERO, || async { told.await.unwrap() }).await;
        assert_eq!(found, away("no answer in 0 ms"));
        tell.send(Ok(())).unwrap();
        assert_eq!(reach.look(LONG, || async { away("a second look") }).await, Ok(()));
    }

    #[tokio::test]
    async fn a_look_that_broke_off_holds_nobody_up() {
        let reach = Arc::new(Reach::default());
        assert!(reach.look(LONG, || async { panic!("a bug of an engine's") }).await.is_err());
        assert_eq!(reach.look(LONG, || async { Ok(()) }).await, Ok(()));
    }
}
