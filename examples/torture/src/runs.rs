//! The file in which each run is noted as it begins, outside of every engine.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

/// Which handler, and who names its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// The sender: the same message may be sent twice.
    Named,
    /// The engine.
    Plain,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Named, Self::Plain];

    pub(crate) fn topic(self) -> &'static str {
        match self {
            Self::Named => crate::handlers::torture::named::PATH,
            Self::Plain => crate::handlers::torture::plain::PATH,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::Plain => "plain",
        }
    }

    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// One attempt to send one message: what its arguments say.
pub(crate) type Sending = (Kind, u64, u64);

/// The file, open for one process. Lines of several processes do not mix: each is one write at the end of the file.
#[derive(Debug)]
pub(crate) struct Runs(File);

impl Runs {
    /// Opens the file, making it where it is missing.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(OpenOptions::new().create(true).append(true).open(path)?))
    }

    /// Notes that a run begins here.
    pub(crate) fn note(&self, kind: Kind, n: u64, sent: u64) -> io::Result<()> {
        let line = format!("{} {n} {sent} {}\n", kind.word(), std::process::id());
        (&self.0).write_all(line.as_bytes())
    }
}

/// Follows the file as it grows, and counts the runs in it.
#[derive(Debug)]
pub(crate) struct Tail {
    file: File,
    pub(crate) count: u64,
}

impl Tail {
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::open(path)?, count: 0 })
    }

    /// The runs by now.
    pub(crate) fn count(&mut self) -> io::Result<u64> {
        let mut buffer = [0; 1 << 16];
        loop {
            match self.file.read(&mut buffer)? {
                0 => return Ok(self.count),
                len => self.count += buffer[..len].iter().filter(|byte| **byte == b'\n').count() as u64,
            }
        }
    }
}

/// The processes that ran each message, by what was sent.
pub(crate) fn read(path: &Path) -> io::Result<HashMap<Sending, Vec<u32>>> {
    let text = std::fs::read_to_string(path)?;
    let mut runs: HashMap<Sending, Vec<u32>> = HashMap::new();
    for line in text.lines() {
        let (sending, pid) = run_of(line)
            .ok_or_else(|| io::Error::other(format!("{}: this is no run: {line:?}", path.display())))?;
        runs.entry(sending).or_default().push(pid);
    }
    Ok(runs)
}

fn run_of(line: &str) -> Option<(Sending, u32)> {
    let mut words = line.split(' ');
    let kind = Kind::of(words.next()?)?;
    let n = words.next()?.parse().ok()?;
    let sent = words.next()?.parse().ok()?;
    let pid = words.next()?.parse().ok()?;
    words.next().is_none().then_some(((kind, n, sent), pid))
}
