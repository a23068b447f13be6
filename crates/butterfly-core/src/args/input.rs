//! What a door hands over for binding.

use crate::Body;

/// Everything a call's arguments can come from. Later sources override earlier ones: query, payload, path.
#[derive(Debug, Default)]
pub struct Input<'a> {
    /// The query string, still escaped.
    pub query: Option<&'a str>,
    /// The body, already whole.
    pub payload: Payload<'a>,
    /// Values of the `{name}` segments of a dynamic path, unescaped.
    pub captures: &'a [(String, String)],
    /// The body as a stream, for handlers that read it themselves.
    pub stream: Option<Body>,
}

/// A body or message that is whole.
#[derive(Debug, Default, Clone, Copy)]
pub enum Payload<'a> {
    /// None was sent.
    #[default]
    None,
    /// A JSON document: an entry for each parameter, or the value of the one that takes the whole body.
    Json(&'a [u8]),
    /// A JSON object with an entry for each parameter, also for one that takes the whole body: what messages carry.
    Args(&'a [u8]),
    /// `application/x-www-form-urlencoded`.
    Form(&'a [u8]),
    /// Names and values from the command line or the text fields of a multipart form.
    Pairs(&'a [(String, String)]),
}
