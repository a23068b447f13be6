//! What is wrong with bytes or with a value.

use std::fmt;

/// Why bytes are no mcpack, or a value cannot be said in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct McpackError(Box<str>);

impl McpackError {
    pub(super) fn new(what: impl Into<Box<str>>) -> Self {
        Self(what.into())
    }

    pub(super) fn at(at: usize, what: impl fmt::Display) -> Self {
        Self(format!("mcpack, byte {at}: {what}").into())
    }
}

impl fmt::Display for McpackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for McpackError {}

impl serde::ser::Error for McpackError {
    fn custom<T: fmt::Display>(what: T) -> Self {
        Self::new(what.to_string())
    }
}

impl serde::de::Error for McpackError {
    fn custom<T: fmt::Display>(what: T) -> Self {
        Self::new(what.to_string())
    }
}
