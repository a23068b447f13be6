//! Butterfly: one ordinary function becomes a handler, reachable through every door.
//!
//! ```
//! use butterfly::prelude::*;
//!
//! /// Say hello.
//! #[handler]
//! async fn hello(
//!     ctx: &Ctx,
//!     /// text to echo
//!     str_info: String,
//!     #[default(1)] #[check(range(1..=100))] times: u32,
//! ) -> Result<String> {
//!     ctx.mark("think");
//!     ensure!(!str_info.is_empty(), "ERR_EMPTY");
//!     Ok(str_info.repeat(times as usize))
//! }
//! # assert!(hello::PATH.ends_with("/hello"));
//! ```
//!
//! A program is its handlers and one line:
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     butterfly::app!().run()
//! }
//! ```
//!
//! | to read about | look at |
//! | --- | --- |
//! | what a handler may take and answer | [`handler`] |
//! | types of your own | [`data`] |
//! | errors and statuses | [`Error`], [`ensure!`], [`bail!`], [`Stat`](macro@Stat) |
//! | what a call knows | [`Ctx`] |
//! | files, streams, redirects, cookies | [`reply`] |
//! | the program: state, layers, mounted routers | [`Butterfly`] |
//! | a cache | [`cache`], and `cache = "30s"` of a [`handler`] |
//! | who is logged in | [`session`] |
//! | configuration | [`config`] |

mod butterfly;
mod command;
pub mod config;
mod logs;
#[cfg(feature = "sql")]
mod outbox;
mod pid_file;
mod queue;
mod reach;
#[cfg(feature = "redis")]
mod redis;
mod replies;
mod say;
mod serve;
mod sessions;
#[cfg(feature = "sql")]
mod sql;

pub use butterfly::Butterfly;
pub use butterfly_core::args::{Blob, DateTime, Json};
pub use butterfly_core::reply::{self, Cookie, Download, Http, Redirect, ReplyExt, With};
pub use butterfly_core::{
    App, Arg, BadParams, Body, Ctx, Door, Error, Fault, FromBody, Handler, IntoError, Job, Registry, Reply,
    ReqId, Result, args, bail, call, current, ensure, handler as description, head, openapi, registry,
    url_for,
};
pub use butterfly_core::{Stat, schemars, serde, serde_json};
pub use butterfly_http as http;
pub use butterfly_http::{Multipart, Part};
pub use butterfly_model as model;
pub use butterfly_model::cache;
pub use butterfly_model::session::{self, Session, SessionExt, Sessions};
pub use butterfly_queue as messages;
pub use butterfly_queue::{Enqueue, EnqueueExt, Queue, never_retry, retry_after};
#[cfg(feature = "sql")]
pub use butterfly_queue::{Outbox, TxEnqueueExt};
pub use bytes::Bytes;
pub use futures_core::Stream;
pub use jiff;
pub use tracing;

#[doc(hidden)]
pub use butterfly_core::__private;

#[doc = include_str!("docs/handler.md")]
pub use butterfly_macros::handler;

#[doc = include_str!("docs/data.md")]
pub use butterfly_macros::data;

#[doc = include_str!("docs/stat.md")]
pub use butterfly_macros::Stat;

/// What a file of handlers needs: `use butterfly::prelude::*;`.
pub mod prelude {
    pub use crate::reply::{Cookie, Download, Http, Redirect, ReplyExt, With};
    pub use crate::{
        Blob, Body, Ctx, DateTime, EnqueueExt, Error, Json, Multipart, Result, SessionExt, Stat, bail, data,
        ensure, handler,
    };
    #[cfg(feature = "sql")]
    pub use butterfly_queue::TxEnqueueExt;
    pub use tracing::{debug, error, info, warn};
}

/// Pulls in the files below `src/handlers`, which the build script found: `butterfly_build::handlers()`.
#[macro_export]
macro_rules! handlers {
    () => {
        /// The program's handlers: each file below `src/handlers` is an app.
        pub mod handlers {
            include!(concat!(env!("OUT_DIR"), "/butterfly_handlers.rs"));
        }
    };
}

/// The program, named and versioned as its crate: `butterfly::app!().run()`.
#[macro_export]
macro_rules! app {
    () => {
        $crate::Butterfly::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
    };
}

/// Links crates of handlers: `butterfly::app!().apps(butterfly::apps![shop_handlers])`.
///
/// The linker leaves out a crate that nothing names; this names it, and the start fails when it brings no handler.
#[macro_export]
macro_rules! apps {
    ($($name:ident),+ $(,)?) => {{
        $(use $name as _;)+
        &[$(stringify!($name)),+]
    }};
}
