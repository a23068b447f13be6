//! Turns a refusal by `httparse` into the rule that was broken. Runs only for broken heads, so it may look twice.

use super::HeadError;
use crate::h1::framing::is_token_byte;

/// The broken rule; `head` begins at the request line.
#[cold]
pub(super) fn diagnose(error: httparse::Error, head: &[u8]) -> HeadError {
    match error {
        httparse::Error::TooManyHeaders => HeadError::TooManyHeaders,
        httparse::Error::HeaderValue => HeadError::HeaderValue,
        httparse::Error::HeaderName => header_name(head),
        httparse::Error::Version => version(head),
        httparse::Error::Token => first_token(head),
        httparse::Error::NewLine | httparse::Error::Status => HeadError::LineEnd,
    }
}

/// Method or target, whichever is broken first.
fn first_token(head: &[u8]) -> HeadError {
    let end = head.iter().position(|b| !is_token_byte(*b));
    match end.map(|at| (at, head[at])) {
        Some((1.., b' ')) => HeadError::BadTarget,
        _ => HeadError::BadMethod,
    }
}

/// A version of HTTP that is not spoken here, no version at all, or a target with spaces in it.
fn version(head: &[u8]) -> HeadError {
    let line = head.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default();
    let mut words = line.split(|b| *b == b' ').skip(2);
    match (words.next(), words.last()) {
        (_, Some(last)) if last.starts_with(b"HTTP/") => HeadError::BadTarget,
        (Some([b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9']), None) => {
            HeadError::UnsupportedVersion
        }
        _ => HeadError::BadVersion,
    }
}

/// The first header line whose name breaks a rule tells which.
fn header_name(head: &[u8]) -> HeadError {
    let lines = head.split(|b| *b == b'\n').skip(1);
    lines.filter_map(broken_name).next().unwrap_or(HeadError::HeaderName)
}

fn broken_name(line: &[u8]) -> Option<HeadError> {
    let end = line.iter().position(|b| !is_token_byte(*b))?;
    match (end, line[end]) {
        (0, b' ' | b'\t') => Some(HeadError::FoldedHeader),
        (1.., b':') => None,
        (1.., b' ' | b'\t') => Some(HeadError::SpaceBeforeColon),
        _ => Some(HeadError::HeaderName),
    }
}
