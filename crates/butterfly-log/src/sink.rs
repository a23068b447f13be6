//! The file itself: opened at the first line, turned by its rotation, found again when it was moved away.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::time::SystemTime;

use crate::rotate::{self, Rotation};
use crate::stamp::{Stamp, unix_secs};

/// Where the time comes from, in seconds since 1970; tests bring their own.
pub(crate) type Clock = Box<dyn Fn() -> i64 + Send>;

/// How long after a complaint on stderr, or a failed rotation, until the next.
const PATIENCE: i64 = 60;

/// The system's time.
pub(crate) fn system_clock() -> Clock {
    Box::new(|| unix_secs(SystemTime::now()))
}

pub(crate) struct Sink {
    path: PathBuf,
    rotation: Rotation,
    clock: Clock,
    open: Option<Open>,
    /// When the path was last looked at, to see whether it is still our file.
    looked: i64,
    /// The last write stopped inside a line, so the next begins with a line end.
    torn: bool,
    /// A rotation failed: none before this time.
    no_turn_before: i64,
    complained: Option<i64>,
    lost: u64,
}

struct Open {
    file: File,
    /// Which file it is, to be told from another of the same name.
    identity: Identity,
    size: u64,
    span: i64,
    /// Devices and pipes are never renamed.
    regular: bool,
}

impl Sink {
    pub(crate) fn new(path: PathBuf, rotation: Rotation, clock: Clock) -> Sink {
        let (open, complained) = (None, None);
        Sink { path, rotation, clock, open, looked: 0, torn: false, no_turn_before: 0, complained, lost: 0 }
    }

    /// Writes whole lines and returns how many were lost since the beginning.
    pub(crate) fn write(&mut self, lines: &[u8]) -> u64 {
        let now = (self.clock)();
        self.look(now);
        let mut rest = lines;
        while !rest.is_empty() {
            match self.write_some(rest, now) {
                Ok(written) => rest = &rest[written..],
                Err((written, error)) => {
                    self.give_up(&rest[written..], now, &error);
                    break;
                }
            }
        }
        self.lost
    }

    /// At most once a second, sees whether the path was moved, deleted or written by others.
    fn look(&mut self, now: i64) {
        let Some(open) = &mut self.open else { return };
        if self.looked == now {
            return;
        }
        self.looked = now;
        match fs::metadata(&self.path) {
            Ok(found) if Identity::of(&found) == open.identity => open.size = found.len(),
            Err(error) if error.kind() != ErrorKind::NotFound => {}
            _ => self.open = None,
        }
    }

    /// Writes as many lines as belong into the present file; on an error tells how far it came.
    fn write_some(&mut self, lines: &[u8], now: i64) -> Result<usize, (usize, io::Error)> {
        let turn_allowed = now >= self.no_turn_before;
        let rotation = self.rotation;
        let open = self.opened(now).map_err(|error| (0, error))?;
        let fitting = match open.size {
            _ if !open.regular || !turn_allowed => lines.len(),
            size if size > 0 && open.span != rotation.span(now) => 0,
            size => rotation.room(size, lines),
        };
        if fitting == 0 {
            self.turn(now);
            return Ok(0);
        }
        self.append(&lines[..fitting])
    }

