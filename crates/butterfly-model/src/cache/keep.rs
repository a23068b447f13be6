//! How long a value is kept, and what it belongs to.

use std::time::Duration;

/// How long a value is kept, and its tags. A [`Duration`] alone is one too.
///
/// # Example
///
/// ```
/// use std::time::Duration;
///
/// use butterfly_model::cache::Keep;
///
/// // Good for 30 seconds; for 5 minutes more it may be shown while a new one is made.
/// let keep = Keep::fresh(Duration::from_secs(30)).stale(Duration::from_secs(300)).tags(&["user:7"]);
/// assert_ne!(keep, Keep::from(Duration::from_secs(30)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep<'a> {
    pub(crate) fresh: Option<Duration>,
    pub(crate) stale: Duration,
    pub(crate) tags: &'a [&'a str],
}

impl<'a> Keep<'a> {
    /// Until it is removed, or room is needed.
    pub const FOREVER: Keep<'static> = Keep { fresh: None, stale: Duration::ZERO, tags: &[] };

    /// For this time.
    #[must_use]
    pub const fn fresh(time: Duration) -> Self {
        Self { fresh: Some(time), stale: Duration::ZERO, tags: &[] }
    }

    /// Keeps the value for this time more: those who could load it anew get it while one of them does, and when that
    /// load fails.
    #[must_use]
    pub const fn stale(mut self, time: Duration) -> Self {
        self.stale = time;
        self
    }

    /// What the value belongs to: [`Cache::invalidate_tag`](super::Cache::invalidate_tag) removes all that has a tag.
    #[must_use]
    pub const fn tags(mut self, tags: &'a [&'a str]) -> Self {
        self.tags = tags;
        self
    }
}

impl From<Duration> for Keep<'_> {
    fn from(time: Duration) -> Self {
        Self::fresh(time)
    }
}
