//! What was set lately, in a file beside the tables: `-sets`.
//!
//! A transaction of SQLite costs more than all else that a set does. So a set without tags is appended here, and goes
//! into the tables later, many in one transaction. It is on record all the same when the set returns: whoever reads
//! looks here first, and a process that is killed leaves it to the others.
//!
//! The file has a head, which is written last, and records. The head says how far they go and which generation they
//! are of; the tables say which generation was settled, in the transaction that settled it. So none counts twice.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;
use foldhash::fast::RandomState;

use super::{Entry, Times};

/// It is settled when it would become longer than so many bytes.
pub(super) const LONGEST: u64 = 1 << 20;
/// A value that is longer goes into the tables at once: to write it twice would cost more than a transaction.
const VALUE_MAX: usize = 4 << 10;

const HEAD: usize = 32;
/// Of a record, before its key and value: its check, its times, and the lengths of both.
const RECORD: usize = 32;
/// In the head's length: somebody settles, or ended while doing so.
const SETTLING: u64 = 1 << 63;

pub(super) struct Journal {
    pub(super) path: PathBuf,
    file: File,
    /// The tables that it belongs to: they may have been deleted and made anew.
    owner: u64,
    seen: RwLock<Seen>,
}

/// What this process has read of the file.
#[derive(Default)]
pub(super) struct Seen {
    head: Head,
    pub(super) sets: HashMap<Box<str>, Noted, RandomState>,
    /// A record is damaged: it and what follows it are lost, after a power cut perhaps.
    damaged: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Head {
    generation: u64,
    end: u64,
    settling: bool,
}

/// A value that was set, and is not in the tables yet.
pub(super) struct Noted {
    pub(super) entry: Entry,
    pub(super) place: u64,
    /// How often this process read it.
    pub(super) uses: AtomicU32,
}

/// The lock that lets one write, of all processes.
pub(super) struct Turn<'a>(&'a File);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // It was held, and the end of the process gives it back at the latest.
        let _ = self.0.unlock();
    }
}

impl Journal {
    pub(super) fn open(tables: &Path, owner: i64) -> Result<Self> {
        let mut path = tables.as_os_str().to_owned();
        path.push("-sets");
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(&path)?;
        Ok(Self { path: path.into(), file, owner: owner.cast_unsigned(), seen: RwLock::default() })
    }

    /// The turn to write, if no other process has it.
    pub(super) fn turn(&self) -> Result<Option<Turn<'_>>> {
        match self.file.try_lock() {
            Ok(()) => Ok(Some(Turn(&self.file))),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(why)) => Err(why),
        }
    }

    /// What was set last of a key, and not settled since; `count` says whether this is a use.
    pub(super) fn get(&self, key: &str, count: bool) -> Result<Option<Entry>> {
        let find = |seen: &Seen| {
            let noted = seen.sets.get(key)?;
            if count {
                noted.uses.fetch_add(1, Ordering::Relaxed);
            }
            Some(noted.entry.clone())
        };
        let head = self.head()?;
        let seen = self.seen();
        if head.is_some_and(|head| head.generation == seen.head.generation && head.end == seen.head.end) {
            return Ok(find(&seen));
        }
        drop(seen);
        let mut seen = self.seen_mut();
        self.read_on(&mut seen)?;
        Ok(find(&seen))
    }

    pub(super) fn seen(&self) -> RwLockReadGuard<'_, Seen> {
        self.seen.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen_mut(&self) -> RwLockWriteGuard<'_, Seen> {
        self.seen.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what others appended. To be called in one's turn, before anything is written; `settled` asks the tables
    /// which generation was settled last.
    pub(super) fn catch_up<E>(
        &self,
        is_new: bool,
        settled: impl FnOnce() -> std::result::Result<u64, E>,
        of_io: impl Fn(Error) -> E,
    ) -> std::result::Result<(), E> {
        let mut seen = self.seen_mut();
        let known = self.read_on(&mut seen).map_err(&of_io)?;
        if known && !is_new && !seen.head.settling {
            return Ok(());
        }
        let settled = settled()?;
        if settled >= seen.head.generation {
            self.begin(&mut seen, settled + 1).map_err(of_io)
        } else {
            self.write_head(&mut seen, |head| head.settling = false).map_err(of_io)
        }
    }

    /// Appends a set; false where it is for the tables. To be called in one's turn, when all is read.
    pub(super) fn append(&self, key: &str, entry: &Entry) -> Result<bool> {
        let mut seen = self.seen_mut();
        let place = seen.head.end;
        let size = (RECORD + key.len() + entry.value.len()) as u64;
        if seen.damaged || entry.value.len() > VALUE_MAX || place + size > LONGEST {
            return Ok(false);
        }
        self.file.write_all_at(&record(seen.head.generation, key, entry), place)?;
        self.write_head(&mut seen, |head| head.end += size)?;
        let noted = Noted { entry: entry.clone(), place, uses: AtomicU32::new(0) };
        seen.sets.insert(key.into(), noted);
        Ok(true)
    }

    /// What is here and goes into the tables now, if anything. To be called before that is committed.
    pub(super) fn settle(&self) -> Result<Option<RwLockReadGuard<'_, Seen>>> {
        if self.seen().is_empty() {
            return Ok(None);
        }
        self.write_head(&mut self.seen_mut(), |head| head.settling = true)?;
        Ok(Some(self.seen()))
    }

    /// Begins a generation when the one before is settled.
    pub(super) fn settled(&self) -> Result<()> {
        let mut seen = self.seen_mut();
        let generation = seen.head.generation + 1;
        self.begin(&mut seen, generation)
    }

    fn begin(&self, seen: &mut Seen, generation: u64) -> Result<()> {
        *seen = Seen::default();
        self.write_head(seen, |head| *head = Head { generation, end: HEAD as u64, settling: false })
    }

    fn write_head(&self, seen: &mut Seen, change: impl FnOnce(&mut Head)) -> Result<()> {
        let mut head = seen.head;
        change(&mut head);
        let end = head.end | if head.settling { SETTLING } else { 0 };
        let mut bytes = [0; HEAD];
        for (part, number) in bytes[8..].chunks_exact_mut(8).zip([self.owner, head.generation, end]) {
            part.copy_from_slice(&number.to_le_bytes());
        }
        let check = check(0, &bytes[8..]);
        bytes[..8].copy_from_slice(&check.to_le_bytes());
        self.file.write_all_at(&bytes, 0)?;
        seen.head = head;
        Ok(())
    }

    /// The head, if there is one that belongs to these tables.
    fn head(&self) -> Result<Option<Head>> {
        let mut bytes = [0; HEAD];
        // One that is read while it is written is read again.
        for _ in 0..100 {
            match self.file.read_exact_at(&mut bytes, 0) {
                Err(why) if why.kind() == ErrorKind::UnexpectedEof => return Ok(None),
                done => done?,
            }
            if number(&bytes, 0) == check(0, &bytes[8..]) {
                let [owner, generation, end] = [8, 16, 24].map(|at| number(&bytes, at));
                let head = Head { generation, end: end & !SETTLING, settling: end & SETTLING != 0 };
                return Ok((owner == self.owner).then_some(head));
            }
            std::thread::yield_now();
        }
        Ok(None)
    }

    /// Reads what was appended since; false where the file is not of these tables.
    fn read_on(&self, seen: &mut Seen) -> Result<bool> {
        loop {
            let Some(head) = self.head()? else {
                *seen = Seen::default();
                return Ok(false);
            };
            if head.generation != seen.head.generation || head.end < seen.head.end {
                *seen = Seen::default();
            }
            let from = seen.head.end.max(HEAD as u64);
            let mut bytes = vec![0; usize::try_from(head.end.min(LONGEST).saturating_sub(from)).unwrap_or(0)];
            let read = self.file.read_exact_at(&mut bytes, from);
            if read.is_err() || !seen.take(head.generation, &bytes, from) {
                // What is read while another process settles may be overwritten already.
                if self.head()?.is_none_or(|now| now.generation != head.generation) {
                    *seen = Seen::default();
                    continue;
                }
                seen.damaged = true;
            }
            seen.head = head;
            return Ok(true);
        }
    }
}

