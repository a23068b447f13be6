//! An uploaded file on its way to the disk.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use butterfly_core::{Error, Fault, Result};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use super::Part;
use super::file_name::numbered;

/// How many files of the same name a folder may hold.
const SAME_NAME: u32 = 10_000;

/// A file that is removed unless it is kept: whether writing fails, or the call is given up in the middle.
#[derive(Debug)]
struct Partial(Option<PathBuf>);

impl Partial {
    fn path(&self) -> &Path {
        self.0.as_deref().unwrap_or(Path::new(""))
    }

    fn keep(mut self) -> PathBuf {
        self.0.take().unwrap_or_default()
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if let Some(path) = &self.0
            && let Err(error) = std::fs::remove_file(path)
        {
            tracing::warn!("an unfinished upload stays at {}: {error}", path.display());
        }
    }
}

/// Streams a part to a new file; gives its path once all is on the disk.
pub(super) async fn save(part: &mut Part<'_>, dir: &Path, name: &str, max_bytes: u64) -> Result<PathBuf> {
    let (file, partial) = create(dir.to_owned(), name.to_owned()).await?;
    let mut file = File::from_std(file);
    let written = write(part, &mut file, partial.path(), max_bytes).await;
    // Windows removes no file that is open.
    drop(file.into_std().await);
    written?;
    settle(dir).await.map_err(|error| failed("sync", dir, error))?;
    Ok(partial.keep())
}

/// Makes the file on a thread that may block. Whoever gives up waiting leaves no file either: what the thread
/// hands over to nobody is dropped, and so removed.
async fn create(dir: PathBuf, name: String) -> Result<(std::fs::File, Partial)> {
    tokio::task::spawn_blocking(move || {
        std::fs::create_dir_all(&dir).map_err(|error| failed("make the folder", &dir, error))?;
        create_free(&dir, &name)
    })
    .await?
}

/// Makes a file that was not there, under the first name that is free.
fn create_free(dir: &Path, name: &str) -> Result<(std::fs::File, Partial)> {
    for count in 0..=SAME_NAME {
        let path = dir.join(numbered(name, count));
        match std::fs::File::create_new(&path) {
            Ok(file) => return Ok((file, Partial(Some(path)))),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed("create", &path, error)),
        }
    }
    Err(Error::server(format!("{} holds too many files named like {name}", dir.display())))
}

async fn write(part: &mut Part<'_>, file: &mut File, path: &Path, max_bytes: u64) -> Result<()> {
    let mut left = max_bytes;
    while let Some(piece) = part.piece().await? {
        left = left.checked_sub(piece.len() as u64).ok_or(Fault::TooLarge { limit: max_bytes })?;
        file.write_all(&piece).await.map_err(|error| failed("write", path, error))?;
    }
    file.flush().await.map_err(|error| failed("write", path, error))?;
    file.sync_all().await.map_err(|error| failed("sync", path, error))
}

/// Makes the folder's new entry last: a file's own sync does not cover its name.
#[cfg(unix)]
async fn settle(dir: &Path) -> io::Result<()> {
    File::open(dir).await?.sync_all().await
}

/// Elsewhere a folder cannot be opened as a file, and its entry is written with the file.
#[cfg(not(unix))]
async fn settle(_: &Path) -> io::Result<()> {
    Ok(())
}

fn failed(what: &str, path: &Path, error: io::Error) -> Error {
    Error::server(io::Error::new(error.kind(), format!("cannot {what} {}: {error}", path.display())))
}
