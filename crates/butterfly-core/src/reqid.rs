//! The id of a call: where it entered, and when.
//!
//! Sixteen upper-case hex digits, as the original's, with a layout of our own, because the original's repeats above
//! 16 ids in 410 µs and decodes ids made after 2025-03-13 to the wrong year:
//!
//! ```text
//!  40 bits  milliseconds since 2020-01-01 UTC (until the year 2054)
//!  16 bits  lane: host hash xor process id; two live processes of one host never share their first lane
//!   8 bits  count within the millisecond and the lane
//! ```
//!
//! Above 256 ids in a millisecond a process goes on in the next lane, so ids stay unique in a process at any rate,
//! and their time is always right.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// 2020-01-01T00:00:00Z in Unix milliseconds.
const EPOCH_MS: u64 = 1_577_836_800_000;
const COUNT_BITS: u32 = 24;
const MAX_LEN: usize = 40;

/// The id of a call, at most 40 characters of `A-Z a-z 0-9 _ - .`.
///
/// # Example
///
/// ```
/// use butterfly_core::ReqId;
///
/// let id = ReqId::new();
/// assert_eq!(id.as_str().len(), 16);
/// let parts = id.decode().unwrap();
/// assert!(parts.time <= std::time::SystemTime::now());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReqId {
    text: [u8; MAX_LEN],
    len: u8,
}

/// What an id says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReqIdParts {
    /// When the id was made, to the millisecond.
    pub time: SystemTime,
    /// Which process made it: a hash of host and process id.
    pub lane: u16,
    /// The count within its millisecond and lane.
    pub count: u8,
}

/// Why a text is no reqid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReqIdError;

impl fmt::Display for ReqIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a reqid is 1 to 40 characters of A-Z a-z 0-9 _ - .; one that can be decoded is 16 hex digits",
        )
    }
}

impl std::error::Error for ReqIdError {}

impl Default for ReqId {
    fn default() -> Self {
        Self::new()
    }
}

impl ReqId {
    /// A new id, made now.
    #[must_use]
    pub fn new() -> Self {
        Self::at(crate::ctx::now_ms())
    }

    /// A new id for a call that entered at this time, in Unix milliseconds.
    #[must_use]
    pub fn at(unix_ms: u64) -> Self {
        Self::from_bits(spread(next(unix_ms.saturating_sub(EPOCH_MS)), lane()))
    }

    fn from_bits(bits: u64) -> Self {
        const HEX: &[u8; 16] = b"0123456789ABCDEF";
        let mut text = [0; MAX_LEN];
        for (index, digit) in text.iter_mut().take(16).enumerate() {
            *digit = HEX[(bits >> (60 - 4 * index)) as usize & 15];
        }
        Self { text, len: 16 }
    }

    /// The id with a prefix of at most 24 characters, such as `DEV_` for calls made on the command line.
    ///
    /// # Errors
    ///
    /// When the whole would not be a reqid.
    pub fn prefixed(self, prefix: &str) -> Result<Self, ReqIdError> {
        format!("{prefix}{self}").parse()
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// The id as bytes, all of them ASCII.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.text[..usize::from(self.len)]
    }

    /// When and where an id of ours was made; ids of others have no parts. A `DEV_` prefix is passed over.
    ///
    /// # Errors
    ///
    /// When the id is not 16 hex digits.
    pub fn decode(&self) -> Result<ReqIdParts, ReqIdError> {
        let digits = self.as_str().trim_start_matches("DEV_");
        if digits.len() != 16 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(ReqIdError);
        }
        let bits = u64::from_str_radix(digits, 16).map_err(|_| ReqIdError)?;
        let time = UNIX_EPOCH + Duration::from_millis((bits >> COUNT_BITS) + EPOCH_MS);
        Ok(ReqIdParts { time, lane: (bits >> 8) as u16, count: bits as u8 })
    }
}

/// The next (milliseconds, count) of this process: the clock may stand still or go back, the pair never does.
fn next(now_ms: u64) -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let step = |last: u64| (now_ms << COUNT_BITS).max(last + 1);
    let mut last = LAST.load(Ordering::Relaxed);
    loop {
        let new = step(last);
        match LAST.compare_exchange_weak(last, new, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return new,
            Err(seen) => last = seen,
        }
    }
}

/// Lays the upper 16 bits of the count over the lanes: the first 256 ids of a millisecond stay in the process's own.
fn spread(stamp: u64, lane: u16) -> u64 {
    let overflow = (stamp >> 8) as u16;
    let used = lane.wrapping_add(overflow.wrapping_mul(0x9E37));
    stamp & !0xFF_FF00 | u64::from(used) << 8
}

fn lane() -> u16 {
    static LANE: OnceLock<u16> = OnceLock::new();
    *LANE.get_or_init(|| {
        let host = ["/etc/machine-id", "/etc/hostname", "/proc/sys/kernel/random/boot_id"]
            .iter()
            .filter_map(|file| std::fs::read(file).ok())
            .fold(0xCBF2_9CE4_8422_2325_u64, |hash, bytes| {
                bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
            });
        let pid = std::process::id();
        (host >> 48) as u16 ^ (host >> 16) as u16 ^ pid as u16 ^ (pid >> 16) as u16
    })
}

impl FromStr for ReqId {
    type Err = ReqIdError;

    fn from_str(text: &str) -> Result<Self, ReqIdError> {
        let fits = (1..=MAX_LEN).contains(&text.len());
        let clean = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
        if !(fits && clean) {
            return Err(ReqIdError);
        }
        let mut id = Self { text: [0; MAX_LEN], len: text.len() as u8 };
        id.text[..text.len()].copy_from_slice(text.as_bytes());
        Ok(id)
    }
}

impl fmt::Display for ReqId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ReqId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReqId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn two_million_ids_from_four_threads_differ_and_decode_to_their_time() {
        let before = SystemTime::now() - Duration::from_millis(1);
        let makers: Vec<_> = (0..4)
            .map(|_| std::thread::spawn(|| (0..500_000).map(|_| ReqId::new()).collect::<Vec<_>>()))
            .collect();
        let ids: Vec<ReqId> = makers.into_iter().flat_map(|maker| maker.join().unwrap()).collect();
        let after = SystemTime::now();
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 2_000_000);
        for id in ids {
            let time = id.decode().unwrap().time;
            assert!(time >= before && time <= after, "{id} decodes to {time:?}");
        }
    }

    #[test]
    fn every_count_of_a_millisecond_has_an_id_of_its_own() {
        let ids: HashSet<u64> =
            (0..1 << COUNT_BITS).map(|count| spread(7 << COUNT_BITS | count, 0xBEEF)).collect();
        assert_eq!(ids.len(), 1 << COUNT_BITS);
    }

    #[test]
    fn foreign_ids_are_kept_and_hostile_ones_refused() {
        let uuid: ReqId = "0b4c9f5e-6f0e-4a61-9d5c-1d5a3d0a7c11".parse().unwrap();
        assert_eq!(uuid.decode(), Err(ReqIdError));
        for bad in ["", "a b", "a\nb", "é", &"x".repeat(41)] {
            assert_eq!(bad.parse::<ReqId>(), Err(ReqIdError), "{bad:?}");
        }
        assert_eq!(ReqId::new().prefixed("DEV_").unwrap().as_str().len(), 20);
    }
}
