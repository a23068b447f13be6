//! What is wrong with a configuration, all of it, each with the place where it was written.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Origin {
    /// No layer set it.
    Default,
    /// A line of the configuration file.
    File {
        /// The file, as it was named.
        path: PathBuf,
        /// Its line, from 1; 0 for the file as a whole.
        line: usize,
    },
    /// An environment variable.
    Env(String),
    /// A file that an environment variable ending in `_FILE` names.
    EnvFile {
        /// The variable.
        var: String,
        /// The file.
        path: PathBuf,
    },
    /// The command line.
    CommandLine,
}

impl Origin {
    /// The line of the configuration file; 0 where there is none.
    pub(super) fn line(&self) -> usize {
        match self {
            Self::File { line, .. } => *line,
            _ => 0,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line: 0 } => write!(f, "{}", shown(path)),
            Self::File { path, line } => write!(f, "{}:{line}", shown(path)),
            Self::Env(var) => write!(f, "environment {}", var.escape_debug()),
            Self::EnvFile { var, path } => write!(f, "environment {} ({})", var.escape_debug(), shown(path)),
            Self::CommandLine => f.write_str("command line"),
        }
    }
}

/// A path on one line, whatever is in its name.
fn shown(path: &std::path::Path) -> String {
    path.to_string_lossy().escape_debug().to_string()
}

/// The kind of a [`Problem`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// A file could not be read.
    Unreadable,
    /// The file is not TOML.
    Syntax,
    /// There is no such key.
    UnknownKey,
    /// The key does not accept this value.
    BadValue,
    /// One layer says two things of one key.
    Conflict,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub(super) kind: ProblemKind,
    pub(super) key: Option<String>,
    pub(super) origin: Origin,
    pub(super) message: String,
}

impl Problem {
    pub(super) fn new(kind: ProblemKind, origin: Origin, message: impl Into<String>) -> Self {
        Self { kind, key: None, origin, message: message.into() }
    }

    pub(super) fn of_key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Of which kind it is.
    pub fn kind(&self) -> ProblemKind {
        self.kind
    }

    /// The key it is about, such as `http.listen`.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Where it was written.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.origin {
            Origin::Default => f.write_str(&self.message),
            _ => write!(f, "{}: {}", self.origin, self.message),
        }
    }
}

/// A configuration that cannot be used. Its text has one line for each problem and no secret in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

impl ConfigError {
    /// All that is wrong, in the order of the layers; never empty.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// `Err` when there are problems.
    pub(super) fn check(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self { problems }) }
    }

    pub(super) fn with(mut problems: Vec<Problem>, last: Problem) -> Self {
        problems.push(last);
        Self { problems }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [problem] = self.problems.as_slice() {
            return write!(f, "configuration: {problem}");
        }
        write!(f, "configuration: {} problems", self.problems.len())?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl Error for ConfigError {}
