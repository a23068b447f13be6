//! How times and UUIDs of entities travel: text in standard forms, with a schema, for they have none of their own.

use std::borrow::Cow;
use std::fmt;

use butterfly_core::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
const CLOCK: &[BorrowedFormatItem<'_>] = format_description!("[hour]:[minute]:[second]");
const FINE_CLOCK: &[BorrowedFormatItem<'_>] = format_description!("[hour]:[minute]:[second].[subsecond]");
const SHORT_CLOCK: &[BorrowedFormatItem<'_>] = format_description!("[hour]:[minute]");

/// An instant, [RFC 3339](https://www.rfc-editor.org/rfc/rfc3339) in UTC: `2026-12-01T08:30:00Z`.
///
/// What comes may have any offset. Without one it is UTC, and without a time of day midnight.
///
/// # Example
///
/// ```
/// use butterfly_model::sql::wire::Instant;
///
/// let at: Instant = serde_json::from_str("\"2026-12-01T10:30:00+02:00\"")?;
/// assert_eq!(serde_json::to_string(&at)?, "\"2026-12-01T08:30:00Z\"");
/// assert_eq!(serde_json::from_str::<Instant>("\"2026-12-01 08:30\"")?, at);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub OffsetDateTime);

/// A date and a time of day, of no zone: `2026-12-01T08:30:00`; what comes may also have a space between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime(pub PrimitiveDateTime);

/// A day: `2026-12-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub Date);

/// A time of day: `08:30:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Clock(pub Time);

/// A UUID: `0192f0c1-2a3b-7c4d-8e5f-60718293a4b5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(pub uuid::Uuid);

fn day(text: &str) -> Option<Date> {
    // The engines agree on these years alone.
    Date::parse(text, DAY).ok().filter(|day| (1..=9999).contains(&day.year()))
}

fn clock(text: &str) -> Option<Time> {
    [CLOCK, FINE_CLOCK, SHORT_CLOCK].iter().find_map(|form| Time::parse(text, form).ok())
}

fn date_time(text: &str) -> Option<PrimitiveDateTime> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    Some(PrimitiveDateTime::new(day(date)?, clock(time)?))
}

fn instant(text: &str) -> Option<OffsetDateTime> {
    if let Ok(at) = OffsetDateTime::parse(text, &Rfc3339) {
        return at.checked_to_offset(UtcOffset::UTC).filter(|at| (1..=9999).contains(&at.year()));
    }
    let local = date_time(text).or_else(|| day(text).map(Date::midnight))?;
    Some(local.assume_utc())
}

fn written_clock(time: Time) -> Option<String> {
    let form = if time.nanosecond() == 0 { CLOCK } else { FINE_CLOCK };
    time.format(form).ok()
}

/// A type of this file: its text both ways, and its schema.
macro_rules! text {
    ($name:ident, $inner:ty, $expected:literal, $schema:tt, $read:expr, $write:expr) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let write: fn($inner) -> Option<String> = $write;
                f.write_str(&write(self.0).ok_or(fmt::Error)?)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                let read: fn(&str) -> Option<$inner> = $read;
                read(text.trim()).map(Self).ok_or_else(|| {
                    let shown: String = text.chars().take(64).collect();
                    de::Error::custom(format_args!(concat!("expected ", $expected, ", got {:?}"), shown))
                })
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }

        impl From<$name> for $inner {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl From<$inner> for $name {
            fn from(value: $inner) -> Self {
                Self(value)
            }
        }
    };
}

text!(
    Instant,
    OffsetDateTime,
    "a time such as 2026-12-01T08:30:00Z",
    { "type": "string", "format": "date-time" },
    instant,
    |at| at.checked_to_offset(UtcOffset::UTC)?.format(&Rfc3339).ok()
);
text!(
    DateTime,
    PrimitiveDateTime,
    "a time such as 2026-12-01T08:30:00",
    { "type": "string", "examples": ["2026-12-01T08:30:00"] },
    date_time,
    |at| Some(format!("{}T{}", at.date().format(DAY).ok()?, written_clock(at.time())?))
);
text!(
    Day,
    Date,
    "a day such as 2026-12-01",
    { "type": "string", "format": "date" },
    day,
    |day| day.format(DAY).ok()
);
text!(
    Clock,
    Time,
    "a time of day such as 08:30:00",
    { "type": "string", "examples": ["08:30:00"] },
    clock,
    written_clock
);
text!(
    Uuid,
    uuid::Uuid,
    "a UUID",
    { "type": "string", "format": "uuid" },
    |text| text.parse().ok(),
    |id| Some(id.to_string())
);

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    fn round<T: serde::de::DeserializeOwned + Serialize>(text: &str) -> String {
        match serde_json::from_value::<T>(text.into()) {
            Ok(value) => serde_json::to_value(&value).unwrap().as_str().unwrap().to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn instants_come_out_in_utc() {
        for text in ["2026-12-01", "2026-12-01 00:00", "2026-12-01T02:00:00+02:00", "2026-12-01t00:00:00z"] {
            assert_eq!(round::<Instant>(text), "2026-12-01T00:00:00Z", "{text}");
        }
        assert_eq!(round::<Instant>("2026-12-01T00:00:00.25Z"), "2026-12-01T00:00:00.25Z");
        for text in [
            "",
            "soon",
            "2026-13-01",
            "2026-02-30",
            "0000-01-01",
            "-001-01-01T00:00:00Z",
            "0001-01-01T00:00:00+05:00",
        ] {
            assert!(round::<Instant>(text).contains("expected a time such as"), "{text}");
        }
    }

    #[test]
    fn the_others_keep_their_form() {
        assert_eq!(round::<DateTime>("2026-12-01 08:30:00"), "2026-12-01T08:30:00");
        assert_eq!(round::<DateTime>("2026-12-01T08:30:00.5"), "2026-12-01T08:30:00.5");
        assert_eq!(round::<Day>("2028-02-29"), "2028-02-29");
        assert_eq!(round::<Clock>("08:30"), "08:30:00");
        assert!(round::<Clock>("24:00").contains("08:30:00"));
        assert!(round::<Day>("2026-12-01T00:00:00Z").contains("a day such as"));
        assert!(round::<Uuid>("'; DROP TABLE x").contains("expected a UUID"));
        let id = "0192f0c1-2a3b-7c4d-8e5f-60718293a4b5";
        assert_eq!(round::<Uuid>(id), id);
    }
}
