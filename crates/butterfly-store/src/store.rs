//! The store as its users hold it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::read::Readers;
use crate::writer::{Job, Write, Writer};
use crate::{Schema, StoreError, Tx, file};

/// What an answer to a [`write`](Store::write) means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The change is on disk: it survives a power cut.
    #[default]
    Full,
    /// The change is with the system: it survives the death of the process. A power cut may undo the last changes,
    /// and damages nothing.
    Normal,
}

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// What an answer means.
    pub durability: Durability,
    /// How many reads may run at once.
    pub readers: usize,
    /// How long a write waits for another process that writes.
    pub lock_timeout: Duration,
    /// The largest size of the file, in bytes; more is [`StoreError::NoRoom`].
    pub max_bytes: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            durability: Durability::Full,
            readers: 4,
            lock_timeout: Duration::from_secs(10),
            max_bytes: None,
        }
    }
}

/// One file, open. Cheap to clone; the file is closed when the last one is dropped and what was handed in is done.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    file: PathBuf,
    jobs: mpsc::Sender<Box<dyn Job>>,
    readers: Readers,
}

/// How many writes may wait; who comes after them waits to hand its own in.
const WAITING_MAX: usize = 256;

impl Store {
    /// Opens the file, making it where it is missing, and brings the tables of its users up to date.
    ///
    /// # Errors
    ///
    /// When the file is no store of ours, was written by a newer version, or cannot be written.
    pub fn open(path: impl AsRef<Path>, schemas: &[Schema], options: Options) -> Result<Self, StoreError> {
        let file = path.as_ref().to_owned();
        let db = file::prepare(&file, schemas, &options)?;
        let (jobs, waiting) = mpsc::channel(WAITING_MAX);
        Writer::start(&file, db, &options, waiting)?;
        let readers = Readers::new(file.clone(), options.readers);
        Ok(Self { inner: Arc::new(Inner { file, jobs, readers }) })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.inner.file
    }

    /// Runs a closure in a transaction, together with all others that wait.
    ///
    /// It may be run more than once (see the [crate]), and is run even if the future is dropped.
    ///
    /// # Errors
    ///
    /// What the closure answered, or why its transaction failed.
    pub async fn write<T, F>(&self, change: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let closed = || StoreError::Unavailable(format!("{} is closed", self.inner.file.display()));
        self.inner.jobs.send(Box::new(Write::new(change, answer))).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    /// Runs a closure that only reads, on a thread where it may block, beside all writes.
    ///
    /// # Errors
    ///
    /// What the closure answered, or why the file could not be read.
    pub async fn read<T, F>(&self, look: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.inner.readers.read(look).await
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("file", &self.inner.file).finish_non_exhaustive()
    }
}
