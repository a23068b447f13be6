//! A client for services that speak nshead and mcpack.

mod mcpack;
mod nshead;
mod value;

pub use self::mcpack::{Limits, McpackError, decode, encode, from_value, to_value};
pub use self::nshead::{BadMagic, NSHEAD_LEN, Nshead};
pub use self::value::Value;
