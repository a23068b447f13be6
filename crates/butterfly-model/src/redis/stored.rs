//! How a value is written in Redis: as the text that Redis and its tools know, so that others can read it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::RedisError;

/// A value that can be written in Redis and read again.
///
/// | type | written as |
/// | --- | --- |
/// | integers | decimal digits, so that Redis can count with them |
/// | `f32`, `f64` | decimal digits; no infinity and no NaN |
/// | `bool` | `1` or `0` |
/// | `String` | itself |
/// | `Vec<u8>` | itself |
/// | [`Uuid`] | 32 hex digits with hyphens |
/// | [`SystemTime`] | Unix milliseconds |
/// | [`Json<T>`] | JSON |
///
/// # Example
///
/// ```
/// use butterfly_model::redis::{Json, Stored};
///
/// assert_eq!(true.store()?, b"1");
/// assert_eq!(Json(vec![1, 2]).store()?, b"[1,2]");
/// assert_eq!(i64::load(b"-7")?, -7);
/// assert!(u8::load(b"256").is_err());
/// # Ok::<(), butterfly_model::redis::RedisError>(())
/// ```
pub trait Stored: Sized {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// [`RedisError::Invalid`] when it has no form in Redis.
    fn store(&self) -> Result<Vec<u8>, RedisError>;

    /// Reads it.
    ///
    /// # Errors
    ///
    /// [`RedisError::Unreadable`] when the bytes are something else.
    fn load(bytes: &[u8]) -> Result<Self, RedisError>;
}

/// A value of any type that serde knows, as JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Json<T>(pub T);

impl<T: Serialize + DeserializeOwned> Stored for Json<T> {
    fn store(&self) -> Result<Vec<u8>, RedisError> {
        serde_json::to_vec(&self.0)
            .map_err(|error| RedisError::Invalid(format!("a value has no form in JSON: {error}")))
    }

    fn load(bytes: &[u8]) -> Result<Self, RedisError> {
        serde_json::from_slice(bytes).map(Self).map_err(|error| unreadable("JSON of its type", bytes, &error))
    }
}

impl Stored for String {
    fn store(&self) -> Result<Vec<u8>, RedisError> {
        Ok(self.clone().into_bytes())
    }

    fn load(bytes: &[u8]) -> Result<Self, RedisError> {
        text(bytes, "text in UTF-8").map(str::to_owned)
    }
}

impl Stored for Vec<u8> {
    fn store(&self) -> Result<Vec<u8>, RedisError> {
        Ok(self.clone())
    }

    fn load(bytes: &[u8]) -> Result<Self, RedisError> {
        Ok(bytes.to_vec())
    }
}

impl Stored for bool {
    fn store(&self) -> Result<Vec<u8>, RedisError> {
        Ok(vec![if *self { b'1' } else { b'0' }])
    }

    fn load(bytes: &[u8]) -> Result<Self, RedisError> {
        match bytes {
            b"1" => Ok(true),
            b"0" => Ok(false),
            _ => Err(unreadable("1 or 0", bytes, &"it is neither")),
        }
    }
}

macro_rules! integers {
    ($($type:ident)+) => {$(
        impl Stored for $type {
            fn store(&self) -> Result<Vec<u8>, RedisError> {
                Ok(self.to_string().into_bytes())
            }

            fn load(bytes: &[u8]) -> Result<Self, RedisError> {
                let what = concat!("a number (", stringify!($type), ")");
                text(bytes, what)?.parse().map_err(|error| unreadable(what, bytes, &error))
            }
        }
    )+};
}
integers!(i8 i16 i32 i64 u8 u16 u32 u64 isize usize);

macro_rules! floats {
    ($($type:ident)+) => {$(
        impl Stored for $type {
            fn store(&self) -> Result<Vec<u8>, RedisError> {
                if !self.is_finite() {
                    return Err(RedisError::Invalid(format!("{self} is no number that Redis can hold")));
                }
                Ok(self.to_string().into_bytes())
            }

            fn load(bytes: &[u8]) -> Result<Self, RedisError> {
                text(bytes, "a number")?.parse().map_err(|error| unreadable("a number", bytes, &error))
            }
        }
    )+};
}
floats!(f32 f64);

impl Stored for Uuid {
    fn store(&self) -> Result<Vec<u8>, RedisError> {
        Ok(self.to_string().into_bytes())
    }

    fn load(bytes: &[u8]) -> Result<Self, RedisError> {
        Self::try_parse_ascii(bytes).map_err(|error| unreadable("a UUID", bytes, &error))
    }
}

impl Stored for SystemTime {
    fn store(&self) -> Result<Vec<u8>, RedisError> {
        let ms = match self.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()),
            Err(before) => i64::try_from(before.duration().as_millis()).map(|ms| -ms),
        };
        ms.map_err(|_| RedisError::Invalid("a time is too far away".into()))?.store()
    }

    fn load(bytes: &[u8]) -> Result<Self, RedisError> {
        let ms = i64::load(bytes)?;
        let distance = Duration::from_millis(ms.unsigned_abs());
        let time = if ms < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) };
        time.ok_or_else(|| unreadable("a time in Unix milliseconds", bytes, &"it is too far away"))
    }
}

fn text<'a>(bytes: &'a [u8], what: &str) -> Result<&'a str, RedisError> {
    std::str::from_utf8(bytes).map_err(|error| unreadable(what, bytes, &error))
}

fn unreadable(what: &str, bytes: &[u8], why: &dyn std::fmt::Display) -> RedisError {
    let shown: String = String::from_utf8_lossy(bytes).chars().take(40).collect();
    RedisError::Unreadable(format!("{shown:?} is not {what}: {why}"))
}

/// Milliseconds of a time to live, which Redis wants from 1.
pub(super) fn millis(ttl: Duration) -> Result<u64, RedisError> {
    u64::try_from(ttl.as_millis())
        .ok()
        .filter(|ms| (1..1 << 50).contains(ms))
        .ok_or_else(|| RedisError::Invalid(format!("{ttl:?} is no time to live: give a millisecond or more")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back<T: Stored + PartialEq + std::fmt::Debug>(value: T) {
        assert_eq!(T::load(&value.store().unwrap()).unwrap(), value);
    }

    #[test]
    fn values_come_back() {
        back(i64::MIN);
        back(u64::MAX);
        back(0.1_f64 + 0.2);
        back(f64::MAX);
        back(f32::MIN_POSITIVE);
        back(true);
        back("{a}\n\0中".to_owned());
        back(vec![0u8, 255, 10]);
        back(Uuid::from_u128(7));
        back(UNIX_EPOCH + Duration::from_millis(1_700_000_000_123));
        back(UNIX_EPOCH - Duration::from_millis(5));
        back(Json(vec![(1, "a".to_owned())]));
    }

    #[test]
    fn what_has_no_form_is_refused() {
        assert!(f64::NAN.store().is_err());
        assert!(f64::INFINITY.store().is_err());
        assert!(Json(std::collections::BTreeMap::from([((1, 2), 3)])).store().is_err());
        for error in [
            String::load(&[255]).unwrap_err(),
            bool::load(b"yes").unwrap_err(),
            u8::load(b"-1").unwrap_err(),
            Json::<u8>::load(b"[").unwrap_err(),
            SystemTime::load(b"now").unwrap_err(),
        ] {
            assert!(matches!(error, RedisError::Unreadable(_)), "{error}");
        }
        assert!(millis(Duration::ZERO).is_err());
    }
}
