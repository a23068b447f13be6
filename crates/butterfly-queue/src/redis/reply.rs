//! Reading what scripts answer.

use redis::Value;

use crate::EngineError;

/// The parts of a script's answer, in order.
#[derive(Debug)]
pub(super) struct Reply {
    parts: std::vec::IntoIter<Value>,
}

impl Reply {
    pub(super) fn new(value: Value) -> Result<Self, EngineError> {
        match value {
            Value::Array(parts) => Ok(Self { parts: parts.into_iter() }),
            other => Err(strange(&other)),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.parts.len()
    }

    pub(super) fn bytes(&mut self) -> Result<Vec<u8>, EngineError> {
        match self.parts.next() {
            Some(Value::BulkString(bytes)) => Ok(bytes),
            Some(Value::SimpleString(text)) => Ok(text.into_bytes()),
            Some(other) => Err(strange(&other)),
            None => Err(strange(&Value::Nil)),
        }
    }

    pub(super) fn text(&mut self) -> Result<String, EngineError> {
        String::from_utf8(self.bytes()?).map_err(|_| strange(&Value::Nil))
    }

    pub(super) fn number(&mut self) -> Result<u64, EngineError> {
        match self.parts.next() {
            Some(value) => number(&value),
            None => Err(strange(&Value::Nil)),
        }
    }

    /// A text, or nothing where it is empty.
    pub(super) fn optional(&mut self) -> Result<Option<String>, EngineError> {
        Ok(Some(self.text()?).filter(|text| !text.is_empty()))
    }

    /// A number, or nothing where there is none.
    pub(super) fn optional_number(&mut self) -> Result<Option<u64>, EngineError> {
        Ok(self.optional()?.and_then(|text| text.parse().ok()))
    }
}

/// A number, whether as one or as text.
pub(super) fn number(value: &Value) -> Result<u64, EngineError> {
    let number = match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok()),
        _ => None,
    };
    number.ok_or_else(|| strange(value))
}

/// A text.
pub(super) fn text(value: Value) -> Result<String, EngineError> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).map_err(|_| strange(&Value::Nil)),
        Value::SimpleString(text) => Ok(text),
        other => Err(strange(&other)),
    }
}

pub(super) fn strange(value: &Value) -> EngineError {
    let shown: String = format!("{value:?}").chars().take(100).collect();
    EngineError::Foreign(format!("Redis answered a script of the queue with {shown}"))
}
