//! The values that are more than a number or a text: choices, secrets, filters, names.

use std::fmt;

use toml::Value;

use super::setting::{Setting, list_from_text, list_from_value, list_to_value};
use super::suggest::nearest;

/// A closed set of words: the enum, its text, and what is said when the word is another.
macro_rules! choices {
    ($(#[$meta:meta])* $name:ident, $accepts:literal { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// The word for it in configuration.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Setting for $name {
            const ACCEPTS: &'static str = $accepts;

            fn from_text(text: &str) -> Result<Self, String> {
                match text.trim() {
                    $($word => Ok(Self::$variant),)+
                    other => Err(did_you_mean(other, [$($word),+])),
                }
            }

            fn to_value(&self) -> Value {
                Value::String(self.to_string())
            }
        }
    };
}

fn did_you_mean<const N: usize>(word: &str, words: [&'static str; N]) -> String {
    nearest(word, words).map_or_else(String::new, |near| format!("did you mean `{near}`?"))
}

choices! {
    /// What a process does.
    Role, "http, worker or scheduler" {
        /// Answers HTTP requests.
        Http = "http",
        /// Runs queued messages.
        Worker = "worker",
        /// Fires scheduled jobs.
        Scheduler = "scheduler",
    }
}

choices! {
    /// How a failed request is answered.
    ErrorStyle, "butterfly or rest" {
        /// HTTP 200 and a `stat`, as Butterfly's clients expect.
        Butterfly = "butterfly",
        /// HTTP statuses with problem details.
        Rest = "rest",
    }
}

choices! {
    /// How a log line is written.
    LogFormat, "text or json" {
        /// Tab separated columns.
        Text = "text",
        /// One JSON object a line.
        Json = "json",
    }
}

choices! {
    /// When a cookie is for TLS alone.
    SecureCookie, "auto, always or never" {
        /// When the call came by TLS, as the proxy in front says.
        Auto = "auto",
        /// Always.
        Always = "always",
        /// Never.
        Never = "never",
    }
}

choices! {
    /// When the embedded queue takes what it was given for kept.
    Durability, "full or normal" {
        /// When it is on disk: nothing that was accepted is lost, whatever happens.
        Full = "full",
        /// When the system has it: a crash of the process loses nothing, one of the machine may lose the last moments.
        Normal = "normal",
    }
}

impl Setting for Vec<Role> {
    const ACCEPTS: &'static str = "a list of one or more of http, worker and scheduler";

    fn from_text(text: &str) -> Result<Self, String> {
        distinct(list_from_text(text)?)
    }

    fn from_value(value: &Value) -> Result<Self, String> {
        distinct(list_from_value(value)?)
    }

    fn to_value(&self) -> Value {
        list_to_value(self)
    }
}

fn distinct(roles: Vec<Role>) -> Result<Vec<Role>, String> {
    let mut kept = Vec::with_capacity(roles.len());
    for role in roles {
        if !kept.contains(&role) {
            kept.push(role);
        }
    }
    if kept.is_empty() { Err("a process without a role does nothing".to_owned()) } else { Ok(kept) }
}

/// A secret: never printed, only [exposed](Secret::expose) on purpose.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Setting for Secret {
    const ACCEPTS: &'static str = "16 or more characters that fit an HTTP header: ASCII, no spaces";
    const SECRET: bool = true;

    fn from_text(text: &str) -> Result<Self, String> {
        match text {
            text if !text.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Err("it has spaces or characters outside ASCII".to_owned())
            }
            text if text.len() < 16 => Err(format!("it has only {}", text.len())),
            text => Ok(Self(text.to_owned())),
        }
    }

    fn to_value(&self) -> Value {
        Value::String("***".to_owned())
    }
}

/// What is logged: levels and `target=level` pairs in the syntax of `RUST_LOG`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    /// Everything of level `info` and above.
    pub fn info() -> Self {
        Self("info".to_owned())
    }

    /// The filter as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for LogFilter {
    const ACCEPTS: &'static str =
        "a level (off, error, warn, info, debug, trace) or a list such as info,my_app::db=debug";

    fn from_text(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("it is empty".to_owned());
        }
        // The log reads it later; it is the log that knows what it can read.
        butterfly_log::Levels::parse(text).map_err(|error| wrong_level(error.part()))?;
        Ok(Self(text.to_owned()))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

fn wrong_level(part: &str) -> String {
    let word = part.rsplit('=').next().unwrap_or(part).trim().to_ascii_lowercase();
    match nearest(&word, ["off", "error", "warn", "info", "debug", "trace"]) {
        Some(near) => format!("not {part:?}: did you mean `{near}`?"),
        None => format!("not {part:?}"),
    }
}

/// The name of an HTTP header, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderName(String);

impl HeaderName {
    /// `x-username`.
    pub fn x_username() -> Self {
        Self("x-username".to_owned())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for HeaderName {
    const ACCEPTS: &'static str = "the name of an HTTP header such as x-username";

    fn from_text(text: &str) -> Result<Self, String> {
        let name = text.trim().to_ascii_lowercase();
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(String::new());
        }
        Ok(Self(name))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A path below which something is served, without slashes at its ends; empty means nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlPrefix(String);

impl UrlPrefix {
    /// `static`.
    pub fn of_static() -> Self {
        Self("static".to_owned())
    }

    /// The prefix, or `None` when it is off.
    pub fn get(&self) -> Option<&str> {
        Some(self.0.as_str()).filter(|prefix| !prefix.is_empty())
    }
}

impl Setting for UrlPrefix {
    const ACCEPTS: &'static str = "a path such as static or assets/v1, or nothing at all";

    fn from_text(text: &str) -> Result<Self, String> {
        let path = text.trim().trim_matches('/');
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let is_name = |name: &str| !matches!(name, "" | "." | "..") && name.bytes().all(is_plain);
        if path.is_empty() || path.split('/').all(is_name) {
            return Ok(Self(path.to_owned()));
        }
        Err("each name may have letters, digits and - . _ ~".to_owned())
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}
