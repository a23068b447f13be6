//! A parameter that may be left out, where leaving out and `null` are two things.

use std::borrow::Cow;

use butterfly_core::schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};

/// A value that the caller gave, or did not: `Given<Option<T>>` tells `null` from nothing at all.
///
/// # Example
///
/// ```
/// use butterfly_model::sql::Given;
///
/// let due: Given<Option<u32>> = serde_json::from_str("null")?;
/// assert_eq!(due, Given(Some(None)));
/// assert!(serde_json::from_str::<Given<u32>>("null").is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Given<T>(pub Option<T>);

impl<T> Given<T> {
    /// Not given.
    #[must_use]
    pub fn no() -> Self {
        Self(None)
    }

    /// True when it was not given.
    #[must_use]
    pub fn is_no(&self) -> bool {
        self.0.is_none()
    }
}

impl<T> From<T> for Given<T> {
    fn from(value: T) -> Self {
        Self(Some(value))
    }
}

/// What is not given has no form of its own, least of all null: leave it out, by
/// `#[serde(skip_serializing_if = "Given::is_no")]`. The jobs of handlers do.
impl<T: Serialize> Serialize for Given<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(value) => value.serialize(serializer),
            None => Err(ser::Error::custom("a value that is not given must be left out, and was not")),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|value| Self(Some(value)))
    }
}

impl<T: JsonSchema> JsonSchema for Given<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}
