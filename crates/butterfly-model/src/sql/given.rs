//! A parameter that may be left out, where leaving out and `null` are two things.

use std::borrow::Cow;

use butterfly_core::schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};

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
