//! What is in a stream: ids, fields, entries.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redis::{Cmd, Value};

use crate::redis::{RedisError, Stored, strange, text};

/// The id of an entry: Unix milliseconds, and a number for those of one millisecond.
///
/// # Example
///
/// ```
/// use butterfly_model::redis::StreamId;
///
/// let id: StreamId = "1700000000000-3".parse()?;
/// assert_eq!((id.ms, id.seq), (1_700_000_000_000, 3));
/// assert!(id < StreamId::of(id.time() + std::time::Duration::from_millis(1)));
/// # Ok::<(), butterfly_model::redis::RedisError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// Unix milliseconds.
    pub ms: u64,
    /// The number within the millisecond.
    pub seq: u64,
}

impl StreamId {
    /// Before all entries.
    pub const MIN: Self = Self { ms: 0, seq: 0 };
    /// After all entries.
    pub const MAX: Self = Self { ms: u64::MAX, seq: u64::MAX };

    /// The lowest id of a time; times before 1970 have the lowest of all.
    #[must_use]
    pub fn of(time: SystemTime) -> Self {
        let ms = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        Self { ms: u64::try_from(ms).unwrap_or(u64::MAX), seq: 0 }
    }

    /// The time of this id, to the millisecond. What is beyond the clock's range is the end of that.
    #[must_use]
    pub fn time(self) -> SystemTime {
        const FAR: Duration = Duration::from_millis(1 << 53);
        UNIX_EPOCH + Duration::from_millis(self.ms).min(FAR)
    }

    /// The id that follows.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        match (self.seq.checked_add(1), self.ms.checked_add(1)) {
            (Some(seq), _) => Some(Self { seq, ..self }),
            (None, Some(ms)) => Some(Self { ms, seq: 0 }),
            (None, None) => None,
        }
    }

    /// The id before.
    #[must_use]
    pub fn previous(self) -> Option<Self> {
        match (self.seq.checked_sub(1), self.ms.checked_sub(1)) {
            (Some(seq), _) => Some(Self { seq, ..self }),
            (None, Some(ms)) => Some(Self { ms, seq: u64::MAX }),
            (None, None) => None,
        }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

impl FromStr for StreamId {
    type Err = RedisError;

    fn from_str(text: &str) -> Result<Self, RedisError> {
        let read = || {
            let (ms, seq) = text.split_once('-')?;
            Some(Self { ms: ms.parse().ok()?, seq: seq.parse().ok()? })
        };
        read().ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            RedisError::Unreadable(format!("{shown:?} is no id of a stream: write 1700000000000-0"))
        })
    }
}

/// The fields of an entry that is to be added, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, Vec<u8>)>);

impl Fields {
    /// No field yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more field.
    ///
    /// # Errors
    ///
    /// [`RedisError::Invalid`] when the value has no form in Redis.
    pub fn with(mut self, name: impl Into<String>, value: &impl Stored) -> Result<Self, RedisError> {
        self.0.push((name.into(), value.store()?));
        Ok(self)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn write(&self, command: &mut Cmd) {
        for (name, value) in &self.0 {
            command.arg(name).arg(value);
        }
    }
}

/// An entry of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: StreamId,
    /// Its fields, in their order. None where the entry was removed while a consumer had it.
    pub fields: Vec<(String, Vec<u8>)>,
}

impl Entry {
    /// A field's value.
    ///
    /// # Errors
    ///
    /// [`RedisError::Unreadable`] when there is no such field, or it is of another type.
    pub fn get<V: Stored>(&self, name: &str) -> Result<V, RedisError> {
        let found = self.fields.iter().find(|(known, _)| known == name);
        let Some((_, value)) = found else {
            return Err(RedisError::Unreadable(format!("the entry {} has no field {name:?}", self.id)));
        };
        V::load(value)
    }
}

/// Reads entries: an id and its fields each, in arrays.
pub(super) fn entries(value: Value) -> Result<Vec<Entry>, RedisError> {
    array(value)?.into_iter().filter(|entry| *entry != Value::Nil).map(entry).collect()
}

/// Reads what one stream answered of those that were asked.
pub(super) fn of_streams(value: Value) -> Result<Vec<Entry>, RedisError> {
    match array(value)?.into_iter().next() {
        None => Ok(Vec::new()),
        Some(stream) => match array(stream)?.into_iter().nth(1) {
            Some(found) => entries(found),
            None => Err(strange(&Value::Nil)),
        },
    }
}

fn entry(value: Value) -> Result<Entry, RedisError> {
    let mut parts = array(value)?.into_iter();
    let id = text(parts.next().unwrap_or(Value::Nil))?.parse()?;
    let mut values = array(parts.next().unwrap_or(Value::Nil))?.into_iter();
    let mut fields = Vec::with_capacity(values.len() / 2);
    while let Some(name) = values.next() {
        match values.next() {
            Some(Value::BulkString(value)) => fields.push((text(name)?, value)),
            other => return Err(strange(&other.unwrap_or(Value::Nil))),
        }
    }
    Ok(Entry { id, fields })
}

pub(super) fn array(value: Value) -> Result<Vec<Value>, RedisError> {
    match value {
        Value::Array(parts) => Ok(parts),
        Value::Nil => Ok(Vec::new()),
        other => Err(strange(&other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_and_follow_one_another() {
        let id = StreamId { ms: 5, seq: 0 };
        assert_eq!(id.previous(), Some(StreamId { ms: 4, seq: u64::MAX }));
        assert_eq!(id.previous().unwrap().next(), Some(id));
        assert_eq!((StreamId::MIN.previous(), StreamId::MAX.next()), (None, None));
        assert_eq!(id.to_string().parse::<StreamId>().unwrap(), id);
        assert_eq!(StreamId::of(UNIX_EPOCH + Duration::from_micros(5_999)), id);
        assert!(StreamId::MAX.time() > SystemTime::now());
        for bad in ["", "5", "-", "5-x", "x-5", "5-5-5", "-5-1"] {
            assert!(bad.parse::<StreamId>().is_err(), "{bad}");
        }
    }
}
