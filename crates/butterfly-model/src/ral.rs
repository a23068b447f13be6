//! A client for services that speak nshead and mcpack, and a small server for them.
//!
//! A service is described once, with all its addresses; calls to it are spread over them, use connections again, and are
//! tried elsewhere when that is safe.
//!
//! ```
//! use butterfly_core::{Ctx, Door};
//! use butterfly_model::ral::{Ral, Value, serve};
//!
//! #[derive(serde::Serialize)]
//! struct Ask {
//!     id: u32,
//! }
//!
//! #[derive(serde::Deserialize)]
//! struct User {
//!     name: String,
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! // A service; yours is elsewhere.
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let address = listener.local_addr()?.to_string();
//! tokio::spawn(serve(listener, async |_head, ask: Value| {
//!     let id = ask.get("id").and_then(Value::as_i64).unwrap_or_default();
//!     Value::object([("name", Value::from(format!("user {id}")))])
//! }));
//!
//! let users = Ral::service("users").address(address).build()?;
//! let ctx = Ctx::new(Door::Cli);
//! let user: User = users.call(&ctx, &Ask { id: 7 }).await?;
//! assert_eq!(user.name, "user 7");
//!
//! // A question, which may be asked twice; the same key goes to the same address.
//! let user: User = users.request().ctx(&ctx).idempotent().key("7").send(&Ask { id: 7 }).await?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # When a call is tried again
//!
//! Where the request did not go out in full, it was not processed: it is tried again, on the next address. Once it went out,
//! the service may have done what was asked though the answer is lost: it is tried again only when the caller says that it is
//! [`idempotent`](Request::idempotent). [`RalError::possibly_processed`] tells which it was.
//!
//! # What is taken from others
//!
//! A message is read by its own limits: the length of its body ([`max_body`](ServiceBuilder::max_body)), how deep and how
//! many its values are ([`Limits`]). Memory is taken for what is there, never for what a length says. [`encode`] writes
//! nothing behind a value, and [`decode`] takes nothing there, unless [`Limits::stray_zeros`] says so.

mod address;
mod breaker;
mod deadline;
mod error;
mod frame;
mod mcpack;
mod nshead;
mod options;
mod pool;
mod server;
mod service;
mod spread;
mod value;

pub use self::error::{RalError, RalErrorKind};
pub use self::mcpack::{Limits, McpackError, decode, encode, from_value, to_value};
pub use self::nshead::{BadMagic, NSHEAD_LEN, Nshead};
pub use self::options::ServiceBuilder;
pub use self::server::{Server, serve};
pub use self::service::{AddressState, Ral, Request, Service, log_id};
pub use self::spread::Spread;
pub use self::value::Value;
