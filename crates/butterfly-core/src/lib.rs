//! Butterfly's ground: what a handler is, how its arguments are bound, what it answers, and the one path by which
//! every door calls it. No I/O and no engine here.
//!
//! Programs use the facade, the crate `butterfly`; libraries of handlers and of doors can build on this one.

pub mod access_log;
mod app;
pub mod args;
mod body;
mod call;
mod ctx;
pub mod current;
mod error;
mod generated;
pub mod handler;
pub mod head;
mod job;
mod later;
pub mod levels;
mod metrics;
pub mod openapi;
mod permit;
pub mod registry;
mod replies;
pub mod reply;
mod reqid;
mod route;
mod stat;
pub mod trace;
mod url_for;
mod used;

pub use app::App;
pub use body::{Body, BodyError};
pub use call::{Running, bind, call};
pub use ctx::{Ctx, Door, Notes, States};
pub use error::{BadParams, Error, Fault, IntoError, Result};
pub use generated::{Arg, FromBody};
pub use handler::Handler;
pub use job::Job;
pub use later::{Later, TakingIn, defer};
pub use metrics::Metrics;
pub use permit::permit;
pub use registry::Registry;
pub use replies::{Finding, Keeping, Replies, Turn, Turning};
pub use reply::Reply;
pub use reqid::{ReqId, ReqIdError, ReqIdParts};
pub use stat::Stat;
pub use url_for::{UrlError, escape_path, url_for};
pub use used::Used;

pub use {schemars, serde, serde_json};

/// What code written by `#[handler]` needs. Not for anyone else.
#[doc(hidden)]
pub mod __private {
    pub use crate::__route as route;
    pub use crate::args::{Binder, Input, check};
    pub use crate::generated::{FromBody, Pattern, Shown, ShownAsJson, ShownNot, schema};
    pub use crate::handler::{
        Batch, Call, Check, Handler, Kind, Options, Param, Place, QueueOptions, Registered, Source,
    };
    pub use crate::reply::{Ret, ViaResult, ViaValue};
    pub use crate::route::{route_bytes, route_len, route_str};
    pub use crate::{Ctx, Error, Job, trace};
    pub use inventory;
    pub use serde::Serialize;
}
