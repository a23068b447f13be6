//! From a value to bytes.

use super::{
    ARRAY, BINARY, BOOL, DOUBLE, FLOAT, INT64, MAX_DEPTH, McpackError, NULL, OBJECT, SHORT, SHORT_BELOW,
    STRING, UINT64,
};
use crate::ral::Value;

/// The longest key, without the zero behind it.
const KEY_MAX: usize = 254;

/// Writes a value, with nothing behind it.
///
/// # Errors
///
/// For a key above 254 bytes or with a zero in it, for values more than 64 deep in each other, and for more than 4 GiB.
///
/// # Example
///
/// ```
/// use butterfly_model::ral::{Value, encode};
///
/// let bytes = encode(&Value::object([("k", Value::from("v"))]))?;
/// assert_eq!(bytes, b"\x10\0\x0b\0\0\0\x01\0\0\0\xd0\x02\x02k\0v\0");
/// # Ok::<(), butterfly_model::ral::McpackError>(())
/// ```
pub fn encode(value: &Value) -> Result<Vec<u8>, McpackError> {
    let mut out = Vec::with_capacity(256);
    item(&mut out, None, value, 0)?;
    Ok(out)
}

fn item(out: &mut Vec<u8>, key: Option<&str>, value: &Value, depth: usize) -> Result<(), McpackError> {
    match value {
        Value::Null => fixed(out, NULL, key, &[0]),
        Value::Bool(value) => fixed(out, BOOL, key, &[u8::from(*value)]),
        Value::Int(value) => fixed(out, INT64, key, &value.to_le_bytes()),
        Value::Uint(value) => fixed(out, UINT64, key, &value.to_le_bytes()),
        Value::Float(value) => fixed(out, FLOAT, key, &value.to_le_bytes()),
        Value::Double(value) => fixed(out, DOUBLE, key, &value.to_le_bytes()),
        Value::String(text) => sized(out, STRING, key, text.as_bytes(), &[0]),
        Value::Bytes(bytes) => sized(out, BINARY, key, bytes, &[]),
        Value::Array(values) => container(out, ARRAY, key, values.len(), depth, |out| {
            values.iter().try_for_each(|value| item(out, None, value, depth + 1))
        }),
        Value::Object(items) => container(out, OBJECT, key, items.len(), depth, |out| {
            items.iter().try_for_each(|(key, value)| item(out, Some(key), value, depth + 1))
        }),
    }
}

fn fixed(out: &mut Vec<u8>, code: u8, key: Option<&str>, value: &[u8]) -> Result<(), McpackError> {
    head(out, code, key)?;
    put_key(out, key);
    out.extend_from_slice(value);
    Ok(())
}

fn sized(
    out: &mut Vec<u8>,
    code: u8,
    key: Option<&str>,
    value: &[u8],
    tail: &[u8],
) -> Result<(), McpackError> {
    let len = value.len() + tail.len();
    if len < SHORT_BELOW {
        head(out, code | SHORT, key)?;
        out.push(len as u8);
    } else {
        head(out, code, key)?;
        out.extend_from_slice(&word(len)?);
    }
    put_key(out, key);
    out.extend_from_slice(value);
    out.extend_from_slice(tail);
    Ok(())
}

fn container(
    out: &mut Vec<u8>,
    code: u8,
    key: Option<&str>,
    count: usize,
    depth: usize,
    items: impl FnOnce(&mut Vec<u8>) -> Result<(), McpackError>,
) -> Result<(), McpackError> {
    if depth >= MAX_DEPTH {
        return Err(McpackError::new(format!("mcpack: values more than {MAX_DEPTH} deep in each other")));
    }
    head(out, code, key)?;
    let len_at = out.len();
    out.extend_from_slice(&[0; 4]);
    put_key(out, key);
    let start = out.len();
    out.extend_from_slice(&word(count)?);
    items(out)?;
    let len = word(out.len() - start)?;
    out[len_at..len_at + 4].copy_from_slice(&len);
    Ok(())
}

/// Type and length of the key.
fn head(out: &mut Vec<u8>, code: u8, key: Option<&str>) -> Result<(), McpackError> {
    let len = match key {
        None => 0,
        Some(key) if key.len() > KEY_MAX => {
            let start = &key[..key.floor_char_boundary(40)];
            let len = key.len();
            return Err(McpackError::new(format!(
                "mcpack: the key {start:?}… has {len} bytes, {KEY_MAX} are allowed"
            )));
        }
        Some(key) if key.contains('\0') => {
            return Err(McpackError::new(format!("mcpack: a zero within the key {key:?}")));
        }
        Some(key) => key.len() as u8 + 1,
    };
    out.extend_from_slice(&[code, len]);
    Ok(())
}

fn put_key(out: &mut Vec<u8>, key: Option<&str>) {
    if let Some(key) = key {
        out.extend_from_slice(key.as_bytes());
        out.push(0);
    }
}

fn word(len: usize) -> Result<[u8; 4], McpackError> {
    u32::try_from(len)
        .map(u32::to_le_bytes)
        .map_err(|_| McpackError::new("mcpack: a value of more than 4 GiB"))
}
