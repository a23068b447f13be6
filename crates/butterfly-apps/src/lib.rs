//! The apps that every Butterfly program has, written as any user writes handlers.
//!
//! | path | shows | to whom |
//! | --- | --- | --- |
//! | `/healthz`, `/readyz` | whether the process lives, whether it takes calls | everyone |
//! | `/metrics` | counts and durations for Prometheus | operators |
//! | `/openapi.json` | every handler, for machines | operators |
//! | `/docs` | every handler, for people, with a form to try it | operators |
//! | `/baichuan/…` | the queue: topics, messages, workers, and what an operator does with them | operators |
//! | `/demo_log/loglevel_get`, `/demo_log/loglevel_set` | log levels, changeable while running | operators |
//!
//! Operators are callers on the same machine, and others that bring the token `ops.token`.

extern crate butterfly_core as butterfly;

pub mod baichuan;
pub mod demo_log;
pub mod docs;
pub mod health;
pub mod metrics;
pub mod openapi;

/// Makes this crate part of the program: the linker leaves out a crate that nothing refers to, and its handlers
/// with it. The facade calls it where it collects the handlers; it does nothing else.
///
/// # Example
///
/// ```
/// use butterfly_core::Registry;
///
/// butterfly_apps::link();
/// assert!(Registry::collect()?.get("/healthz").is_some());
/// # Ok::<(), butterfly_core::registry::RegistryError>(())
/// ```
pub fn link() {}