    fn opened(&mut self, now: i64) -> io::Result<&mut Open> {
        if self.open.is_none() {
            self.open = Some(self.open_file(now)?);
            self.looked = now;
        }
        self.open.as_mut().ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn open_file(&mut self, now: i64) -> io::Result<Open> {
        fs::create_dir_all(rotate::folder(&self.path))?;
        let file = OpenOptions::new().append(true).create(true).open(&self.path)?;
        let found = file.metadata()?;
        let size = found.len();
        self.torn &= size > 0;
        // What is in it already belongs to the span of its last line.
        let last = if size > 0 { found.modified().map_or(now, unix_secs) } else { now };
        let (identity, regular) = (Identity::of(&found), found.is_file());
        Ok(Open { file, identity, size, span: self.rotation.span(last), regular })
    }

    /// Appends bytes that end a line.
    fn append(&mut self, lines: &[u8]) -> Result<usize, (usize, io::Error)> {
        let Some(open) = &mut self.open else { return Ok(0) };
        if self.torn {
            open.put(b"\n").map_err(|(_, error)| (0, error))?;
            self.torn = false;
        }
        open.put(lines).map_err(|(written, error)| {
            self.torn = written > 0 && lines[written - 1] != b'\n';
            (written, error)
        })
    }

    /// Puts the file aside; the next write opens a new one.
    fn turn(&mut self, now: i64) {
        let Some(open) = self.open.take() else { return };
        let ours = fs::metadata(&self.path).is_ok_and(|found| Identity::of(&found) == open.identity);
        drop(open);
        // When another process has just turned it, the path is a new file already.
        if !ours {
            return;
        }
        if let Err(error) = rotate::put_aside(&self.path, self.rotation.keep, now) {
            // Better one long file than a lost line: go on with what there is.
            self.no_turn_before = now + PATIENCE;
            self.complain(now, format_args!("cannot rotate: {error}"));
        }
    }

    /// Counts what could not be written, and goes on: the disk may have room again at the next write.
    fn give_up(&mut self, lines: &[u8], now: i64, error: &io::Error) {
        self.lost += lines.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.open = None;
        let lost = self.lost;
        self.complain(now, format_args!("cannot write: {error}; {lost} lines lost so far"));
    }

    /// Says it on stderr, at most once a minute. Nothing can be done when that fails too.
    fn complain(&mut self, now: i64, what: std::fmt::Arguments<'_>) {
        if self.complained.is_some_and(|last| now < last + PATIENCE) {
            return;
        }
        self.complained = Some(now);
        let stamp = Stamp::at(now).text;
        let stamp = String::from_utf8_lossy(&stamp);
        let _ = writeln!(io::stderr(), "{stamp} butterfly-log: {}: {what}", self.path.display());
    }
}

impl Open {
    /// Writes all of `bytes`, or tells how many were written before the error.
    fn put(&mut self, bytes: &[u8]) -> Result<usize, (usize, io::Error)> {
        let mut written = 0;
        while written < bytes.len() {
            match self.file.write(&bytes[written..]) {
                Ok(0) => return Err((written, ErrorKind::WriteZero.into())),
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err((written, error)),
            }
        }
        self.size += written as u64;
        Ok(written)
    }
}

/// What tells one file from another that later has its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity(u64, u64);

impl Identity {
    #[cfg(unix)]
    fn of(file: &Metadata) -> Identity {
        use std::os::unix::fs::MetadataExt;
        Identity(file.dev(), file.ino())
    }

