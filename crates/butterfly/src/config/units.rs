//! Sizes and times as people write them: `2MiB`, `1m30s`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error as _, Unexpected, Visitor};
use serde::ser::{Serialize, Serializer};
use toml::Value;

use super::setting::{Setting, wrong_type};

/// A number of bytes, written `2MiB`, `512 KB` or `1024`.
///
/// # Example
///
/// ```
/// use butterfly::config::ByteSize;
///
/// let size: ByteSize = "2MiB".parse()?;
/// assert_eq!(size.as_u64(), 2 * 1024 * 1024);
/// assert_eq!(size.to_string(), "2MiB");
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(u64);

/// Largest first in each family; the binary ones come first because they are what sizes usually are.
const SIZE_UNITS: [(&str, u64); 8] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
];

impl ByteSize {
    /// So many bytes.
    pub const fn bytes(count: u64) -> Self {
        Self(count)
    }

    /// So many KiB (1024 bytes); stops at the largest size there is.
    pub const fn kib(count: u64) -> Self {
        Self(count.saturating_mul(1 << 10))
    }

    /// So many MiB (1024 KiB); stops at the largest size there is.
    pub const fn mib(count: u64) -> Self {
        Self(count.saturating_mul(1 << 20))
    }

    fn from_count(count: u64) -> Result<Self, String> {
        Ok(Self(count))
    }

    /// The number of bytes.
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The number of bytes as a length in memory; stops at `usize::MAX`.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, unit) = split_number(text.trim())?;
        Ok(Self(number.checked_mul(size_unit(unit.trim())?).ok_or("it is too large")?))
    }
}

fn size_unit(unit: &str) -> Result<u64, String> {
    if unit.is_empty() || unit.eq_ignore_ascii_case("b") {
        return Ok(1);
    }
    let known = SIZE_UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
    known.map(|(_, factor)| *factor).ok_or_else(|| match unit.to_ascii_uppercase().as_str() {
        letter @ ("K" | "M" | "G" | "T") => format!("write {letter}iB (of 1024) or {letter}B (of 1000)"),
        _ => format!("unknown unit {unit:?}"),
    })
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |(_, factor): &&(&str, u64)| self.0 >= *factor && self.0.is_multiple_of(*factor);
        match SIZE_UNITS.iter().find(whole) {
            Some((unit, factor)) => write!(f, "{}{unit}", self.0 / factor),
            None => write!(f, "{}B", self.0),
        }
    }
}

/// A length of time, written `10s`, `1m30s`, `500ms` or `1d`; a bare number is seconds. At most ten years.
///
/// # Example
///
/// ```
/// use butterfly::config::Span;
/// use std::time::Duration;
///
/// let span: Span = "1m30s".parse()?;
/// assert_eq!(span.as_duration(), Duration::from_secs(90));
/// assert_eq!(span.to_string(), "1m30s");
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    millis: u64,
}

const SPAN_UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Ten years: more is a slip, and keeps `Instant + span` from ever overflowing.
const LONGEST: u64 = 3_650 * 86_400_000;

impl Span {
    /// So many milliseconds; stops at ten years.
    pub const fn millis(count: u64) -> Self {
        Self { millis: if count < LONGEST { count } else { LONGEST } }
    }

    /// So many seconds; stops at ten years.
    pub const fn secs(count: u64) -> Self {
        Self::millis(count.saturating_mul(1_000))
    }

    /// As the standard library's type.
    pub const fn as_duration(self) -> Duration {
        Duration::from_millis(self.millis)
    }

    /// Whether this is no time at all.
    pub const fn is_zero(self) -> bool {
        self.millis == 0
    }

    fn from_count(seconds: u64) -> Result<Self, String> {
        Self::checked(seconds.checked_mul(1_000))
    }

    fn checked(millis: Option<u64>) -> Result<Self, String> {
        let millis = millis.filter(|millis| *millis <= LONGEST);
        millis.map(Self::millis).ok_or_else(|| "it is longer than 3650d".to_owned())
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut rest = text.trim();
        let mut total = Some(0u64);
        loop {
            let (number, after) = split_number(rest)?;
            let after = after.trim_start();
            let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
            let factor = span_unit(after[..end].trim(), text.trim())?;
            total = total.and_then(|sum| sum.checked_add(number.checked_mul(factor)?));
            rest = &after[end..];
            if rest.is_empty() {
                return Self::checked(total);
            }
        }
    }
}

/// The factor of a unit; only a text that is one bare number may leave it out.
fn span_unit(unit: &str, text: &str) -> Result<u64, String> {
    if unit.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(1_000);
    }
    let known = SPAN_UNITS.iter().find(|(name, _)| *name == unit);
    known.map(|(_, factor)| *factor).ok_or_else(|| format!("unknown unit {unit:?}"))
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.millis == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.millis;
        for (unit, factor) in SPAN_UNITS {
            if rest >= factor {
                write!(f, "{}{unit}", rest / factor)?;
                rest %= factor;
            }
        }
        Ok(())
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Self {
        span.as_duration()
    }
}

/// The leading whole number, and what follows it.
fn split_number(text: &str) -> Result<(u64, &str), String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    if number.is_empty() {
        return Err("it does not start with a whole number".to_owned());
    }
    Ok((number.parse().map_err(|_| "it is too large")?, rest))
}

/// What both units share: text or a whole number in, text out; in the configuration and in the user's own types.
macro_rules! unit {
    ($name:ident, $accepts:literal) => {
        impl $name {
            fn from_number(number: i64) -> Result<Self, String> {
                Self::from_count(u64::try_from(number).map_err(|_| "it is negative")?)
            }
        }

        impl Setting for $name {
            const ACCEPTS: &'static str = $accepts;

            fn from_text(text: &str) -> Result<Self, String> {
                text.parse()
            }

            fn from_value(value: &Value) -> Result<Self, String> {
                match value {
                    Value::String(text) => text.parse(),
                    Value::Integer(number) => Self::from_number(*number),
                    other => Err(wrong_type(other)),
                }
            }

            fn to_value(&self) -> Value {
                Value::String(self.to_string())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Reader;
                impl Visitor<'_> for Reader {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($accepts)
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
                    }

                    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<$name, E> {
                        $name::from_number(number)
                            .map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
                    }

                    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<$name, E> {
                        $name::from_count(number)
                            .map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
                    }
                }
                deserializer.deserialize_any(Reader).map_err(D::Error::custom)
            }
        }
    };
}

unit!(ByteSize, "a size such as 2MiB, 512 KB or 1024");
unit!(Span, "a time such as 10s, 1m30s, 500ms, 1d or 60 (seconds)");
