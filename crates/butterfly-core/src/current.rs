//! Which call runs on this thread just now: log lines of plain functions carry its id.

use std::cell::Cell;

use crate::ReqId;

thread_local! {
    static CURRENT: Cell<Option<ReqId>> = const { Cell::new(None) };
}

/// The id of the call that runs on this thread.
#[must_use]
pub fn reqid() -> Option<ReqId> {
    CURRENT.get()
}

/// Runs a function as part of a call: its log lines carry the call's id.
///
/// # Example
///
/// ```
/// use butterfly_core::{ReqId, current};
///
/// let id = ReqId::new();
/// assert_eq!(current::scope(id, current::reqid), Some(id));
/// assert_eq!(current::reqid(), None);
/// ```
pub fn scope<T>(reqid: ReqId, run: impl FnOnce() -> T) -> T {
    struct Restore(Option<ReqId>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.set(self.0);
        }
    }
    let _restore = Restore(CURRENT.replace(Some(reqid)));
    run()
}
