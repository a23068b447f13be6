//! Files as answers: type, validators, conditions, ranges.
//!
//! A file is opened once, and what is sent is what was opened: size and time come from the open handle.

mod condition;
mod pieces;
mod range;
#[cfg(test)]
mod tests;
mod version;

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use butterfly_core::head::Head;
use butterfly_core::reply::{Content, Served, attachment};
use butterfly_core::{Body, Fault};
use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_TYPE, ETAG, LAST_MODIFIED,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, Method};

use pieces::Pieces;
use range::Range;
use version::Version;

/// A file up to this size is read at once while it is opened: one trip to the thread that may block, one write.
const SMALL: u64 = 64 << 10;

// The texts are the original's wire.
const MISSING: Fault = Fault::File(404, "File does not exist");
const FORBIDDEN: Fault = Fault::File(403, "Not have permission to access this file");
const FAILED: Fault = Fault::File(500, "Open file Failed");

/// A file that is ready to be sent.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) content: Content,
}

/// Opens a file and answers the request's conditions and range.
pub(crate) async fn open(file: Served, head: Option<&Head>) -> Result<Opened, Fault> {
    let path = file.path.clone();
    let source = tokio::task::spawn_blocking(move || Source::open(&path)).await.map_err(|_| FAILED)??;
    let reads = head.filter(|head| matches!(*head.method(), Method::GET | Method::HEAD));
    if reads.is_some_and(|head| condition::unchanged(head, &source.version)) {
        return Ok(Opened { status: 304, headers: validators(&source.version), content: Content::Empty });
    }
    let ranged = reads.filter(|head| head.method() == Method::GET);
    let range = ranged.map_or(Range::Whole, |head| range::asked(head, &source.version));
    Ok(answer(&file, source, range))
}

fn answer(file: &Served, source: Source, range: Range) -> Opened {
    let length = source.version.length;
    let mut headers = validators(&source.version);
    headers.push((ACCEPT_RANGES, HeaderValue::from_static("bytes")));
    if let Range::Beyond = range {
        push(&mut headers, CONTENT_RANGE, format!("bytes */{length}"));
        return Opened { status: 416, headers, content: Content::Empty };
    }
    describe(file, &mut headers);
    let Range::Part { start, length: part } = range else {
        return Opened { status: 200, headers, content: source.content(0, length) };
    };
    push(&mut headers, CONTENT_RANGE, format!("bytes {start}-{}/{length}", start + part - 1));
    Opened { status: 206, headers, content: source.content(start, part) }
}

/// The headers by which a cache tells one state of the file from another.
fn validators(version: &Version) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = Vec::with_capacity(8);
    push(&mut headers, ETAG, version.etag());
    if let Some(date) = version.date() {
        push(&mut headers, LAST_MODIFIED, date);
    }
    // Keep it, but ask each time: with the validators, asking costs no transfer.
    headers.push((CACHE_CONTROL, HeaderValue::from_static("no-cache")));
    headers
}

fn describe(file: &Served, headers: &mut Vec<(HeaderName, HeaderValue)>) {
    let media_type = HeaderValue::try_from(media_type(file));
    let unknown = |_| HeaderValue::from_static("application/octet-stream");
    headers.push((CONTENT_TYPE, media_type.unwrap_or_else(unknown)));
    headers.push((X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")));
    if let Some(name) = &file.save_as {
        push(headers, CONTENT_DISPOSITION, attachment(name));
    }
}

fn push(headers: &mut Vec<(HeaderName, HeaderValue)>, name: HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.push((name, value));
    }
}

/// The media type that the handler names, or the one that the file's name tells.
fn media_type(file: &Served) -> String {
    if let Some(media_type) = &file.media_type {
        return media_type.clone();
    }
    let saved = || mime_guess::from_path(file.save_as.as_deref().unwrap_or_default()).first_raw();
    let guess = mime_guess::from_path(&file.path).first_raw().or_else(saved);
    match guess.unwrap_or("application/octet-stream") {
        text if text.starts_with("text/") => format!("{text}; charset=utf-8"),
        text @ ("application/javascript" | "application/json") => format!("{text}; charset=utf-8"),
        other => other.to_owned(),
    }
}

/// An open file, its state, and its content where that is small.
#[derive(Debug)]
struct Source {
    version: Version,
    file: File,
    whole: Option<Bytes>,
}

impl Source {
    fn open(path: &Path) -> Result<Self, Fault> {
        let refuse = |error: io::Error| refusal(path, &error);
        // To open a pipe would wait for its other end: look first.
        if !fs::metadata(path).map_err(refuse)?.is_file() {
            return Err(MISSING);
        }
        let mut file = File::open(path).map_err(refuse)?;
        let metadata = file.metadata().map_err(refuse)?;
        if !metadata.is_file() {
            return Err(MISSING);
        }
        let version = Version::of(&metadata);
        let whole = small(&mut file, version.length).map_err(refuse)?;
        Ok(Self { version, file, whole })
    }

    /// A part that lies inside the file.
    fn content(self, start: u64, length: u64) -> Content {
        match self.whole {
            Some(whole) => Content::Bytes(whole.slice(start as usize..(start + length) as usize)),
            None => Content::Stream(Body::stream(Pieces::new(self.file, start, length), Some(length))),
        }
    }
}

/// The content of a small file: exactly as many bytes as it had when it was opened.
fn small(file: &mut File, length: u64) -> io::Result<Option<Bytes>> {
    if length > SMALL {
        return Ok(None);
    }
    let mut content = vec![0; length as usize];
    file.read_exact(&mut content)?;
    Ok(Some(content.into()))
}

fn refusal(path: &Path, error: &io::Error) -> Fault {
    match error.kind() {
        ErrorKind::PermissionDenied => FORBIDDEN,
        ErrorKind::NotFound
        | ErrorKind::NotADirectory
        | ErrorKind::InvalidInput
        | ErrorKind::InvalidFilename => MISSING,
        _ => {
            tracing::error!("cannot open {}: {error}", path.display());
            FAILED
        }
    }
}
