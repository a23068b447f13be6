//! The application's own events, written to `common.log` and, when they are warnings, to `common.log.wf` too.

use std::cell::Cell;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_core::span::Current;

use crate::file::LogFile;
use crate::levels::Levels;
use crate::rotate::Rotation;
use crate::spans::{self, Spans};
use crate::stamp::{Stamp, unix_secs};
use crate::{json, text};

/// Gives the id of the request the thread is working for to the function it is handed; does not call it when there
/// is none. This form lets the id be lent instead of copied.
pub type ReqId = fn(&mut dyn FnMut(&str));

/// How an event is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Format {
    /// `INFO my_app 11-20 15:30:00: src/main.rs:12 1 00c9d3a1b2e4f567 * user came name=bob`
    #[default]
    Text,
    /// `{"time":"2026-11-20T15:30:00.123+08:00","level":"INFO",…,"message":"user came","fields":{"name":"bob"}}`
    Json,
}

/// A `tracing` subscriber that writes events to log files, one line each.
///
/// A text line is: level, target, local time, `file:line`, thread number, request id (16 `@` outside of requests),
/// `*`, the spans the event is in, the message, and its other fields as `key=value`. Whatever an event holds, it
/// stays one line: see [`escape_into`](crate::escape_into). Values with blanks are quoted.
///
/// # Example
///
/// ```
/// use butterfly_log::{AppLog, Levels, Rotation};
///
/// let folder = tempfile::tempdir()?;
/// let log = AppLog::open(folder.path(), Rotation::default(), Levels::default())?
///     .reqid(|give| give("00c9d3a1b2e4f567"));
/// tracing::subscriber::with_default(log.clone(), || {
///     tracing::warn!(user = "bob", "disk nearly full");
/// });
/// log.flush();
///
/// let written = std::fs::read_to_string(folder.path().join("common.log.wf"))?;
/// assert!(written.ends_with(" 00c9d3a1b2e4f567 * disk nearly full user=bob\n"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct AppLog {
    common: LogFile,
    warnings: LogFile,
    levels: Levels,
    format: Format,
    reqid: ReqId,
    mirror: Mirror,
    spans: Arc<Spans>,
}

/// Whether events are shown on stderr as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mirror {
    Off,
    Plain,
    Coloured,
}

impl AppLog {
    /// Writes to `common.log` and `common.log.wf` in `folder`.
    ///
    /// # Errors
    ///
    /// When one of the two is a folder, or the background writer cannot be started.
    pub fn open(folder: impl AsRef<Path>, rotation: Rotation, levels: Levels) -> io::Result<AppLog> {
        let common = LogFile::open(folder.as_ref().join("common.log"), rotation)?;
        let warnings = LogFile::open(folder.as_ref().join("common.log.wf"), rotation)?;
        Ok(AppLog::new(common, warnings, levels))
    }

    /// Writes all events to `common`, and those of WARN and ERROR to `warnings` too.
    #[must_use]
    pub fn new(common: LogFile, warnings: LogFile, levels: Levels) -> AppLog {
        let (format, mirror, spans) = (Format::default(), Mirror::Off, Arc::default());
        AppLog { common, warnings, levels, format, reqid: |_| {}, mirror, spans }
    }

    /// How lines are written; text, unless told otherwise.
    #[must_use]
    pub fn format(mut self, format: Format) -> AppLog {
        self.format = format;
        self
    }

    /// Where the request's id comes from; without it, each event is taken to be outside of requests.
    #[must_use]
    pub fn reqid(mut self, reqid: ReqId) -> AppLog {
        self.reqid = reqid;
        self
    }

    /// Shows each line on stderr too, at once: for a service run in the foreground.
    ///
    /// The level is coloured on a terminal, unless the environment has a `NO_COLOR` that is not empty.
    #[must_use]
    pub fn stderr(mut self, show: bool) -> AppLog {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        self.mirror = match show {
            false => Mirror::Off,
            true if !no_color && io::stderr().is_terminal() => Mirror::Coloured,
            true => Mirror::Plain,
        };
        self
    }

    /// Returns when all events before are in the files.
    pub fn flush(&self) {
        self.common.flush();
        self.warnings.flush();
    }

    /// How many lines the disk refused, over both files.
    #[must_use]
    pub fn lost_lines(&self) -> u64 {
        self.common.lost_lines() + self.warnings.lost_lines()
    }

    /// The levels it goes by; changes to them take effect at once.
    #[must_use]
    pub fn levels(&self) -> &Levels {
        &self.levels
    }

