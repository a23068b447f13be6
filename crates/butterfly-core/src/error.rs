//! What can go wrong in a call, and who is told what.

use std::any::Any;
use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::Duration;

use crate::{BodyError, Stat};

/// The result of a handler.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call did not answer: a pointer to a [`Fault`].
///
/// Any `std::error::Error` turns into one with `?` and is then a server fault: its whole chain goes to the error
/// log under the call's reqid, and nothing of it goes on the wire. A status of your own comes from
/// [`ensure!`](crate::ensure), [`bail!`](crate::bail) or `#[derive(Stat)]`.
///
/// # Example
///
/// ```
/// use butterfly_core::{Error, Stat};
///
/// fn parse(text: &str) -> Result<u16, Error> {
///     butterfly_core::ensure!(!text.is_empty(), "ERR_EMPTY");
///     Ok(text.parse()?)
/// }
/// assert_eq!(parse("").unwrap_err().stat(), Stat::new("ERR_EMPTY"));
/// assert_eq!(parse("x").unwrap_err().stat(), Stat::ERR_SERVER_EXCEPTION);
/// ```
pub struct Error(Box<Fault>);

/// Every way in which a call can fail; the door chooses its form on the wire.
#[derive(Debug)]
#[non_exhaustive]
pub enum Fault {
    /// No handler has this path.
    NotFound,
    /// The handler does not take this method; it takes these.
    MethodNotAllowed {
        /// The methods that the path does take.
        allow: Vec<&'static str>,
    },
    /// The path cannot be read.
    BadPath,
    /// Arguments are missing, unknown, of the wrong type or out of range.
    BadParams(BadParams),
    /// The body cannot be read as arguments at all.
    BadBody(String),
    /// The body is larger than the limit, in bytes.
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The body's media type is not one that this handler reads.
    UnsupportedMedia,
    /// The caller may not do this.
    Forbidden(String),
    /// The handler did not answer in time.
    Timeout(Duration),
    /// There is no room for the call just now; later there may be.
    Busy {
        /// What has no room, for the caller.
        reason: String,
        /// When to try again.
        retry_after: Duration,
    },
    /// A file that the answer names cannot be sent: the HTTP status and the reason.
    File(u16, &'static str),
    /// The handler's own business error.
    Business {
        /// The status for the caller.
        stat: Stat,
        /// What the caller is told beyond the status.
        reason: Option<String>,
    },
    /// A failure that nobody foresaw.
    Server {
        /// The reason shown to the caller: one of Butterfly's fixed texts.
        reason: &'static str,
        /// The error and its causes, for the error log alone.
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl Error {
    /// A business error: the caller sees `stat`.
    #[must_use]
    pub fn business(stat: impl Into<Stat>) -> Self {
        Fault::Business { stat: stat.into(), reason: None }.into()
    }

    /// A business error with a text for the caller, sent as `reason` and in the `x-reason` header.
    #[must_use]
    pub fn business_because(stat: impl Into<Stat>, reason: impl Into<String>) -> Self {
        Fault::Business { stat: stat.into(), reason: Some(reason.into()) }.into()
    }

    /// A server fault: the caller sees `ERR_SERVER_EXCEPTION`, the log sees everything.
    #[must_use]
    pub fn server(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Fault::Server { reason: PROCESSING, source: source.into() }.into()
    }

    /// What went wrong.
    #[must_use]
    pub fn fault(&self) -> &Fault {
        &self.0
    }

    /// The status that the caller sees.
    #[must_use]
    pub fn stat(&self) -> Stat {
        self.0.stat()
    }

    /// The error and all its causes on one line, for logs.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let Fault::Server { source, .. } = self.fault() else { return text };
        let mut next: Option<&(dyn StdError + 'static)> = Some(source.as_ref());
        while let Some(cause) = next {
            let part = cause.to_string();
            if !text.ends_with(&part) {
                text.push_str(": ");
                text.push_str(&part);
            }
            next = cause.source();
        }
        text
    }
}

/// The reason text of a handler that failed (spec: error table).
pub(crate) const PROCESSING: &str = "API Processing Exception";

impl Fault {
    /// The status that the caller sees.
    #[must_use]
    pub fn stat(&self) -> Stat {
        match self {
            Fault::BadParams(_) | Fault::BadBody(_) => Stat::ERR_BAD_PARAMS,
            Fault::Business { stat, .. } => stat.clone(),
            Fault::Server { .. } | Fault::File(..) => Stat::ERR_SERVER_EXCEPTION,
            Fault::NotFound | Fault::BadPath => Stat::new("ERR_NOT_FOUND"),
            Fault::MethodNotAllowed { .. } => Stat::new("ERR_METHOD_NOT_ALLOWED"),
            Fault::TooLarge { .. } => Stat::new("ERR_BODY_TOO_LARGE"),
            Fault::UnsupportedMedia => Stat::new("ERR_UNSUPPORTED_MEDIA_TYPE"),
            Fault::Forbidden(_) => Stat::new("ERR_FORBIDDEN"),
            Fault::Timeout(_) => Stat::new("ERR_TIMEOUT"),
            Fault::Busy { .. } => Stat::new("ERR_BUSY"),
        }
    }

    /// The reason for the `x-reason` header and the access log: never anything internal.
    #[must_use]
    pub fn reason(&self) -> Cow<'_, str> {
        match self {
            Fault::NotFound => "API Not Found".into(),
            Fault::BadPath => "Get API Exception".into(),
            Fault::BadParams(_) => "Param check failed".into(),
            Fault::BadBody(_) => "Param check exception".into(),
            Fault::MethodNotAllowed { allow } => {
                format!("Method not allowed, use {}", allow.join(", ")).into()
            }
            Fault::TooLarge { limit } => format!("Body is larger than {limit} bytes").into(),
            Fault::UnsupportedMedia => "Unsupported media type, send JSON or a form".into(),
            Fault::Forbidden(why) | Fault::Busy { reason: why, .. } => why.as_str().into(),
            Fault::Timeout(limit) => format!("No answer within {limit:?}").into(),
            Fault::File(_, reason) | Fault::Server { reason, .. } => (*reason).into(),
            Fault::Business { reason, .. } => reason.as_deref().unwrap_or_default().into(),
        }
    }

    /// The HTTP status where a handler has status codes of its own (`http`, `download`), and in the REST style.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        match self {
            Fault::BadPath | Fault::BadBody(_) => 400,
            Fault::BadParams(_) | Fault::Business { .. } => 422,
            Fault::Forbidden(_) => 403,
            Fault::NotFound => 404,
            Fault::MethodNotAllowed { .. } => 405,
            Fault::TooLarge { .. } => 413,
            Fault::UnsupportedMedia => 415,
            Fault::Server { .. } => 500,
            Fault::Busy { .. } => 503,
            Fault::Timeout(_) => 504,
            Fault::File(status, _) => *status,
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self(Box::new(fault))
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    fn from(source: E) -> Self {
        let io = (&source as &dyn Any).downcast_ref::<io::Error>();
        match io.and_then(BodyError::of) {
            Some(broken) => Fault::from(broken).into(),
            None => Self::server(source),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.stat().as_str())?;
        let reason = self.0.reason();
        if !reason.is_empty() {
            write!(f, ": {reason}")?;
        }
        match self.fault() {
            Fault::BadParams(bad) => write!(f, " ({bad})"),
            Fault::BadBody(why) => write!(f, " ({why})"),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.chain())
    }
}

/// The parameters that do not fit, each with what is wrong with it.
///
/// # Example
///
/// ```
/// use butterfly_core::BadParams;
///
/// let mut bad = BadParams::default();
/// bad.push("times", "must be in 1..=100, got 500");
/// assert_eq!(bad.to_string(), "times: must be in 1..=100, got 500");
/// ```
#[derive(Debug, Default)]
pub struct BadParams(Vec<(String, String)>);

impl BadParams {
    /// The most problems that are named, so that a body of nothing but wrong names makes no huge answer.
    const MOST: usize = 64;

    /// Adds one parameter and what is wrong with it; nothing once there are many.
    pub fn push(&mut self, name: impl Into<String>, problem: impl Into<String>) {
        match self.0.len() {
            Self::MOST => {}
            last if last + 1 == Self::MOST => self.0.push(("…".into(), "there are more problems".into())),
            _ => self.0.push((name.into(), problem.into())),
        }
    }

    /// True when no more problems are taken up.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.0.len() == Self::MOST
    }

    /// True when nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Parameter names and problems, in order of discovery.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, problem)| (name.as_str(), problem.as_str()))
    }
}

