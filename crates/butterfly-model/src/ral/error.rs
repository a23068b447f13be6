//! Why a call got no answer.

use std::fmt;

/// Why a call got no answer: the service, the address, and what was wrong there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RalError {
    service: &'static str,
    address: Option<Box<str>>,
    kind: RalErrorKind,
    what: Box<str>,
    attempts: u32,
    possibly_processed: bool,
}

/// What kind of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RalErrorKind {
    /// The service is described wrongly.
    Config,
    /// What is asked cannot be said in mcpack.
    Encode,
    /// Every address has failed so often that it is left in peace for a while.
    Resting,
    /// All connections to the address are in use.
    Busy,
    /// There is no connection to be had.
    Connect,
    /// The request could not be sent in full.
    Send,
    /// The answer did not come in time.
    Timeout,
    /// The other side closed the connection, before the answer or within it.
    Closed,
    /// The other side does not speak nshead, or says more than is allowed.
    Protocol,
    /// The answer is no mcpack, or not what was expected.
    Decode,
    /// The time of the call was over.
    Deadline,
}

impl RalError {
    pub(super) fn new(service: &'static str, kind: RalErrorKind, what: impl Into<Box<str>>) -> Self {
        Self { service, address: None, kind, what: what.into(), attempts: 0, possibly_processed: false }
    }

    pub(super) fn at(mut self, address: &str) -> Self {
        self.address = Some(address.into());
        self
    }

    pub(super) fn after(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    pub(super) fn processed(mut self, possibly: bool) -> Self {
        self.possibly_processed |= possibly;
        self
    }

    /// The name of the service.
    #[must_use]
    pub fn service(&self) -> &str {
        self.service
    }

    /// The address that was tried last; `None` when none was.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    /// What kind of failure it was.
    #[must_use]
    pub fn kind(&self) -> RalErrorKind {
        self.kind
    }

    /// Whether the service may have done what was asked, in any of the attempts. When not, asking again is safe.
    #[must_use]
    pub fn possibly_processed(&self) -> bool {
        self.possibly_processed
    }
}

impl fmt::Display for RalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "service {}", self.service)?;
        if let Some(address) = &self.address {
            write!(f, " at {address}")?;
        }
        write!(f, ": {}", self.what)?;
        if self.attempts > 1 {
            write!(f, " (attempt {})", self.attempts)?;
        }
        Ok(())
    }
}

impl std::error::Error for RalError {}
