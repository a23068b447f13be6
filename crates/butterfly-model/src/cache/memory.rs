//! The store in memory.

use std::collections::HashMap;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::store::{Pending, Store, check_key, check_tags, sum};
use super::{Age, CacheError, Entry, Times};

/// Values in the memory of this process, bounded by bytes; what is used least goes first (TinyLFU, by moka).
pub struct MemoryStore {
    map: moka::sync::Cache<Box<str>, Slot, foldhash::fast::RandomState>,
    limit: u64,
    tags: Tags,
    /// One for each group of keys: whoever changes a key holds its lock, so that reading and writing are one step.
    turns: [Mutex<()>; TURNS],
    hasher: foldhash::fast::RandomState,
}

const TURNS: usize = 64;
/// What an entry takes beside its key and value, in bytes, roughly.
const OVERHEAD: usize = 160;

#[derive(Clone)]
struct Slot {
    entry: Entry,
    tags: Option<Arc<[Tag]>>,
}

impl MemoryStore {
    /// A store of so many bytes.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let hasher = foldhash::fast::RandomState::default();
        let map = moka::sync::Cache::<Box<str>, Slot>::builder()
            .max_capacity(bytes)
            .weigher(|key, slot: &Slot| weight(key, &slot.entry.value))
            .build_with_hasher(hasher.clone());
        Self {
            map,
            limit: bytes,
            tags: Tags::default(),
            turns: std::array::from_fn(|_| Mutex::default()),
            hasher,
        }
    }

    /// The value of a key and what it is good for: fresh or stale.
    #[inline]
    #[must_use]
    pub fn peek(&self, key: &str) -> Option<(Entry, Age)> {
        let slot = self.map.get(key)?;
        match slot.age() {
            Age::Gone => None,
            age => Some((slot.entry, age)),
        }
    }

    pub(super) fn put(&self, key: &str, entry: Entry, tags: &[&str]) -> Result<(), CacheError> {
        check_key(key)?;
        check_tags(tags)?;
        let _turn = self.turn(key);
        let fits = self.fits(key, &entry);
        if fits.is_ok() {
            self.map.insert(key.into(), Slot { entry, tags: self.tags.now(tags) });
        } else {
            // What was there is old by now.
            self.map.invalidate(key);
        }
        fits
    }

    fn fits(&self, key: &str, entry: &Entry) -> Result<(), CacheError> {
        let (size, limit) = (u64::from(weight(key, &entry.value)), self.limit);
        if size <= limit {
            return Ok(());
        }
        Err(CacheError::TooLarge(format!(
            "{key:?} takes {size} bytes, and the whole cache has {limit}: give it more, or store less"
        )))
    }

    pub(super) fn remove(&self, key: &str) -> Option<Entry> {
        let _turn = self.turn(key);
        self.map.remove(key).filter(|slot| slot.age() != Age::Gone).map(|slot| slot.entry)
    }

    pub(super) fn forget_all(&self) {
        self.map.invalidate_all();
    }

    fn turn(&self, key: &str) -> MutexGuard<'_, ()> {
        let place = self.hasher.hash_one(key) as usize % TURNS;
        self.turns[place].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn live(&self, key: &str) -> Option<Slot> {
        self.map.get(key).filter(|slot| slot.age() != Age::Gone)
    }
}

fn weight(key: &str, value: &Bytes) -> u32 {
    u32::try_from(key.len() + value.len() + OVERHEAD).unwrap_or(u32::MAX)
}

impl Slot {
    #[inline]
    fn age(&self) -> Age {
        if self.tags.as_ref().is_some_and(|tags| tags.iter().any(Tag::is_past)) {
            return Age::Gone;
        }
        self.entry.times.age()
    }
}

impl Store for MemoryStore {
    fn get<'a>(&'a self, key: &'a str) -> Pending<'a, Option<Entry>> {
        Box::pin(async move { Ok(self.peek(key).map(|(entry, _)| entry)) })
    }

