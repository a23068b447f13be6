//! The files of the processes that share a folder.

use std::fs::{File, TryLockError};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::net::{UnixListener, UnixStream};

use super::PeerName;
use crate::StoreError;

/// What the system allows for the path of a socket, with some room.
const SOCKET_PATH_MAX: usize = 100;

#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// The folder itself, open: a short way to it where its path is too long for a socket.
    handle: File,
}

/// The place of this process: its lock is held as long as this lives.
#[derive(Debug)]
pub(crate) struct Place {
    folder: Folder,
    name: PeerName,
    /// Never read: the lock on it is what counts.
    _lock: File,
}

impl Folder {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let of_io = |error| StoreError::of_io(path, "cannot open the folder", &error);
        // What is said here may be believed: nobody else may come in.
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(of_io)?;
        let handle = File::open(path).map_err(of_io)?;
        Ok(Self { path: path.to_owned(), handle })
    }

    /// Makes this process's files. The lock appears under its name when it is locked and the socket listens.
    pub(crate) fn take_place(self) -> Result<(Place, UnixListener), StoreError> {
        let name = new_name();
        let of_io = |error| StoreError::of_io(&self.path, "cannot make a place for this process in", &error);
        let fresh = self.path.join(format!("{name}.new"));
        let lock = File::create_new(&fresh).map_err(of_io)?;
        lock.lock().map_err(of_io)?;
        let listener = UnixListener::bind(self.socket(&name)?).map_err(of_io)?;
        std::fs::rename(&fresh, self.lock(&name)).map_err(of_io)?;
        Ok((Place { folder: self, name, _lock: lock }, listener))
    }

    /// The names that have a lock in the folder, but for one's own.
    pub(crate) fn others(&self, own: &PeerName) -> Result<Vec<PeerName>, StoreError> {
        let of_io = |error| StoreError::of_io(&self.path, "cannot read the folder", &error);
        let entries = std::fs::read_dir(&self.path).map_err(of_io)?;
        let names = entries.flatten().filter_map(|entry| {
            let file = entry.file_name();
            file.to_str()?.strip_suffix(".lock").map(PeerName::from)
        });
        Ok(names.filter(|name| name != own).collect())
    }

    /// Whether somebody holds the lock of this name.
    pub(crate) fn lives(&self, name: &PeerName) -> bool {
        let Ok(lock) = File::open(self.lock(name)) else { return false };
        matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock))
    }

    /// Removes the files of a process that does not live.
    pub(crate) fn clean(&self, name: &PeerName) {
        for file in [self.lock(name), self.path.join(format!("{name}.sock"))] {
            // Another process may have been faster.
            if let Err(error) = std::fs::remove_file(&file)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!("cannot remove {}, which a dead process left: {error}", file.display());
            }
        }
    }

    pub(crate) async fn connect(&self, name: &PeerName) -> io::Result<UnixStream> {
        UnixStream::connect(self.socket(name).map_err(|error| io::Error::other(error.to_string()))?).await
    }

    fn lock(&self, name: &PeerName) -> PathBuf {
        self.path.join(format!("{name}.lock"))
    }

    /// Where the socket of this name is. The system takes no long paths there; Linux offers a short one to whatever a
    /// process has open.
    fn socket(&self, name: &PeerName) -> Result<PathBuf, StoreError> {
        let file = format!("{name}.sock");
        let plain = self.path.join(&file);
        if plain.as_os_str().len() <= SOCKET_PATH_MAX {
            return Ok(plain);
        }
        if cfg!(target_os = "linux") {
            return Ok(format!("/proc/self/fd/{}/{file}", self.handle.as_raw_fd()).into());
        }
        Err(StoreError::Refused(format!(
            "the path {} is too long for a socket: choose a data folder with a shorter one",
            plain.display()
        )))
    }
}

impl Place {
    pub(crate) fn name(&self) -> &PeerName {
        &self.name
    }

    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Takes this process's files away: others see at once that it has left.
    pub(crate) fn leave(&self) {
        self.folder.clean(&self.name);
    }
}

/// A name that no other process on this machine ever had: its id, the time, and a count within it.
fn new_name() -> PeerName {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // Process ids repeat between containers that share the folder; their namespaces' numbers do not.
    let space = std::fs::metadata("/proc/self/ns/pid").map_or(0, |space| space.ino());
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let text = format!("{}-{:x}-{:x}-{count:x}", std::process::id(), space & 0xffff, since.as_micros());
    PeerName(text.into())
}