    fn write(&self, line: &mut Vec<u8>, event: &Event<'_>) {
        let head = Head::new(event.metadata(), self.reqid);
        match self.format {
            Format::Text => text::line(line, &head, &self.spans, event),
            Format::Json => json::line(line, &head, &self.spans, event),
        }
        line.push(b'\n');
        self.common.line(line);
        if *head.meta.level() <= Level::WARN {
            self.warnings.line(line);
        }
        self.mirror(*head.meta.level(), line);
    }

    fn mirror(&self, level: Level, line: &[u8]) {
        let mut stderr = io::stderr().lock();
        // When nobody reads stderr there is nobody to tell.
        let _ = match self.mirror {
            Mirror::Off => Ok(()),
            Mirror::Plain => stderr.write_all(line),
            Mirror::Coloured => stderr.write_all(&coloured(level, line)),
        };
    }
}

impl fmt::Debug for AppLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppLog")
            .field("common", &self.common)
            .field("warnings", &self.warnings)
            .field("levels", &self.levels)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

impl Subscriber for AppLog {
    fn register_callsite(&self, meta: &'static Metadata<'static>) -> Interest {
        // Asked once for each place in the code, and again after each change of levels.
        if self.enabled(meta) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, meta: &Metadata<'_>) -> bool {
        self.levels.enabled(meta.target(), meta.level())
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.levels.max())
    }

    fn event(&self, event: &Event<'_>) {
        // Taken, not borrowed: formatting a value may log.
        let mut line = LINE.try_with(Cell::take).unwrap_or_default();
        self.write(&mut line, event);
        line.clear();
        let _ = LINE.try_with(|kept| kept.set(line));
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.spans.open(span)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        self.spans.record(span, values);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, span: &Id) {
        spans::enter(span);
    }

    fn exit(&self, span: &Id) {
        spans::exit(span);
    }

    fn clone_span(&self, span: &Id) -> Id {
        self.spans.hold(span);
        span.clone()
    }

    fn try_close(&self, span: Id) -> bool {
        self.spans.release(&span)
    }

    fn current_span(&self) -> Current {
        self.spans.current().map_or_else(Current::none, |(id, meta)| Current::new(id, meta))
    }
}

thread_local! {
    /// Where this thread puts its lines together.
    static LINE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static THREAD: Cell<u64> = const { Cell::new(0) };
}

/// What each line begins with.
pub(crate) struct Head<'a> {
    pub(crate) meta: &'a Metadata<'a>,
    pub(crate) stamp: Stamp,
    pub(crate) millis: u32,
    pub(crate) thread: u64,
    pub(crate) reqid: ReqId,
}

impl<'a> Head<'a> {
    fn new(meta: &'a Metadata<'a>, reqid: ReqId) -> Head<'a> {
        let now = SystemTime::now();
        let millis = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_millis());
        Head { meta, stamp: Stamp::at(unix_secs(now)), millis, thread: thread_number(), reqid }
    }
}

/// The number in the thread's `ThreadId`, which can only be had by printing it: so it is read once.
fn thread_number() -> u64 {
    if THREAD.get() == 0 {
        let printed = format!("{:?}", thread::current().id());
        let digits: String = printed.chars().filter(char::is_ascii_digit).collect();
        THREAD.set(digits.parse().unwrap_or(0));
    }
    THREAD.get()
}

/// The line with its level in colour, where it begins with the level.
fn coloured(level: Level, line: &[u8]) -> Vec<u8> {
    let colour = match level {
        Level::ERROR => "31",
        Level::WARN => "33",
        Level::INFO => "32",
        Level::DEBUG => "34",
        Level::TRACE => "35",
    };
    match line.strip_prefix(level.as_str().as_bytes()) {
        Some(rest) => [format!("\x1b[{colour}m{level}\x1b[0m").as_bytes(), rest].concat(),
        None => line.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_level_is_coloured() {
        assert_eq!(coloured(Level::WARN, b"WARN app x\n"), b"\x1b[33mWARN\x1b[0m app x\n");
        assert_eq!(coloured(Level::WARN, b"{\"level\":\"WARN\"}\n"), b"{\"level\":\"WARN\"}\n");
    }

    #[test]
    fn threads_have_numbers_of_their_own() {
        let here = thread_number();
        let there = thread::spawn(thread_number).join().unwrap();
        assert!(here > 0 && there > 0 && here != there);
    }
}
