//! A small disk that can be filled: a filesystem in memory, in a mount namespace of the torture's own, for which nobody
//! needs to be root.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// The disk that the queue's folder is on.
#[derive(Debug)]
pub(crate) struct Disk {
    filler: PathBuf,
}

/// The room for a message, its end and its part of the log.
const KIB_A_MESSAGE: u64 = 3;
const KIB_AT_LEAST: u64 = 64 << 10;

/// Runs this program once more with `args`, on a small disk at `folder`.
pub(crate) fn run_on(folder: &Path, messages: u64, args: &[String]) -> io::Result<ExitStatus> {
    let size = KIB_AT_LEAST + messages * KIB_A_MESSAGE;
    let script = "mount -t tmpfs -o size=\"$1\"k torture \"$2\" && shift 2 && exec \"$@\"";
    Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", &size.to_string()])
        .arg(folder)
        .arg(std::env::current_exe()?)
        .args(args)
        .status()
        .map_err(|error| {
            io::Error::other(format!("a disk that fills up needs unshare of util-linux: {error}"))
        })
}

impl Disk {
    pub(crate) fn at(folder: &Path) -> Self {
        Self { filler: folder.join("filler") }
    }

    /// Takes what room there is.
    pub(crate) fn fill(&self) -> io::Result<()> {
        let mut filler = File::options().create(true).append(true).open(&self.filler)?;
        // Large steps first, then the last pages.
        for step in [vec![0; 1 << 20], vec![0; 1 << 12]] {
            loop {
                match filler.write_all(&step) {
                    Ok(()) => {}
                    Err(error) if error.kind() == io::ErrorKind::StorageFull => break,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Gives it back.
    pub(crate) fn clear(&self) -> io::Result<()> {
        std::fs::remove_file(&self.filler)
    }
}
