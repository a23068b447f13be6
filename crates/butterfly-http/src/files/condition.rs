//! Has the caller got the file already? (RFC 9110, section 13)

use butterfly_core::head::Head;

use super::version::{Version, second_of};
use crate::etag;

/// True when the caller's copy is the file's present state. A tag outweighs a date.
pub(super) fn unchanged(head: &Head, version: &Version) -> bool {
    if head.header("if-none-match").is_some() {
        return etag::is_known(head, &version.etag());
    }
    let since = head.text("if-modified-since").and_then(|date| second_of(&date));
    since.zip(version.second()).is_some_and(|(since, second)| second <= since)
}

/// True when a range may be sent: the caller has parts of the present state, or does not care.
pub(super) fn same_for_range(head: &Head, version: &Version) -> bool {
    let Some(known) = head.text("if-range") else { return true };
    let known = known.trim();
    if known.starts_with('"') || known.starts_with("W/") {
        return known == version.etag();
    }
    second_of(known).is_some_and(|second| version.second() == Some(second))
}
