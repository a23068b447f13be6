//! Why a command did nothing, or stopped.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;

/// A message for the user: what is wrong, and what to do.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was typed cannot be meant.
    Usage(String),
    /// It was understood, but cannot be done here.
    Refused(String),
}

impl Failure {
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::Usage(message.to_string())
    }

    pub(crate) fn refused(message: impl fmt::Display) -> Self {
        Self::Refused(message.to_string())
    }

    pub(crate) fn io(what: &str, path: &Path, error: &io::Error) -> Self {
        Self::Refused(format!("cannot {what} {}: {error}", path.display()))
    }

    /// 2 for what was typed, as for flags that do not exist, and 1 for the rest.
    pub(crate) fn code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Refused(_) => ExitCode::FAILURE,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) | Self::Refused(message) => f.write_str(message),
        }
    }
}
