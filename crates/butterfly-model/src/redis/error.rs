//! What can go wrong with Redis, by what is to be done about it.

use std::fmt;

use redis::{ErrorKind, RedisError as DriverError, Value};

/// What can go wrong with Redis.
///
/// # Example
///
/// ```
/// use butterfly_model::redis::{RedisError, RedisOptions};
///
/// let error = "http://10.0.0.5".parse::<RedisOptions>().unwrap_err();
/// assert!(matches!(error, RedisError::Misconfigured(_)));
/// assert!(error.to_string().contains("write redis://"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedisError {
    /// It cannot be reached or does not answer; whether the call was done is not known. Trying again may help.
    Unavailable(String),
    /// There is no room left: memory or disk is full. Nothing was changed.
    NoRoom(String),
    /// Redis cannot be used as it is configured: a wrong address, user or password.
    Misconfigured(String),
    /// A key holds another type than it is used as. Choose another key, or look at who else writes it.
    WrongType(String),
    /// What is stored cannot be read as what is asked for.
    Unreadable(String),
    /// What was given cannot be stored or asked; nothing was changed.
    Invalid(String),
    /// Another record has the value of a unique field already; nothing was changed.
    Taken {
        /// The field.
        field: String,
    },
    /// The keys of one call lie on several slots of a cluster. Give them one hash tag: `{tag}a`, `{tag}b`.
    CrossSlot(String),
    /// A script ended with an error of its own, whose first word is the code.
    Script {
        /// The first word of the error, such as `ERR`.
        code: String,
        /// The rest of it.
        detail: String,
    },
}

impl fmt::Display for RedisError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) => write!(f, "Redis is out of reach: {why}"),
            Self::NoRoom(why) => write!(f, "Redis has no room left: {why}"),
            Self::Misconfigured(why) | Self::Invalid(why) => f.write_str(why),
            Self::WrongType(why) => {
                write!(f, "a key of Redis holds another type than it is used as ({why}): use another key")
            }
            Self::Taken { field } => write!(f, "the field {field}: another record has this value already"),
            Self::Unreadable(why) => write!(f, "what Redis holds cannot be read: {why}"),
            Self::CrossSlot(why) => write!(
                f,
                "{why} lie on several slots of the cluster: give the keys of one call one hash tag, such as {{tag}}a and {{tag}}b"
            ),
            Self::Script { code, detail } => write!(f, "a script in Redis failed: {code} {detail}"),
        }
    }
}

impl std::error::Error for RedisError {}

/// The codes of a server that does not let us in, and the client's own word for it.
const REFUSALS: [&str; 4] = ["NOAUTH", "WRONGPASS", "NOPERM", "AuthenticationFailed"];

/// What the client says where the two ends do not come together over TLS, and what it means: waiting does not help.
const DISTRUST: [(&str, &str); 2] = [
    ("invalid peer certificate", "the certificate of Redis is not trusted (ssl_ca_certs names who is)"),
    ("received fatal alert", "Redis refuses our TLS (ssl_certfile and ssl_keyfile say who we are)"),
];

impl From<DriverError> for RedisError {
    /// What an error of the client or the server means.
    fn from(error: DriverError) -> Self {
        let text = error.to_string();
        let code = error.code().unwrap_or_default();
        let in_script = text.contains("user_script");
        // Redis 6 puts the error of a command in a script behind words of its own.
        let says = |word: &str| code == word || (in_script && text.contains(word));
        if says("OOM") || says("MISCONF") {
            return Self::NoRoom(text);
        }
        if says("WRONGTYPE") {
            return Self::WrongType(text);
        }
        // A cluster's client shows only the text of why none of its nodes took it in.
        let in_text = |word: &&str| text.contains("initial connections") && text.contains(word);
        let refused = REFUSALS.contains(&code)
            || error.kind() == ErrorKind::AuthenticationFailed
            || REFUSALS.iter().any(in_text);
        if refused {
            return Self::Misconfigured(format!("Redis does not let us in: {text}"));
        }
        if let Some((_, why)) = DISTRUST.iter().find(|(says, _)| text.contains(says)) {
            return Self::Misconfigured(format!("{why}: {text}"));
        }
        if error.kind() == ErrorKind::InvalidClientConfig {
            return Self::Misconfigured(text);
        }
        if code == "CROSSSLOT" {
            return Self::CrossSlot("the keys of one call".into());
        }
        if says("NOGROUP") {
            return Self::Invalid(format!("the group of the stream does not exist, create it first: {text}"));
        }
        if matches!(code, "BUSY" | "NOREPLICAS" | "UNBLOCKED") {
            return Self::Unavailable(text);
        }
        if (in_script && !text.contains("TRYAGAIN")) || error.kind() == ErrorKind::Extension {
            let detail = error.detail().map_or_else(|| text.clone(), str::to_owned);
            return Self::Script { code: code.to_owned(), detail };
        }
        // A proxy tells of a server that it does not reach by an ERR too.
        if code == "ERR" && !text.contains("max number of clients") && !text.contains("Connection ") {
            return Self::Invalid(format!("Redis refuses the call: {text}"));
        }
        match error.kind() {
            ErrorKind::UnexpectedReturnType | ErrorKind::Parse => Self::Unreadable(text),
            _ => Self::Unavailable(text),
        }
    }
}

/// The error for an answer of another shape than was asked for.
#[must_use]
pub fn strange(value: &Value) -> RedisError {
    let shown: String = format!("{value:?}").chars().take(100).collect();
    RedisError::Unreadable(format!("Redis answered with {shown}, which is not what was asked for"))
}
