//! How a case says that something does not hold.

use std::fmt;
use std::panic::Location;

use crate::engine::EngineError;

/// What did not hold, and where the suite looked.
#[derive(Clone, Debug)]
pub struct Failed {
    /// What was expected, and what was there.
    pub what: String,
    /// The line of the case.
    pub at: &'static Location<'static>,
}

/// What a case gives: nothing, when all holds.
pub type Proof<T = ()> = Result<T, Failed>;

impl Failed {
    /// Something that does not hold.
    #[must_use]
    #[track_caller]
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), at: Location::caller() }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}:{})", self.what, self.at.file(), self.at.line())
    }
}

impl std::error::Error for Failed {}

impl From<EngineError> for Failed {
    #[track_caller]
    fn from(error: EngineError) -> Self {
        Self::new(format!("the engine refused: {error}"))
    }
}

impl From<String> for Failed {
    #[track_caller]
    fn from(what: String) -> Self {
        Self::new(what)
    }
}

/// Fails the case unless the condition holds.
macro_rules! holds {
    ($condition:expr, $($what:tt)+) => {
        if !$condition {
            return Err($crate::conformance::Failed::new(format!($($what)+)));
        }
    };
}

/// Fails the case unless both are equal: what is there, and what must be.
macro_rules! same {
    ($there:expr, $must:expr, $($what:tt)+) => {
        match (&$there, &$must) {
            (there, must) => {
                if *there != *must {
                    let what = format!($($what)+);
                    return Err($crate::conformance::Failed::new(format!("{what}: {there:?}, must be {must:?}")));
                }
            }
        }
    };
}

pub(super) use {holds, same};
