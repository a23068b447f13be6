//! The crate as others use it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod events;
mod files;
