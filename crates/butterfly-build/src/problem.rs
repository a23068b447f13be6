//! What keeps a handler file from becoming a module.

use std::fmt;
use std::path::{Path, PathBuf};

/// One thing that is wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file or folder, from the package's folder on.
    pub path: PathBuf,
    /// What is wrong with it, and the remedy.
    pub message: String,
}

impl Problem {
    pub(crate) fn new(path: impl AsRef<Path>, message: impl fmt::Display) -> Self {
        Self { path: path.as_ref().to_owned(), message: message.to_string() }
    }
}

/// On one line, as a build script's message has to be, whatever the file is called.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = format!("{}: {}", self.path.display(), self.message);
        f.write_str(&line.replace(|char: char| char.is_control(), "?"))
    }
}

impl std::error::Error for Problem {}
