//! The durable ground of queue, schedule and workflow: one embedded file, one group-commit writer.

pub use rusqlite;
