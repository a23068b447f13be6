//! A small disk that can be filled, without being anybody special: in a mount namespace of the torture's own.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Set in the process that has a namespace of its own.
const APART: &str = "TORTURE_APART";

/// Whether this process can have disks of its own.
pub(crate) fn is_apart() -> bool {
    std::env::var_os(APART).is_some()
}

/// Runs this program again where it can have disks of its own.
pub(crate) fn apart() -> io::Result<ExitCode> {
    let status = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount"])
        .arg(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .env(APART, "1")
        .status()
        .map_err(|error| {
            io::Error::other(format!("a disk to be filled needs unshare (util-linux): {error}"))
        })?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A disk of a certain size.
#[derive(Debug)]
pub(crate) struct Disk {
    folder: PathBuf,
}

impl Disk {
    pub(crate) fn new(folder: &Path, bytes: u64) -> io::Result<Self> {
        let size = format!("size={bytes}");
        let words: [&OsStr; 6] = [
            "-t".as_ref(),
            "tmpfs".as_ref(),
            "-o".as_ref(),
            size.as_ref(),
            "torture".as_ref(),
            folder.as_ref(),
        ];
        match Command::new("mount").args(words).status()?.success() {
            true => Ok(Self { folder: folder.to_owned() }),
            false => Err(io::Error::other("a disk to be filled could not be mounted: see above")),
        }
    }

    /// Fills what is left of it, or makes room again.
    pub(crate) fn set_full(&self, full: bool) -> io::Result<()> {
        let ballast = self.folder.join("ballast");
        if !full {
            return std::fs::remove_file(ballast);
        }
        let mut file = File::create(ballast)?;
        for size in [1 << 20, 1 << 12] {
            let block = vec![0; size];
            while file.write_all(&block).is_ok() {}
        }
        Ok(())
    }
}
