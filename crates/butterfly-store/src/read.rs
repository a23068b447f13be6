//! The connections that read.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::{StoreError, file};

/// A few connections, opened when they are first needed.
pub(crate) struct Readers {
    shared: Arc<Shared>,
    places: Arc<Semaphore>,
}

struct Shared {
    file: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(crate) fn new(file: PathBuf, count: usize) -> Self {
        let shared = Arc::new(Shared { file, idle: Mutex::default() });
        Self { shared, places: Arc::new(Semaphore::new(count.max(1))) }
    }

    pub(crate) async fn read<T, F>(&self, look: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let stopped = |_| StoreError::Unavailable("the program is stopping".into());
        let place = Arc::clone(&self.places).acquire_owned().await;
        let shared = Arc::clone(&self.shared);
        let run = move || {
            let _place = place;
            shared.run(look)
        };
        tokio::task::spawn_blocking(run).await.map_err(stopped)?
    }
}

impl Shared {
    /// A connection whose closure panicked is not put back.
    fn run<T>(&self, look: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut db = match idle {
            Some(db) => db,
            None => file::reader(&self.file)?,
        };
        // One snapshot for all that the closure asks.
        let tx = db.transaction()?;
        let answer = look(&tx);
        drop(tx);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(db);
        answer
    }
}
