//! HTTP/1.1: parsing, framing and writing without I/O, and the connections on top of them.
//!
//! hyper serves HTTP/2. For HTTP/1.1 it stands between us and the aim of a request at 0.95 of bare axum's cost:
//! `docs/architecture.md` has the profile. Tokenising is httparse's work all the same.

pub(crate) mod connection;
pub mod framing;
pub mod parse;
mod receive;
pub mod respond;
mod send;
mod wire;

pub(crate) use wire::Rewound;
