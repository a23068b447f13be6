//! Reads the application's values with serde. TOML values have their types; text takes the type that is asked for.

use serde::de::value::{Error, MapAccessDeserializer, MapDeserializer, SeqDeserializer, StringDeserializer};
use serde::de::{Deserializer, Error as _, IntoDeserializer, Unexpected, Visitor};
use toml::Value;

use super::app::{Node, Table};
use super::setting::{Input, toml_value};

/// A node, or an item of a list that was written as text.
#[derive(Clone)]
pub(super) enum NodeReader<'a> {
    Node(&'a Node),
    Text(&'a str),
}

impl<'a> NodeReader<'a> {
    pub(super) fn new(node: &'a Node) -> Self {
        Self::Node(node)
    }

    /// The text, when the value has no type of its own.
    fn text(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Node(Node::Leaf(leaf)) => match &leaf.input {
                Input::Text(text) => Some(text),
                Input::Toml(_) => None,
            },
            Self::Node(Node::Table(_)) => None,
        }
    }

    /// The TOML value it is or looks like.
    fn value(&self) -> Option<Value> {
        match self {
            Self::Node(Node::Leaf(leaf)) => match &leaf.input {
                Input::Toml(value) => Some(value.clone()),
                Input::Text(text) => toml_value(text),
            },
            Self::Text(text) => toml_value(text),
            Self::Node(Node::Table(_)) => None,
        }
    }
}

fn entries(table: &Table) -> impl Iterator<Item = (&str, NodeReader<'_>)> {
    table.iter().map(|(name, node)| (name.as_str(), NodeReader::Node(node)))
}

impl IntoDeserializer<'_, Error> for NodeReader<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

fn lift(error: toml::de::Error) -> Error {
    Error::custom(error.message())
}

/// Types that text is read as when they are asked for.
macro_rules! parsed {
    ($($method:ident: $type:ty => $visit:ident,)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.text().map(|text| (text, text.trim().parse::<$type>())) {
                Some((_, Ok(value))) => visitor.$visit(value),
                Some((text, Err(_))) => Err(Error::invalid_type(Unexpected::Str(text), &visitor)),
                None => self.deserialize_any(visitor),
            }
        })+
    };
}

/// Types that text already is.
macro_rules! textual {
    ($($method:ident,)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.text() {
                Some(text) => visitor.visit_str(text),
                None => self.deserialize_any(visitor),
            }
        })+
    };
}

impl<'de> Deserializer<'de> for NodeReader<'_> {
    type Error = Error;

    /// Nothing in particular is asked for, so text is what it looks like.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if let Self::Node(Node::Table(table)) = self {
            return visitor.visit_map(MapDeserializer::new(entries(table)));
        }
        match (self.value(), self.text()) {
            (Some(value), _) => value.deserialize_any(visitor).map_err(lift),
            (None, text) => visitor.visit_str(text.unwrap_or_default()),
        }
    }

    parsed! {
        deserialize_bool: bool => visit_bool,
        deserialize_i8: i8 => visit_i8,
        deserialize_i16: i16 => visit_i16,
        deserialize_i32: i32 => visit_i32,
        deserialize_i64: i64 => visit_i64,
        deserialize_u8: u8 => visit_u8,
        deserialize_u16: u16 => visit_u16,
        deserialize_u32: u32 => visit_u32,
        deserialize_u64: u64 => visit_u64,
        deserialize_f32: f32 => visit_f32,
        deserialize_f64: f64 => visit_f64,
        deserialize_char: char => visit_char,
    }

    textual! {
        deserialize_str,
        deserialize_string,
        deserialize_bytes,
        deserialize_byte_buf,
        deserialize_identifier,
    }

    /// As with Butterfly's own keys, empty text takes back what a lower layer gave.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.text() == Some("") { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    /// A list in text has commas between its items.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.text() {
            Some(text) if !text.trim_start().starts_with('[') => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                visitor.visit_seq(SeqDeserializer::new(items.map(NodeReader::Text)))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, v: V) -> Result<V::Value, Error> {
        v.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match (&self, self.text()) {
            (Self::Node(Node::Table(table)), _) => {
                visitor.visit_enum(MapAccessDeserializer::new(MapDeserializer::new(entries(table))))
            }
            (_, Some(text)) if !text.trim_start().starts_with('{') => {
                let word: StringDeserializer<Error> = text.to_owned().into_deserializer();
                visitor.visit_enum(word)
            }
            _ => match self.value() {
                Some(value) => value.deserialize_enum(name, variants, visitor).map_err(lift),
                None => Err(Error::invalid_type(Unexpected::Other("malformed text"), &visitor)),
            },
        }
    }

    serde::forward_to_deserialize_any! {
        i128 u128 unit unit_struct tuple_struct map struct ignored_any
    }
}
