//! When a log file is put aside, under which name, and how many of them stay.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::stamp::Stamp;

const MIB: u64 = 1024 * 1024;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// When to put a log file aside and begin a new one. A zero switches the rule off.
///
/// The file put aside is renamed, never copied or truncated: `acc.log` becomes `acc.log.20261120-153000`, by the
/// local time of the rename, with `.1`, `.2`, … behind it when the name is taken.
///
/// # Example
///
/// ```
/// use butterfly_log::Rotation;
/// use std::time::Duration;
///
/// let hourly = Rotation { max_age: Duration::from_secs(3600), keep: 48, ..Rotation::default() };
/// assert_eq!(hourly.max_bytes, Rotation::default().max_bytes);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// The size a file does not exceed, unless a single line does.
    pub max_bytes: u64,
    /// The span of time one file covers, in whole seconds.
    ///
    /// Spans follow the local clock, not the start of the process: those of one hour begin on the hour, those of a
    /// day at local midnight, those of a week on Thursday (as 1970-01-01 was). The first line of a new span turns
    /// the file, so that a process with nothing to say makes no empty files.
    pub max_age: Duration,
    /// How many files put aside stay; the oldest beyond that are removed.
    pub keep: usize,
}

impl Rotation {
    /// One file for ever, for those who rotate by other means.
    pub const NEVER: Rotation = Rotation { max_bytes: 0, max_age: Duration::ZERO, keep: 0 };

    /// The number of the span of time that a moment is in.
    pub(crate) fn span(&self, secs: i64) -> i64 {
        if self.max_age.is_zero() {
            return 0;
        }
        let length = i64::try_from(self.max_age.as_secs()).unwrap_or(i64::MAX).max(1);
        (secs + i64::from(Stamp::at(secs).offset)).div_euclid(length)
    }

    /// How much of `lines` a file of `size` bytes still takes: whole lines only, and none when it is full.
    pub(crate) fn room(&self, size: u64, lines: &[u8]) -> usize {
        let room = self.max_bytes.saturating_sub(size);
        if self.max_bytes == 0 || lines.len() as u64 <= room {
            return lines.len();
        }
        let fitting =
            lines.iter().take(usize::try_from(room).unwrap_or(usize::MAX)).rposition(|b| *b == b'\n');
        match fitting {
            Some(end) => end + 1,
            // A line longer than any file has one for itself.
            None if size == 0 => lines.iter().position(|b| *b == b'\n').map_or(lines.len(), |end| end + 1),
            None => 0,
        }
    }
}

impl Default for Rotation {
    /// A new file each day and each 256 MiB, seven kept.
    fn default() -> Rotation {
        Rotation { max_bytes: 256 * MIB, max_age: DAY, keep: 7 }
    }
}

/// Renames `path` to its name among the files put aside, and removes the oldest of them beyond `keep`.
///
/// # Errors
///
/// When the file cannot be renamed, which then goes on as it is, or when the oldest cannot be removed.
pub(crate) fn put_aside(path: &Path, keep: usize, now: i64) -> io::Result<()> {
    let name = reserve(path, now)?;
    if let Err(error) = fs::rename(path, &name) {
        let _ = fs::remove_file(&name);
        return Err(error);
    }
    remove_oldest(path, keep)
}

