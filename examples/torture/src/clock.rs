//! A wall clock that can be set, by libfaketime: time as it passes stays what it is.

use std::io;
use std::path::{Path, PathBuf};

/// How far the wall clock of all senders and workers is off. `redis-server` keeps the right one, for its allocator and
/// libfaketime do not go together: a clock that jumps is one that differs from the server's.
#[derive(Debug)]
pub(crate) struct Clock {
    file: PathBuf,
    pub(crate) variables: Vec<(String, String)>,
}

impl Clock {
    /// A clock that is right.
    pub(crate) fn right(folder: &Path) -> io::Result<Self> {
        let library = library().ok_or_else(|| {
            io::Error::other("a clock that jumps needs libfaketime: install the package faketime")
        })?;
        let file = folder.join("clock");
        let variables = [
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", file.display().to_string()),
            ("FAKETIME_CACHE_DURATION", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value)).to_vec();
        let clock = Self { file, variables };
        clock.set(0)?;
        Ok(clock)
    }

    /// Puts it off by some seconds.
    pub(crate) fn set(&self, seconds: i64) -> io::Result<()> {
        // Whoever reads it finds the old or the new text.
        let new = self.file.with_extension("new");
        std::fs::write(&new, format!("{seconds:+}\n"))?;
        std::fs::rename(new, &self.file)
    }
}

fn library() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path());
    folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).find(|library| library.exists())
}
