//! The file that says which process runs here: locked while it lives, so that a stale one is never believed.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::Config;

/// What a running process says of itself.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Running {
    pub(crate) pid: u32,
    pub(crate) name: String,
    pub(crate) version: String,
    /// `None` until it listens, and for a process without role `http`.
    pub(crate) listen: Option<SocketAddr>,
}

/// The lock of a running process; the system gives it back when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct PidFile {
    file: File,
}

/// The file of a process: each instance that shares the data folder has its own.
pub(crate) fn path(config: &Config) -> PathBuf {
    if config.instance.is_main() {
        return config.data_dir.join("butterfly.pid");
    }
    config.data_dir.join(format!("butterfly-{}.pid", config.instance.as_str()))
}

impl PidFile {
    /// Takes the lock; `Ok(None)` when a process of this file runs already.
    pub(crate) fn take(path: &Path) -> io::Result<Option<Self>> {
        if let Some(data_dir) = path.parent() {
            std::fs::create_dir_all(data_dir)?;
        }
        let file = open(path, true)?;
        if !lock_alone(&file)? {
            return Ok(None);
        }
        // What a process before this one said is no longer true.
        file.set_len(0)?;
        Ok(Some(Self { file }))
    }

    /// Says what runs here, in one piece: others may be reading.
    pub(crate) fn write(&mut self, running: &Running) -> io::Result<()> {
        let mut line = serde_json::to_vec(running)?;
        line.push(b'\n');
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(&line)
    }
}

/// Locks the file for a process that runs; false when another one has it.
fn lock_alone(file: &File) -> io::Result<bool> {
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // Those who only look share the lock for a moment, which is no reason to give up.
        match file.try_lock_shared() {
            Ok(()) => file.unlock()?,
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

fn open(path: &Path, create: bool) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(create).truncate(false).open(path)
}

/// The process that has locked the file; `None` when none has.
pub(crate) fn running(path: &Path) -> io::Result<Option<Running>> {
    let mut file = match open(path, false) {
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

/// Waits until no process holds the file.
pub(crate) fn wait_until_free(path: &Path) -> io::Result<()> {
    open(path, false)?.lock_shared()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_living_process_counts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data/butterfly.pid");
        assert_eq!(running(&path).unwrap(), None);
        let said = Running { pid: 7, name: "x".into(), version: "1".into(), listen: None };
        let mut file = PidFile::take(&path).unwrap().unwrap();
        file.write(&said).unwrap();
        assert_eq!(running(&path).unwrap(), Some(said));
        assert!(PidFile::take(&path).unwrap().is_none());
        drop(file);
        assert_eq!(running(&path).unwrap(), None);
    }

    #[test]
    fn what_an_ended_process_said_is_gone_before_the_next_one_speaks() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data/butterfly.pid");
        let said = Running { pid: 7, name: "x".into(), version: "1".into(), listen: None };
        PidFile::take(&path).unwrap().unwrap().write(&said).unwrap();
        let _next = PidFile::take(&path).unwrap().unwrap();
        assert_eq!(running(&path).unwrap(), None);
    }

    #[test]
    fn those_who_look_never_keep_a_process_from_starting() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data/butterfly.pid");
        drop(PidFile::take(&path).unwrap());
        let over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(std::sync::atomic::Ordering::Relaxed) {
                    running(&path).unwrap();
                }
            });
            let taken = (0..5_000).all(|_| PidFile::take(&path).unwrap().is_some());
            over.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(taken);
        });
    }

    #[test]
    fn instances_of_one_data_folder_do_not_meet() {
        let load = |name: &str| {
            let flags = vec![("instance".to_owned(), name.to_owned())];
            crate::config::Loader::new("x").flags(flags).load().unwrap().config
        };
        assert_eq!(path(&load("main")), Path::new("data/butterfly.pid"));
        assert_eq!(path(&load("w-2")), Path::new("data/butterfly-w-2.pid"));
    }
}
