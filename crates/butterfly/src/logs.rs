//! Where the program's lines go: the access log, its own events, the routes of the start.

use std::fs::OpenOptions;
use std::io;
use std::sync::Arc;

use butterfly_core::access_log::LineSink;
use butterfly_core::levels::LogLevels;
use butterfly_core::{App, Ctx, current};
use butterfly_log::{AppLog, Format, Levels, LogFile, Rotation, escape_into, stamp, stamp_secs};

use crate::config::{Config, LogFormat};

/// The name of the access log.
pub(crate) const ACCESS: &str = "acc.log";
/// The folder of the command line's logs, in `log.dir`.
pub(crate) const DEV: &str = "dev";

/// The log files of a process.
#[derive(Clone, Debug)]
pub(crate) struct Logs {
    access: LogFile,
    events: AppLog,
    json: bool,
}

impl Logs {
    pub(crate) fn open(config: &Config) -> io::Result<Self> {
        let log = &config.log;
        // The files are opened when their first line is written; that they cannot be is to be known now.
        std::fs::create_dir_all(&log.dir)?;
        OpenOptions::new().append(true).create(true).open(log.dir.join(ACCESS))?;
        let rotation = Rotation {
            max_bytes: log.rotate_bytes.as_u64(),
            max_age: log.rotate_age.as_duration(),
            keep: log.keep,
        };
        let levels = Levels::parse(log.level.as_str()).map_err(io::Error::other)?;
        let json = log.format == LogFormat::Json;
        let format = if json { Format::Json } else { Format::Text };
        let events =
            AppLog::open(&log.dir, rotation, levels)?.format(format).reqid(lend_reqid).stderr(log.stderr);
        Ok(Self { access: LogFile::open(log.dir.join(ACCESS), rotation)?, events, json })
    }

    /// The logs of what the command line does: below `log.dir` in `dev`; events also on stderr, if so wished.
    pub(crate) fn open_dev(config: &Config, stderr: bool) -> io::Result<Self> {
        let levels = Levels::parse(config.log.level.as_str()).map_err(io::Error::other)?;
        let folder = config.log.dir.join(DEV);
        let rotation = Rotation::default();
        let events = AppLog::open(&folder, rotation, levels)?.reqid(lend_reqid).stderr(stderr);
        Ok(Self { access: LogFile::open(folder.join(ACCESS), rotation)?, events, json: false })
    }

    /// Makes the events of the whole process go here: for a command that nobody has set a log for.
    pub(crate) fn listen(&self) {
        // A second log in one process (tests) leaves the first in place.
        let _ = tracing::subscriber::set_global_default(self.events.clone());
    }

    /// Makes this the log of the whole process: events, and panics.
    pub(crate) fn install(&self) {
        self.listen();
        std::panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            let text = panic.payload_as_str().unwrap_or("without a message");
            tracing::error!(target: "butterfly::panic", place, "panicked: {text}");
        }));
    }

    pub(crate) fn levels(&self) -> Arc<dyn LogLevels> {
        Arc::new(RunningLevels(self.events.levels().clone()))
    }

    pub(crate) fn flush(&self) {
        self.access.flush();
        self.events.flush();
    }

    /// Writes what the process serves into `init.log`.
    pub(crate) fn write_routes(config: &Config, app: &App) -> io::Result<()> {
        let log = LogFile::open(config.log.dir.join("init.log"), Rotation::default())?;
        let mut line = Vec::new();
        for handler in app.registry.handlers() {
            line.clear();
            stamp(&mut line, std::time::SystemTime::now());
            let names: Vec<_> = handler.visible().map(|param| param.name).collect();
            let source = format!("{}:{}", handler.source.short(), handler.source.line);
            let text = format!(
                "\t{}\t{source}\t{}\t{}\t{}",
                std::process::id(),
                handler.path,
                names.join(","),
                handler.kind.word()
            );
            line.extend_from_slice(text.as_bytes());
            log.line(&line);
        }
        log.flush();
        Ok(())
    }
}

fn lend_reqid(give: &mut dyn FnMut(&str)) {
    if let Some(reqid) = current::reqid() {
        give(reqid.as_str());
    }
}

impl LineSink for Logs {
    fn line(&self, line: &[u8]) {
        self.access.line(line);
    }

    fn escape(&self, out: &mut Vec<u8>, text: &[u8]) {
        escape_into(out, text);
    }

    fn stamp(&self, out: &mut Vec<u8>, ctx: &Ctx) {
        stamp_secs(out, (ctx.unix_ms() / 1000).cast_signed());
    }

    fn json(&self) -> bool {
        self.json
    }
}

/// The levels of a running process, for the handlers that change them.
struct RunningLevels(Levels);

impl LogLevels for RunningLevels {
    fn list(&self) -> Vec<(String, String)> {
        self.0.list().into_iter().map(|(target, level)| (target, level.to_string())).collect()
    }

    fn set(&self, target: &str, level: &str) -> Result<(), String> {
        let level = level.parse().map_err(|_| format!("{level} is no level"))?;
        self.0.set(target, level);
        Ok(())
    }
}
