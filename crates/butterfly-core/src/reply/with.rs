//! An answer with headers, cookies or a status of its own.

use http::header::{CONTENT_TYPE, SET_COOKIE};
use http::{HeaderName, HeaderValue};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use super::into::envelope;
use super::{Content, IntoReply, Reply};
use crate::{Fault, Result, Stat};

/// A value and what goes with it: the schema stays that of the value.
///
/// # Example
///
/// ```
/// use butterfly_core::reply::{IntoReply, ReplyExt};
///
/// let reply = vec![1, 2].with_header("demo", "1.0.1").with_stat("OK_PART").into_reply()?;
/// assert_eq!(reply.stat.as_str(), "OK_PART");
/// # Ok::<(), butterfly_core::Error>(())
/// ```
#[derive(Debug)]
pub struct With<T> {
    value: T,
    stat: Stat,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// Adds headers, cookies and a status to any serde value.
pub trait ReplyExt: Serialize + JsonSchema + Sized {
    /// Sends a header. A name or value that HTTP cannot carry is left out and logged.
    fn with_header(self, name: &str, value: &str) -> With<Self> {
        With { value: self, stat: Stat::OK, headers: Vec::new() }.with_header(name, value)
    }

    /// Sets a cookie: `HttpOnly; SameSite=Lax; Path=/`.
    fn with_cookie(self, cookie: Cookie) -> With<Self> {
        With { value: self, stat: Stat::OK, headers: Vec::new() }.with_cookie(cookie)
    }

    /// Answers with this status instead of `OK`.
    fn with_stat(self, stat: impl Into<Stat>) -> With<Self> {
        With { value: self, stat: stat.into(), headers: Vec::new() }
    }
}

impl<T: Serialize + JsonSchema> ReplyExt for T {}

impl<T> With<T> {
    /// Sends one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        push_header(&mut self.headers, name, value);
        self
    }

    /// Sets one more cookie.
    #[must_use]
    pub fn with_cookie(self, cookie: Cookie) -> Self {
        let line = cookie.line();
        self.with_header(SET_COOKIE.as_str(), &line)
    }

    /// Answers with this status instead of `OK`.
    #[must_use]
    pub fn with_stat(mut self, stat: impl Into<Stat>) -> Self {
        self.stat = stat.into();
        self
    }
}

impl<T: Serialize + JsonSchema> IntoReply for With<T> {
    fn into_reply(self) -> Result<Reply> {
        let document = envelope(&self.stat, &self.value)
            .map_err(|error| Fault::Server { reason: "Dump json exception", source: error.into() })?;
        Ok(Reply { stat: self.stat, status: None, headers: self.headers, content: Content::Json(document) })
    }

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<T>())
    }
}

/// Adds a header if HTTP can carry it; otherwise the error log says so.
pub(crate) fn push_header(headers: &mut Vec<(HeaderName, HeaderValue)>, name: &str, value: &str) {
    match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
        (Ok(name), Ok(value)) => headers.push((name, value)),
        _ => {
            tracing::error!(target: "butterfly::reply", header = name, "left out a header that HTTP cannot carry");
        }
    }
}

/// The content type of an answer.
pub(crate) fn content_type(headers: &mut Vec<(HeaderName, HeaderValue)>, value: &str) {
    headers.retain(|(name, _)| name != CONTENT_TYPE);
    push_header(headers, CONTENT_TYPE.as_str(), value);
}

/// A cookie to set; `HttpOnly`, `SameSite=Lax` and `Path=/` unless told otherwise.
#[derive(Debug, Clone)]
pub struct Cookie {
    name: String,
    value: String,
    attributes: String,
    http_only: bool,
}

impl Cookie {
    /// A cookie for the session of the browser. In the value `%`, `;`, `,` and blanks are percent-escaped, which
    /// [`args::decode`](crate::args::decode) undoes; a name keeps its letters, digits, `-`, `_` and `.` alone.
    #[must_use]
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        let attributes = "; Path=/; SameSite=Lax".into();
        Self { name: name.into(), value: value.into(), attributes, http_only: true }
    }

    /// Keeps it for so many seconds.
    #[must_use]
    pub fn max_age(mut self, seconds: u64) -> Self {
        self.attributes.push_str(&format!("; Max-Age={seconds}"));
        self
    }

    /// Sends it over TLS alone.
    #[must_use]
    pub fn secure(mut self) -> Self {
        self.attributes.push_str("; Secure");
        self
    }

    /// Lets the page's scripts read it.
    #[must_use]
    pub fn readable(mut self) -> Self {
        self.http_only = false;
        self
    }

    /// The value of the `set-cookie` header.
    pub(crate) fn line(&self) -> String {
        let guard = if self.http_only { "; HttpOnly" } else { "" };
        // What would end the value early is percent-escaped, so that no value can add an attribute.
        let value =
            self.value.replace('%', "%25").replace(';', "%3B").replace(',', "%2C").replace(' ', "%20");
        let name: String =
            self.name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
        format!("{name}={value}{}{guard}", self.attributes)
    }
}
