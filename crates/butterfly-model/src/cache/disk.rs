//! The store in a file: SQLite, shared by processes of one machine.
//!
//! A look-up takes a few microseconds and is made where it is asked for: handing it to another thread would take longer
//! than itself. So is a write when nobody else writes; otherwise it waits on a thread that may block.

mod evict;
mod file;
mod journal;
mod options;
mod read;
mod recent;
mod statements;
mod write;

use std::fmt;
use std::sync::Arc;

pub use options::{Disk, Evict};

use journal::Journal;
use read::Readers;
use recent::Recent;
use write::Writer;

use super::store::{Pending, Store, check_key, check_tags, sum};
use super::{Age, CacheError, Entry, Times};

/// Values in a file. It survives restarts, and several processes of one machine can share it.
///
/// It is opened by [`Disk`]. After a power cut the last changes may be missing; nothing is damaged.
#[derive(Clone)]
pub struct DiskStore {
    inner: Arc<Inner>,
}

struct Inner {
    disk: Disk,
    readers: Readers,
    writer: Writer,
    journal: Journal,
    recent: Recent,
}

impl DiskStore {
    fn open(disk: Disk) -> Result<Self, CacheError> {
        let db = file::prepare(&disk.path, disk.lock_timeout)?;
        evict::make_index(&db, disk.evict).map_err(|why| file::of_sql(&disk.path, why))?;
        let journal = file::journal(&disk.path, &db)?;
        let writer = Writer::new(db).map_err(|why| file::of_sql(&disk.path, why))?;
        let recent = Recent::new(&disk.path);
        let inner = Inner { readers: Readers::default(), writer, journal, recent, disk };
        inner.catch_up()?;
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The bytes that its data take in the file, of all processes.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn bytes(&self) -> Result<u64, CacheError> {
        self.inner.read(evict::bytes)
    }
}

impl Store for DiskStore {
    fn get<'a>(&'a self, key: &'a str) -> Pending<'a, Option<Entry>> {
        Box::pin(async move { self.inner.get(key) })
    }

    fn set<'a>(&'a self, key: &'a str, entry: Entry, tags: &'a [&'a str]) -> Pending<'a, ()> {
        Box::pin(async move {
            let size = self.inner.fits(key, &entry, tags)?;
            if tags.is_empty() {
                return self.note(key.to_owned(), entry, size).await;
            }
            let (key, tags) = (key.to_owned(), owned(tags));
            self.write(size, move |db| statements::set(db, &key, &entry, &tags).map(Ok)).await
        })
    }

    fn add<'a>(&'a self, key: &'a str, entry: Entry, tags: &'a [&'a str]) -> Pending<'a, bool> {
        Box::pin(async move {
            let size = self.inner.fits(key, &entry, tags)?;
            let (key, tags) = (key.to_owned(), owned(tags));
            self.write(size, move |db| {
                if statements::get(db, &key)?.is_some() {
                    return Ok(Ok(false));
                }
                statements::set(db, &key, &entry, &tags)?;
                Ok(Ok(true))
            })
            .await
        })
    }

    fn touch<'a>(&'a self, key: &'a str, times: Times) -> Pending<'a, bool> {
        Box::pin(async move {
            let key = key.to_owned();
            self.write(0, move |db| {
                let found = statements::get(db, &key)?;
                found.map_or(Ok(Ok(false)), |found| statements::touch(db, found.id, times).map(Ok))
            })
            .await
        })
    }

    fn delete<'a>(&'a self, key: &'a str) -> Pending<'a, bool> {
        Box::pin(async move {
            let key = key.to_owned();
            self.write(0, move |db| statements::delete(db, &key).map(Ok)).await
        })
    }

    fn pop<'a>(&'a self, key: &'a str) -> Pending<'a, Option<Entry>> {
        Box::pin(async move {
            let key = key.to_owned();
            self.write(0, move |db| {
                let found = statements::get(db, &key)?;
                statements::delete(db, &key)?;
                Ok(Ok(found.map(|found| found.entry)))
            })
            .await
        })
    }

    fn incr<'a>(&'a self, key: &'a str, by: i64, times: Times) -> Pending<'a, i64> {
        Box::pin(async move {
            check_key(key)?;
            let (size, key) = (key.len() as u64 + 64, key.to_owned());
            self.write(size, move |db| {
                let found = statements::get(db, &key)?;
                let total = match sum(&key, found.as_ref().map(|found| &*found.entry.value), by) {
                    Ok(total) => total,
                    Err(why) => return Ok(Err(why)),
                };
                let value = total.to_string();
                match found {
                    Some(found) => statements::replace_value(db, found.id, value.as_bytes())?,
                    None => statements::set(db, &key, &Entry { value: value.into(), times }, &[])?,
                }
                Ok(Ok(total))
            })
            .await
        })
    }

    fn invalidate_tag<'a>(&'a self, tag: &'a str) -> Pending<'a, ()> {
        Box::pin(async move {
            let tag = tag.to_owned();
            self.write(0, move |db| statements::delete_tag(db, &tag).map(Ok)).await
        })
    }

    fn clear(&self) -> Pending<'_, ()> {
        Box::pin(self.write(0, move |db| statements::clear(db).map(Ok)))
    }

    fn purge(&self) -> Pending<'_, ()> {
        Box::pin(async move {
            // In steps: others can write in between.
            while self.write(0, |db| evict::expired(db, 1000).map(Ok)).await? == 1000 {}
            Ok(())
        })
    }

    fn count(&self) -> Pending<'_, u64> {
        Box::pin(self.write(0, move |db| statements::count(db).map(Ok)))
    }
}

impl Inner {
    fn get(&self, key: &str) -> Result<Option<Entry>, CacheError> {
        let counts = self.disk.counts_uses();
        if let Some(entry) = self.journal.get(key, counts).map_err(|why| self.of_journal(&why))? {
            return Ok((entry.times.age() != Age::Gone).then_some(entry));
        }
        let stamp = self.recent.stamp();
        let recent = stamp.and_then(|stamp| self.recent.get(&stamp, key));
        let found = match recent {
            Some(found) if found.entry.times.age() != Age::Gone => found,
            Some(_) => return Ok(None),
            None => {
                let Some(found) = self.read(|db| statements::get(db, key))? else { return Ok(None) };
                if let Some(stamp) = stamp {
                    self.recent.put(stamp, key, &found);
                }
                found
            }
        };
        if counts {
            self.writer.note_use(found.id);
        }
        Ok(Some(found.entry))
    }

    /// The bytes that a value takes, about; refuses one that cannot be kept beside others.
    fn fits(&self, key: &str, entry: &Entry, tags: &[&str]) -> Result<u64, CacheError> {
        check_key(key)?;
        check_tags(tags)?;
        let size = (key.len() + entry.value.len() + 64) as u64;
        let most = (self.disk.size_limit / 4).min(i32::MAX as u64 / 4);
        if size <= most {
            return Ok(size);
        }
        Err(CacheError::TooLarge(format!(
            "{key:?} takes {size} bytes, and the disk cache {} takes at most {most} a value: raise its size_limit, or store less",
            self.disk.path.display()
        )))
    }
}

fn owned(tags: &[&str]) -> Vec<String> {
    tags.iter().map(|tag| (*tag).to_owned()).collect()
}

impl fmt::Debug for DiskStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiskStore").field("disk", &self.inner.disk).finish_non_exhaustive()
    }
}
