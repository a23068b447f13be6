//! What a closure is given to write with.

use std::cell::{Cell, RefCell};
use std::ops::Deref;

use rusqlite::Connection;

/// Something to be done when a change has become real.
pub(crate) type Hook = Box<dyn FnOnce() + Send>;

/// The transaction of one [`write`](crate::Store::write). It is a [`Connection`]; use
/// [`prepare_cached`](Connection::prepare_cached) for what runs often.
pub struct Tx<'a> {
    db: &'a Connection,
    visible: RefCell<Vec<Hook>>,
    durable: RefCell<Vec<Hook>>,
    relaxed: Cell<bool>,
}

impl<'a> Tx<'a> {
    pub(crate) fn new(db: &'a Connection) -> Self {
        Self { db, visible: RefCell::default(), durable: RefCell::default(), relaxed: Cell::new(false) }
    }

    /// Does this once the change can be seen by others; never if the transaction fails. It may not block.
    pub fn when_visible(&self, hook: impl FnOnce() + Send + 'static) {
        self.visible.borrow_mut().push(Box::new(hook));
    }

    /// Does this once the change is on disk; never if the transaction fails. It may not block.
    pub fn when_durable(&self, hook: impl FnOnce() + Send + 'static) {
        self.durable.borrow_mut().push(Box::new(hook));
    }

    /// Says that the answer need not wait for the disk: a power cut may undo this change.
    pub fn relax(&self) {
        self.relaxed.set(true);
    }

    pub(crate) fn into_hooks(self) -> (Vec<Hook>, Vec<Hook>, bool) {
        (self.visible.into_inner(), self.durable.into_inner(), self.relaxed.get())
    }
}

impl Deref for Tx<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.db
    }
}

impl std::fmt::Debug for Tx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tx").finish_non_exhaustive()
    }
}
