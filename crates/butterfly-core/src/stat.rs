//! The business status of an answer.

use std::borrow::Cow;
use std::fmt;

/// The business status string that every answer carries under `stat`.
///
/// Four are Butterfly's own; all others are the user's, by convention `ERR_…`.
///
/// # Example
///
/// ```
/// use butterfly_core::Stat;
///
/// assert_eq!(Stat::OK.as_str(), "OK");
/// assert_eq!(Stat::new("ERR_EMPTY"), Stat::from("ERR_EMPTY"));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Stat(Cow<'static, str>);

impl Stat {
    /// The call did what was asked.
    pub const OK: Stat = Stat::new("OK");
    /// The call failed, with nothing more to say.
    pub const ERR: Stat = Stat::new("ERR");
    /// The arguments do not fit the handler's description.
    pub const ERR_BAD_PARAMS: Stat = Stat::new("ERR_BAD_PARAMS");
    /// The handler failed in a way that it did not foresee; details are in the error log.
    pub const ERR_SERVER_EXCEPTION: Stat = Stat::new("ERR_SERVER_EXCEPTION");

    /// A status known at compile time.
    #[must_use]
    pub const fn new(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// The status as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Stat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Stat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stat({})", self.0)
    }
}

impl From<&'static str> for Stat {
    fn from(text: &'static str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Stat {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}
