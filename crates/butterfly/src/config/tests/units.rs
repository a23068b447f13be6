//! Sizes and times in all their spellings.

use crate::config::{ByteSize, Span};

/// Ten years in milliseconds, the longest span there is.
const LONGEST: u64 = 3_650 * 86_400_000;

fn size(text: &str) -> Result<u64, String> {
    text.parse().map(ByteSize::as_u64)
}

fn millis(text: &str) -> Result<u128, String> {
    text.parse().map(|span: Span| span.as_duration().as_millis())
}

#[test]
fn sizes_are_read_as_people_write_them() {
    assert_eq!(size("2MiB"), Ok(2 << 20));
    assert_eq!(size("512 KB"), Ok(512_000));
    assert_eq!(size(" 1024 "), Ok(1024));
    assert_eq!(size("7b"), Ok(7));
    assert_eq!(size("3gib"), Ok(3 << 30));
}

#[test]
fn what_is_no_size_is_refused_with_a_reason() {
    assert_eq!(size("").unwrap_err(), "it does not start with a whole number");
    assert_eq!(size("-1").unwrap_err(), "it does not start with a whole number");
    assert_eq!(size("2K").unwrap_err(), "write KiB (of 1024) or KB (of 1000)");
    assert_eq!(size("2 potatoes").unwrap_err(), "unknown unit \"potatoes\"");
    assert_eq!(size("1.5GiB").unwrap_err(), "unknown unit \".5GiB\"");
    assert_eq!(size("99999999999 TiB").unwrap_err(), "it is too large");
    assert_eq!(size("99999999999999999999999").unwrap_err(), "it is too large");
}

#[test]
fn spans_are_read_as_people_write_them() {
    assert_eq!(millis("10s"), Ok(10_000));
    assert_eq!(millis("1m30s"), Ok(90_000));
    assert_eq!(millis("1d 2h 3m 4s 5ms"), Ok(93_784_005));
    assert_eq!(millis("500 ms"), Ok(500));
    assert_eq!(millis("60"), Ok(60_000));
    assert_eq!(millis("3650d"), Ok(u128::from(LONGEST)));
}

#[test]
fn what_is_no_span_is_refused_with_a_reason() {
    assert_eq!(millis("").unwrap_err(), "it does not start with a whole number");
    assert_eq!(millis("soon").unwrap_err(), "it does not start with a whole number");
    assert_eq!(millis("1m30").unwrap_err(), "unknown unit \"\"");
    assert_eq!(millis("5 years").unwrap_err(), "unknown unit \"years\"");
    assert_eq!(millis("3651d").unwrap_err(), "it is longer than 3650d");
    assert_eq!(millis("18446744073709551615").unwrap_err(), "it is longer than 3650d");
}

#[test]
fn both_are_fields_of_the_users_own_types() {
    #[derive(serde::Deserialize)]
    struct Limits {
        size: ByteSize,
        wait: Span,
    }
    let limits: Limits = toml::from_str("size = \"1KiB\"\nwait = 90").unwrap();
    assert_eq!((limits.size, limits.wait), (ByteSize::kib(1), Span::secs(90)));
    let wrong = toml::from_str::<Limits>("size = -1\nwait = 90").err().unwrap();
    assert!(wrong.message().contains("expected a size such as 2MiB"), "{wrong}");
}

proptest::proptest! {
    #[test]
    fn what_is_printed_reads_back(bytes: u64, time in 0..=LONGEST) {
        let (size, span) = (ByteSize::bytes(bytes), Span::millis(time));
        proptest::prop_assert_eq!(size.to_string().parse(), Ok(size));
        proptest::prop_assert_eq!(span.to_string().parse(), Ok(span));
    }

    #[test]
    fn no_text_makes_it_panic(text in "[0-9a-zA-Z .µ]{0,12}|\\PC*") {
        let _ = (size(&text), millis(&text));
    }
}
