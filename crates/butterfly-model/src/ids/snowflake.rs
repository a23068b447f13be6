//! One snowflake id: its parts, its text, its JSON.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::ser::{Serialize, Serializer};

/// 2020-01-01T00:00:00Z in milliseconds since 1970: where the time of a snowflake starts.
pub const EPOCH_MS: u64 = 1_577_836_800_000;

pub(super) const SEQUENCE_BITS: u32 = 12;
pub(super) const SEQUENCE_MAX: u64 = (1 << SEQUENCE_BITS) - 1;
const WORKER_SHIFT: u32 = SEQUENCE_BITS;
const DATACENTER_SHIFT: u32 = WORKER_SHIFT + 5;
const TIME_SHIFT: u32 = DATACENTER_SHIFT + 5;
const FIVE_BITS: u64 = 31;
/// The last time that an id can hold, in milliseconds since its epoch.
pub(super) const TIME_MAX: u64 = (1 << 41) - 1;

/// A snowflake id: a positive number that says when and where it was made.
///
/// As JSON it is a text, because JavaScript rounds numbers of its size; a number is read as well. Formats that are not
/// for humans hold a number.
///
/// # Example
///
/// ```
/// use butterfly_model::ids::Snowflake;
///
/// let id = Snowflake::from_parts(1_735_689_600_000, 3, 7, 42).unwrap();
/// assert_eq!((id.unix_ms(), id.datacenter(), id.worker(), id.sequence()), (1_735_689_600_000, 3, 7, 42));
/// assert_eq!(id.to_string().parse(), Ok(id));
/// assert_eq!(serde_json::to_string(&id)?, format!("\"{id}\""));
/// assert_eq!(serde_json::from_str::<Snowflake>(&id.to_string())?, id);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Snowflake(u64);

/// Why a number or a text is no snowflake id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseSnowflakeError;

impl fmt::Display for ParseSnowflakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a snowflake id is a whole number from 0 to 9223372036854775807")
    }
}

impl std::error::Error for ParseSnowflakeError {}

impl Snowflake {
    /// The id of these parts, the time in milliseconds since 1970; `None` when a part does not fit.
    #[must_use]
    pub fn from_parts(unix_ms: u64, datacenter: u8, worker: u8, sequence: u16) -> Option<Self> {
        let ms = unix_ms.checked_sub(EPOCH_MS)?;
        let (datacenter, worker, sequence) = (u64::from(datacenter), u64::from(worker), u64::from(sequence));
        let fits =
            ms <= TIME_MAX && datacenter <= FIVE_BITS && worker <= FIVE_BITS && sequence <= SEQUENCE_MAX;
        let id = ms << TIME_SHIFT | datacenter << DATACENTER_SHIFT | worker << WORKER_SHIFT | sequence;
        fits.then_some(Self(id))
    }

    /// The id as a number.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }

    /// The id as databases hold it; never negative.
    #[must_use]
    pub fn as_i64(self) -> i64 {
        self.0.cast_signed()
    }

    /// When the id was made, in milliseconds since 1970.
    #[must_use]
    pub fn unix_ms(self) -> u64 {
        (self.0 >> TIME_SHIFT) + EPOCH_MS
    }

    /// When the id was made, to the millisecond.
    #[must_use]
    pub fn time(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.unix_ms())
    }

    /// The datacenter that made it, at most 31.
    #[must_use]
    pub fn datacenter(self) -> u8 {
        (self.0 >> DATACENTER_SHIFT & FIVE_BITS) as u8
    }

    /// The worker that made it, at most 31.
    #[must_use]
    pub fn worker(self) -> u8 {
        (self.0 >> WORKER_SHIFT & FIVE_BITS) as u8
    }

    /// Its place among the ids of its millisecond and worker, at most 4095.
    #[must_use]
    pub fn sequence(self) -> u16 {
        (self.0 & SEQUENCE_MAX) as u16
    }
}

impl TryFrom<u64> for Snowflake {
    type Error = ParseSnowflakeError;

    fn try_from(id: u64) -> Result<Self, ParseSnowflakeError> {
        if id <= i64::MAX.cast_unsigned() { Ok(Self(id)) } else { Err(ParseSnowflakeError) }
    }
}

impl TryFrom<i64> for Snowflake {
    type Error = ParseSnowflakeError;

