//! Sessions: who calls, and what was kept for them from call to call.
//!
//! ```
//! use butterfly_core::{Ctx, Result};
//! use butterfly_model::session::SessionExt;
//!
//! async fn login(ctx: &Ctx, name: String) -> Result<()> {
//!     ctx.session().await?.login(name).await
//! }
//!
//! async fn visits(ctx: &Ctx) -> Result<u64> {
//!     ctx.session().await?.update("visits", |before: Option<u64>| before.unwrap_or(0) + 1).await
//! }
//!
//! async fn leave_everywhere(ctx: &Ctx) -> Result<usize> {
//!     let user = ctx.session().await?.user().unwrap_or_default();
//!     ctx.sessions()?.revoke_all(user).await
//! }
//! ```
//!
//! | store | sessions are |
//! | --- | --- |
//! | [`MemorySessions`] | in this process, gone with it |
//! | [`SqlSessions`] | in a table of a database, or in an SQLite file of their own |
//! | [`RedisSessions`] | in Redis: one server, Sentinel, a cluster, behind a proxy |
//!
//! # What to know
//!
//! - The cookie holds a random secret of 192 bits and its signature (HMAC-SHA256): `HttpOnly`, `SameSite=Lax`, `Path=/`,
//!   `Secure` under TLS. Stores know the secret's hash alone: who reads a store cannot use a session. Cookies that are
//!   forged, cut, doubled or too long are no session, and never reach the store.
//! - [`login`](Session::login) gives the session a new id and ends the old one.
//! - What is set is stored at once; there is nothing to save at the end of a call, and a call that fails later takes
//!   nothing back. A call that reads writes nothing, but for noting now and then that the session is in use.
//! - Two calls of one session at once keep each other's keys: a change applies to what the store holds, and is made
//!   again when another was faster.
//! - A session ends when it is not used for [`Options::idle`], at the age of [`Options::ttl`], at
//!   [`logout`](Session::logout), and when it is [revoked](Sessions::revoke): the next call of whoever has its cookie is
//!   without it, in every process.
//! - `SameSite=Lax` keeps other sites from posting in the caller's name, and not from linking: let handlers that change
//!   something take `methods(POST)` alone.
//! - An answer of a call that asked for its session says `Vary: cookie`, and `#[handler(cache = ..)]` does not keep it.

mod cookie;
mod handle;
mod keys;
mod memory;
mod options;
mod record;
#[cfg(feature = "redis")]
mod redis;
mod sessions;
#[cfg(feature = "sql")]
mod sql;
mod store;
mod token;

pub use handle::{Session, SessionExt};
pub use keys::Keys;
pub use memory::MemorySessions;
pub use options::{Options, Secure};
#[cfg(feature = "redis")]
pub use redis::RedisSessions;
pub use sessions::{SessionInfo, Sessions};
#[cfg(feature = "sql")]
pub use sql::SqlSessions;
pub use store::{Pending, SessionStore, Stored};
