//! HTTP/1.1 as pure functions over bytes: read a head, cut a body, write an answer.
//!
//! Nothing here waits, opens a socket or keeps a clock; the connection loop does that and calls these pieces.
//! The rules are strict where two servers could read the same bytes differently (RFC 9112, section 11.2): what is
//! doubtful is refused, never repaired.

pub mod framing;
pub mod parse;
pub mod respond;
