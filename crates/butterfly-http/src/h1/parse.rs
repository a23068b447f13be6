//! Reads the head of a request: the request line, the headers, and what they say about the body.
//!
//! `httparse` finds the pieces; this file decides whether they may stand. One pass over the headers looks only at
//! the six that steer the connection and copies each into the [`Head`].

mod diagnose;
mod error;
mod facts;
mod target;
#[cfg(test)]
mod tests;

use std::mem::MaybeUninit;

use butterfly_core::head::Head;
use http::Method;
use httparse::Status;

pub use self::error::HeadError;
use self::facts::Facts;
use self::target::Target;
pub use super::framing::Framing;

/// The most headers a head may have, whatever [`HeadLimits::max_headers`] says.
pub const HARD_MAX_HEADERS: usize = 128;

/// The longest method name; the registered ones end at 17 letters.
const MAX_METHOD: usize = 24;

/// What a client sends first when it speaks HTTP/2 without asking (RFC 9113, section 3.4).
const H2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How much a client may send before its head is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadLimits {
    /// The whole head, with the empty line that ends it.
    pub max_bytes: usize,
    /// The number of headers, at most [`HARD_MAX_HEADERS`].
    pub max_headers: usize,
    /// The request target alone.
    pub max_target: usize,
}

impl Default for HeadLimits {
    /// 32 KiB, 100 headers, a target of 8 KiB.
    fn default() -> Self {
        Self { max_bytes: 32 * 1024, max_headers: 100, max_target: 8 * 1024 }
    }
}

/// The version the client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// One request per connection unless asked otherwise, and no chunks.
    Http10,
    /// Connections stay open unless asked otherwise.
    Http11,
}

/// What a complete head says about the connection and the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// The bytes of the head in the buffer; the body begins after them.
    pub len: usize,
    /// How the end of the body is known.
    pub framing: Framing,
    /// The client wants to send another request on this connection.
    pub keep_alive: bool,
    /// The client waits for `100 Continue` before it sends the body.
    pub expect_continue: bool,
    /// The version on the request line.
    pub version: Version,
    /// The client asks for another protocol: `Upgrade` is there and `Connection` names it.
    pub upgrade: bool,
}

/// The outcome of looking at a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsed {
    /// The head is not complete: read more, then call again with the whole buffer.
    Partial,
    /// The head is complete and stands in the [`Head`].
    Done(Request),
}

/// Reads one request head from the start of `buf` into `head`.
///
/// On [`Parsed::Partial`] and on an error the content of `head` is unspecified. A target in absolute form is reduced
/// to path and query, and its authority takes the place of the `Host` value (RFC 9112, section 3.2.2).
///
/// # Errors
///
/// [`HeadError`] when the head breaks a rule or a limit. The connection cannot go on after it: answer with
/// [`HeadError::status`] and close.
///
/// # Example
///
/// ```
/// use butterfly_core::head::Head;
/// use butterfly_http::h1::parse::{Framing, HeadLimits, Parsed, parse_head};
///
/// let mut head = Head::default();
/// let bytes = b"POST /demo?a=1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}";
/// let Parsed::Done(request) = parse_head(bytes, &HeadLimits::default(), &mut head)? else { panic!("incomplete") };
/// assert_eq!((head.path(), head.query()), ("/demo", Some("a=1")));
/// assert_eq!(request.framing, Framing::Length(2));
/// assert_eq!(&bytes[request.len..], b"{}");
/// # Ok::<(), butterfly_http::h1::parse::HeadError>(())
/// ```
pub fn parse_head(buf: &[u8], limits: &HeadLimits, head: &mut Head) -> Result<Parsed, HeadError> {
    // A head addresses its pieces with 32 bits.
    let max = limits.max_bytes.min(u32::MAX as usize);
    let window = &buf[..buf.len().min(max)];
    let full = window.len() == max;
    let Some(start) = skip_blank_lines(window)? else { return still_partial(&[], full, limits) };
    let mut slots = [const { MaybeUninit::uninit() }; HARD_MAX_HEADERS];
    let slots = &mut slots[..limits.max_headers.min(HARD_MAX_HEADERS)];
    let mut pieces = httparse::Request::new(&mut []);
    match pieces.parse_with_uninit_headers(&window[start..], slots) {
        Ok(Status::Complete(len)) => accept(&window[..start + len], &pieces, limits, head).map(Parsed::Done),
        Ok(Status::Partial) => still_partial(&window[start..], full, limits),
        Err(error) => Err(diagnose::diagnose(error, &window[start..])),
    }
}

