//! What every value of a key can do: be read from text or TOML, say what it accepts, and be shown again.

use std::net::SocketAddr;
use std::path::PathBuf;

use toml::Value;
use toml::de::DeValue;

/// A value as its layer gave it: untyped text (environment, command line) or typed TOML (file).
#[derive(Clone, PartialEq)]
pub(super) enum Input {
    Text(String),
    Toml(Value),
}

/// A type a key may have. What `to_value` shows, `from_value` reads back as the same value; secrets excepted.
///
/// Errors are details for the user's eyes (possibly empty); the caller adds the key, the value and the accepted forms.
pub(super) trait Setting: Sized {
    /// The accepted forms, readable after "expected".
    const ACCEPTS: &'static str;
    /// Secrets are shown as `***` and never quoted in an error.
    const SECRET: bool = false;

    fn from_text(text: &str) -> Result<Self, String>;

    fn from_value(value: &Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Self::from_text(text),
            other => Err(wrong_type(other)),
        }
    }

    fn to_value(&self) -> Value;

    fn read(input: &Input) -> Result<Self, String> {
        match input {
            Input::Text(text) => Self::from_text(text),
            Input::Toml(value) => Self::from_value(value),
        }
    }
}

pub(super) fn wrong_type(value: &Value) -> String {
    format!("wrong type, this is of type {}", value.type_str())
}

/// Fails when `value` lies outside the bound that `holds` tests.
pub(super) fn bound<T: Setting>(holds: bool, word: &str, limit: &T) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("must be {word} {}", plain(&limit.to_value()))) }
}

/// A value for a sentence: strings without quotes.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// One TOML value out of text, for the few settings and application fields that are more than a word.
pub(super) fn toml_value(text: &str) -> Option<Value> {
    let parsed = DeValue::parse(text.trim()).ok()?;
    to_toml(parsed.get_ref())
}

/// The plain form of a parsed value; `None` when a number in it fits no 64 bits.
pub(super) fn to_toml(value: &DeValue<'_>) -> Option<Value> {
    Some(match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => {
            Value::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok()?)
        }
        DeValue::Float(number) => Value::Float(number.as_str().parse().ok()?),
        DeValue::Boolean(yes) => Value::Boolean(*yes),
        DeValue::Datetime(when) => Value::Datetime(*when),
        DeValue::Array(items) => {
            Value::Array(items.iter().map(|item| to_toml(item.get_ref())).collect::<Option<_>>()?)
        }
        DeValue::Table(table) => Value::Table(
            table
                .iter()
                .map(|(key, value)| Some((key.get_ref().to_string(), to_toml(value.get_ref())?)))
                .collect::<Option<_>>()?,
        ),
    })
}

impl Setting for String {
    const ACCEPTS: &'static str = "some text on one line";

    fn from_text(text: &str) -> Result<Self, String> {
        match text.trim() {
            "" => Err("it is empty".to_owned()),
            text if text.chars().any(char::is_control) => Err("it has control characters".to_owned()),
            text => Ok(text.to_owned()),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.clone())
    }
}

impl Setting for PathBuf {
    const ACCEPTS: &'static str = "a path, relative to the working directory or absolute";

    fn from_text(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("it is empty".to_owned()),
            text if text.contains('\0') => Err("it has a zero byte".to_owned()),
            text => Ok(Self::from(text)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.to_string_lossy().into_owned())
    }
}

impl Setting for SocketAddr {
    const ACCEPTS: &'static str = "an IP address and a port such as 127.0.0.1:8585, 0.0.0.0:80 or [::1]:8585";

    fn from_text(text: &str) -> Result<Self, String> {
        text.trim().parse().map_err(|_| String::new())
    }

    fn to_value(&self) -> Value {
        Value::String(self.to_string())
    }
}

impl Setting for bool {
    const ACCEPTS: &'static str = "true or false";

    fn from_text(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(true),
            "false" | "no" | "off" | "0" => Ok(false),
            _ => Err(String::new()),
        }
    }

    fn from_value(value: &Value) -> Result<Self, String> {
        value.as_bool().ok_or_else(|| wrong_type(value))
    }

    fn to_value(&self) -> Value {
        Value::Boolean(*self)
    }
}

/// Whole numbers.
macro_rules! whole_numbers {
    ($($type:ty),+) => { $(
        impl Setting for $type {
            const ACCEPTS: &'static str = "a whole number";

            fn from_text(text: &str) -> Result<Self, String> {
                text.trim().parse().map_err(|_| String::new())
            }

            fn from_value(value: &Value) -> Result<Self, String> {
                let number = value.as_integer().ok_or_else(|| wrong_type(value))?;
                number.try_into().map_err(|_| String::new())
            }

            fn to_value(&self) -> Value {
                i64::try_from(*self).map_or_else(|_| Value::String(self.to_string()), Value::Integer)
            }
        }
    )+ };
}

whole_numbers!(usize, u32, u64);

/// Empty text means "not set", so that a higher layer can take back what a lower one gave.
impl<T: Setting> Setting for Option<T> {
    const ACCEPTS: &'static str = T::ACCEPTS;
    const SECRET: bool = T::SECRET;

    fn from_text(text: &str) -> Result<Self, String> {
        if text.is_empty() { Ok(None) } else { T::from_text(text).map(Some) }
    }

    fn from_value(value: &Value) -> Result<Self, String> {
        if value.as_str() == Some("") { Ok(None) } else { T::from_value(value).map(Some) }
    }

    fn to_value(&self) -> Value {
        self.as_ref().map_or_else(|| Value::String(String::new()), T::to_value)
    }
}

/// A list: a TOML array, or text with commas between.
pub(super) fn list_from_text<T: Setting>(text: &str) -> Result<Vec<T>, String> {
    let text = text.trim();
    if text.starts_with('[') {
        return list_from_value(&toml_value(text).ok_or("the list is not well formed")?);
    }
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(item::<T>).collect()
}

pub(super) fn list_from_value<T: Setting>(value: &Value) -> Result<Vec<T>, String> {
    match value {
        Value::String(text) => list_from_text(text),
        Value::Array(items) => items
            .iter()
            .map(|value| value.as_str().ok_or_else(|| wrong_type(value)).and_then(item::<T>))
            .collect(),
        other => Err(wrong_type(other)),
    }
}

fn item<T: Setting>(text: &str) -> Result<T, String> {
    T::from_text(text).map_err(|detail| {
        let colon = if detail.is_empty() { "" } else { ": " };
        format!("not {text:?}{colon}{detail}")
    })
}

pub(super) fn list_to_value<T: Setting>(items: &[T]) -> Value {
    Value::Array(items.iter().map(T::to_value).collect())
}
