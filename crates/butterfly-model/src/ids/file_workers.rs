//! Worker numbers for the processes of one machine: a locked file for each.
//!
//! ```text
//! FOLDER/lock                  held while a number is chosen
//! FOLDER/DATACENTER-WORKER     locked by its holder; two lines, each a mark and its check
//! ```
//!
//! The two lines are written in turn, so that a cut of the power leaves one whole; the higher mark counts.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::{IdError, WorkerLease, WorkerNumbers};

/// Worker numbers that the processes of one machine lease from a folder that they share.
///
/// A process that dies gives its number back, because the kernel lets go of its lock. Never delete a number's file while
/// ids are made: it holds the time that is used up.
///
/// # Example
///
/// ```
/// use butterfly_model::ids::{FileWorkers, Snowflakes};
///
/// # let data = tempfile::tempdir()?;
/// let folder = data.path().join("ids");
/// let one = Snowflakes::start(FileWorkers::new(&folder))?;
/// let other = Snowflakes::start(FileWorkers::new(&folder))?;
/// assert_eq!((one.number(), other.number()), ((0, 0), (0, 1)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct FileWorkers {
    folder: PathBuf,
    datacenter: u8,
}

#[derive(Debug)]
struct FileLease {
    file: File,
    path: PathBuf,
    datacenter: u8,
    worker: u8,
    mark: u64,
    /// Which of the two lines is written next.
    line: u64,
}

const WORKERS: u8 = 32;
/// A mark of 20 digits, a space, its check in 16 hex digits, a line feed.
const LINE: usize = 38;

impl FileWorkers {
    /// Numbers from this folder, which is made when it is missing. It has to be on a local disk.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), datacenter: 0 }
    }

    /// The datacenter that all ids of this machine carry, 0 to 31; 0 by default. Machines whose ids meet need one each.
    #[must_use]
    pub fn datacenter(mut self, datacenter: u8) -> Self {
        self.datacenter = datacenter;
        self
    }

    /// The number's file, locked, or `None` when somebody else holds it.
    fn take(&self, worker: u8) -> Result<Option<FileLease>, IdError> {
        let path = self.folder.join(format!("{}-{worker}", self.datacenter));
        let of_io = |error| unavailable(&path, "cannot open", &error);
        let file = open(&path).map_err(of_io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(of_io(error)),
        }
        let mark = read_mark(&file, &path)?;
        Ok(Some(FileLease { file, path, datacenter: self.datacenter, worker, mark, line: 0 }))
    }
}

impl WorkerNumbers for FileWorkers {
    fn lease(&self, now_ms: u64, limit_ms: u64) -> Result<Box<dyn WorkerLease>, IdError> {
        if self.datacenter >= 32 {
            return Err(IdError::BadOption(format!("datacenter: {} is not within 0 to 31", self.datacenter)));
        }
        let of_io = |error| unavailable(&self.folder, "cannot use the folder", &error);
        std::fs::create_dir_all(&self.folder).map_err(of_io)?;
        // One chooser at a time: a look at a number takes its lock, and would make it seem held.
        let choosing = open(&self.folder.join("lock")).map_err(of_io)?;
        choosing.lock().map_err(of_io)?;
        let mut best: Option<FileLease> = None;
        let (mut held, mut ahead, mut damaged) = (0, 0, None);
        for worker in 0..WORKERS {
            let lease = match self.take(worker) {
                Ok(Some(lease)) => lease,
                Ok(None) => {
                    held += 1;
                    continue;
                }
                Err(error) => {
                    tracing::warn!("id worker {worker} is passed over: {error}");
                    damaged.get_or_insert(error);
                    continue;
                }
            };
            if lease.mark >= limit_ms {
                ahead += 1;
            } else if best.as_ref().is_none_or(|best| lease.mark < best.mark) {
                let ready = lease.mark <= now_ms;
                best = Some(lease);
                if ready {
                    break;
                }
            }
        }
        // The file's name has to last as long as what it says.
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(of_io)?;
        match (best, damaged) {
            (Some(lease), _) => Ok(Box::new(lease)),
            (None, Some(error)) if held + ahead == 0 => Err(error),
            (None, _) => Err(IdError::NoNumber(format!(
                "of the {WORKERS} in {}, {held} are held by running processes and {ahead} were used at times far ahead \
                 of this clock; run fewer processes, set the clock right, or give this machine a datacenter and a \
                 folder of its own",
                self.folder.display()
            ))),
        }
    }
}

impl WorkerLease for FileLease {
    fn datacenter(&self) -> u8 {
        self.datacenter
    }

    fn worker(&self) -> u8 {
        self.worker
    }

    fn mark(&self) -> u64 {
        self.mark
    }

    fn reserve(&mut self, until_ms: u64) -> Result<(), IdError> {
        let of_io = |error| unavailable(&self.path, "cannot write", &error);
        // Whoever makes the file anew takes the number as well.
        if self.file.metadata().map_err(of_io)?.nlink() == 0 {
            return Err(IdError::Lost(format!("{} was deleted", self.path.display())));
        }
        write_mark(&self.file, self.line, until_ms).map_err(of_io)?;
        self.line ^= 1;
        Ok(())
    }

