//! What was read lately, for as long as nobody writes.
//!
//! A look-up in the file costs more in locks than in reading. SQLite's index of its write-ahead log, the file `-shm`,
//! begins with a head that changes with each commit, whichever process made it (sqlite.org/walformat.html, 2.1: the
//! number of commits, the last frame and the checksum over all frames). While that head is the same, so is all that was
//! read under it.

use std::collections::HashMap;
use std::fs::File;
use std::hash::BuildHasher;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;

use super::Entry;
use super::statements::{Found, UNKNOWN};

/// The head of the index.
pub(super) type Stamp = [u8; 48];

/// Values that were read, in memory.
pub(super) struct Recent {
    index: Option<Arc<File>>,
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

struct Shard {
    /// What holds for all values here.
    stamp: Stamp,
    values: HashMap<Box<str>, Found, RandomState>,
    bytes: usize,
}

const SHARDS: usize = 16;
/// The most bytes of a shard, and of one value in it.
const SHARD_MAX: usize = 512 << 10;
const VALUE_MAX: usize = 16 << 10;
/// What a value takes beside its key and itself, roughly.
const OVERHEAD: usize = 128;

impl Recent {
    /// For a file that is open: its index is there then. Without it nothing is remembered.
    pub(super) fn new(file: &Path) -> Self {
        let mut path = file.as_os_str().to_owned();
        path.push("-shm");
        let hasher = RandomState::default();
        let shard = || Shard { stamp: [0; 48], values: HashMap::with_hasher(hasher.clone()), bytes: 0 };
        let shards = std::array::from_fn(|_| Mutex::new(shard()));
        Self { index: open_index(path.as_ref()).ok(), shards, hasher }
    }

    /// What holds now.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        let mut stamp = [0; 48];
        self.index.as_ref()?.read_exact_at(&mut stamp, 0).ok()?;
        Some(stamp)
    }

    /// What was read of a key under this stamp.
    pub(super) fn get(&self, stamp: &Stamp, key: &str) -> Option<Found> {
        let shard = self.shard(key);
        if shard.stamp == *stamp { shard.values.get(key).cloned() } else { None }
    }

    /// Remembers what was read after the stamp was: a commit in between makes it count for nothing.
    pub(super) fn put(&self, stamp: Stamp, key: &str, found: &Found) {
        let size = size(key, found);
        if size > VALUE_MAX {
            return;
        }
        let mut shard = self.shard(key);
        if shard.stamp != stamp || shard.bytes + size > SHARD_MAX {
            shard.values.clear();
            shard.bytes = 0;
            shard.stamp = stamp;
        }
        shard.bytes += size;
        if let Some(old) = shard.values.insert(key.into(), found.clone()) {
            shard.bytes -= self::size(key, &old);
        }
    }

    /// Remembers on over a commit of ours: what changed is known to be these sets. `keeps` says whether they are
    /// remembered too, or forgotten.
    pub(super) fn go_on(&self, before: &Stamp, after: Stamp, sets: &[(&str, &Entry)], keeps: bool) {
        if commits(&after) != commits(before).wrapping_add(1) {
            return;
        }
        for (key, _) in sets {
            let mut shard = self.shard(key);
            if let Some(old) = shard.values.remove(*key) {
                shard.bytes -= size(key, &old);
            }
        }
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            if shard.stamp == *before {
                shard.stamp = after;
            }
        }
        for (key, entry) in sets.iter().filter(|_| keeps) {
            self.put(after, key, &Found { id: UNKNOWN, entry: (*entry).clone() });
        }
    }

    fn shard(&self, key: &str) -> MutexGuard<'_, Shard> {
        // The map uses the other bits of the hash.
        let place = (self.hasher.hash_one(key) >> 32) as usize % SHARDS;
        self.shards[place].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn size(key: &str, found: &Found) -> usize {
    key.len() + found.entry.value.len() + OVERHEAD
}

/// The number of commits that an index has seen, which is the third word of its head.
fn commits(stamp: &Stamp) -> u32 {
    let [.., a, b, c, d] = stamp[..12] else { return 0 };
    u32::from_ne_bytes([a, b, c, d])
}

/// Opens an index, once in a process, and for good: when a process closes any handle of a file, it loses all its locks
/// on that file, those of SQLite too (sqlite.org/howtocorrupt.html, 2.2).
fn open_index(path: &Path) -> std::io::Result<Arc<File>> {
    type Number = (u64, u64);
    static OPENED: Mutex<Vec<(Number, Arc<File>)>> = Mutex::new(Vec::new());
    let number = |of: std::fs::Metadata| (of.dev(), of.ino());
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    let wanted = number(std::fs::metadata(path)?);
    if let Some((_, file)) = opened.iter().find(|(known, _)| *known == wanted) {
        return Ok(file.clone());
    }
    let file = Arc::new(File::open(path)?);
    let number = file.metadata().map(number);
    // Kept whatever it is.
    opened.push((number.as_ref().map_or((0, 0), |number| *number), file.clone()));
    number.map(|_| file)
}
