//! Answers of `#[handler(download)]`: files and streams.

use std::io;
use std::path::PathBuf;

use bytes::Bytes;
use futures_core::Stream;
use schemars::{Schema, SchemaGenerator};

use super::with::push_header;
use super::{Content, IntoReply, Reply};
use crate::{Body, Result};

/// A file to send: ranges, `ETag` and `Content-Type` are the door's work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// Where the file is.
    pub path: PathBuf,
    /// The name under which the caller saves it; `None` shows it in place.
    pub save_as: Option<String>,
    /// The media type; guessed from the name when `None`.
    pub media_type: Option<String>,
}

/// A file or stream for the caller.
///
/// # Example
///
/// ```
/// use butterfly_core::reply::Download;
///
/// let report = Download::file("reports/2026.csv").save_as("report.csv");
/// ```
#[derive(Debug)]
pub struct Download {
    content: Content,
    save_as: Option<String>,
    media_type: Option<String>,
}

impl Download {
    /// A file, relative to the working directory or absolute. Never build the path from what a caller sent.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::of(Content::File(Served { path: path.into(), save_as: None, media_type: None }))
    }

    /// A stream; `length` in bytes where it is known.
    #[must_use]
    pub fn stream(
        pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
        length: Option<u64>,
    ) -> Self {
        Self::of(Content::Stream(Body::stream(pieces, length)))
    }

    fn of(content: Content) -> Self {
        Self { content, save_as: None, media_type: None }
    }

    /// The name under which the caller's program saves the file.
    #[must_use]
    pub fn save_as(mut self, name: impl Into<String>) -> Self {
        self.save_as = Some(name.into());
        self
    }

    /// The media type, where the file's name does not tell.
    #[must_use]
    pub fn media_type(mut self, media_type: impl Into<String>) -> Self {
        self.media_type = Some(media_type.into());
        self
    }
}

impl IntoReply for Download {
    fn into_reply(self) -> Result<Reply> {
        let Self { mut content, save_as, media_type } = self;
        if let Content::File(file) = &mut content {
            (file.save_as, file.media_type) = (save_as, media_type);
            return Ok(Reply::of(content));
        }
        let mut reply = Reply::of(content);
        push_header(
            &mut reply.headers,
            "content-type",
            media_type.as_deref().unwrap_or("application/octet-stream"),
        );
        if let Some(name) = save_as {
            push_header(&mut reply.headers, "content-disposition", &attachment(&name));
        }
        Ok(reply)
    }

    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}

/// The `Content-Disposition` of a name (RFC 6266): plain ASCII, and the full name in RFC 5987 form beside it.
#[must_use]
pub fn attachment(name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || ".-_ ".contains(c) { c } else { '_' }).collect();
    let mut full = String::with_capacity(name.len());
    crate::url_for::escape(&mut full, name.as_bytes(), false);
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{full}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_can_break_out_of_the_header() {
        assert_eq!(
            attachment("a\"b;\r\n中.txt"),
            "attachment; filename=\"a_b____.txt\"; filename*=UTF-8''a%22b%3B%0D%0A%E4%B8%AD.txt"
        );
    }
}