impl fmt::Display for BadParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, problem)) in self.iter().enumerate() {
            let gap = if index == 0 { "" } else { "; " };
            write!(f, "{gap}{name}: {problem}")?;
        }
        Ok(())
    }
}

/// Turns a status of any form into an error: what [`bail!`](crate::bail) and [`ensure!`](crate::ensure) accept.
pub trait IntoError {
    /// The business error.
    fn into_error(self) -> Error;
}

impl IntoError for &'static str {
    fn into_error(self) -> Error {
        Error::business(self)
    }
}

impl IntoError for Stat {
    fn into_error(self) -> Error {
        Error::business(self)
    }
}

impl IntoError for Error {
    fn into_error(self) -> Error {
        self
    }
}

/// Leaves the handler with a business status: `bail!("ERR_EMPTY")`, `bail!("ERR_LIMIT", "at most {max}")`.
///
/// The first form takes text, a [`Stat`](crate::Stat) or a value of a `#[derive(Stat)]` enum. The second adds a
/// text for the caller.
#[macro_export]
macro_rules! bail {
    ($stat:expr $(,)?) => {
        return ::core::result::Result::Err($crate::IntoError::into_error($stat).into())
    };
    ($stat:expr, $($reason:tt)+) => {
        return ::core::result::Result::Err(
            $crate::Error::business_because($crate::IntoError::into_error($stat).stat(), ::std::format!($($reason)+)).into())
    };
}

/// Leaves the handler with a business status unless the condition holds: `ensure!(!name.is_empty(), "ERR_EMPTY")`.
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $($rest:tt)+) => {
        if !$condition {
            $crate::bail!($($rest)+);
        }
    };
}
