//! mcpack, version 2: how values stand in a body.
//!
//! An item is its type, the length of its key with the zero behind it (0 for no key), for some types the length of the
//! value, the key, the value. Numbers are little endian.
//!
//! ```text
//! 10       object    u32 length   u32 count, then so many items with keys; the length counts from the count on
//! 20       array     u32 length   u32 count, then so many items without keys
//! 50 / d0  string    u32 / u8     UTF-8 and a zero
//! 60 / e0  binary    u32 / u8     bytes
//! 11 12 14 18        -            int8 to int64
//! 21 22 24 28        -            uint8 to uint64
//! 31       bool      -            one byte
//! 44 / 48            -            float / double
//! 61       null      -            one zero
//! ```

mod decode;
mod encode;
mod error;
mod from_value;
mod to_value;

pub use self::decode::{Limits, decode};
pub use self::encode::encode;
pub use self::error::McpackError;
pub use self::from_value::from_value;
pub use self::to_value::to_value;

const OBJECT: u8 = 0x10;
const ARRAY: u8 = 0x20;
const STRING: u8 = 0x50;
const BINARY: u8 = 0x60;
const INT8: u8 = 0x11;
const INT16: u8 = 0x12;
const INT32: u8 = 0x14;
const INT64: u8 = 0x18;
const UINT8: u8 = 0x21;
const UINT16: u8 = 0x22;
const UINT32: u8 = 0x24;
const UINT64: u8 = 0x28;
const BOOL: u8 = 0x31;
const FLOAT: u8 = 0x44;
const DOUBLE: u8 = 0x48;
const NULL: u8 = 0x61;
/// On a string or a binary: the length is one byte.
const SHORT: u8 = 0x80;
/// The bits that give the length of a value of fixed size.
const SIZE: u8 = 0x0f;
/// A value whose length field would say less is written short.
const SHORT_BELOW: usize = 255;
/// How deep values may be in each other, unless limits say otherwise.
const MAX_DEPTH: usize = 64;

#[cfg(test)]
mod tests;
