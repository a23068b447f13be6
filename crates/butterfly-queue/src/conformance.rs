//! What every engine must do, as cases that run against any [`Engine`](crate::Engine); and an engine in memory.

pub mod memory;