/// Finds a free name and takes it with an empty file, so that two processes never rename onto the same one.
///
/// The number goes on from the highest of that second, even where lower ones are free again: names sort by age.
fn reserve(path: &Path, now: i64) -> io::Result<PathBuf> {
    let stamp = compact(now);
    let turns = files_put_aside(path)?.into_iter().map(|(turn, _)| turn);
    let last = turns.filter(|turn| turn.0 == stamp).map(|turn| turn.1).max();
    for number in last.map_or(0, |last| last.saturating_add(1))..=u32::MAX {
        let name = with_suffix(path, &suffix(&stamp, number));
        match OpenOptions::new().write(true).create_new(true).open(&name) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            result => return result.map(|_| name),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

fn suffix(stamp: &str, number: u32) -> String {
    if number == 0 { format!(".{stamp}") } else { format!(".{stamp}.{number}") }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// `20261120-153000`
fn compact(secs: i64) -> String {
    let digits = |byte: &u8| match byte {
        b' ' => Some('-'),
        digit => digit.is_ascii_digit().then_some(char::from(*digit)),
    };
    Stamp::at(secs).text.iter().filter_map(digits).collect()
}

fn remove_oldest(path: &Path, keep: usize) -> io::Result<()> {
    if keep == 0 {
        return Ok(());
    }
    let mut aside = files_put_aside(path)?;
    aside.sort();
    let surplus = aside.len().saturating_sub(keep);
    for (_, file) in aside.into_iter().take(surplus) {
        match fs::remove_file(file) {
            // Another process of the same service was faster.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            result => result?,
        }
    }
    Ok(())
}

/// When a file was put aside, and which one it was within that second.
type Turn = (String, u32);

fn files_put_aside(path: &Path) -> io::Result<Vec<(Turn, PathBuf)>> {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder(path))? {
        let entry = entry?;
        if let Some(turn) = entry.file_name().to_str().and_then(|entry| turn_of(name, entry)) {
            found.push((turn, entry.path()));
        }
    }
    Ok(found)
}

/// The folder a file is in, which for a bare name is the present one.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Reads `acc.log.20261120-153000.1`; none when it is not a file that was put aside from `name`.
fn turn_of(name: &str, entry: &str) -> Option<Turn> {
    let suffix = entry.strip_prefix(name)?.strip_prefix('.')?;
    let (stamp, number) = suffix.split_once('.').unwrap_or((suffix, "0"));
    let shape = stamp.bytes().map(|b| if b.is_ascii_digit() { b'0' } else { b });
    shape.eq(*b"00000000-000000").then_some(())?;
    Some((stamp.to_owned(), number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_795_176_000;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_taken_name_gets_a_number_and_the_oldest_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("acc.log");
        let others = ["acc.log.wf", "acc.log.bak", "acc.log.20261120-15300", "other.log.20200101-000000"];
        others.iter().for_each(|name| fs::write(folder.path().join(name), "").unwrap());
        for turn in 0..12 {
            fs::write(&path, turn.to_string()).unwrap();
            put_aside(&path, 3, NOON).unwrap();
        }
        let names = names(folder.path());
        let stamp = compact(NOON);
        let kept: Vec<_> = names.iter().filter(|name| name.contains(&stamp)).cloned().collect();
        assert_eq!(kept, [".10", ".11", ".9"].map(|n| format!("acc.log.{stamp}{n}")));
        assert!(others.iter().all(|name| names.contains(&(*name).to_owned())), "{names:?}");
        let last = fs::read_to_string(folder.path().join(&kept[1])).unwrap();
        assert_eq!(last, "11");
    }

    #[test]
    fn what_cannot_be_renamed_leaves_no_placeholder() {
        let folder = tempfile::tempdir().unwrap();
        put_aside(&folder.path().join("missing.log"), 3, NOON).unwrap_err();
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn room_is_counted_in_whole_lines() {
        let rule = Rotation { max_bytes: 10, ..Rotation::NEVER };
        assert_eq!(rule.room(0, b"abc\ndef\n"), 8);
        assert_eq!(rule.room(0, b"abc\ndef\nghi\n"), 8);
        assert_eq!(rule.room(5, b"abc\ndef\n"), 4);
        assert_eq!(rule.room(8, b"abc\n"), 0);
        assert_eq!(rule.room(0, b"0123456789abc\nd\n"), 14);
        assert_eq!(Rotation::NEVER.room(99, b"abc\n"), 4);
    }

    #[test]
    fn a_day_ends_at_local_midnight() {
        let rule = Rotation { max_age: DAY, ..Rotation::NEVER };
        let midnight = NOON - (NOON + i64::from(Stamp::at(NOON).offset)).rem_euclid(86_400);
        assert_eq!(&Stamp::at(midnight).text[11..], b"00:00:00");
        assert_ne!(rule.span(midnight - 1), rule.span(midnight));
        assert_eq!(rule.span(midnight), rule.span(NOON));
        assert_eq!(Rotation::NEVER.span(0), Rotation::NEVER.span(NOON));
    }
}
