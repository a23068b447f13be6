//! Reading: a connection for each of those who read at once.

use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

use super::{Inner, file};
use crate::cache::CacheError;

/// Connections that nobody uses just now.
#[derive(Default)]
pub(super) struct Readers(Mutex<Vec<Connection>>);

/// As many are kept for later; more are made when needed, and closed after.
const KEPT: usize = 32;

impl Inner {
    /// Reads where it stands: what is asked for lies in memory as a rule.
    pub(super) fn read<T>(
        &self,
        look: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, CacheError> {
        let idle = self.readers.lock().pop();
        let db = idle.map_or_else(|| file::connect(&self.disk.path), Ok)?;
        // After a failure the connection is closed: a new one begins anew.
        let found = look(&db).map_err(|why| file::of_sql(&self.disk.path, why))?;
        let mut idle = self.readers.lock();
        if idle.len() < KEPT {
            idle.push(db);
        }
        Ok(found)
    }
}

impl Readers {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
