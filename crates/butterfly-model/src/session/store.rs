//! What every store of sessions does: memory, SQL, Redis.

use std::fmt;
use std::pin::Pin;

use butterfly_core::Result;

/// What a store is about to answer.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// A session as stores hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Grows with each change.
    pub version: u64,
    /// A hash of the user's name, by which the sessions of a user are found; `None` before a login.
    pub owner: Option<String>,
    /// When it ends if nobody uses it, in Unix milliseconds.
    pub expires: u64,
    /// When it ends in any case, in Unix milliseconds.
    pub ends: u64,
    /// What it holds: JSON.
    pub record: String,
}

/// A place for sessions, by an id of 64 hex digits. Users hold [`Sessions`](super::Sessions).
///
/// A store may give sessions that have expired: it is asked to forget them now and then, by
/// [`purge`](Self::purge). It never drops others, but memory does when those without a login are too many.
///
/// # Errors
///
/// Each method fails when the store cannot do it, with the store named.
pub trait SessionStore: Send + Sync + fmt::Debug + 'static {
    /// The session of an id.
    fn load<'a>(&'a self, id: &'a str) -> Pending<'a, Option<Stored>>;

    /// Takes in a new session.
    fn insert<'a>(&'a self, id: &'a str, session: Stored) -> Pending<'a, ()>;

    /// Puts a session in place of the one of the version before; false when that is not there any more. The owner is the
    /// same.
    fn replace<'a>(&'a self, id: &'a str, session: Stored) -> Pending<'a, bool>;

    /// Removes a session, where a version is given only that; false when it is not there.
    fn remove<'a>(&'a self, id: &'a str, version: Option<u64>) -> Pending<'a, bool>;

    /// The sessions of an owner, in no order.
    fn list<'a>(&'a self, owner: &'a str) -> Pending<'a, Vec<(String, Stored)>>;

    /// Forgets what had expired at this time, in Unix milliseconds.
    fn purge(&self, now: u64) -> Pending<'_, ()>;
}
