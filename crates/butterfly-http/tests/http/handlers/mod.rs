//! The handlers that the tests call, written as any user writes them.

pub(crate) mod demo;
pub(crate) mod errors;
pub(crate) mod streams;
