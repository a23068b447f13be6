//! Whose a row is: several programs, and several queues, may share a database.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use butterfly_core::{Error, Result};

use crate::queue::Queue;

/// Which queue a row is for, so that no other queue's relay takes it.
#[derive(Debug)]
pub struct Home {
    place: Place,
    id: OnceLock<String>,
}

#[derive(Debug)]
enum Place {
    Shared(String),
    File(PathBuf),
}

impl Home {
    /// A queue that is known by one name in all processes: `redis.default`.
    #[must_use]
    pub fn shared(name: impl Into<String>) -> Self {
        Self { place: Place::Shared(name.into()), id: OnceLock::new() }
    }

    /// A queue in a file, known by an id that is kept beside it, in `FILE.id`: made when it is first needed, and the same
    /// wherever the folder is moved.
    #[must_use]
    pub fn file(queue: impl Into<PathBuf>) -> Self {
        Self { place: Place::File(queue.into()), id: OnceLock::new() }
    }

    /// What stands in the rows; a program's name is a part of it.
    pub(super) fn id(&self, queue: &Queue) -> Result<&str> {
        if let Some(id) = self.id.get() {
            return Ok(id);
        }
        let program = &queue.settings().nickname;
        let id = match &self.place {
            Place::Shared(name) => format!("{program}@{name}"),
            Place::File(file) => {
                let mut path = file.as_os_str().to_owned();
                path.push(".id");
                let path = PathBuf::from(path);
                let id = kept(&path).map_err(|error| {
                    Error::server(format!("cannot keep the queue's id in {}: {error}", path.display()))
                })?;
                format!("{program}@{id}")
            }
        };
        Ok(self.id.get_or_init(|| id))
    }
}

/// The id in a file; of processes that make it at once one wins.
fn kept(path: &Path) -> io::Result<String> {
    if let Some(id) = read(path)? {
        return Ok(id);
    }
    let id = butterfly_model::ids::uuid_v7().as_simple().to_string();
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{id}"));
    std::fs::write(&draft, format!("{id}\n"))?;
    // A link appears whole, and only where there is none yet.
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => read(path)?.ok_or_else(|| io::Error::other("it holds no id: remove it")),
    }
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => match text.trim() {
            "" => Err(io::Error::other("it holds no id: remove it")),
            id if id.len() <= 64 => Ok(Some(id.to_owned())),
            _ => Err(io::Error::other("it holds no id: remove it")),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue.db.id");
        let first = kept(&path).unwrap();
        assert_eq!(first.len(), 32);
        assert_eq!(kept(&path).unwrap(), first);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "the draft is gone");
    }

    #[test]
    fn a_file_that_is_none_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue.db.id");
        std::fs::write(&path, " \n").unwrap();
        assert!(kept(&path).unwrap_err().to_string().contains("remove it"));
    }
}
