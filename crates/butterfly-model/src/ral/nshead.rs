//! nshead: the 36 bytes before every body.
//!
//! ```text
//!  0  u16  id                 8  16 bytes  provider, zero padded    28  u32  reserved
//!  2  u16  version           24  u32       magic, fb709394          32  u32  length of the body
//!  4  u32  log id            all little endian
//! ```

use std::fmt;

/// The length of a header in bytes.
pub const NSHEAD_LEN: usize = 36;
/// What tells a header from other bytes.
const MAGIC: u32 = 0xfb70_9394;
const PROVIDER: std::ops::Range<usize> = 8..24;

/// The header of a request or of a reply.
///
/// # Example
///
/// ```
/// use butterfly_model::ral::Nshead;
///
/// let head = Nshead { log_id: 7, body_len: 4, ..Nshead::new("pynshead") };
/// let bytes = head.to_bytes();
/// assert_eq!(bytes[24..28], [0x94, 0x93, 0x70, 0xfb]);
/// assert_eq!(Nshead::from_bytes(&bytes)?, head);
/// assert_eq!(head.provider_text(), "pynshead");
/// # Ok::<(), butterfly_model::ral::BadMagic>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Nshead {
    /// What the service wants it to be; mostly 0.
    pub id: u16,
    /// The version of the protocol above; mostly 0.
    pub version: u16,
    /// Ties together what one request caused, in everybody's logs.
    pub log_id: u32,
    /// Who sends, padded with zeros.
    pub provider: [u8; 16],
    /// What the service wants it to be; mostly 0.
    pub reserved: u32,
    /// The length of the body in bytes.
    pub body_len: u32,
}

/// These 36 bytes are no nshead: the other side speaks something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadMagic {
    /// What stands where the magic should.
    pub found: u32,
}

impl fmt::Display for BadMagic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no nshead: its magic is {:08x}, not {MAGIC:08x}", self.found)
    }
}

impl std::error::Error for BadMagic {}

impl Nshead {
    /// A header by this provider, of which the first 16 bytes count, and else of zeros.
    #[must_use]
    pub fn new(provider: &str) -> Self {
        let mut head = Self::default();
        for (to, from) in head.provider.iter_mut().zip(provider.bytes()) {
            *to = from;
        }
        head
    }

    /// The provider without its padding; bytes that are no UTF-8 are shown as `�`.
    #[must_use]
    pub fn provider_text(&self) -> std::borrow::Cow<'_, str> {
        let end = self.provider.iter().position(|byte| *byte == 0).unwrap_or(self.provider.len());
        String::from_utf8_lossy(&self.provider[..end])
    }

    /// The header as it goes over the wire.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; NSHEAD_LEN] {
        let mut bytes = [0; NSHEAD_LEN];
        bytes[0..2].copy_from_slice(&self.id.to_le_bytes());
        bytes[2..4].copy_from_slice(&self.version.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.log_id.to_le_bytes());
        bytes[PROVIDER].copy_from_slice(&self.provider);
        bytes[24..28].copy_from_slice(&MAGIC.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.reserved.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.body_len.to_le_bytes());
        bytes
    }

    /// Reads a header.
    ///
    /// # Errors
    ///
    /// When the magic is another one.
    pub fn from_bytes(bytes: &[u8; NSHEAD_LEN]) -> Result<Self, BadMagic> {
        let half = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let word = |at: usize| u32::from(half(at)) | u32::from(half(at + 2)) << 16;
        let found = word(24);
        if found != MAGIC {
            return Err(BadMagic { found });
        }
        let mut provider = [0; 16];
        provider.copy_from_slice(&bytes[PROVIDER]);
        Ok(Self {
            id: half(0),
            version: half(2),
            log_id: word(4),
            provider,
            reserved: word(28),
            body_len: word(32),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_known_header_is_written_and_read() {
        let known = [
            0, 0, 0, 0, 7, 0, 0, 0, 0x70, 0x79, 0x6e, 0x73, 0x68, 0x65, 0x61, 0x64, 0, 0, 0, 0, 0, 0, 0, 0,
            0x94, 0x93, 0x70, 0xfb, 0, 0, 0, 0, 4, 0, 0, 0,
        ];
        let head = Nshead { log_id: 7, body_len: 4, ..Nshead::new("pynshead") };
        assert_eq!(head.to_bytes(), known);
        assert_eq!(Nshead::from_bytes(&known), Ok(head));
    }

    #[test]
    fn another_magic_is_refused_and_shown() {
        let mut bytes = Nshead::new("x").to_bytes();
        bytes[24..28].copy_from_slice(b"HTTP");
        let error = Nshead::from_bytes(&bytes).unwrap_err();
        assert_eq!(error.to_string(), "no nshead: its magic is 50545448, not fb709394");
    }

    #[test]
    fn a_long_provider_is_cut_and_a_strange_one_shown() {
        assert_eq!(Nshead::new("a provider that is too long").provider_text(), "a provider that ");
        assert_eq!(Nshead { provider: [0xff; 16], ..Nshead::default() }.provider_text(), "�".repeat(16));
    }

    proptest! {
        #[test]
        fn every_header_comes_back(
            id: u16, version: u16, log_id: u32, provider: [u8; 16], reserved: u32, body_len: u32,
        ) {
            let head = Nshead { id, version, log_id, provider, reserved, body_len };
            prop_assert_eq!(Nshead::from_bytes(&head.to_bytes()), Ok(head));
        }
    }
}
