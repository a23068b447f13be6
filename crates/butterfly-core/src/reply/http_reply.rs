//! Answers of `#[handler(http)]`: status codes and content types of the handler's choice.

use std::io;

use bytes::Bytes;
use futures_core::Stream;
use http::header::{LOCATION, SET_COOKIE};
use http::{HeaderName, HeaderValue};
use schemars::{Schema, SchemaGenerator};
use serde::Serialize;

use super::with::{content_type, push_header};
use super::{Content, Cookie, IntoReply, Reply};
use crate::{Body, Fault, Result, Stat};

/// An HTTP answer: status, headers, content.
///
/// # Example
///
/// ```
/// use butterfly_core::reply::{Http, IntoReply};
///
/// let reply = Http::html("<h1>Hello</h1>").status(201).header("x-shop", "7").into_reply()?;
/// assert_eq!(reply.status, Some(201));
/// # Ok::<(), butterfly_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Http {
    status: u16,
    headers: Vec<(HeaderName, HeaderValue)>,
    content: Content,
}

impl Http {
    /// A status without content.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), content: Content::Empty }
    }

    /// Plain text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::bytes("text/plain; charset=utf-8", text.into())
    }

    /// A page.
    #[must_use]
    pub fn html(page: impl Into<String>) -> Self {
        Self::bytes("text/html; charset=utf-8", page.into())
    }

    /// A value as JSON, without `stat`.
    ///
    /// # Errors
    ///
    /// When the value cannot be serialised.
    pub fn json(value: &impl Serialize) -> Result<Self> {
        let document = serde_json::to_vec(value)
            .map_err(|error| Fault::Server { reason: "Dump json exception", source: error.into() })?;
        Ok(Self::bytes("application/json", document))
    }

    /// Bytes of a media type.
    #[must_use]
    pub fn bytes(media_type: &str, bytes: impl Into<Bytes>) -> Self {
        Self::of(media_type, Content::Bytes(bytes.into()))
    }

    /// A stream of a media type.
    #[must_use]
    pub fn stream(media_type: &str, pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Self {
        Self::of(media_type, Content::Stream(Body::stream(pieces, None)))
    }

    fn of(media_type: &str, content: Content) -> Self {
        let mut http = Self::new(200);
        content_type(&mut http.headers, media_type);
        http.content = content;
        http
    }

    /// Sets the status code, 200 to 999: what is below announces another answer.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if name.eq_ignore_ascii_case("content-type") {
            content_type(&mut self.headers, value);
        } else {
            push_header(&mut self.headers, name, value);
        }
        self
    }

    /// Sets a cookie.
    #[must_use]
    pub fn cookie(self, cookie: Cookie) -> Self {
        self.header(SET_COOKIE.as_str(), &cookie.line())
    }
}

impl IntoReply for Http {
    fn into_reply(self) -> Result<Reply> {
        let Self { status, headers, content } = self;
        if !(200..1000).contains(&status) {
            let source = format!("the handler answered with the HTTP status {status}").into();
            return Err(Fault::Server { reason: "Invalid ret format", source }.into());
        }
        Ok(Reply { stat: Stat::from(status.to_string()), status: Some(status), headers, content })
    }

    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}

/// Sends the caller elsewhere: 303 See Other unless another code is set.
///
/// # Example
///
/// ```
/// use butterfly_core::reply::{IntoReply, Redirect};
///
/// assert_eq!(Redirect::to("/demo_api/ping").into_reply()?.status, Some(303));
/// # Ok::<(), butterfly_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Redirect {
    status: u16,
    target: String,
}

impl Redirect {
    /// 303 See Other: the caller asks the target with GET. Give no target that came from the caller unchecked.
    #[must_use]
    pub fn to(target: impl Into<String>) -> Self {
        Self { status: 303, target: target.into() }
    }

    /// 308 Permanent Redirect: the same call, from now on at the target.
    #[must_use]
    pub fn permanent(target: impl Into<String>) -> Self {
        Self { status: 308, target: target.into() }
    }
}

impl IntoReply for Redirect {
    fn into_reply(self) -> Result<Reply> {
        Http::new(self.status).header(LOCATION.as_str(), &self.target).into_reply()
    }

    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}
