//! From what arrived to typed arguments: query, body, path and command line, straight into the parameters.

mod binder;
pub mod check;
mod input;
mod json;
mod message;
mod query;
mod text;
mod types;

pub use binder::Binder;
pub use input::{Input, Payload};
pub use query::{decode, pairs};
pub use text::from_text;
pub use types::{Blob, DateTime, Json};