    fn set<'a>(&'a self, key: &'a str, entry: Entry, tags: &'a [&'a str]) -> Pending<'a, ()> {
        Box::pin(async move { self.put(key, entry, tags) })
    }

    fn add<'a>(&'a self, key: &'a str, entry: Entry, tags: &'a [&'a str]) -> Pending<'a, bool> {
        Box::pin(async move {
            check_key(key)?;
            check_tags(tags)?;
            let _turn = self.turn(key);
            if self.live(key).is_some() {
                return Ok(false);
            }
            self.fits(key, &entry)?;
            self.map.insert(key.into(), Slot { entry, tags: self.tags.now(tags) });
            Ok(true)
        })
    }

    fn touch<'a>(&'a self, key: &'a str, times: Times) -> Pending<'a, bool> {
        Box::pin(async move {
            let _turn = self.turn(key);
            let Some(mut slot) = self.live(key) else { return Ok(false) };
            slot.entry.times = times;
            self.map.insert(key.into(), slot);
            Ok(true)
        })
    }

    fn delete<'a>(&'a self, key: &'a str) -> Pending<'a, bool> {
        Box::pin(async move { Ok(self.remove(key).is_some()) })
    }

    fn pop<'a>(&'a self, key: &'a str) -> Pending<'a, Option<Entry>> {
        Box::pin(async move { Ok(self.remove(key)) })
    }

    fn incr<'a>(&'a self, key: &'a str, by: i64, times: Times) -> Pending<'a, i64> {
        Box::pin(async move {
            check_key(key)?;
            let _turn = self.turn(key);
            let slot = self.live(key);
            let total = sum(key, slot.as_ref().map(|slot| &*slot.entry.value), by)?;
            let value = Bytes::from(total.to_string());
            let slot = match slot {
                Some(Slot { entry, tags }) => Slot { entry: Entry { value, times: entry.times }, tags },
                None => Slot { entry: Entry { value, times }, tags: None },
            };
            self.map.insert(key.into(), slot);
            Ok(total)
        })
    }

    fn invalidate_tag<'a>(&'a self, tag: &'a str) -> Pending<'a, ()> {
        Box::pin(async move {
            self.tags.pass(tag);
            Ok(())
        })
    }

    fn clear(&self) -> Pending<'_, ()> {
        Box::pin(async move {
            self.forget_all();
            Ok(())
        })
    }

    fn purge(&self) -> Pending<'_, ()> {
        Box::pin(async move {
            for (key, slot) in &self.map {
                if slot.age() == Age::Gone {
                    let _turn = self.turn(&key);
                    // It may have been replaced since.
                    if self.map.get(&**key).is_some_and(|slot| slot.age() == Age::Gone) {
                        self.map.invalidate(&**key);
                    }
                }
            }
            self.map.run_pending_tasks();
            Ok(())
        })
    }

    fn count(&self) -> Pending<'_, u64> {
        Box::pin(
            async move { Ok(self.map.iter().filter(|(_, slot)| slot.age() != Age::Gone).count() as u64) },
        )
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// The tags in use. A tag has a number that grows when its values are invalidated; a value remembers the number that
/// held when it was stored. So invalidating takes the same time for one value and for a million.
#[derive(Default)]
struct Tags(Mutex<TagMap>);

#[derive(Default)]
struct TagMap {
    all: HashMap<Box<str>, Arc<AtomicU64>>,
    /// The size at which tags that nobody has any more are looked for.
    sweep_at: usize,
}

struct Tag {
    number: Arc<AtomicU64>,
    then: u64,
}

impl Tag {
    fn is_past(&self) -> bool {
        self.number.load(Ordering::Acquire) != self.then
    }
}

impl Tags {
    fn now(&self, tags: &[&str]) -> Option<Arc<[Tag]>> {
        if tags.is_empty() {
            return None;
        }
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = tags.iter().map(|tag| {
            let number = match map.all.get(*tag) {
                Some(number) => number.clone(),
                None => map.all.entry((*tag).into()).or_default().clone(),
            };
            Tag { then: number.load(Ordering::Acquire), number }
        });
        let found = found.collect();
        map.sweep();
        Some(found)
    }

    fn pass(&self, tag: &str) {
        let map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = map.all.get(tag) {
            number.fetch_add(1, Ordering::Release);
        }
    }
}

impl TagMap {
    fn sweep(&mut self) {
        if self.all.len() >= self.sweep_at.max(1024) {
            self.all.retain(|_, number| Arc::strong_count(number) > 1);
            self.sweep_at = self.all.len() * 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_nobody_has_any_more_are_forgotten() {
        let tags = Tags::default();
        let kept = tags.now(&["kept"]);
        for number in 0..5000 {
            drop(tags.now(&[&format!("t{number}")]));
        }
        assert!(tags.0.lock().unwrap().all.len() <= 1024);
        tags.pass("kept");
        assert!(kept.unwrap().iter().all(Tag::is_past));
    }
}
