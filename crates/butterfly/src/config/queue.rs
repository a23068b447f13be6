//! The values of `[queue]`, and the names of processes that share a data folder.

use std::path::PathBuf;

use toml::Value;

use super::keys::Config;
use super::setting::{Setting, list_from_text, list_from_value, list_to_value};

/// Whether a text is a name: letters, digits, `-` and `_`, at most 64.
pub(super) fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=64).contains(&text.len()) && text.bytes().all(plain)
}

/// The name of a process among those that share a data folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance(String);

impl Instance {
    /// `main`.
    pub fn main() -> Self {
        Self("main".to_owned())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the one that needs no name.
    pub fn is_main(&self) -> bool {
        self.0 == "main"
    }
}

impl Setting for Instance {
    const ACCEPTS: &'static str = "a name of letters, digits, - and _, at most 64";

    fn from_text(text: &str) -> Result<Self, String> {
        let name = text.trim();
        if is_name(name) { Ok(Self(name.to_owned())) } else { Err(String::new()) }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// What the queue stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueueEngine {
    /// A file in the data folder.
    Embedded,
    /// The Redis of this name in `[redis]`.
    Redis(String),
}

impl QueueEngine {
    /// The word for the engine that needs no server; no Redis can have this name.
    pub(super) const EMBEDDED: &'static str = "embedded";

    /// The word for it in configuration.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Embedded => Self::EMBEDDED,
            Self::Redis(name) => name,
        }
    }
}

impl Setting for QueueEngine {
    const ACCEPTS: &'static str = "embedded, or the name of an entry of [redis] such as default";

    fn from_text(text: &str) -> Result<Self, String> {
        match text.trim() {
            Self::EMBEDDED => Ok(Self::Embedded),
            name if is_name(name) => Ok(Self::Redis(name.to_owned())),
            text if text.contains("://") => {
                Err("set redis.default to the address, and name that entry here".to_owned())
            }
            _ => Err(String::new()),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.as_str().to_owned())
    }
}

/// Which topics a worker runs: a path such as `/shop/buy`, `*` in it for any text, `!` before it to leave topics out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicPattern(String);

impl TopicPattern {
    /// `*`: every topic.
    pub fn every() -> Self {
        Self("*".to_owned())
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for TopicPattern {
    const ACCEPTS: &'static str = "a path such as /shop/buy, /shop/* or !/shop/slow";

    fn from_text(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let path = text.strip_prefix('!').unwrap_or(text);
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./{}*".contains(&byte);
        match path.as_bytes().first() {
            Some(b'/' | b'*') if path.bytes().all(fits) => Ok(Self(text.to_owned())),
            Some(b'/' | b'*') => {
                Err("a path holds letters, digits and _ - . / { }, a pattern also *".to_owned())
            }
            _ => Err("a topic is the path of a handler: it begins with /".to_owned()),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

impl Setting for Vec<TopicPattern> {
    const ACCEPTS: &'static str =
        "a list of paths such as /shop/buy or /shop/*, or !/shop/slow to leave topics out";

    fn from_text(text: &str) -> Result<Self, String> {
        some(list_from_text(text)?)
    }

    fn from_value(value: &Value) -> Result<Self, String> {
        some(list_from_value(value)?)
    }

    fn to_value(&self) -> Value {
        list_to_value(self)
    }
}

fn some(patterns: Vec<TopicPattern>) -> Result<Vec<TopicPattern>, String> {
    if patterns.is_empty() {
        return Err("a worker of no topic does nothing: leave worker out of roles instead".to_owned());
    }
    Ok(patterns)
}

impl Config {
    /// The file of the embedded queue: `queue.file`, or `queue.db` in the data folder.
    ///
    /// # Example
    ///
    /// ```
    /// use butterfly::config::Config;
    ///
    /// assert_eq!(Config::default().queue_file(), std::path::Path::new("data/queue.db"));
    /// ```
    pub fn queue_file(&self) -> PathBuf {
        self.queue.file.clone().unwrap_or_else(|| self.data_dir.join("queue.db"))
    }
}
