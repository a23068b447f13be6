//! Butterfly's log files.
//!
//! A log line costs a request a copy into a buffer of its own thread, and nothing else: no system call, no channel,
//! no wake-up. One background thread writes the buffers whole, and sleeps without a timer when there are none.
//!
//! | for | there is |
//! | --- | --- |
//! | a file that many threads append lines to | [`LogFile`] |
//! | when it is put aside, and how many stay | [`Rotation`] |
//! | the application's events, through `tracing` | [`AppLog`], [`Format`], [`ReqId`] |
//! | which of them are written, changeable at run time | [`Levels`] |
//! | making text from outside harmless | [`escape_into`] |
//! | the time of a line | [`stamp()`], [`stamp_secs`] |
//!
//! # Example
//!
//! ```
//! use butterfly_log::{AppLog, Levels, LogFile, Rotation, escape_into, stamp};
//! use std::time::SystemTime;
//!
//! let logs = tempfile::tempdir()?;
//!
//! // Lines of one's own making, such as the access log's.
//! let access = LogFile::open(logs.path().join("acc.log"), Rotation::default())?;
//! let mut line = Vec::new();
//! stamp(&mut line, SystemTime::now());
//! line.push(b'\t');
//! escape_into(&mut line, b"name=bob\nforged");
//! access.line(&line);
//!
//! // The application's events.
//! let app = AppLog::open(logs.path(), Rotation::default(), Levels::parse("info,hyper=warn").unwrap())?;
//! tracing::subscriber::with_default(app.clone(), || tracing::info!(port = 8585, "listening"));
//!
//! // The last thing before leaving.
//! access.flush();
//! app.flush();
//! assert!(std::fs::read_to_string(access.path())?.ends_with("\tname=bob\\nforged\n"));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # What may be lost
//!
//! A kill without warning or a power cut loses the lines of the last 100 ms. A disk that refuses writes loses what
//! could not be written: it is counted ([`LogFile::lost_lines`]) and reported on stderr once a minute. Nothing else
//! loses a line: not rotation, not a slow disk, not the end of a thread, not an ordinary stop.

mod applog;
mod escape;
mod file;
mod json;
mod levels;
mod rotate;
mod sink;
mod spans;
mod stamp;
mod text;
mod writer;

pub use applog::{AppLog, Format, ReqId};
pub use escape::escape_into;
pub use file::LogFile;
pub use levels::{Levels, LevelsError};
pub use rotate::Rotation;
pub use stamp::{stamp, stamp_secs};
