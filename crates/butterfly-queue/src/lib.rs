//! Butterfly's queue: every handler consumes its own topic, and nothing accepted is lost.
//!
//! | to read about | look at |
//! | --- | --- |
//! | sending: from a handler, or from anywhere | [`EnqueueExt`], [`Queue`], [`Enqueue`] |
//! | sending within a transaction of a SQL database | `outbox` (feature `sql`) |
//! | what becomes of a message, and what is guaranteed | [`engine`] |
//! | running messages | [`Worker`] |
//! | saying "later" or "never again" | [`retry_after`], [`never_retry`] |

mod bus;
pub mod catalog;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod embedded;
pub mod engine;
mod enqueue;
mod figures;
mod message;
#[cfg(feature = "sql")]
pub mod outbox;
mod queue;
mod reach;
#[cfg(feature = "redis")]
pub mod redis;
mod retry;
mod sender;
mod settings;
mod topic;
mod worker;

pub use embedded::EmbeddedEngine;
pub use engine::{Engine, EngineError};
pub use enqueue::{Enqueue, EnqueueExt, Receipt};
pub use message::{
    Accepted, BadMsgId, Claimed, End, Hold, Message, Millis, MsgId, NewMessage, Outcome, PRIORITY,
    PRIORITY_MAX, Second, Seq, Spec, State, Unique, now_ms, tag,
};
#[cfg(feature = "sql")]
pub use outbox::{Outbox, TxEnqueueExt};
pub use queue::Queue;
pub use retry::{never_retry, retry_after};
pub use settings::{Patterns, Settings};
pub use topic::{Limits, Rate, Topic};
pub use worker::Worker;
