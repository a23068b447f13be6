//! Worker numbers: who may make ids under which number.

use super::IdError;

/// Gives out worker numbers, each to one holder at a time.
///
/// A number comes with a mark: the first millisecond that no holder of the number has used. See to it that the mark
/// never goes below what was reserved; ids differ by that alone when clocks are wrong or a holder comes back late.
pub trait WorkerNumbers: Send + Sync + 'static {
    /// Leases a number that nobody holds, preferring one whose mark is not ahead of `now_ms`. Numbers whose mark is
    /// at or above `limit_ms` are passed over. Times are in milliseconds since 1970.
    ///
    /// # Errors
    ///
    /// [`IdError::NoNumber`] when all are held or passed over, [`IdError::Unavailable`] when that cannot be told.
    fn lease(&self, now_ms: u64, limit_ms: u64) -> Result<Box<dyn WorkerLease>, IdError>;
}

/// A number that is held for as long as this lives.
pub trait WorkerLease: Send + Sync + 'static {
    /// The datacenter, at most 31.
    fn datacenter(&self) -> u8;

    /// The worker number, at most 31.
    fn worker(&self) -> u8;

    /// The mark that was found: the first millisecond since 1970 that no holder before has used.
    fn mark(&self) -> u64;

    /// Moves the mark up to `until_ms`: the times below may be used once this returned. It must last through whatever
    /// the lease itself does not survive.
    ///
    /// # Errors
    ///
    /// [`IdError::Lost`] when somebody else holds the number, [`IdError::Unavailable`] when the mark cannot be written.
    fn reserve(&mut self, until_ms: u64) -> Result<(), IdError>;

    /// Gives the number back. `next_ms` is the first millisecond that was not used; the mark may go down to it.
    fn release(&mut self, next_ms: u64);
}
