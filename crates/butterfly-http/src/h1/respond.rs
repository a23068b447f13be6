//! Writes the head of an answer and the frame of its chunks, byte by byte into the caller's buffer.
//!
//! What frames the body is decided here alone: `Content-Length`, `Transfer-Encoding` and `Date` among the handler's
//! headers are dropped, so that an answer never says two things about its length. A handler's value cannot start a
//! new line either: control characters become spaces, for clients refuse an answer that holds any.

mod date;
mod status;
#[cfg(test)]
mod tests;

pub use self::date::HttpDate;
use super::framing::is_token_byte;
use super::parse::Version;

/// The interim answer to `Expect: 100-continue`.
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// What is known about the length of the body that will follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyLength {
    /// So many bytes. For `HEAD` and 304: as many as `GET` would have sent.
    Known(u64),
    /// Not known in advance: chunks, or for HTTP/1.0 everything until the connection closes.
    Chunked,
    /// Nothing is said. Only for answers that never have a body: to `HEAD`, 204, 304.
    None,
}

/// How the caller must go on after the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Delivery {
    /// Each piece of the body goes through [`write_chunk`], and [`write_last_chunk`] ends it.
    pub chunked: bool,
    /// The connection may be used again; otherwise close it after the body.
    pub keep_alive: bool,
}

/// Writes status line and headers, and the empty line after them.
///
/// 1xx and 204 never carry a length. A `Connection: close` among the headers closes the connection; other
/// `Connection` headers pass for 101 only. Headers whose name is not a token are left out.
///
/// # Example
///
/// ```
/// use butterfly_http::h1::parse::Version;
/// use butterfly_http::h1::respond::{BodyLength, HttpDate, write_head};
///
/// let mut out = Vec::new();
/// let headers = [("Content-Type", &b"text/plain"[..])];
/// let date = HttpDate::at(784_111_777);
/// let delivery = write_head(&mut out, 200, headers, BodyLength::Known(2), true, Version::Http11, date.as_bytes());
/// assert!(delivery.keep_alive && !delivery.chunked);
/// assert_eq!(
///     String::from_utf8_lossy(&out),
///     "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\
///      Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n"
/// );
/// ```
pub fn write_head<'a>(
    out: &mut Vec<u8>,
    status: u16,
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    length: BodyLength,
    keep_alive: bool,
    version: Version,
    date: &[u8; 29],
) -> Delivery {
    write_head_beside(out, status, &[], headers, length, keep_alive, version, date)
}

/// The same, with headers of the framework's own before: names and values in which nothing needs a check.
#[expect(clippy::too_many_arguments, reason = "the parts of a head, each once")]
pub(crate) fn write_head_beside<'a>(
    out: &mut Vec<u8>,
    status: u16,
    own: &[(&'static str, &[u8])],
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    length: BodyLength,
    keep_alive: bool,
    version: Version,
    date: &[u8; 29],
) -> Delivery {
    let status = if (100..1000).contains(&status) { status } else { 500 };
    status::write_line(out, status);
    for (name, value) in own {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
    let mut asked_to_close = false;
    for (name, value) in headers {
        match owner(name, status) {
            Owner::Handler => write_header(out, name, value),
            Owner::Connection => asked_to_close |= names_close(value),
            Owner::Nobody => {}
        }
    }
    let length = allowed(status, length);
    let delivery = delivery(length, keep_alive && !asked_to_close, version);
    write_end(out, length, delivery, version, date);
    delivery
}

/// Writes one piece of a body of unknown length. An empty piece writes nothing: it would end the body.
///
/// # Example
///
/// ```
/// use butterfly_http::h1::respond::{write_chunk, write_last_chunk};
///
/// let mut out = Vec::new();
/// write_chunk(&mut out, b"hello");
/// write_last_chunk(&mut out);
/// assert_eq!(out, b"5\r\nhello\r\n0\r\n\r\n");
/// ```
pub fn write_chunk(out: &mut Vec<u8>, data: &[u8]) {
    if data.is_empty() {
        return;
    }
    out.reserve(data.len() + 20);
    write_number::<16>(out, data.len() as u64);
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

/// Ends a body of chunks, without trailers.
pub fn write_last_chunk(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0\r\n\r\n");
}

/// Who decides about a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Handler,
    Connection,
    Nobody,
}

#[inline]
fn owner(name: &str, status: u16) -> Owner {
    match name.len() {
        4 if name.eq_ignore_ascii_case("date") => Owner::Nobody,
        10 if status != 101 && name.eq_ignore_ascii_case("connection") => Owner::Connection,
        14 if name.eq_ignore_ascii_case("content-length") => Owner::Nobody,
        17 if name.eq_ignore_ascii_case("transfer-encoding") => Owner::Nobody,
        _ if name.is_empty() || !name.bytes().all(is_token_byte) => Owner::Nobody,
        _ => Owner::Handler,
    }
}

fn names_close(value: &[u8]) -> bool {
    value.split(|b| *b == b',').any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"))
}

#[inline]
fn write_header(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.reserve(name.len() + value.len() + 4);
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    let start = out.len();
    out.extend_from_slice(value);
    // No early exit: the compiler makes vector code of it.
    if value.iter().fold(false, |found, b| found | is_control(*b)) {
        blank_out(&mut out[start..]);
    }
    out.extend_from_slice(b"\r\n");
}

const fn is_control(byte: u8) -> bool {
    (byte < b' ') & (byte != b'\t') | (byte == 0x7f)
}

#[cold]
fn blank_out(value: &mut [u8]) {
    value.iter_mut().filter(|b| is_control(**b)).for_each(|b| *b = b' ');
}

/// Some statuses cannot have a body, whatever the handler thinks.
fn allowed(status: u16, length: BodyLength) -> BodyLength {
    match (status, length) {
        (100..200 | 204, _) | (304, BodyLength::Chunked) => BodyLength::None,
        _ => length,
    }
}

fn delivery(length: BodyLength, keep_alive: bool, version: Version) -> Delivery {
    let unknown = length == BodyLength::Chunked;
    let chunked = unknown && version == Version::Http11;
    // Only the end of the connection tells an HTTP/1.0 client where a body of unknown length ends.
    Delivery { chunked, keep_alive: keep_alive && (chunked || !unknown) }
}

#[inline]
fn write_end(out: &mut Vec<u8>, length: BodyLength, delivery: Delivery, version: Version, date: &[u8; 29]) {
    if let BodyLength::Known(length) = length {
        out.extend_from_slice(b"Content-Length: ");
        write_number::<10>(out, length);
        out.extend_from_slice(b"\r\n");
    }
    if delivery.chunked {
        out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
    }
    match (delivery.keep_alive, version) {
        (false, _) => out.extend_from_slice(b"Connection: close\r\n"),
        (true, Version::Http10) => out.extend_from_slice(b"Connection: keep-alive\r\n"),
        (true, Version::Http11) => {}
    }
    out.extend_from_slice(b"Date: ");
    out.extend_from_slice(date);
    out.extend_from_slice(b"\r\n\r\n");
}

/// Writes a number in a base of up to 16, without a detour over the heap.
#[inline]
fn write_number<const BASE: u64>(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b"0123456789abcdef"[(number % BASE) as usize];
        number /= BASE;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}
