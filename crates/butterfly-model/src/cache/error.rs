//! Why a cache did not do as told.

use std::fmt;

/// Why a cache did not do as told. Each text names the key or the file, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheError {
    /// The store cannot be reached, read or written just now.
    Unavailable(String),
    /// Others have held the store's lock for too long.
    Busy(String),
    /// There is no room: on the disk, or under the limit of a store that evicts nothing.
    NoRoom(String),
    /// The store is not what this program can use: a file of something else, of a newer version, or damaged.
    Foreign(String),
    /// A key or value is longer than the store takes.
    TooLarge(String),
    /// What is stored under the key is not of the type that was asked for, or the value has no JSON form.
    Value(String),
    /// The store refused, for a reason that it says.
    Refused(String),
}

impl CacheError {
    pub(super) fn unfit(key: &str, wanted: &str, why: impl fmt::Display) -> Self {
        Self::Value(format!(
            "what is stored under {key:?} is no {wanted}: {why}; delete it, or use another key"
        ))
    }
}

impl fmt::Display for CacheError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) => write!(f, "the cache is out of reach: {why}"),
            Self::Busy(why) => write!(f, "the cache is busy: {why}"),
            Self::NoRoom(why) => write!(f, "the cache has no room left: {why}"),
            Self::Foreign(why) => write!(f, "the cache cannot be used: {why}"),
            Self::TooLarge(why) => write!(f, "too large for the cache: {why}"),
            Self::Value(why) => write!(f, "the cache and the type do not fit: {why}"),
            Self::Refused(why) => write!(f, "the cache refused: {why}"),
        }
    }
}

impl std::error::Error for CacheError {}