    /// Without inodes only a missing file is noticed.
    #[cfg(not(unix))]
    fn of(_: &Metadata) -> Identity {
        Identity(0, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};
    use std::time::{Duration, UNIX_EPOCH};

    const NOON: i64 = 1_795_176_000;

    struct Bench {
        folder: tempfile::TempDir,
        time: Arc<AtomicI64>,
    }

    impl Bench {
        fn new() -> Bench {
            Bench { folder: tempfile::tempdir().unwrap(), time: Arc::new(AtomicI64::new(NOON)) }
        }

        fn path(&self) -> PathBuf {
            self.folder.path().join("logs/acc.log")
        }

        fn sink(&self, rotation: Rotation) -> Sink {
            let time = Arc::clone(&self.time);
            Sink::new(self.path(), rotation, Box::new(move || time.load(Ordering::Relaxed)))
        }

        fn later(&self, secs: i64) {
            self.time.fetch_add(secs, Ordering::Relaxed);
        }

        /// The contents of the files put aside, oldest first, then of the present one.
        fn contents(&self) -> Vec<String> {
            let read = |path: &Path| fs::read_to_string(path).unwrap();
            let entries = fs::read_dir(self.path().parent().unwrap()).unwrap();
            let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
            files.sort();
            files.rotate_left(usize::from(self.path().exists()));
            files.iter().map(|path| read(path)).collect()
        }
    }

    #[test]
    fn the_file_and_its_folder_come_with_the_first_line() {
        let bench = Bench::new();
        let mut sink = bench.sink(Rotation::default());
        assert!(!bench.path().parent().unwrap().exists());
        assert_eq!(sink.write(b"one\n"), 0);
        assert_eq!(bench.contents(), ["one\n"]);
    }

    #[test]
    fn one_batch_is_spread_over_files_by_whole_lines() {
        let bench = Bench::new();
        let mut sink = bench.sink(Rotation { max_bytes: 8, ..Rotation::NEVER });
        sink.write(b"aaa\nbbb\nccc\na long line\n");
        sink.write(b"d\n");
        assert_eq!(bench.contents(), ["aaa\nbbb\n", "ccc\n", "a long line\n", "d\n"]);
    }

    #[test]
    fn a_new_span_turns_the_file_at_its_first_line() {
        let bench = Bench::new();
        let mut sink = bench.sink(Rotation { max_age: Duration::from_secs(60), ..Rotation::NEVER });
        sink.write(b"a\n");
        bench.later(59);
        sink.write(b"b\n");
        bench.later(1);
        sink.write(b"c\n");
        bench.later(600);
        assert_eq!(bench.contents(), ["a\nb\n", "c\n"]);
        sink.write(b"d\n");
        assert_eq!(bench.contents(), ["a\nb\n", "c\n", "d\n"]);
    }

    #[test]
    fn a_restart_turns_the_file_of_yesterday_and_goes_on_with_that_of_today() {
        let bench = Bench::new();
        let daily = Rotation { max_age: Duration::from_secs(86_400), ..Rotation::NEVER };
        let last_written = |secs| {
            let file = OpenOptions::new().append(true).open(bench.path()).unwrap();
            file.set_modified(UNIX_EPOCH + Duration::from_secs(u64::try_from(secs).unwrap())).unwrap();
        };
        bench.sink(daily).write(b"yesterday\n");
        last_written(NOON - 86_400);
        bench.sink(daily).write(b"today\n");
        last_written(NOON);
        bench.sink(daily).write(b"still\n");
        assert_eq!(bench.contents(), ["yesterday\n", "today\nstill\n"]);
    }

    #[test]
    fn a_file_that_was_moved_or_deleted_is_made_again_within_a_second() {
        let bench = Bench::new();
        let mut sink = bench.sink(Rotation::NEVER);
        sink.write(b"a\n");
        fs::rename(bench.path(), bench.path().with_extension("log.moved")).unwrap();
        sink.write(b"still in the moved file\n");
        bench.later(1);
        sink.write(b"b\n");
        assert_eq!(bench.contents(), ["a\nstill in the moved file\n", "b\n"]);
        fs::remove_file(bench.path()).unwrap();
        bench.later(1);
        sink.write(b"c\n");
        assert_eq!(bench.contents(), ["a\nstill in the moved file\n", "c\n"]);
    }

    #[test]
    fn what_another_process_turned_is_not_turned_again() {
        let bench = Bench::new();
        let rotation = Rotation { max_bytes: 4, ..Rotation::NEVER };
        let (mut ours, mut theirs) = (bench.sink(rotation), bench.sink(rotation));
        ours.write(b"a1\n");
        theirs.write(b"b1\n");
        ours.write(b"a2\n");
        theirs.write(b"b2\n");
        let contents = bench.contents();
        assert_eq!(contents.concat(), "a1\nb1\na2\nb2\n", "{contents:?}");
        assert!(contents.iter().all(|content| !content.is_empty()));
    }

    #[test]
    fn a_line_cut_by_an_error_does_not_run_into_the_next() {
        let bench = Bench::new();
        let mut sink = bench.sink(Rotation::NEVER);
        sink.write(b"whole\nhal");
        sink.torn = true;
        sink.write(b"next\n");
        assert_eq!(bench.contents(), ["whole\nhal\nnext\n"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn lines_lost_to_a_full_disk_are_counted_and_the_device_is_left_alone() {
        let rotation = Rotation { max_bytes: 1, ..Rotation::default() };
        let mut sink = Sink::new(PathBuf::from("/dev/full"), rotation, Box::new(|| NOON));
        assert_eq!(sink.write(b"a\nb\n"), 2);
        assert_eq!(sink.write(b"c\n"), 3);
        assert_eq!(sink.complained, Some(NOON));
        assert!(Path::new("/dev/full").exists());
    }

    #[test]
    fn after_an_error_writing_goes_on() {
        let bench = Bench::new();
        fs::write(bench.path().parent().unwrap(), "a file where the folder should be").unwrap();
        let mut sink = bench.sink(Rotation::NEVER);
        assert_eq!(sink.write(b"lost\n"), 1);
        fs::remove_file(bench.path().parent().unwrap()).unwrap();
        assert_eq!(sink.write(b"kept\n"), 1);
        assert_eq!(bench.contents(), ["kept\n"]);
    }

    #[test]
    fn complaints_come_once_a_minute() {
        let bench = Bench::new();
        let mut sink = bench.sink(Rotation::NEVER);
        sink.complain(NOON, format_args!("first"));
        sink.complain(NOON + 59, format_args!("held back"));
        assert_eq!(sink.complained, Some(NOON));
        sink.complain(NOON + 60, format_args!("second"));
        assert_eq!(sink.complained, Some(NOON + 60));
    }

    #[test]
    fn a_file_that_cannot_be_turned_goes_on() {
        let bench = Bench::new();
        let mut sink = bench.sink(Rotation { max_bytes: 4, ..Rotation::NEVER });
        sink.no_turn_before = NOON + PATIENCE;
        sink.write(b"aaa\nbbb\n");
        assert_eq!(bench.contents(), ["aaa\nbbb\n"]);
        bench.later(PATIENCE);
        sink.write(b"ccc\n");
        assert_eq!(bench.contents(), ["aaa\nbbb\n", "ccc\n"]);
    }
}
