//! The checks of `#[check(..)]`: each says in words what the value must be.

use std::fmt::Display;
use std::ops::RangeBounds;
use std::sync::OnceLock;

use super::text::shown;

/// `#[check(range(..))]`: the value lies in a range.
///
/// # Errors
///
/// The range as written, and the value.
pub fn range<T: PartialOrd + Display>(
    value: &T,
    range: impl RangeBounds<T>,
    written: &str,
) -> Result<(), String> {
    if range.contains(value) {
        return Ok(());
    }
    Err(format!("must be in {written}, got {value}"))
}

/// `#[check(len(..))]`: a text has so many characters, a list so many elements.
///
/// # Errors
///
/// The range as written, and the length.
pub fn len(
    value: &(impl Length + ?Sized),
    range: impl RangeBounds<usize>,
    written: &str,
) -> Result<(), String> {
    let length = value.length();
    if range.contains(&length) {
        return Ok(());
    }
    Err(format!("must have a length in {written}, has {length}"))
}

/// `#[check(regex("..."))]`: the text matches a pattern.
///
/// # Errors
///
/// The pattern and the value.
pub fn regex(
    value: &(impl Text + ?Sized),
    pattern: &'static str,
    compiled: &OnceLock<Option<regex_lite::Regex>>,
) -> Result<(), String> {
    let value = value.text();
    let regex = compiled.get_or_init(|| regex_lite::Regex::new(pattern).ok());
    if regex.as_ref().is_some_and(|regex| regex.is_match(value)) {
        return Ok(());
    }
    Err(format!("must match {pattern}, got {}", shown(value)))
}

/// What a pattern can be held against.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no text to check",
    note = "`#[check(regex(..))]` serves for text; for a type of your own write a function and `#[check(my_check)]`"
)]
pub trait Text {
    /// The text.
    fn text(&self) -> &str;
}

#[diagnostic::do_not_recommend]
impl<T: AsRef<str> + ?Sized> Text for T {
    fn text(&self) -> &str {
        self.as_ref()
    }
}

/// What has a length: text in characters, lists in elements.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no length to check",
    note = "`#[check(len(..))]` serves for String, Vec<T> and Blob; use `#[check(range(..))]` for numbers"
)]
pub trait Length {
    /// How long it is.
    fn length(&self) -> usize;
}

impl Length for str {
    fn length(&self) -> usize {
        self.chars().count()
    }
}

impl Length for String {
    fn length(&self) -> usize {
        self.as_str().length()
    }
}

impl<T> Length for [T] {
    fn length(&self) -> usize {
        self.len()
    }
}

impl<T> Length for Vec<T> {
    fn length(&self) -> usize {
        self.len()
    }
}

impl Length for super::Blob {
    fn length(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_check_says_what_must_be() {
        assert_eq!(range(&500, 1..=100, "1..=100").unwrap_err(), "must be in 1..=100, got 500");
        assert_eq!(len("é", 2.., "2..").unwrap_err(), "must have a length in 2.., has 1");
        let cell = OnceLock::new();
        assert_eq!(regex("B", "^a", &cell).unwrap_err(), "must match ^a, got \"B\"");
        assert!(regex("ab", "^a", &cell).is_ok());
    }
}
