//! Single flight for what is made and stored in a way of its own.

use bytes::Bytes;

use super::counters::Count;
use super::flight::{Failure, Lead, Turn};
use super::{Age, Cache};

/// What becomes of one who wants a value that is not there.
#[derive(Debug)]
pub enum Flight {
    /// It makes the value, stores it, and then [lands](Landing::land).
    Mine(Landing),
    /// Another has landed: with the value, or with nothing that others could use.
    Landed(Option<Bytes>),
}

/// The duty to say what came of a flight. When it is dropped, one of those who wait takes its place.
#[derive(Debug)]
pub struct Landing(Lead);

impl Landing {
    /// Gives the value to all who wait, or tells them that there is none for them.
    pub fn land(self, value: Option<Bytes>) {
        let none = || Failure::Server("there is no value for others".into());
        self.0.publish(value.ok_or_else(none));
    }
}

impl Cache {
    /// Of many that want the same value at once, lets one make it, and the others wait for it. Most programs want
    /// [`get_or_load`](Self::get_or_load), which does this and all around it.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use butterfly_model::cache::{Cache, CacheError, Flight};
    ///
    /// async fn page(cache: &Cache) -> Result<Option<bytes::Bytes>, CacheError> {
    ///     if let Some(page) = cache.get_bytes("page").await? {
    ///         return Ok(Some(page));
    ///     }
    ///     let landing = match cache.flight("page").await {
    ///         Flight::Mine(landing) => landing,
    ///         Flight::Landed(page) => return Ok(page),
    ///     };
    ///     let page = bytes::Bytes::from("<html>");
    ///     cache.set_bytes("page", page.clone(), Duration::from_secs(60)).await?;
    ///     landing.land(Some(page.clone()));
    ///     Ok(Some(page))
    /// }
    /// ```
    pub async fn flight(&self, key: &str) -> Flight {
        let lead = loop {
            match self.inner.flights.turn(key, &[]) {
                Turn::Lead(lead) => break lead,
                Turn::Wait(waiting) => {
                    if let Some(outcome) = waiting.outcome().await {
                        return Flight::Landed(outcome.ok());
                    }
                }
            }
        };
        // Another may have landed between the caller's look and its turn.
        if let Ok(Some((entry, Age::Fresh))) = self.look(key).await {
            lead.publish(Ok(entry.value.clone()));
            return Flight::Landed(Some(entry.value));
        }
        self.inner.counts.add(Count::Load);
        Flight::Mine(Landing(lead))
    }
}
