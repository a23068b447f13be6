//! Butterfly's queue: every handler consumes its own topic, and nothing accepted is lost.

pub mod embedded;
pub mod engine;
mod message;
mod topic;

pub use embedded::EmbeddedEngine;
pub use engine::{Engine, EngineError};
pub use message::{
    Accepted, BadMsgId, Claimed, End, Hold, Message, Millis, MsgId, NewMessage, Outcome, PRIORITY,
    PRIORITY_MAX, Second, Seq, Spec, State, Unique, now_ms, tag,
};
pub use topic::{Limits, Rate, Topic};
