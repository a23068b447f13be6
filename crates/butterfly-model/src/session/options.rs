//! How long sessions last, and what bounds them.

use std::time::Duration;

/// How long sessions last, what bounds them, and what their cookie is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The name of the cookie: letters, digits, `-`, `_` and `.`. With `__Host-` before it, browsers take it over TLS
    /// alone, and from no other host of the domain.
    pub cookie: String,
    /// When the cookie is for TLS alone.
    pub secure: Secure,
    /// A session that nobody uses for so long ends.
    pub idle: Duration,
    /// A session ends at this age, however much it is used; a login begins anew.
    pub ttl: Duration,
    /// The most that a session may hold, in bytes of JSON.
    pub max_bytes: usize,
    /// The sessions that a user may have; a login beyond ends the one that was not seen for the longest time.
    pub max_per_user: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cookie: "sid".into(),
            secure: Secure::Auto,
            idle: Duration::from_secs(7 * 86_400),
            ttl: Duration::from_secs(30 * 86_400),
            max_bytes: 16 << 10,
            max_per_user: 100,
        }
    }
}

/// When a cookie is for TLS alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Secure {
    /// When the call came by TLS, which the proxy in front says: `X-Forwarded-Proto: https`.
    #[default]
    Auto,
    /// Always: browsers send nothing back over plain HTTP.
    Always,
    /// Never.
    Never,
}