    fn release(&mut self, next_ms: u64) {
        // When this fails the higher mark stays, which is as good.
        let written = write_mark(&self.file, self.line, next_ms)
            .and_then(|()| write_mark(&self.file, self.line ^ 1, next_ms));
        if let Err(error) = written {
            tracing::debug!("cannot lower the mark in {}: {error}", self.path.display());
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

fn unavailable(path: &Path, doing: &str, error: &io::Error) -> IdError {
    IdError::Unavailable(format!("{doing} {}: {error}", path.display()))
}

/// The highest mark of the file; 0 for a file that is new.
fn read_mark(file: &File, path: &Path) -> Result<u64, IdError> {
    let mut bytes = [0; 2 * LINE];
    let mut have = 0;
    while have < bytes.len() {
        match file.read_at(&mut bytes[have..], have as u64) {
            Ok(0) => break,
            Ok(more) => have += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unavailable(path, "cannot read", &error)),
        }
    }
    let marks = bytes[..have].chunks(LINE).filter_map(parse_line).max();
    match marks {
        Some(mark) => Ok(mark),
        None if have == 0 => Ok(0),
        None => Err(IdError::Unavailable(format!(
            "{} does not say which times are used up; delete it when nothing has made ids under it for as long as a \
             clock may be wrong",
            path.display()
        ))),
    }
}

fn parse_line(line: &[u8]) -> Option<u64> {
    let (mark, check) = std::str::from_utf8(line).ok()?.strip_suffix('\n')?.split_once(' ')?;
    let mark: u64 = mark.parse().ok()?;
    (u64::from_str_radix(check, 16).ok()? == checked(mark)).then_some(mark)
}

fn write_mark(file: &File, line: u64, mark: u64) -> io::Result<()> {
    let text = format!("{mark:020} {:016x}\n", checked(mark));
    file.write_all_at(text.as_bytes(), line * LINE as u64)?;
    file.sync_data()
}

/// Mixes every digit into every other, so that a line torn in the middle is no line.
fn checked(mark: u64) -> u64 {
    (mark ^ mark >> 29).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ mark
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000_000;

    fn lease(folder: &Path) -> Result<Box<dyn WorkerLease>, IdError> {
        FileWorkers::new(folder).lease(NOW, NOW + 600_000)
    }

    #[test]
    fn numbers_are_given_once_and_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut leases: Vec<_> = (0..32).map(|_| lease(folder.path()).unwrap()).collect();
        let numbers: Vec<u8> = leases.iter().map(|lease| lease.worker()).collect();
        assert_eq!(numbers, (0..32).collect::<Vec<u8>>());
        let Err(IdError::NoNumber(why)) = lease(folder.path()) else { panic!("a 33rd number") };
        assert!(why.contains("32 are held"), "{why}");
        leases.remove(7);
        assert_eq!(lease(folder.path()).unwrap().worker(), 7);
    }

    #[test]
    fn the_mark_is_found_by_the_next_holder() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = lease(folder.path()).unwrap();
        assert_eq!(first.mark(), 0);
        for until in [NOW - 30, NOW - 20, NOW - 10] {
            first.reserve(until).unwrap();
        }
        drop(first);
        let mut second = lease(folder.path()).unwrap();
        assert_eq!((second.worker(), second.mark()), (0, NOW - 10));
        second.reserve(NOW - 5).unwrap();
        second.release(NOW - 9);
        drop(second);
        assert_eq!(lease(folder.path()).unwrap().mark(), NOW - 9);
    }

    #[test]
    fn a_number_used_ahead_of_the_clock_is_taken_last_and_one_far_ahead_never() {
        let folder = tempfile::tempdir().unwrap();
        let mut leases: Vec<_> = (0..32).map(|_| lease(folder.path()).unwrap()).collect();
        for lease in &mut leases {
            let ahead = if lease.worker() == 9 { 4 } else { 5 };
            lease.reserve(NOW + ahead).unwrap();
        }
        leases[3].release(NOW);
        drop(leases);
        let ready = lease(folder.path()).unwrap();
        assert_eq!(ready.worker(), 3);
        assert_eq!(lease(folder.path()).unwrap().worker(), 9);
        drop(ready);
        let Err(IdError::NoNumber(why)) = FileWorkers::new(folder.path()).lease(NOW - 10, NOW - 5) else {
            panic!("a number from the future")
        };
        assert!(why.contains("32 were used at times far ahead"), "{why}");
    }

    #[test]
    fn a_torn_line_leaves_the_other_and_a_damaged_file_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let mut held = lease(folder.path()).unwrap();
        held.reserve(NOW - 20).unwrap();
        held.reserve(NOW - 10).unwrap();
        drop(held);
        let path = folder.path().join("0-0");
        let whole = std::fs::read(&path).unwrap();
        for cut in LINE..2 * LINE {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert_eq!(lease(folder.path()).unwrap().mark(), NOW - 20, "cut at {cut}");
        }
        for place in 0..2 * LINE {
            let mut wrong = whole.clone();
            wrong[place] ^= 1;
            std::fs::write(&path, &wrong).unwrap();
            let mark = lease(folder.path()).unwrap().mark();
            assert_eq!(mark, if place < LINE { NOW - 10 } else { NOW - 20 }, "wrong at {place}");
        }
        std::fs::write(&path, b"nonsense").unwrap();
        assert_eq!(lease(folder.path()).unwrap().worker(), 1);
    }

    #[test]
    fn a_deleted_file_is_a_lost_lease() {
        let folder = tempfile::tempdir().unwrap();
        let mut held = lease(folder.path()).unwrap();
        std::fs::remove_file(folder.path().join("0-0")).unwrap();
        assert!(matches!(held.reserve(NOW + 1), Err(IdError::Lost(_))));
    }

    #[test]
    fn errors_name_the_folder_and_the_option() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let Err(IdError::Unavailable(why)) = lease(file.path()) else { panic!("a file as a folder") };
        assert!(why.contains(file.path().to_str().unwrap()), "{why}");
        let folder = tempfile::tempdir().unwrap();
        let wrong = FileWorkers::new(folder.path()).datacenter(32).lease(NOW, NOW);
        assert!(matches!(wrong, Err(IdError::BadOption(why)) if why.contains("32")));
    }
}
