//! Parameter types of Butterfly's own.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The whole JSON body as one value; other parameters then come from the query string and the path alone.
///
/// # Example
///
/// ```
/// use butterfly_core::args::Json;
///
/// let Json(list) = Json(vec![1, 2]);
/// assert_eq!(list, [1, 2]);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json<T>(pub T);

impl<T: JsonSchema> JsonSchema for Json<T> {
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

/// Bytes, as base64 text on the wire.
///
/// # Example
///
/// ```
/// use butterfly_core::args::Blob;
///
/// let blob: Blob = serde_json::from_str("\"aGk=\"")?;
/// assert_eq!(blob, Blob(b"hi".to_vec()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Blob(pub Vec<u8>);

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({} bytes)", self.0.len())
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text.as_bytes());
        bytes.map(Blob).map_err(|error| de::Error::custom(format_args!("expected base64: {error}")))
    }
}

impl JsonSchema for Blob {
    fn schema_name() -> Cow<'static, str> {
        "Blob".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "contentEncoding": "base64" })
    }
}

/// Date and time of day in the original's form, `2026-11-20 08:30:00`; what comes may also have a `T` between.
///
/// `jiff::civil::Date` is `2026-11-20` by itself, and `jiff::Timestamp` an instant with its zone.
///
/// # Example
///
/// ```
/// use butterfly_core::args::DateTime;
///
/// let at: DateTime = serde_json::from_str("\"2026-11-20T08:30:00\"")?;
/// assert_eq!(serde_json::to_string(&at)?, "\"2026-11-20 08:30:00\"");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime(pub jiff::civil::DateTime);

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime("%Y-%m-%d %H:%M:%S"))
    }
}

impl Serialize for DateTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DateTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        // Told apart by length, since jiff is content with less: a date alone, or without seconds.
        let parsed = text.parse().ok().filter(|_| text.len() == "2026-11-20 08:30:00".len()).map(DateTime);
        parsed.ok_or_else(|| {
            let shown = super::text::shown(&text);
            de::Error::custom(format_args!("expected a time such as 2026-11-20 08:30:00, got {shown}"))
        })
    }
}

impl JsonSchema for DateTime {
    fn schema_name() -> Cow<'static, str> {
        "DateTime".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}$",
            "examples": ["2026-11-20 08:30:00"],
        })
    }
}
