//! Answers that are kept: what a door asks before it calls a handler with the option `cache`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;

/// Keeps answers for a time: a cache. See [`App::replies`](crate::App::replies).
///
/// A place that is out of order has nothing and keeps nothing: no call fails by it.
pub trait Replies: Send + Sync + fmt::Debug {
    /// What is kept under a key.
    fn find<'a>(&'a self, key: &'a str) -> Finding<'a>;

    /// Keeps an answer for a time.
    fn keep<'a>(&'a self, key: &'a str, answer: Bytes, time: Duration) -> Keeping<'a>;
}

/// A look for a kept answer.
pub type Finding<'a> = Pin<Box<dyn Future<Output = Option<Bytes>> + Send + 'a>>;

/// An answer on its way to where it is kept.
pub type Keeping<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
