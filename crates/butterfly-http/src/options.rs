//! What the door allows, and for how long.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::h1::parse::HeadLimits;

/// How errors look on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ErrorStyle {
    /// HTTP 200 and a `stat` for API handlers.
    #[default]
    Butterfly,
    /// HTTP status codes and RFC 9457 documents.
    Rest,
}

/// Two more names for the status, for clients that expect them (`http.stat_adaptor`).
#[derive(Debug, Clone)]
pub struct StatAdaptor {
    /// The key that gets the mapped value.
    pub status_name: String,
    /// From `stat` to the value, as JSON text; `default` serves every other stat.
    pub status_map: HashMap<String, String>,
    /// The key that gets the stat's text.
    pub message_name: String,
}

/// Limits and choices of the HTTP door; every limit has a default.
#[derive(Clone)]
pub struct Options {
    /// How errors look.
    pub errors: ErrorStyle,
    /// Two more names for the status.
    pub stat_adaptor: Option<StatAdaptor>,
    /// Connections beyond this are closed at once.
    pub max_connections: usize,
    /// The head's size.
    pub head: HeadLimits,
    /// The size in bytes of a body that is read whole.
    pub max_body: u64,
    /// The size in bytes of a body that a handler reads as a stream.
    pub max_upload: u64,
    /// From the first byte of a head to its last.
    pub head_timeout: Duration,
    /// The longest that a body, in or out, may stand still.
    pub body_timeout: Duration,
    /// The longest that a call may take, unless its handler says otherwise.
    pub request_timeout: Duration,
    /// The longest that a connection may wait for its next request.
    pub idle_timeout: Duration,
    /// The longest that a stop waits for calls that run.
    pub drain_timeout: Duration,
    /// Peers whose `X-Real-IP`, `X-Reqid` and user header are believed.
    pub trusted: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
    /// The header in which a trusted peer names the user.
    pub user_header: String,
    /// The folder of static files.
    pub static_dir: PathBuf,
    /// The first path segment of static files; `None` serves none.
    pub static_prefix: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            errors: ErrorStyle::Butterfly,
            stat_adaptor: None,
            max_connections: 10_000,
            head: HeadLimits::default(),
            max_body: 2 << 20,
            max_upload: 1 << 30,
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(75),
            drain_timeout: Duration::from_secs(10),
            trusted: Arc::new(|_| false),
            user_header: "x-username".into(),
            static_dir: "static".into(),
            static_prefix: Some("static".into()),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("errors", &self.errors).finish_non_exhaustive()
    }
}
