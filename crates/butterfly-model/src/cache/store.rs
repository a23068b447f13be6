//! What every store does: memory, disk, Redis.

use std::fmt;
use std::pin::Pin;

use super::{CacheError, Entry, Times};

/// What a store is about to answer.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, CacheError>> + Send + 'a>>;

/// The longest key that stores take, in bytes.
pub const KEY_MAX: usize = 8192;

/// A place for values. Users hold a [`Cache`](super::Cache), which puts types, loading and levels above it.
///
/// A value that is [`Age::Gone`](super::Age::Gone) is as if it were not there, in every method. Each method is atomic:
/// of many that [`add`](Self::add) one key, one is told true; of many that [`incr`](Self::incr) it, each gets another
/// number. Keys and tags may hold any character and are at most [`KEY_MAX`] bytes.
///
/// # Errors
///
/// Each method fails when the store cannot do it, with what to do about it.
pub trait Store: Send + Sync + fmt::Debug + 'static {
    /// The value of a key, fresh or stale.
    fn get<'a>(&'a self, key: &'a str) -> Pending<'a, Option<Entry>>;

    /// Stores a value; one that was there is replaced, with its tags.
    fn set<'a>(&'a self, key: &'a str, entry: Entry, tags: &'a [&'a str]) -> Pending<'a, ()>;

    /// Stores a value if there is none; false if there is.
    fn add<'a>(&'a self, key: &'a str, entry: Entry, tags: &'a [&'a str]) -> Pending<'a, bool>;

    /// Gives the value of a key new times; false if there is none.
    fn touch<'a>(&'a self, key: &'a str, times: Times) -> Pending<'a, bool>;

    /// Removes a key; false if there was none.
    fn delete<'a>(&'a self, key: &'a str) -> Pending<'a, bool>;

    /// Removes a key and gives its value.
    fn pop<'a>(&'a self, key: &'a str) -> Pending<'a, Option<Entry>>;

    /// Adds to a whole number, kept as decimal text, and gives the sum. A key that is missing counts as 0 and gets the
    /// times; one that is there keeps its own.
    fn incr<'a>(&'a self, key: &'a str, by: i64, times: Times) -> Pending<'a, i64>;

    /// Removes every value with a tag.
    fn invalidate_tag<'a>(&'a self, tag: &'a str) -> Pending<'a, ()>;

    /// Removes everything.
    fn clear(&self) -> Pending<'_, ()>;

    /// Frees the room of values that are gone.
    fn purge(&self) -> Pending<'_, ()>;

    /// How many values there are.
    fn count(&self) -> Pending<'_, u64>;
}

/// Refuses keys that no store takes.
pub(super) fn check_key(key: &str) -> Result<(), CacheError> {
    check("key", key)
}

/// Refuses tags that no store takes.
pub(super) fn check_tags(tags: &[&str]) -> Result<(), CacheError> {
    tags.iter().try_for_each(|tag| check("tag", tag))
}

fn check(what: &str, text: &str) -> Result<(), CacheError> {
    if text.len() <= KEY_MAX {
        return Ok(());
    }
    let start = &text[..text.floor_char_boundary(40)];
    Err(CacheError::TooLarge(format!(
        "the {what} {start:?}… has {} bytes, {what}s have at most {KEY_MAX}: make it from an id or a hash",
        text.len()
    )))
}

/// Adds to a number as stores keep it.
pub(super) fn sum(key: &str, stored: Option<&[u8]>, by: i64) -> Result<i64, CacheError> {
    let Some(stored) = stored else { return Ok(by) };
    let text = std::str::from_utf8(stored).map_err(|why| CacheError::unfit(key, "whole number", why))?;
    let number: i64 = text.parse().map_err(|why| CacheError::unfit(key, "whole number", why))?;
    number.checked_add(by).ok_or_else(|| {
        CacheError::Value(format!("{key:?} is {number}: adding {by} leaves the numbers of 64 bits"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_stay_within_their_numbers_and_name_the_key() {
        assert_eq!(sum("k", None, -3), Ok(-3));
        assert_eq!(sum("k", Some(b"40"), 2), Ok(42));
        for stored in [&b"\xff"[..], b"x", b"1.5", b"\"1\"", b""] {
            let error = sum("my_key", Some(stored), 1).unwrap_err().to_string();
            assert!(error.contains("my_key"), "{error}");
        }
        assert!(sum("k", Some(i64::MAX.to_string().as_bytes()), 1).is_err());
    }

    #[test]
    fn long_keys_are_refused_without_cutting_a_character() {
        assert!(check_key(&"é".repeat(KEY_MAX / 2)).is_ok());
        assert!(check_key(&"é".repeat(KEY_MAX)).is_err());
    }
}
