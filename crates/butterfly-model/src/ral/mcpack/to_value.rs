//! From any serializable type to a value.

use serde::ser::{
    self, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::{MAX_DEPTH, McpackError};
use crate::ral::Value;

/// Makes a value of anything that serde can serialize. Whole numbers become 64 bits, signed where they fit, and numbers
/// become doubles; enums look as they do in JSON.
///
/// # Errors
///
/// For map keys that are no text, number or bool, for whole numbers above 64 bits, for values more than 64 deep in each
/// other, and what the type itself says.
///
/// # Example
///
/// ```
/// use butterfly_model::ral::{Value, to_value};
///
/// #[derive(serde::Serialize)]
/// struct Ask {
///     id: u32,
///     names: Vec<String>,
/// }
///
/// let value = to_value(&Ask { id: 7, names: vec!["a".into()] })?;
/// assert_eq!(value, Value::object([("id", Value::Int(7)), ("names", vec![Value::from("a")].into())]));
/// # Ok::<(), butterfly_model::ral::McpackError>(())
/// ```
pub fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<Value, McpackError> {
    value.serialize(ToValue { depth: 0 })
}

#[derive(Clone, Copy)]
struct ToValue {
    depth: usize,
}

impl ToValue {
    fn deeper(self) -> Result<Self, McpackError> {
        if self.depth >= MAX_DEPTH {
            return Err(McpackError::new(format!("mcpack: values more than {MAX_DEPTH} deep in each other")));
        }
        Ok(Self { depth: self.depth + 1 })
    }

    fn list(self) -> Result<List, McpackError> {
        Ok(List { values: Vec::new(), inner: self.deeper()?, variant: None })
    }

    fn items(self) -> Result<Items, McpackError> {
        Ok(Items { items: Vec::new(), key: None, inner: self.deeper()?, variant: None })
    }
}

struct List {
    values: Vec<Value>,
    inner: ToValue,
    variant: Option<&'static str>,
}

struct Items {
    items: Vec<(String, Value)>,
    key: Option<String>,
    inner: ToValue,
    variant: Option<&'static str>,
}

/// A value under the name of its variant.
fn under(variant: Option<&'static str>, value: Value) -> Value {
    match variant {
        Some(variant) => Value::object([(variant, value)]),
        None => value,
    }
}

fn key_text<T: Serialize + ?Sized>(key: &T) -> Result<String, McpackError> {
    match to_value(key)? {
        Value::String(text) => Ok(text),
        Value::Int(number) => Ok(number.to_string()),
        Value::Uint(number) => Ok(number.to_string()),
        Value::Bool(value) => Ok(value.to_string()),
        other => Err(McpackError::new(format!("mcpack: {} cannot be the key of a map", other.kind()))),
    }
}

impl Serializer for ToValue {
    type Ok = Value;
    type Error = McpackError;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = List;
    type SerializeMap = Items;
    type SerializeStruct = Items;
    type SerializeStructVariant = Items;

    fn serialize_bool(self, value: bool) -> Result<Value, McpackError> {
        Ok(Value::Bool(value))
    }

    fn serialize_i8(self, value: i8) -> Result<Value, McpackError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<Value, McpackError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<Value, McpackError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<Value, McpackError> {
        Ok(Value::Int(value))
    }

    fn serialize_i128(self, value: i128) -> Result<Value, McpackError> {
        let wide = |_| McpackError::new(format!("mcpack: {value} does not fit 64 bits"));
        if value < 0 {
            i64::try_from(value).map(Value::Int).map_err(wide)
        } else {
            self.serialize_u128(value.cast_unsigned())
        }
    }

    fn serialize_u8(self, value: u8) -> Result<Value, McpackError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<Value, McpackError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<Value, McpackError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<Value, McpackError> {
        Ok(i64::try_from(value).map_or(Value::Uint(value), Value::Int))
    }

    fn serialize_u128(self, value: u128) -> Result<Value, McpackError> {
        match u64::try_from(value) {
            Ok(value) => self.serialize_u64(value),
            Err(_) => Err(McpackError::new(format!("mcpack: {value} does not fit 64 bits"))),
        }
    }

    fn serialize_f32(self, value: f32) -> Result<Value, McpackError> {
        Ok(Value::Double(value.into()))
    }

    fn serialize_f64(self, value: f64) -> Result<Value, McpackError> {
        Ok(Value::Double(value))
    }

    fn serialize_char(self, value: char) -> Result<Value, McpackError> {
        Ok(Value::String(value.into()))
    }

    fn serialize_str(self, value: &str) -> Result<Value, McpackError> {
        Ok(Value::String(value.into()))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Value, McpackError> {
        Ok(Value::Bytes(value.into()))
    }

    fn serialize_none(self) -> Result<Value, McpackError> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, McpackError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, McpackError> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, McpackError> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Value, McpackError> {
        Ok(Value::String(variant.into()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Value, McpackError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, McpackError> {
        Ok(under(Some(variant), value.serialize(self.deeper()?)?))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List, McpackError> {
        self.list()
    }

    fn serialize_tuple(self, _: usize) -> Result<List, McpackError> {
        self.list()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<List, McpackError> {
        self.list()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<List, McpackError> {
        Ok(List { variant: Some(variant), ..self.deeper()?.list()? })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Items, McpackError> {
        self.items()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Items, McpackError> {
        self.items()
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Items, McpackError> {
        Ok(Items { variant: Some(variant), ..self.deeper()?.items()? })
    }
}

impl List {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), McpackError> {
        self.values.push(value.serialize(self.inner)?);
        Ok(())
    }

    fn finish(self) -> Value {
        under(self.variant, Value::Array(self.values))
    }
}

macro_rules! list {
    ($($name:ident $push:ident),*) => {$(
        impl $name for List {
            type Ok = Value;
            type Error = McpackError;

            fn $push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), McpackError> {
                self.push(value)
            }

            fn end(self) -> Result<Value, McpackError> {
                Ok(self.finish())
            }
        }
    )*};
}

list!(
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field
);

impl SerializeMap for Items {
    type Ok = Value;
    type Error = McpackError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), McpackError> {
        self.key = Some(key_text(key)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), McpackError> {
        let key = self.key.take().ok_or_else(|| ser::Error::custom("mcpack: a map's value without a key"))?;
        self.items.push((key, value.serialize(self.inner)?));
        Ok(())
    }

    fn end(self) -> Result<Value, McpackError> {
        Ok(Value::Object(self.items))
    }
}

macro_rules! fields {
    ($($name:ident),*) => {$(
        impl $name for Items {
            type Ok = Value;
            type Error = McpackError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), McpackError> {
                self.items.push((key.into(), value.serialize(self.inner)?));
                Ok(())
            }

            fn end(self) -> Result<Value, McpackError> {
                Ok(under(self.variant, Value::Object(self.items)))
            }
        }
    )*};
}

fields!(SerializeStruct, SerializeStructVariant);
