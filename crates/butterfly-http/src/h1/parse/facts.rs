//! What the headers say about the connection: collected in one pass, judged at the end.

use super::target::valid_host;
use super::{Framing, HeadError, Request, Version};

/// The six headers that steer the connection, as far as they were seen.
#[derive(Default)]
pub(super) struct Facts {
    host: bool,
    length: Option<u64>,
    /// Whether the transfer encoding that was named is `chunked`.
    chunked: Option<bool>,
    close: bool,
    keep_alive: bool,
    connection_upgrade: bool,
    upgrade: bool,
    /// Whether the expectation that was named is `100-continue`.
    expect_continue: Option<bool>,
}

impl Facts {
    /// Takes notice of a header; tells whether it was `Host`.
    #[inline]
    pub(super) fn note(&mut self, name: &str, value: &[u8]) -> Result<bool, HeadError> {
        match name.len() {
            4 if name.eq_ignore_ascii_case("host") => return self.host(value).map(|()| true),
            6 if name.eq_ignore_ascii_case("expect") => self.expect(value),
            7 if name.eq_ignore_ascii_case("upgrade") => self.upgrade |= !value.is_empty(),
            10 if name.eq_ignore_ascii_case("connection") => self.connection(value),
            14 if name.eq_ignore_ascii_case("content-length") => self.length(value)?,
            17 if name.eq_ignore_ascii_case("transfer-encoding") => self.encoding(value)?,
            _ => {}
        }
        Ok(false)
    }

    pub(super) fn has_host(&self) -> bool {
        self.host
    }

    fn host(&mut self, value: &[u8]) -> Result<(), HeadError> {
        if std::mem::replace(&mut self.host, true) {
            return Err(HeadError::HostTwice);
        }
        if valid_host(value) { Ok(()) } else { Err(HeadError::HostInvalid) }
    }

    fn expect(&mut self, value: &[u8]) {
        let known = value.eq_ignore_ascii_case(b"100-continue");
        self.expect_continue = Some(known && self.expect_continue != Some(false));
    }

    fn connection(&mut self, value: &[u8]) {
        for option in value.split(|b| *b == b',').map(<[u8]>::trim_ascii) {
            match option.len() {
                5 => self.close |= option.eq_ignore_ascii_case(b"close"),
                7 => self.connection_upgrade |= option.eq_ignore_ascii_case(b"upgrade"),
                10 => self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive"),
                _ => {}
            }
        }
    }

    fn length(&mut self, value: &[u8]) -> Result<(), HeadError> {
        let length = decimal(value).ok_or(HeadError::LengthInvalid)?;
        // Even equal ones: whoever sends two has joined heads that were not meant for each other.
        match self.length.replace(length) {
            None => Ok(()),
            Some(_) => Err(HeadError::LengthTwice),
        }
    }

    fn encoding(&mut self, value: &[u8]) -> Result<(), HeadError> {
        match self.chunked.replace(value.eq_ignore_ascii_case(b"chunked")) {
            None => Ok(()),
            Some(_) => Err(HeadError::EncodingTwice),
        }
    }

    /// The sum of what was seen, for a head of `len` bytes.
    pub(super) fn conclude(&self, version: Version, len: usize) -> Result<Request, HeadError> {
        let http11 = version == Version::Http11;
        if http11 && !self.host {
            return Err(HeadError::HostMissing);
        }
        if http11 && self.expect_continue == Some(false) {
            return Err(HeadError::ExpectationUnknown);
        }
        let framing = self.framing(version)?;
        let has_body = !matches!(framing, Framing::None | Framing::Length(0));
        Ok(Request {
            len,
            framing,
            keep_alive: !self.close && (http11 || self.keep_alive),
            expect_continue: http11 && has_body && self.expect_continue == Some(true),
            version,
            upgrade: http11 && self.upgrade && self.connection_upgrade,
        })
    }

    fn framing(&self, version: Version) -> Result<Framing, HeadError> {
        match (self.chunked, self.length) {
            (None, None) => Ok(Framing::None),
            (None, Some(length)) => Ok(Framing::Length(length)),
            (Some(_), Some(_)) => Err(HeadError::LengthAndEncoding),
            (Some(_), None) if version == Version::Http10 => Err(HeadError::EncodingInHttp10),
            (Some(false), None) => Err(HeadError::EncodingUnknown),
            (Some(true), None) => Ok(Framing::Chunked),
        }
    }
}

/// Digits only: no sign, no list, no white space, no overflow.
fn decimal(value: &[u8]) -> Option<u64> {
    let mut number = (!value.is_empty()).then_some(0u64)?;
    for byte in value {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number = number.checked_mul(10)?.checked_add(digit)?;
    }
    Some(number)
}
