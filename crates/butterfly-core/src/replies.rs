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

    /// Of many calls that want the same answer at once, lets one make it, and the others wait for what comes of that.
    /// Without this, each makes its own.
    fn turn<'a>(&'a self, key: &'a str) -> Turning<'a> {
        let _ = key;
        Box::pin(async { Turn::Alone })
    }
}

/// What becomes of a call that wants an answer which is not kept.
pub enum Turn {
    /// It makes the answer, keeps it, and then hands it on; or says that there is nothing to hand on. When it does neither,
    /// another takes its place.
    Make(Box<dyn FnOnce(Option<Bytes>) + Send>),
    /// Another has made it.
    Made(Bytes),
    /// It makes one for itself: what another made is for that one alone.
    Alone,
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Make(_) => "Make",
            Self::Made(_) => "Made",
            Self::Alone => "Alone",
        })
    }
}

/// A call that waits for its turn.
pub type Turning<'a> = Pin<Box<dyn Future<Output = Turn> + Send + 'a>>;

/// A look for a kept answer.
pub type Finding<'a> = Pin<Box<dyn Future<Output = Option<Bytes>> + Send + 'a>>;

/// An answer on its way to where it is kept.
pub type Keeping<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
