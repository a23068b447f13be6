//! The handle to a log file, and the buffers in which threads leave their lines.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::rotate::Rotation;
use crate::sink::{Clock, Sink, system_clock};
use crate::writer::Writer;

/// A buffer of this size is handed over without waiting for the next gather.
pub(crate) const HANDOVER: usize = 64 * 1024;

/// A thread with this much unwritten writes it itself: the disk is slower than the log, and memory is not for that.
const BOUND: usize = 8 * 1024 * 1024;

/// A spare buffer above this is not kept for the next thread.
const SPARE: usize = 4 * HANDOVER;

/// A log file that any thread appends lines to. Clones are handles to the same file.
///
/// A line goes into a buffer of the calling thread: no system call, no lock that others hold, no wake-up. The
/// buffers are written by one background thread, whole, when they reach 64 KiB or after 100 ms. Lines of one thread
/// keep their order, and no line is ever mixed with another.
///
/// Lines in the buffers are lost when the process is killed, or ends without [`flush`](LogFile::flush): call it as
/// the last thing before leaving. Dropping the last handle flushes too.
///
/// # Example
///
/// ```
/// use butterfly_log::{LogFile, Rotation};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("acc.log");
/// let log = LogFile::open(&path, Rotation::default())?;
/// log.line(b"hello");
/// log.flush();
/// assert_eq!(std::fs::read_to_string(&path)?, "hello\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct LogFile(Arc<Owner>);

/// What all handles share; the last one to go flushes.
struct Owner {
    shared: Arc<Shared>,
    writer: Arc<Writer>,
}

impl LogFile {
    /// Names the file. It is created, with its folder, when the first line is written.
    ///
    /// Open each path once and share the handle: two handles opened apart turn the file apart.
    ///
    /// # Errors
    ///
    /// When the path is no file's, or the background thread cannot be started.
    pub fn open(path: impl AsRef<Path>, rotation: Rotation) -> io::Result<LogFile> {
        LogFile::open_with(path.as_ref(), rotation, Writer::of_process()?, system_clock())
    }

    pub(crate) fn open_with(
        path: &Path,
        rotation: Rotation,
        writer: Arc<Writer>,
        clock: Clock,
    ) -> io::Result<LogFile> {
        if path.file_name().is_none() || path.is_dir() {
            return Err(io::Error::new(
                io::ErrorKind::IsADirectory,
                format!("{}: not a file", path.display()),
            ));
        }
        // A later change of the working folder must not move the log.
        let path = std::path::absolute(path)?;
        let shared = Arc::new(Shared::new(path, rotation, clock));
        writer.add(Arc::clone(&shared));
        Ok(LogFile(Arc::new(Owner { shared, writer })))
    }

    /// Appends one line; its `\n` may be left out. The text is to be one line: see
    /// [`escape_into`](crate::escape_into).
    ///
    /// Never fails: what the disk refuses is counted in [`lost_lines`](LogFile::lost_lines) and reported on stderr
    /// once a minute. Blocks only when the disk is so slow that this thread has 8 MiB unwritten.
    #[inline]
    pub fn line(&self, bytes: &[u8]) {
        let done = MINE.try_with(|mine| self.append(mine, bytes));
        if done.is_err() {
            // The thread is ending and its buffers are gone.
            self.with_buffer_of_others(bytes);
        }
    }

    /// Returns when all lines logged before, by any thread, are in the file.
    pub fn flush(&self) {
        self.0.shared.gather(1);
    }

    /// How many lines could not be written since the file was opened.
    #[must_use]
    pub fn lost_lines(&self) -> u64 {
        self.0.shared.lost.load(Ordering::Relaxed)
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.shared.path
    }

    fn append(&self, mine: &RefCell<Vec<Mine>>, bytes: &[u8]) {
        let shared = &self.0.shared;
        let present = mine.borrow();
        if let Some(mine) = present.iter().find(|mine| mine.file == shared.id) {
            return self.append_to(&mine.buffer, bytes);
        }
        drop(present);
        let buffer = shared.register();
        let mut mine = mine.borrow_mut();
        // Files that were closed have let go of their buffers.
        mine.retain(|mine| Arc::strong_count(&mine.buffer) > 1);
        mine.push(Mine { file: shared.id, buffer: Arc::clone(&buffer) });
        self.append_to(&buffer, bytes);
    }

    fn append_to(&self, buffer: &Buffer, bytes: &[u8]) {
        let (before, after) = push_line(&mut lock(buffer), bytes);
        if after >= BOUND {
            self.0.shared.relieve(buffer);
        } else if before < HANDOVER && after >= HANDOVER {
            self.0.writer.full();
        } else {
            self.0.writer.touch();
        }
    }

    #[cold]
    fn with_buffer_of_others(&self, bytes: &[u8]) {
        // Nobody else holds it, so the next gather takes it for that of an ended thread.
        let buffer = self.0.shared.register();
        push_line(&mut lock(&buffer), bytes);
        self.0.writer.touch();
    }
}

impl fmt::Debug for LogFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogFile").field("path", &self.path()).finish_non_exhaustive()
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.gather(1);
        self.writer.remove(&self.shared);
    }
}

/// Appends a whole line and returns the size before and after.
fn push_line(buffer: &mut Vec<u8>, bytes: &[u8]) -> (usize, usize) {
    let before = buffer.len();
    buffer.extend_from_slice(bytes);
    if bytes.last() != Some(&b'\n') {
        buffer.push(b'\n');
    }
    (before, buffer.len())
}

