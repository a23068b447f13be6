//! Which part of a file the caller wants (RFC 9110, section 14).

use butterfly_core::head::Head;

use super::condition::same_for_range;
use super::version::Version;

/// The part of a file to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    /// All of it: no range was asked for, or none that can be read.
    Whole,
    /// At least one byte.
    Part { start: u64, length: u64 },
    /// Nothing: the file ends before the range begins.
    Beyond,
}

/// The range of a request.
pub(super) fn asked(head: &Head, version: &Version) -> Range {
    let range = head.header("range").and_then(|value| std::str::from_utf8(value).ok());
    match range {
        Some(range) if same_for_range(head, version) => parse(range, version.length),
        _ => Range::Whole,
    }
}

/// Reads one range of bytes. Several ranges, other units and what cannot be read mean the whole file, as the RFC
/// allows.
pub(super) fn parse(range: &str, size: u64) -> Range {
    read(range, size).unwrap_or(Range::Whole)
}

fn read(range: &str, size: u64) -> Option<Range> {
    let (unit, spec) = range.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = spec.trim().split_once('-')?;
    if first.is_empty() {
        return Some(suffix(number(last)?, size));
    }
    let first = number(first)?;
    let last = if last.is_empty() { u64::MAX } else { number(last)? };
    if last < first {
        return None;
    }
    if first >= size {
        return Some(Range::Beyond);
    }
    Some(Range::Part { start: first, length: last.min(size - 1) - first + 1 })
}

fn suffix(count: u64, size: u64) -> Range {
    match count.min(size) {
        0 if count > 0 => Range::Whole,
        0 => Range::Beyond,
        length => Range::Part { start: size - length, length },
    }
}

/// Digits alone; a number too large to hold lies behind the end of every file.
fn number(digits: &str) -> Option<u64> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn part(start: u64, length: u64) -> Range {
        Range::Part { start, length }
    }

    #[test]
    fn a_table_of_ranges() {
        let huge = "99999999999999999999999999";
        let rows = [
            ("bytes=0-0", 10, part(0, 1)),
            ("bytes=0-9", 10, part(0, 10)),
            ("bytes=2-4", 10, part(2, 3)),
            ("bytes=9-9", 10, part(9, 1)),
            ("bytes=5-", 10, part(5, 5)),
            ("bytes=0-", 10, part(0, 10)),
            ("bytes=5-99", 10, part(5, 5)),
            ("bytes=-1", 10, part(9, 1)),
            ("bytes=-10", 10, part(0, 10)),
            ("bytes=-11", 10, part(0, 10)),
            ("Bytes=1-2", 10, part(1, 2)),
            ("bytes= 1-2 ", 10, part(1, 2)),
            ("bytes=007-008", 10, part(7, 2)),
            (&format!("bytes=3-{huge}"), 10, part(3, 7)),
            (&format!("bytes=-{huge}"), 10, part(0, 10)),
            ("bytes=10-", 10, Range::Beyond),
            ("bytes=10-11", 10, Range::Beyond),
            ("bytes=-0", 10, Range::Beyond),
            (&format!("bytes={huge}-"), 10, Range::Beyond),
            ("bytes=0-", 0, Range::Beyond),
            ("bytes=0-0", 0, Range::Beyond),
            ("bytes=-0", 0, Range::Beyond),
            ("bytes=-5", 0, Range::Whole),
            ("bytes=4-2", 10, Range::Whole),
            ("bytes=0-1,3-4", 10, Range::Whole),
            ("bytes=0-1,", 10, Range::Whole),
            ("bytes=-", 10, Range::Whole),
            ("bytes=", 10, Range::Whole),
            ("bytes", 10, Range::Whole),
            ("", 10, Range::Whole),
            ("lines=0-1", 10, Range::Whole),
            ("bytes=+1-2", 10, Range::Whole),
            ("bytes=1-+2", 10, Range::Whole),
            ("bytes=0x1-2", 10, Range::Whole),
            ("bytes=1 - 2", 10, Range::Whole),
            ("bytes=--1", 10, Range::Whole),
            ("bytes=1-2-3", 10, Range::Whole),
            ("bytes=a-b", 10, Range::Whole),
            ("bytes=١-٢", 10, Range::Whole),
            ("0-1", 10, Range::Whole),
        ];
        for (range, size, wanted) in rows {
            assert_eq!(parse(range, size), wanted, "{range} of {size}");
        }
    }

    #[test]
    fn the_largest_file_does_not_overflow() {
        assert_eq!(parse("bytes=0-", u64::MAX), part(0, u64::MAX));
        assert_eq!(parse(&format!("bytes={}-", u64::MAX - 1), u64::MAX), part(u64::MAX - 1, 1));
    }

    proptest! {
        #[test]
        fn no_part_is_empty_or_leaves_the_file(range in "(bytes=)?[0-9,\\- ]{0,24}|\\PC{0,30}", size: u64) {
            if let Range::Part { start, length } = parse(&range, size) {
                prop_assert!(length > 0);
                prop_assert!(start.checked_add(length).is_some_and(|end| end <= size));
            }
        }
    }
}
