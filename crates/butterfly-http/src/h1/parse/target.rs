//! The forms of a request target (RFC 9112, section 3.2) and of a host.

use std::borrow::Cow;
use std::net::Ipv6Addr;

use http::Method;

use super::HeadError;

/// A target in origin form, and the authority that an absolute form named.
pub(super) struct Target<'a> {
    pub(super) path: Cow<'a, str>,
    pub(super) authority: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// Reads whichever form came.
    #[inline]
    pub(super) fn read(method: &Method, raw: &'a str) -> Result<Self, HeadError> {
        if *method == Method::CONNECT {
            return Err(HeadError::Connect);
        }
        check_bytes(raw.as_bytes())?;
        match raw.as_bytes() {
            [b'/', ..] => Ok(Self::origin(raw)),
            b"*" if *method == Method::OPTIONS => Ok(Self::origin(raw)),
            b"*" => Err(HeadError::AsteriskTarget),
            _ => Self::absolute(method, raw).ok_or(HeadError::BadTarget),
        }
    }

    fn origin(raw: &'a str) -> Self {
        Self { path: Cow::Borrowed(raw), authority: None }
    }

    /// `http://host/path`, as clients send it to proxies.
    #[cold]
    fn absolute(method: &Method, raw: &'a str) -> Option<Self> {
        let (scheme, rest) = raw.split_once("://")?;
        if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            return None;
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.is_empty() || !valid_host(authority.as_bytes()) {
            return None;
        }
        Some(Self { path: rooted(method, path), authority: Some(authority) })
    }
}

/// The path of an absolute form may be missing; without one, `OPTIONS` asks about the whole server.
fn rooted<'a>(method: &Method, path: &'a str) -> Cow<'a, str> {
    match path.as_bytes() {
        [b'/', ..] => Cow::Borrowed(path),
        [] if *method == Method::OPTIONS => Cow::Borrowed("*"),
        [] => Cow::Borrowed("/"),
        _ => Cow::Owned(["/", path].concat()),
    }
}

/// `httparse` refuses controls and spaces; what is left is bytes above ASCII and the fragment mark.
fn check_bytes(raw: &[u8]) -> Result<(), HeadError> {
    if !raw.is_ascii() {
        return Err(HeadError::BadTarget);
    }
    // No early exit: the compiler makes vector code of it.
    let marks = raw.iter().fold(false, |found, b| found | (*b == b'#'));
    if marks { Err(HeadError::FragmentInTarget) } else { Ok(()) }
}

/// Whether the bytes are a host name or address with an optional port, or empty.
///
/// Commas are refused although a name may hold them: they are the trace of two hosts joined into one.
#[inline]
pub(super) fn valid_host(value: &[u8]) -> bool {
    let port = match value {
        [] => return true,
        [b'[', rest @ ..] => after_ipv6(rest),
        _ => after_name(value),
    };
    port.is_some_and(valid_port)
}

fn after_name(value: &[u8]) -> Option<&[u8]> {
    let end = value.iter().position(|b| !is_host_byte(*b)).unwrap_or(value.len());
    (end > 0).then(|| &value[end..])
}

fn after_ipv6(value: &[u8]) -> Option<&[u8]> {
    let end = value.iter().position(|b| *b == b']')?;
    let address = std::str::from_utf8(&value[..end]).ok()?;
    address.parse::<Ipv6Addr>().is_ok().then(|| &value[end + 1..])
}

fn valid_port(rest: &[u8]) -> bool {
    match rest {
        [] => true,
        [b':', digits @ ..] => digits.len() <= 5 && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

const fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'.' | b'-' | b'_' | b'~' | b'%' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+'
        )
        || matches!(byte, b';' | b'=')
}
