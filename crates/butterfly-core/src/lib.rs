//! Butterfly's ground: what a handler is, how its arguments are bound, what it answers.

pub mod head;
