//! The lines of an access log from a time on: over the files set aside and the one that is written, without reading
//! what is older.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use butterfly_queue::Millis;

use super::lines::written;

/// The longest line that is looked at; what is longer is passed over in pieces.
const LINE_MAX: u64 = 16 << 20;
/// A search ends when so little is left: reading it is as fast.
const NEAR: u64 = 64 << 10;

/// The lines, oldest first.
pub(super) struct Lines {
    /// Files still to be read, the oldest last.
    files: Vec<PathBuf>,
    file: Option<BufReader<File>>,
    from: Millis,
    line: Vec<u8>,
}

impl Lines {
    /// The lines of a log that were written at `from` or later, and some before.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read. One that is not there has no lines.
    pub(super) fn open(folder: &Path, log: &str, from: Millis) -> io::Result<Self> {
        let mut files = match std::fs::read_dir(folder) {
            Ok(entries) => of_log(entries, log, from)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        // Names of files set aside sort by their time; the one that is written is the newest, and has the shortest.
        files.sort_by_key(|file| (file.extension().is_some_and(|end| end == "log"), file.clone()));
        files.reverse();
        Ok(Self { files, file: None, from, line: Vec::new() })
    }

    /// The next line, without its end.
    pub(super) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        loop {
            if self.file.is_none() {
                let Some(path) = self.files.pop() else { return Ok(None) };
                self.file = open_at(&path, self.from)?;
            }
            let Some(file) = &mut self.file else { continue };
            self.line.clear();
            if io::Read::take(&mut *file, LINE_MAX).read_until(b'\n', &mut self.line)? > 0 {
                return Ok(Some(self.line.strip_suffix(b"\n").unwrap_or(&self.line)));
            }
            self.file = None;
        }
    }

    /// When the present line was written, about; 0 when it does not say.
    pub(super) fn time(&self) -> Millis {
        written(&self.line).unwrap_or(0)
    }

    /// Whether the present line was written at this time or later.
    pub(super) fn has_passed(&self, time: Millis) -> bool {
        self.time() >= time
    }
}

/// The files of a log that were written to at `from` or later.
fn of_log(entries: std::fs::ReadDir, log: &str, from: Millis) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(log)) else { continue };
        let is_ours = rest.is_empty() || rest.starts_with(".2");
        // A file that goes away while we look was the oldest.
        let Ok(about) = entry.metadata() else { continue };
        if is_ours && about.is_file() && about.modified()? >= UNIX_EPOCH + Duration::from_millis(from) {
            files.push(entry.path());
        }
    }
    Ok(files)
}

/// Opens a file at its first line that was written at `from` or later, or some before it. `None` if it has gone.
fn open_at(path: &Path, from: Millis) -> io::Result<Option<BufReader<File>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let end = file.metadata()?.len();
    let mut file = BufReader::new(file);
    let (mut low, mut high) = (0, end);
    while from > 0 && high - low > NEAR {
        let middle = low + (high - low) / 2;
        match time_after(&mut file, middle)? {
            Some(time) if time < from => low = middle,
            _ => high = middle,
        }
    }
    file.seek(SeekFrom::Start(low))?;
    if low > 0 {
        // The rest of a line that began before.
        file.skip_until(b'\n')?;
    }
    Ok(Some(file))
}

/// When the first line that begins after a place, and says so, was written.
fn time_after(file: &mut BufReader<File>, place: u64) -> io::Result<Option<Millis>> {
    file.seek(SeekFrom::Start(place))?;
    file.skip_until(b'\n')?;
    let mut line = Vec::new();
    for _ in 0..16 {
        line.clear();
        io::Read::take(&mut *file, LINE_MAX).read_until(b'\n', &mut line)?;
        if let Some(time) = written(&line) {
            return Ok(Some(time));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::super::lines::moment;
    use super::*;

    fn line(second: u32) -> String {
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let pad = "x".repeat(200);
        format!("2026-11-25 {hour:02}:{minute:02}:{second:02}\t7\tcost:0.000001\t{pad}\n")
    }

    fn all(folder: &Path, from: Millis) -> Vec<String> {
        let mut lines = Lines::open(folder, "acc.log", from).unwrap();
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            all.push(String::from_utf8(line[11..19].to_vec()).unwrap());
        }
        all
    }

    #[test]
    fn reading_begins_near_the_time_and_misses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let seconds = |from, to| (from..to).map(line).collect::<String>();
        std::fs::write(folder.path().join("acc.log.20261125-005000"), seconds(0, 3000)).unwrap();
        std::fs::write(folder.path().join("acc.log.20261125-013000.1"), seconds(3000, 6000)).unwrap();
        std::fs::write(folder.path().join("acc.log"), seconds(6000, 9000)).unwrap();
        std::fs::write(folder.path().join("acc.log.wf"), seconds(0, 10)).unwrap();
        let whole = all(folder.path(), 0);
        assert_eq!(whole.len(), 9000);
        assert!(whole.is_sorted());
        for wanted in [0, 1, 1234, 2999] {
            let time = moment(line(wanted).as_bytes()).unwrap();
            let read = all(folder.path(), time);
            assert!(read.contains(&line(wanted)[11..19].to_owned()), "{wanted}");
            // What is skipped in the first file; the others may have lines that matter, and are searched too.
            assert!(read.len() >= 9000 - wanted as usize, "{wanted}: {}", read.len());
            assert!(read.len() <= 9000 - wanted as usize + 700, "{wanted}: {}", read.len());
        }
    }

    #[test]
    fn files_written_before_the_time_are_not_read_and_no_folder_is_no_lines() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("acc.log"), line(1)).unwrap();
        let later = butterfly_queue::now_ms() + 60_000;
        assert!(all(folder.path(), later).is_empty());
        assert!(all(&folder.path().join("missing"), 0).is_empty());
    }
}
