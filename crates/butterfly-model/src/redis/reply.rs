//! Reading what scripts answer.

use redis::Value;

use super::RedisError;
use super::error::strange;

/// The parts of a script's answer, in order.
///
/// # Example
///
/// ```
/// use butterfly_model::redis::{Reply, Value};
///
/// let answer = Value::Array(vec![Value::Int(3), Value::BulkString(b"three".to_vec())]);
/// let mut reply = Reply::new(answer)?;
/// assert_eq!((reply.number()?, reply.text()?), (3, "three".into()));
/// assert!(reply.is_empty());
/// # Ok::<(), butterfly_model::redis::RedisError>(())
/// ```
#[derive(Debug)]
pub struct Reply {
    parts: std::vec::IntoIter<Value>,
}

impl Reply {
    /// The parts of an answer.
    ///
    /// # Errors
    ///
    /// [`RedisError::Unreadable`] when the answer is no array.
    pub fn new(value: Value) -> Result<Self, RedisError> {
        match value {
            Value::Array(parts) => Ok(Self { parts: parts.into_iter() }),
            other => Err(strange(&other)),
        }
    }

    /// How many parts are left.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// The next part, as bytes.
    ///
    /// # Errors
    ///
    /// [`RedisError::Unreadable`] when there is none, or it is no string.
    pub fn bytes(&mut self) -> Result<Vec<u8>, RedisError> {
        match self.parts.next() {
            Some(Value::BulkString(bytes)) => Ok(bytes),
            Some(Value::SimpleString(text)) => Ok(text.into_bytes()),
            Some(other) => Err(strange(&other)),
            None => Err(strange(&Value::Nil)),
        }
    }

    /// The next part, as text.
    ///
    /// # Errors
    ///
    /// [`RedisError::Unreadable`] when there is none, or it is no UTF-8.
    pub fn text(&mut self) -> Result<String, RedisError> {
        String::from_utf8(self.bytes()?).map_err(|_| strange(&Value::Nil))
    }

    /// The next part, as a number.
    ///
    /// # Errors
    ///
    /// [`RedisError::Unreadable`] when there is none, or it is no number from 0.
    pub fn number(&mut self) -> Result<u64, RedisError> {
        match self.parts.next() {
            Some(value) => number(&value),
            None => Err(strange(&Value::Nil)),
        }
    }

    /// Whether no part is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next part, as it is.
    ///
    /// # Errors
    ///
    /// [`RedisError::Unreadable`] when there is none.
    pub fn value(&mut self) -> Result<Value, RedisError> {
        self.parts.next().ok_or_else(|| strange(&Value::Nil))
    }

    /// A text, or nothing where it is empty.
    ///
    /// # Errors
    ///
    /// As [`text`](Self::text).
    pub fn optional(&mut self) -> Result<Option<String>, RedisError> {
        Ok(Some(self.text()?).filter(|text| !text.is_empty()))
    }

    /// A number, or nothing where there is none.
    ///
    /// # Errors
    ///
    /// As [`text`](Self::text).
    pub fn optional_number(&mut self) -> Result<Option<u64>, RedisError> {
        Ok(self.optional()?.and_then(|text| text.parse().ok()))
    }
}

/// A number, whether as one or as text.
///
/// # Errors
///
/// [`RedisError::Unreadable`] when it is no number from 0.
pub fn number(value: &Value) -> Result<u64, RedisError> {
    let number = match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok()),
        _ => None,
    };
    number.ok_or_else(|| strange(value))
}

/// A text.
///
/// # Errors
///
/// [`RedisError::Unreadable`] when it is no string, or no UTF-8.
pub fn text(value: Value) -> Result<String, RedisError> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).map_err(|_| strange(&Value::Nil)),
        Value::SimpleString(text) => Ok(text),
        other => Err(strange(&other)),
    }
}