/// One thread's lines for one file. Others lock it only for the moment of taking them.
type Buffer = Mutex<Vec<u8>>;

/// A buffer as its thread knows it.
struct Mine {
    file: u64,
    buffer: Arc<Buffer>,
}

thread_local! {
    /// The buffers of this thread, one for each file it has written to. When the thread ends it only lets go of
    /// them: the file holds them too, and its next gather takes what is left.
    static MINE: RefCell<Vec<Mine>> = const { RefCell::new(Vec::new()) };
}

/// A file, as its handles and the writer see it.
pub(crate) struct Shared {
    id: u64,
    path: PathBuf,
    /// Locked before any buffer is taken and until it is written: that keeps the order, and lets a flush know that
    /// nothing is under way.
    out: Mutex<Out>,
    buffers: Mutex<Vec<Arc<Buffer>>>,
    lost: AtomicU64,
}

struct Out {
    sink: Sink,
    /// Left to a thread in exchange for its full buffer.
    spare: Vec<u8>,
}

impl Shared {
    fn new(path: PathBuf, rotation: Rotation, clock: Clock) -> Shared {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let out = Out { sink: Sink::new(path.clone(), rotation, clock), spare: Vec::new() };
        Shared {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            path,
            out: Mutex::new(out),
            buffers: Mutex::new(Vec::new()),
            lost: AtomicU64::new(0),
        }
    }

    fn register(&self) -> Arc<Buffer> {
        let buffer = Arc::new(Buffer::default());
        lock(&self.buffers).push(Arc::clone(&buffer));
        buffer
    }

    /// Writes the buffers of at least so many bytes, and those of ended threads; tells whether there were any.
    pub(crate) fn gather(&self, least: usize) -> bool {
        let mut out = lock(&self.out);
        let waiting = self.waiting(least);
        waiting.iter().for_each(|buffer| self.hand_over(&mut out, buffer));
        !waiting.is_empty()
    }

    fn waiting(&self, least: usize) -> Vec<Arc<Buffer>> {
        let mut waiting = Vec::new();
        lock(&self.buffers).retain(|buffer| {
            // Looked at before the size: once its thread has let go of it, nothing is added.
            let ended = Arc::strong_count(buffer) == 1;
            let size = lock(buffer).len();
            if size >= least || (ended && size > 0) {
                waiting.push(Arc::clone(buffer));
            }
            !ended
        });
        waiting
    }

    /// Writes one thread's buffer on that thread, which is how a slow disk slows the log down.
    #[cold]
    fn relieve(&self, buffer: &Buffer) {
        self.hand_over(&mut lock(&self.out), buffer);
    }

    fn hand_over(&self, out: &mut Out, buffer: &Buffer) {
        std::mem::swap(&mut *lock(buffer), &mut out.spare);
        self.lost.store(out.sink.write(&out.spare), Ordering::Relaxed);
        out.spare.clear();
        out.spare.shrink_to(SPARE);
    }
}

/// A lock whose last holder panicked is as good as any: all of them guard plain bytes.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::thread;

    fn open(folder: &tempfile::TempDir) -> LogFile {
        LogFile::open(folder.path().join("acc.log"), Rotation::NEVER).unwrap()
    }

    fn content(log: &LogFile) -> String {
        fs::read_to_string(log.path()).unwrap()
    }

    #[test]
    fn line_ends_are_added_where_missing() {
        let folder = tempfile::tempdir().unwrap();
        let log = open(&folder);
        [&b"a"[..], b"b\n", b"", b"c"].iter().for_each(|line| log.line(line));
        log.flush();
        assert_eq!(content(&log), "a\nb\n\nc\n");
    }

    #[test]
    fn a_folder_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        LogFile::open(folder.path(), Rotation::NEVER).unwrap_err();
        LogFile::open("", Rotation::NEVER).unwrap_err();
    }

    #[test]
    fn a_thread_ahead_of_the_disk_writes_itself() {
        let folder = tempfile::tempdir().unwrap();
        let log = open(&folder);
        // No writer knows of this file, which is as slow as a disk can be.
        log.0.writer.remove(&log.0.shared);
        let line = vec![b'x'; 1024 * 1024 - 1];
        (1..BOUND / (line.len() + 1)).for_each(|_| log.line(&line));
        assert!(!log.path().exists());
        log.line(&line);
        assert_eq!(fs::metadata(log.path()).unwrap().len(), BOUND as u64);
        assert!(lock(&log.0.shared.out).spare.capacity() <= SPARE);
    }

    #[test]
    fn the_buffers_of_ended_threads_are_written_and_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let log = open(&folder);
        for _ in 0..10 {
            let log = log.clone();
            thread::spawn(move || log.line(b"last words")).join().unwrap();
        }
        log.flush();
        assert_eq!(content(&log), "last words\n".repeat(10));
        assert!(lock(&log.0.shared.buffers).is_empty());
    }

    #[test]
    fn a_line_from_a_thread_past_its_end_is_kept() {
        struct Parting(LogFile);
        impl Drop for Parting {
            fn drop(&mut self) {
                self.0.with_buffer_of_others(b"parting");
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let log = open(&folder);
        drop(Parting(log.clone()));
        log.flush();
        assert_eq!(content(&log), "parting\n");
    }

    #[test]
    fn closed_files_leave_the_thread() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..5 {
            open(&folder).line(b"x");
        }
        let log = open(&folder);
        log.line(b"y");
        assert_eq!(MINE.with_borrow(Vec::len), 1);
        log.flush();
        assert_eq!(content(&log), "x\nx\nx\nx\nx\ny\n");
    }
}
