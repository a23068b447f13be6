//! From bytes to a value.

use super::{
    ARRAY, BINARY, BOOL, DOUBLE, FLOAT, INT8, INT16, INT32, INT64, MAX_DEPTH, McpackError, NULL, OBJECT,
    SHORT, SIZE, STRING, UINT8, UINT16, UINT32, UINT64,
};
use crate::ral::Value;

/// The least that an item takes: type, key length, and a value of one byte or a length of one byte.
const ITEM_MIN: usize = 3;

/// How much of others' bytes is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    max_depth: usize,
    max_items: usize,
    stray_zeros: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_depth: MAX_DEPTH, max_items: 1 << 20, stray_zeros: false }
    }
}

impl Limits {
    /// How deep values may be in each other; 64 by default, which is also the most.
    #[must_use]
    pub fn max_depth(mut self, depth: usize) -> Self {
        self.max_depth = depth.min(MAX_DEPTH);
        self
    }

    /// How many values there may be in all; 1,048,576 by default. Each takes up to 56 bytes of memory beside its text.
    #[must_use]
    pub fn max_items(mut self, items: usize) -> Self {
        self.max_items = items;
        self
    }

    /// Whether up to four zeros behind the value are passed over. Some old encoders send them; they are refused by default.
    #[must_use]
    pub fn stray_zeros(mut self, allowed: bool) -> Self {
        self.stray_zeros = allowed;
        self
    }
}

/// Reads the one value that these bytes are. What it takes in memory is in proportion to what is really there, whatever
/// lengths and counts say.
///
/// # Errors
///
/// When the bytes are no mcpack, go on behind the value, or pass a limit; the message names the place.
///
/// # Example
///
/// ```
/// use butterfly_model::ral::{Limits, Value, decode, encode};
///
/// let bytes = encode(&Value::object([("k", Value::from("v"))]))?;
/// assert_eq!(decode(&bytes, Limits::default())?.get("k").and_then(Value::as_str), Some("v"));
///
/// let error = decode(&bytes[..15], Limits::default()).unwrap_err();
/// assert_eq!(error.to_string(), "mcpack, byte 6: a length of 11, where 9 bytes are left");
/// # Ok::<(), butterfly_model::ral::McpackError>(())
/// ```
pub fn decode(bytes: &[u8], limits: Limits) -> Result<Value, McpackError> {
    let mut reader = Reader { bytes, at: 0, end: bytes.len(), items: 0, limits };
    let (_, value) = reader.item(0)?;
    let rest = &bytes[reader.at..];
    let stray = limits.stray_zeros && rest.len() <= 4 && rest.iter().all(|byte| *byte == 0);
    if !rest.is_empty() && !stray {
        return Err(McpackError::at(reader.at, format_args!("{} bytes behind the value", rest.len())));
    }
    Ok(value)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the container that is being read ends.
    end: usize,
    items: usize,
    limits: Limits,
}

impl<'a> Reader<'a> {
    fn item(&mut self, depth: usize) -> Result<(Option<&'a str>, Value), McpackError> {
        let start = self.at;
        let [code, key_len] = self.array()?;
        let len = match code {
            OBJECT | ARRAY | STRING | BINARY => u32::from_le_bytes(self.array()?) as usize,
            _ if code == STRING | SHORT || code == BINARY | SHORT => {
                let [len] = self.array()?;
                usize::from(len)
            }
            INT8 | INT16 | INT32 | INT64 | UINT8 | UINT16 | UINT32 | UINT64 | BOOL | FLOAT | DOUBLE
            | NULL => usize::from(code & SIZE),
            _ => return Err(McpackError::at(start, format_args!("no known type: 0x{code:02x}"))),
        };
        let key = if key_len == 0 { None } else { Some(self.key(usize::from(key_len))?) };
        if len > self.end - self.at {
            let left = self.end - self.at;
            return Err(McpackError::at(
                self.at,
                format_args!("a length of {len}, where {left} bytes are left"),
            ));
        }
        let value = match code {
            OBJECT | ARRAY => self.container(code == OBJECT, len, depth)?,
            STRING => Value::String(self.text(len)?.to_owned()),
            BINARY => Value::Bytes(self.take(len)?.to_vec()),
            _ if code == STRING | SHORT => Value::String(self.text(len)?.to_owned()),
            _ if code == BINARY | SHORT => Value::Bytes(self.take(len)?.to_vec()),
            _ => self.fixed(code)?,
        };
        Ok((key, value))
    }