/// Whether the connection opens with the HTTP/2 preface; `None` when too few bytes came to tell.
///
/// # Example
///
/// ```
/// use butterfly_http::h1::parse::is_h2_preface;
///
/// assert_eq!(is_h2_preface(b"PRI * HT"), None);
/// assert_eq!(is_h2_preface(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Some(true));
/// assert_eq!(is_h2_preface(b"GET / HTTP/1.1"), Some(false));
/// ```
#[must_use]
pub fn is_h2_preface(buf: &[u8]) -> Option<bool> {
    let seen = buf.len().min(H2_PREFACE.len());
    if buf[..seen] != H2_PREFACE[..seen] {
        return Some(false);
    }
    (seen == H2_PREFACE.len()).then_some(true)
}

/// Whether an empty line came among the bytes from `seen` on, so that a partial head is worth another look.
///
/// A client that sends its head byte by byte would otherwise have the whole buffer parsed anew for each byte. Ask
/// this after a [`Parsed::Partial`]; call [`parse_head`] anyway once the buffer reaches [`HeadLimits::max_bytes`].
///
/// # Example
///
/// ```
/// use butterfly_http::h1::parse::may_be_complete;
///
/// assert!(!may_be_complete(b"GET / HTTP/1.1\r\nHost: a\r\n", 16));
/// assert!(may_be_complete(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 25));
/// ```
#[must_use]
pub fn may_be_complete(buf: &[u8], seen: usize) -> bool {
    // Bare line feeds count, so that a head made of them is refused now and not at the timeout.
    let fresh = &buf[seen.saturating_sub(2).min(buf.len())..];
    let ends = |pair: &[u8]| pair.starts_with(b"\n\n") || pair.starts_with(b"\n\r\n");
    (0..fresh.len()).any(|at| fresh[at] == b'\n' && ends(&fresh[at..]))
}

/// Where the request line begins. Two empty lines are forgiven: old clients send one after a form body.
fn skip_blank_lines(window: &[u8]) -> Result<Option<usize>, HeadError> {
    let mut at = 0;
    while at < 4 && window[at..].starts_with(b"\r\n") {
        at += 2;
    }
    match &window[at..] {
        [] => Ok(None),
        b"\r" if at < 4 => Ok(None),
        [b'\r' | b'\n', ..] => Err(HeadError::BlankLines),
        _ => Ok(Some(at)),
    }
}

/// An incomplete head is fine as long as the limits still allow its end to come; `seen` begins at the request line.
fn still_partial(seen: &[u8], full: bool, limits: &HeadLimits) -> Result<Parsed, HeadError> {
    let line_max = limits.max_target.saturating_add(MAX_METHOD + "  HTTP/1.1\r\n".len());
    if (full || seen.len() > line_max) && !seen.is_empty() && !seen.contains(&b'\n') {
        return Err(HeadError::TargetTooLong);
    }
    if full { Err(HeadError::TooLarge) } else { Ok(Parsed::Partial) }
}

/// Judges the pieces of a complete head; `raw` is exactly its bytes.
fn accept(
    raw: &[u8],
    pieces: &httparse::Request<'_, '_>,
    limits: &HeadLimits,
    head: &mut Head,
) -> Result<Request, HeadError> {
    let version = if pieces.version == Some(0) { Version::Http10 } else { Version::Http11 };
    let method = method(pieces.method.unwrap_or_default())?;
    let target = target_of(&method, pieces.path.unwrap_or_default(), limits)?;
    head.restart(method, &target.path);
    let mut facts = Facts::default();
    for header in pieces.headers.iter() {
        after_crlf(raw, header.name)?;
        let is_host = facts.note(header.name, header.value)?;
        let authority = target.authority.filter(|_| is_host);
        head.push(header.name, authority.map_or(header.value, str::as_bytes));
    }
    // The ends of all lines but the last two were checked by looking back from the header after them.
    if !raw.ends_with(b"\r\n\r\n") {
        return Err(HeadError::LineEnd);
    }
    if let Some(authority) = target.authority.filter(|_| !facts.has_host()) {
        head.push("Host", authority.as_bytes());
    }
    facts.conclude(version, raw.len())
}

fn method(name: &str) -> Result<Method, HeadError> {
    if name.len() > MAX_METHOD {
        return Err(HeadError::MethodTooLong);
    }
    Method::from_bytes(name.as_bytes()).map_err(|_| HeadError::BadMethod)
}

fn target_of<'a>(method: &Method, raw: &'a str, limits: &HeadLimits) -> Result<Target<'a>, HeadError> {
    if raw.len() > limits.max_target {
        return Err(HeadError::TargetTooLong);
    }
    Target::read(method, raw)
}

/// The line before this header must end in CR LF; `httparse` would take a bare LF.
fn after_crlf(raw: &[u8], name: &str) -> Result<(), HeadError> {
    let at = (name.as_ptr() as usize).wrapping_sub(raw.as_ptr() as usize);
    match raw.get(at.wrapping_sub(2)) {
        Some(b'\r') => Ok(()),
        _ => Err(HeadError::LineEnd),
    }
}
