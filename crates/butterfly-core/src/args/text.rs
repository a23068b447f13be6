//! Text into any type that serde can read: `7` is a `u32`, `red` an enum, `a=1&a=2` a list, `{"x":1}` a struct.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, DeserializeOwned, Deserializer, IntoDeserializer, Visitor};

/// Reads a value from the texts that were given for one name.
///
/// # Errors
///
/// What was expected and what was found, for the caller.
///
/// # Example
///
/// ```
/// use butterfly_core::args::from_text;
///
/// assert_eq!(from_text::<u32>(&["7".into()]), Ok(7));
/// assert_eq!(from_text::<Vec<u32>>(&["7".into(), "8".into()]), Ok(vec![7, 8]));
/// assert!(from_text::<u8>(&["256".into()]).unwrap_err().contains("from 0 to 255"));
/// ```
pub fn from_text<T: DeserializeOwned>(texts: &[Cow<'_, str>]) -> Result<T, String> {
    T::deserialize(Text { texts }).map_err(|TextError(problem)| problem)
}

/// What is wrong with a text, for the caller.
#[derive(Debug)]
struct TextError(String);

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TextError {}

impl de::Error for TextError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// At most this many characters of a wrong value are shown.
const SHOWN: usize = 64;

/// A value as shown in an error: quoted, and cut when long.
pub(crate) fn shown(value: &str) -> String {
    match value.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{:?}…", &value[..cut]),
        None => format!("{value:?}"),
    }
}

/// The words for true and false.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

#[derive(Clone, Copy)]
struct Text<'t> {
    texts: &'t [Cow<'t, str>],
}

impl<'t> Text<'t> {
    fn one(&self) -> Result<&'t str, TextError> {
        match self.texts {
            [one] => Ok(one),
            many => Err(TextError(format!("was given {} times, give it once", many.len()))),
        }
    }

    fn parse<N: std::str::FromStr>(&self, expected: &str) -> Result<N, TextError> {
        let text = self.one()?;
        text.trim().parse().map_err(|_| TextError(format!("expected {expected}, got {}", shown(text))))
    }
}

macro_rules! integers {
    ($($method:ident $visit:ident $type:ident;)*) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
            match self.parse::<$type>("") {
                Ok(number) => visitor.$visit(number),
                Err(_) => {
                    let range = format!("an integer from {} to {}", $type::MIN, $type::MAX);
                    visitor.$visit(self.parse::<$type>(&range)?)
                }
            }
        }
    )* };
}

impl<'de> Deserializer<'de> for Text<'de> {
    type Error = TextError;

    integers! {
        deserialize_i8 visit_i8 i8;
        deserialize_i16 visit_i16 i16;
        deserialize_i32 visit_i32 i32;
        deserialize_i64 visit_i64 i64;
        deserialize_i128 visit_i128 i128;
        deserialize_u8 visit_u8 u8;
        deserialize_u16 visit_u16 u16;
        deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64;
        deserialize_u128 visit_u128 u128;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        visitor.visit_str(self.one()?)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        let text = self.one()?;
        match truth(text) {
            Some(truth) => visitor.visit_bool(truth),
            None => Err(TextError(format!("expected true or false, got {}", shown(text)))),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        visitor.visit_f32(self.parse("a number")?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        visitor.visit_f64(self.parse("a number")?)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        visitor.visit_char(self.parse("one character")?)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        visitor.visit_bytes(self.one()?.as_bytes())
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        visitor.visit_some(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, TextError> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, TextError> {
        visitor.visit_newtype_struct(self)
    }

    /// Repeated names are a list; so is one text that is a JSON array.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        match self.texts {
            [one] if one.trim_start().starts_with('[') => {
                from_json(one, |json| json.deserialize_seq(visitor))
            }
            many => {
                let mut elements = de::value::SeqDeserializer::new(many.iter().map(Element));
                let value = visitor.visit_seq(&mut elements)?;
                // A pair that is given three values has not been read.
                elements.end()?;
                Ok(value)
            }
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, TextError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, TextError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        from_json(self.one()?, |json| json.deserialize_map(visitor))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TextError> {
        from_json(self.one()?, |json| json.deserialize_struct(name, fields, visitor))
    }

    /// A bare word is a variant's name; JSON serves for variants with data.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TextError> {
        let text = self.one()?;
        if text.trim_start().starts_with(['{', '"']) {
            return from_json(text, |json| json.deserialize_enum(name, variants, visitor));
        }
        if !variants.contains(&text) {
            return Err(TextError(format!("expected one of {}, got {}", variants.join(", "), shown(text))));
        }
        visitor.visit_enum(IntoDeserializer::<TextError>::into_deserializer(text))
    }

    serde::forward_to_deserialize_any! { str string identifier ignored_any }
}

fn from_json<'t, T>(
    text: &'t str,
    read: impl FnOnce(&mut serde_json::Deserializer<serde_json::de::StrRead<'t>>) -> serde_json::Result<T>,
) -> Result<T, TextError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = read(&mut json).map_err(|error| TextError(super::json::problem(&error)))?;
    json.end().map_err(|error| TextError(super::json::problem(&error)))?;
    Ok(value)
}

/// One element of a repeated name.
#[derive(Clone, Copy)]
struct Element<'t>(&'t Cow<'t, str>);

impl<'t> IntoDeserializer<'t, TextError> for Element<'t> {
    type Deserializer = Text<'t>;

    fn into_deserializer(self) -> Text<'t> {
        Text { texts: std::slice::from_ref(self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Color {
        Red,
        Blue,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Point {
        x: i32,
        y: i32,
    }

    fn one<T: DeserializeOwned>(text: &str) -> Result<T, String> {
        from_text(&[Cow::Borrowed(text)])
    }

    #[test]
    fn every_form_of_value_is_read() {
        assert_eq!(one::<String>(""), Ok(String::new()));
        assert_eq!(one::<i64>("-3"), Ok(-3));
        assert_eq!(one::<f64>("1e3"), Ok(1000.0));
        assert_eq!(one::<bool>("ON"), Ok(true));
        assert_eq!(one::<Option<u8>>("5"), Ok(Some(5)));
        assert_eq!(one::<Color>("red"), Ok(Color::Red));
        assert_eq!(one::<Vec<Color>>("blue"), Ok(vec![Color::Blue]));
        assert_eq!(one::<Vec<u8>>("[1,2]"), Ok(vec![1, 2]));
        assert_eq!(one::<Point>(r#"{"x":1,"y":2}"#), Ok(Point { x: 1, y: 2 }));
        assert_eq!(one::<jiff::civil::Date>("2026-11-20"), Ok(jiff::civil::date(2026, 11, 20)));
    }

    #[test]
    fn errors_say_what_is_expected() {
        assert_eq!(one::<u8>("-1").unwrap_err(), "expected an integer from 0 to 255, got \"-1\"");
        assert_eq!(one::<Color>("green").unwrap_err(), "expected one of red, blue, got \"green\"");
        assert_eq!(one::<Point>("{}").unwrap_err(), "missing field `x`");
        assert_eq!(
            from_text::<u8>(&["1".into(), "2".into()]).unwrap_err(),
            "was given 2 times, give it once"
        );
        assert!(one::<u8>(&"9".repeat(1000)).unwrap_err().len() < 150);
        let three = ["1".into(), "2".into(), "3".into()];
        assert_eq!(
            from_text::<(u8, u8)>(&three).unwrap_err(),
            "invalid length 3, expected 2 elements in sequence"
        );
    }
}
