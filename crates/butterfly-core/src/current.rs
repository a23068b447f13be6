//! Which call runs on this thread just now: log lines of plain functions carry its id.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use crate::{Ctx, ReqId};

thread_local! {
    static CURRENT: Cell<Option<ReqId>> = const { Cell::new(None) };
    /// What was spent since the innermost call took the thread.
    static SPENT: RefCell<Vec<(&'static str, Duration)>> = const { RefCell::new(Vec::new()) };
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

/// Notes time that the call on this thread spent on something, as [`Ctx::spend`] does, from where no [`Ctx`] is at hand:
/// a database's statements, for one. Nothing happens where no call runs.
pub fn spend(name: &'static str, time: Duration) {
    if CURRENT.get().is_some() {
        SPENT.with_borrow_mut(|spent| spent.push((name, time)));
    }
}

/// Runs a part of a call, and notes in its context what it spent.
pub(crate) fn run<T>(ctx: &Ctx, run: impl FnOnce() -> T) -> T {
    let before = SPENT.with_borrow(Vec::len);
    let result = scope(ctx.reqid(), run);
    SPENT.with_borrow_mut(|spent| {
        if spent.len() > before {
            for (name, time) in spent.drain(before..) {
                ctx.spend(name, time);
            }
        }
    });
    result
}