    fn try_from(id: i64) -> Result<Self, ParseSnowflakeError> {
        u64::try_from(id).map(Self).map_err(|_| ParseSnowflakeError)
    }
}

impl From<Snowflake> for u64 {
    fn from(id: Snowflake) -> Self {
        id.0
    }
}

impl From<Snowflake> for i64 {
    fn from(id: Snowflake) -> Self {
        id.as_i64()
    }
}

impl FromStr for Snowflake {
    type Err = ParseSnowflakeError;

    fn from_str(text: &str) -> Result<Self, ParseSnowflakeError> {
        // `parse` alone would take a sign.
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ParseSnowflakeError);
        }
        text.parse::<u64>().map_err(|_| ParseSnowflakeError)?.try_into()
    }
}

impl fmt::Display for Snowflake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Snowflake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snowflake({self})")
    }
}

impl Serialize for Snowflake {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_u64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Snowflake {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IdVisitor;
        impl Visitor<'_> for IdVisitor {
            type Value = Snowflake;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a snowflake id, as a text or a number")
            }

            fn visit_u64<E: serde::de::Error>(self, id: u64) -> Result<Snowflake, E> {
                id.try_into().map_err(E::custom)
            }

            fn visit_i64<E: serde::de::Error>(self, id: i64) -> Result<Snowflake, E> {
                id.try_into().map_err(E::custom)
            }

            fn visit_str<E: serde::de::Error>(self, id: &str) -> Result<Snowflake, E> {
                id.parse().map_err(E::custom)
            }
        }
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(IdVisitor)
        } else {
            u64::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_go_in_and_come_out(
            ms in EPOCH_MS..=EPOCH_MS + TIME_MAX, datacenter in 0..32u8, worker in 0..32u8, sequence in 0..4096u16,
        ) {
            let id = Snowflake::from_parts(ms, datacenter, worker, sequence).unwrap();
            prop_assert_eq!(
                (id.unix_ms(), id.datacenter(), id.worker(), id.sequence()),
                (ms, datacenter, worker, sequence)
            );
            prop_assert!(id.as_i64() >= 0);
            prop_assert_eq!(Snowflake::try_from(id.as_i64()), Ok(id));
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<Snowflake>(&json).unwrap(), id);
        }

        #[test]
        fn ids_sort_as_their_times_do(
            a in EPOCH_MS..EPOCH_MS + TIME_MAX, ahead in 1..1_000_000u64, parts in (0..32u8, 0..32u8, 0..4096u16),
        ) {
            let b = (a + ahead).min(EPOCH_MS + TIME_MAX);
            let earlier = Snowflake::from_parts(a, 31, 31, 4095).unwrap();
            let later = Snowflake::from_parts(b, parts.0, parts.1, parts.2).unwrap();
            prop_assert!(earlier < later);
        }
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        assert_eq!(Snowflake::from_parts(EPOCH_MS - 1, 0, 0, 0), None);
        assert_eq!(Snowflake::from_parts(EPOCH_MS + TIME_MAX + 1, 0, 0, 0), None);
        assert_eq!(Snowflake::from_parts(EPOCH_MS, 32, 0, 0), None);
        assert_eq!(Snowflake::from_parts(EPOCH_MS, 0, 32, 0), None);
        assert_eq!(Snowflake::from_parts(EPOCH_MS, 0, 0, 4096), None);
        assert_eq!(Snowflake::from_parts(EPOCH_MS, 0, 0, 0).map(Snowflake::get), Some(0));
        assert_eq!(
            Snowflake::from_parts(EPOCH_MS + TIME_MAX, 31, 31, 4095).map(Snowflake::as_i64),
            Some(i64::MAX)
        );
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for bad in ["", "-1", "+1", " 1", "1.0", "9223372036854775808", "99999999999999999999", "x"] {
            assert!(bad.parse::<Snowflake>().is_err(), "{bad:?}");
            assert!(serde_json::from_value::<Snowflake>(bad.into()).is_err(), "{bad:?}");
        }
        assert!(serde_json::from_str::<Snowflake>("-1").is_err());
        assert!(serde_json::from_str::<Snowflake>("18446744073709551615").is_err());
        assert!(serde_json::from_str::<Snowflake>("1.5").is_err());
    }
}
