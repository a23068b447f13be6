//! Has the caller got the file already? (RFC 9110, section 13)

use butterfly_core::head::Head;

use super::version::{Version, second_of};

/// True when the caller's copy is the file's present state. A tag outweighs a date.
pub(super) fn unchanged(head: &Head, version: &Version) -> bool {
    if head.header("if-none-match").is_some() {
        return knows_tag(head, &version.etag());
    }
    let since = head.text("if-modified-since").and_then(|date| second_of(&date));
    since.zip(version.second()).is_some_and(|(since, second)| second <= since)
}

/// Weak comparison with every tag of every such header.
fn knows_tag(head: &Head, etag: &str) -> bool {
    let lines = head.headers().filter(|(name, _)| name.eq_ignore_ascii_case("if-none-match"));
    lines.filter_map(|(_, value)| std::str::from_utf8(value).ok()).any(|line| {
        // A comma inside another tag does no harm: no piece of it looks like a whole tag of ours.
        line.trim() == "*" || line.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag)
    })
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
