//! The model of Butterfly: SQL, Redis and local cache, one way to say what a thing is.

#[cfg(feature = "cache")]
pub mod cache;
pub mod ids;
pub mod ral;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(feature = "session")]
pub mod session;
#[cfg(feature = "sql")]
pub mod sql;
