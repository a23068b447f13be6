//! What a handler answers.

mod download;
mod http_reply;
mod into;
mod with;

use std::fmt;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

use crate::{Body, Stat};

pub use download::{Download, Served, attachment};
pub use http_reply::{Http, Redirect};
pub use into::{Failure, IntoReply, Ret, ViaResult, ViaValue};
pub(crate) use with::push_header;
pub use with::{Cookie, ReplyExt, With};

/// An answer, ready for any door.
pub struct Reply {
    /// The status for the caller and the log.
    pub stat: Stat,
    /// The HTTP status, where the handler chose one.
    pub status: Option<u16>,
    /// Headers beyond the framework's own.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What is sent.
    pub content: Content,
}

/// The content of an answer.
#[derive(Debug)]
pub enum Content {
    /// Nothing.
    Empty,
    /// A JSON document with `stat`.
    Json(Vec<u8>),
    /// Bytes of another type, named by a `content-type` header.
    Bytes(Bytes),
    /// A stream.
    Stream(Body),
    /// A file that the door opens.
    File(Served),
}

impl Reply {
    /// A JSON document that already carries `stat`.
    #[must_use]
    pub fn json(stat: Stat, document: Vec<u8>) -> Self {
        Self { stat, status: None, headers: Vec::new(), content: Content::Json(document) }
    }

    /// An answer of any content.
    #[must_use]
    pub fn of(content: Content) -> Self {
        Self { stat: Stat::OK, status: None, headers: Vec::new(), content }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shape = f.debug_struct("Reply");
        shape.field("stat", &self.stat).field("status", &self.status).field("headers", &self.headers);
        match &self.content {
            Content::Json(document) => shape.field("json", &String::from_utf8_lossy(document)),
            other => shape.field("content", other),
        };
        shape.finish()
    }
}
