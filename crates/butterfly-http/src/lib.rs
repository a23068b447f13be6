//! Access: Butterfly's HTTP door.
//!
//! [`Door`] turns a request into a call of a handler and the handler's result into an answer. [`Server`] brings
//! requests: HTTP/1.1 by its own connections, HTTP/2 by hyper. [`DoorService`] is the same door as a
//! `tower::Service`.

mod answer;
mod cached;
mod chain;
mod door;
mod drain;
mod etag;
mod files;
pub mod h1;
mod h2;
mod multipart;
mod options;
mod payload;
mod prefer;
mod server;
mod service;
mod static_files;

pub use chain::{Answering, AnyService, Chain, chain, layered};
pub use door::Door;
pub use multipart::{Multipart, Part};
pub use options::{ErrorStyle, Options, StatAdaptor};
pub use server::Server;
pub use service::{DoorService, Peer};
