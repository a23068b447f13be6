//! How a disk cache is opened.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::DiskStore;
use crate::cache::CacheError;

/// What goes first when a disk cache is full. What has expired always goes before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Evict {
    /// What was stored longest ago. Reading writes nothing.
    #[default]
    LeastRecentlyStored,
    /// What was read or stored longest ago.
    LeastRecentlyUsed,
    /// What was read least often since it was stored.
    LeastFrequentlyUsed,
    /// Nothing: a full cache refuses new values with [`CacheError::NoRoom`].
    Nothing,
}

/// A disk cache about to be opened: where it is, and how large.
///
/// # Example
///
/// ```
/// use butterfly_model::cache::{Cache, Disk, Evict};
///
/// # fn main() -> Result<(), butterfly_model::cache::CacheError> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("cache.db");
/// let store = Disk::at(path).size_limit(256 << 20).evict(Evict::LeastRecentlyUsed).open()?;
/// let cache = Cache::two_level(32 << 20, store);
/// # drop(cache);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Disk {
    pub(super) path: PathBuf,
    pub(super) size_limit: u64,
    pub(super) evict: Evict,
    pub(super) lock_timeout: Duration,
}

/// The smallest size that is of use: the tables alone take a few pages.
const SMALLEST: u64 = 1 << 20;

impl Disk {
    /// A cache in this file, which is made where it is missing, as is its folder.
    pub fn at(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            size_limit: 1 << 30,
            evict: Evict::default(),
            lock_timeout: Duration::from_secs(10),
        }
    }

    /// The most bytes that the file's data take: 1 GiB unless said otherwise, at least 1 MiB. Each process that shares
    /// the file may exceed it by a hundredth, and SQLite's write-ahead log beside it takes some tens of megabytes more.
    pub fn size_limit(mut self, bytes: u64) -> Self {
        self.size_limit = bytes;
        self
    }

    /// What goes first when it is full.
    pub fn evict(mut self, evict: Evict) -> Self {
        self.evict = evict;
        self
    }

    /// How long a write waits while another process writes: 10 seconds unless said otherwise.
    pub fn lock_timeout(mut self, time: Duration) -> Self {
        self.lock_timeout = time;
        self
    }

    /// Whether what goes first depends on what was read.
    pub(super) fn counts_uses(&self) -> bool {
        matches!(self.evict, Evict::LeastRecentlyUsed | Evict::LeastFrequentlyUsed)
    }

    /// Opens it.
    ///
    /// # Errors
    ///
    /// When the file is something else, damaged, of a newer version, or cannot be written; when the limit is too small.
    pub fn open(self) -> Result<DiskStore, CacheError> {
        if self.size_limit < SMALLEST {
            return Err(CacheError::Refused(format!(
                "{} bytes are too few for the disk cache {}: give it at least {SMALLEST}",
                self.size_limit,
                self.path.display()
            )));
        }
        DiskStore::open(self)
    }
}
