//! A Lua script, run by its hash.

use std::borrow::Cow;

/// A Lua script and its name in the server's memory.
///
/// [`Redis::run`](super::Redis::run) sends the hash alone, and the text once to a server that does not know it.
///
/// # Example
///
/// ```
/// use butterfly_model::redis::Script;
///
/// let script = Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1])");
/// assert_eq!(script.sha().len(), 40);
/// ```
#[derive(Clone, Debug)]
pub struct Script {
    text: Cow<'static, str>,
    sha: String,
}

impl Script {
    /// A script of this text.
    #[must_use]
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        let text = text.into();
        let sha = redis::Script::new(&text).get_hash().to_owned();
        Self { text, sha }
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The SHA-1 of its text, in hex: the name by which the server knows it.
    #[must_use]
    pub fn sha(&self) -> &str {
        &self.sha
    }
}
