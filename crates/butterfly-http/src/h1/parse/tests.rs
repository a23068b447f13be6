mod hostile;
mod reading;
mod smuggling;

use butterfly_core::head::Head;

use super::*;

/// Reads with the default limits; a head that is not complete is `None`.
fn read(bytes: &[u8]) -> Result<Option<(Head, Request)>, HeadError> {
    read_within(bytes, &HeadLimits::default())
}

fn read_within(bytes: &[u8], limits: &HeadLimits) -> Result<Option<(Head, Request)>, HeadError> {
    let mut head = Head::new(Method::PUT, "/left?over=1");
    head.push("left", b"over");
    match parse_head(bytes, limits, &mut head)? {
        Parsed::Done(request) => Ok(Some((head, request))),
        Parsed::Partial => Ok(None),
    }
}

fn done(bytes: &[u8]) -> (Head, Request) {
    let outcome = read(bytes);
    let told = bytes.escape_ascii();
    outcome.unwrap_or_else(|error| panic!("{told}: {error:?}")).unwrap_or_else(|| panic!("{told}: partial"))
}

/// Checks a head that stands: its path, and that no shorter part of it was taken for a head or refused.
fn stands(bytes: &[u8], path: &str) {
    let (head, request) = done(bytes);
    assert_eq!(head.path(), path, "{}", bytes.escape_ascii());
    for end in 0..request.len {
        assert!(matches!(read(&bytes[..end]), Ok(None)), "cut at {end}: {}", bytes.escape_ascii());
    }
}

/// Checks a head that falls: with this error, at the latest when complete, and never standing before.
fn falls(bytes: &[u8], error: HeadError, status: u16) {
    let told = bytes.escape_ascii();
    assert_eq!(read(bytes).map(|done| done.is_some()), Err(error), "{told}");
    assert_eq!(error.status(), status, "{told}");
    for end in 0..bytes.len() {
        assert!(!matches!(read(&bytes[..end]), Ok(Some(_))), "taken at {end}: {told}");
    }
}
