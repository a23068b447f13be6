//! The file that says which process runs here: locked while it lives, so that a stale one is never believed.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What a running process says of itself.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Running {
    pub(crate) pid: u32,
    pub(crate) name: String,
    pub(crate) version: String,
    /// `None` until it listens.
    pub(crate) listen: Option<SocketAddr>,
}

/// The lock of a running process; the system gives it back when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct PidFile {
    file: File,
}

pub(crate) fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("butterfly.pid")
}

impl PidFile {
    /// Takes the lock; `Ok(None)` when a process of this data folder runs already.
    pub(crate) fn take(data_dir: &Path) -> io::Result<Option<Self>> {
        std::fs::create_dir_all(data_dir)?;
        let file = open(data_dir, true)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Says what runs here.
    pub(crate) fn write(&mut self, running: &Running) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        serde_json::to_writer(&self.file, running)?;
        self.file.write_all(b"\n")
    }
}

fn open(data_dir: &Path, create: bool) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(create).truncate(false).open(path(data_dir))
}

/// The process that runs on a data folder; `None` when none does.
pub(crate) fn running(data_dir: &Path) -> io::Result<Option<Running>> {
    let mut file = match open(data_dir, false) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            file.read_to_string(&mut text)?;
            // Empty for the moment between lock and first word.
            Ok(serde_json::from_str(&text).ok())
        }
    }
}

/// Waits until no process holds the data folder.
pub(crate) fn wait_until_free(data_dir: &Path) -> io::Result<()> {
    open(data_dir, false)?.lock_shared()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_living_process_counts() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(running(dir.path()).unwrap(), None);
        let said = Running { pid: 7, name: "x".into(), version: "1".into(), listen: None };
        let mut file = PidFile::take(dir.path()).unwrap().unwrap();
        file.write(&said).unwrap();
        assert_eq!(running(dir.path()).unwrap(), Some(said));
        assert!(PidFile::take(dir.path()).unwrap().is_none());
        drop(file);
        assert_eq!(running(dir.path()).unwrap(), None);
    }
}