impl Seen {
    pub(super) fn is_empty(&self) -> bool {
        self.sets.is_empty() && !self.damaged
    }

    pub(super) fn generation(&self) -> u64 {
        self.head.generation
    }

    /// In the order in which they were set, which is the order in which they are evicted.
    pub(super) fn in_order(&self) -> impl Iterator<Item = (&str, &Noted)> {
        let mut sets: Vec<_> = self.sets.iter().map(|(key, noted)| (&**key, noted)).collect();
        sets.sort_unstable_by_key(|(_, noted)| noted.place);
        sets.into_iter()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.head.end
    }

    /// Takes records in; false at one that is none.
    fn take(&mut self, generation: u64, mut bytes: &[u8], mut place: u64) -> bool {
        while !bytes.is_empty() {
            let Some((key, entry, size)) = read_record(generation, bytes) else { return false };
            self.sets.insert(key.into(), Noted { entry, place, uses: AtomicU32::new(0) });
            bytes = &bytes[size..];
            place += size as u64;
        }
        true
    }
}

fn record(generation: u64, key: &str, entry: &Entry) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(RECORD + key.len() + entry.value.len());
    bytes.extend([0; 8]);
    bytes.extend(entry.times.fresh_until.to_le_bytes());
    bytes.extend(entry.times.gone_at.to_le_bytes());
    // Both are bounded: by `KEY_MAX` and `VALUE_MAX`.
    let lengths = (key.len() as u64) << 32 | entry.value.len() as u64;
    bytes.extend(lengths.to_le_bytes());
    bytes.extend(key.as_bytes());
    bytes.extend(&*entry.value);
    let check = check(generation, &bytes[8..]);
    bytes[..8].copy_from_slice(&check.to_le_bytes());
    bytes
}

/// The first record: key, value, and how long it is.
fn read_record(generation: u64, bytes: &[u8]) -> Option<(&str, Entry, usize)> {
    let start = bytes.get(..RECORD)?;
    let lengths = number(start, 24);
    let (key, value) = ((lengths >> 32) as usize, (lengths & u64::from(u32::MAX)) as usize);
    let whole = bytes.get(..RECORD.checked_add(key)?.checked_add(value)?)?;
    if number(start, 0) != check(generation, &whole[8..]) {
        return None;
    }
    let (key, value) = whole[RECORD..].split_at(key);
    let times = Times { fresh_until: number(start, 8), gone_at: number(start, 16) };
    let entry = Entry { value: Bytes::copy_from_slice(value), times };
    Some((std::str::from_utf8(key).ok()?, entry, whole.len()))
}

fn number(bytes: &[u8], at: usize) -> u64 {
    bytes[at..at + 8].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Tells what was written from what was not, in files of any version of the program: against power cuts, not people.
fn check(seed: u64, bytes: &[u8]) -> u64 {
    let mix = |sum: u64, word: u64| {
        let sum = (sum ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        sum ^ sum >> 29
    };
    let (words, rest) = bytes.as_chunks::<8>();
    let sum =
        words.iter().fold(mix(seed, bytes.len() as u64 + 1), |sum, word| mix(sum, u64::from_le_bytes(*word)));
    rest.iter().fold(sum, |sum, byte| mix(sum, u64::from(*byte)))
}