    fn fixed(&mut self, code: u8) -> Result<Value, McpackError> {
        Ok(match code {
            INT8 => Value::Int(i8::from_le_bytes(self.array()?).into()),
            INT16 => Value::Int(i16::from_le_bytes(self.array()?).into()),
            INT32 => Value::Int(i32::from_le_bytes(self.array()?).into()),
            INT64 => Value::Int(i64::from_le_bytes(self.array()?)),
            UINT8 => Value::Uint(u8::from_le_bytes(self.array()?).into()),
            UINT16 => Value::Uint(u16::from_le_bytes(self.array()?).into()),
            UINT32 => Value::Uint(u32::from_le_bytes(self.array()?).into()),
            UINT64 => Value::Uint(u64::from_le_bytes(self.array()?)),
            FLOAT => Value::Float(f32::from_le_bytes(self.array()?)),
            DOUBLE => Value::Double(f64::from_le_bytes(self.array()?)),
            BOOL => Value::Bool(self.array()? != [0]),
            _ => {
                self.take(1)?;
                Value::Null
            }
        })
    }

    fn container(&mut self, keyed: bool, len: usize, depth: usize) -> Result<Value, McpackError> {
        if depth >= self.limits.max_depth {
            let limit = self.limits.max_depth;
            return Err(McpackError::at(
                self.at,
                format_args!("values more than {limit} deep in each other"),
            ));
        }
        let outer = std::mem::replace(&mut self.end, self.at + len);
        let count = u32::from_le_bytes(self.array()?) as usize;
        let left = self.end - self.at;
        if count > left / ITEM_MIN {
            return Err(McpackError::at(self.at, format_args!("{count} items cannot be in {left} bytes")));
        }
        self.items += count;
        if self.items > self.limits.max_items {
            let limit = self.limits.max_items;
            return Err(McpackError::at(self.at, format_args!("more than {limit} values in all")));
        }
        let value = if keyed { self.object(count, depth)? } else { self.list(count, depth)? };
        if self.at != self.end {
            let left = self.end - self.at;
            return Err(McpackError::at(self.at, format_args!("{left} bytes behind the last item")));
        }
        self.end = outer;
        Ok(value)
    }

    fn object(&mut self, count: usize, depth: usize) -> Result<Value, McpackError> {
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            let start = self.at;
            let (Some(key), value) = self.item(depth + 1)? else {
                return Err(McpackError::at(start, "an object's item without a key"));
            };
            items.push((key.to_owned(), value));
        }
        Ok(Value::Object(items))
    }

    fn list(&mut self, count: usize, depth: usize) -> Result<Value, McpackError> {
        let mut values = Vec::with_capacity(count);
        for _ in 0..count {
            let start = self.at;
            let (None, value) = self.item(depth + 1)? else {
                return Err(McpackError::at(start, "an array's item with a key"));
            };
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn key(&mut self, len: usize) -> Result<&'a str, McpackError> {
        let start = self.at;
        let key = self.text(len)?;
        if key.contains('\0') {
            return Err(McpackError::at(start, "a zero within a key"));
        }
        Ok(key)
    }

    /// Text of this length with the zero behind it.
    fn text(&mut self, len: usize) -> Result<&'a str, McpackError> {
        let start = self.at;
        let Some((0, text)) = self.take(len)?.split_last() else {
            return Err(McpackError::at(start, "a text without a zero behind it"));
        };
        std::str::from_utf8(text)
            .map_err(|error| McpackError::at(start + error.valid_up_to(), "a text that is no UTF-8"))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], McpackError> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N)?);
        Ok(bytes)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], McpackError> {
        let found = self.bytes[self.at..self.end].get(..len);
        let found = found.ok_or_else(|| McpackError::at(self.at, "the bytes end within an item"))?;
        self.at += len;
        Ok(found)
    }
}
