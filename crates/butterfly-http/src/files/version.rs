//! What tells one state of a file from another.

use std::fs::Metadata;
use std::time::{SystemTime, UNIX_EPOCH};

/// The first second that an HTTP date cannot say: the year 10000.
const END_OF_DATES: u64 = 253_402_300_800;

/// The size of a file and when it was last written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Version {
    pub(super) length: u64,
    pub(super) modified: Option<SystemTime>,
}

impl Version {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self { length: metadata.len(), modified: metadata.modified().ok() }
    }

    /// A strong validator: a write changes the time to the nanosecond.
    pub(super) fn etag(&self) -> String {
        let since = self.modified.map(|time| time.duration_since(UNIX_EPOCH));
        match since {
            Some(Ok(after)) => format!("\"{:x}-{:x}\"", self.length, after.as_nanos()),
            Some(Err(before)) => format!("\"{:x}-m{:x}\"", self.length, before.duration().as_nanos()),
            None => format!("\"{:x}\"", self.length),
        }
    }

    /// The second of the last write; `None` where no HTTP date can say it.
    pub(super) fn second(&self) -> Option<u64> {
        let second = self.modified?.duration_since(UNIX_EPOCH).ok()?.as_secs();
        (second < END_OF_DATES).then_some(second)
    }

    pub(super) fn date(&self) -> Option<String> {
        self.second()?;
        self.modified.map(httpdate::fmt_http_date)
    }
}

/// The second that an HTTP date names.
pub(super) fn second_of(date: &str) -> Option<u64> {
    let time = httpdate::parse_http_date(date).ok()?;
    time.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}
