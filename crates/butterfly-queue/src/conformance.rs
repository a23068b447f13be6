//! What every engine must do, as cases that run against any [`Engine`]; and an engine in memory that does it.
//!
//! Who writes an engine describes it once, as a [`Subject`], and writes one line:
//!
//! ```
//! use butterfly_queue::conformance::memory::Memory;
//!
//! butterfly_queue::conformance!(Memory::default());
//! # fn main() {}
//! ```
//!
//! Every case is then a test of its own name. [`run_all`] runs them as a library does, for a program that wants to see
//! which fail: the suite's own tests plant faults ([`Faulty`]) and look whether they are found.
//!
//! # How to read a case
//!
//! A case is a function that gets a [`Trial`]: a new, empty place and the means to open handles on it. It says in its
//! comment what must hold, above all where the words of [`engine`](crate::engine) leave something open. Cases wait for
//! events, at most for the subject's [`patience`](Subject::patience). Where time itself is looked at (delay, rate,
//! ttl), it is only said what must *not* happen too early: a slow machine fails no case.

mod desk;
mod ear;
mod failed;
pub mod memory;
mod subject;
mod suite;

mod faulty;

mod cancel;
mod crash;
mod delay;
mod ends;
mod fence;
mod ids;
mod keys;
mod leases;
mod life;
mod limits;
mod lists;
mod many;
mod model;
mod operate;
mod order;
mod ttl;
mod unique;
mod wake;
mod workers;

pub use desk::{Desk, Trial};
pub use failed::{Failed, Proof};
pub use faulty::{Fault, Faulty};
pub use subject::{Place, Subject};
pub use suite::{CASES, Case, CaseFuture, prove, run, run_all};
