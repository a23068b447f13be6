//! The cache as its users hold it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::counters::{Count, Counts};
use super::entry::{after, now_ms};
use super::flight::Flights;
use super::{Age, CacheError, Counters, Disk, Entry, Keep, MemoryStore, Pending, Store, Times};

/// A cache: a store or two, with types, loading, tags and counters above it. Cheap to clone; clones share everything.
///
/// See the [module](super) for what it does.
#[derive(Clone)]
pub struct Cache {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    levels: Levels,
    pub(super) counts: Counts,
    pub(super) flights: Arc<Flights>,
    /// When a failure of the store was last written to the log, in Unix milliseconds.
    pub(super) complained: AtomicU64,
}

enum Levels {
    Memory(MemoryStore),
    Store(Arc<dyn Store>),
    Two(Near, Arc<dyn Store>),
}

/// Memory above another store.
struct Near {
    store: MemoryStore,
    /// How long it keeps copies of what is below it, in milliseconds.
    keep_for: AtomicU64,
    /// Grows with each change made here: a copy that was read before a change is not kept after it.
    changes: AtomicU64,
}

/// How long the upper of two levels keeps a copy, unless told otherwise.
const NEAR_FOR_MS: u64 = 1000;

impl Cache {
    /// A cache in the memory of this process, of so many bytes.
    #[must_use]
    pub fn memory(bytes: u64) -> Self {
        Self::new(Levels::Memory(MemoryStore::new(bytes)))
    }

    /// A cache in a file, which survives restarts and can be shared by processes of one machine, of at most 1 GiB.
    ///
    /// For other limits: `Cache::of(Disk::at(path).size_limit(bytes).open()?)`.
    ///
    /// # Errors
    ///
    /// As [`Disk::open`].
    pub fn disk(path: impl AsRef<Path>) -> Result<Self, CacheError> {
        Ok(Self::of(Disk::at(path).open()?))
    }

    /// A cache on any store.
    #[must_use]
    pub fn of(store: impl Store) -> Self {
        Self::new(Levels::Store(Arc::new(store)))
    }

    /// Memory, of so many bytes, above another store.
    ///
    /// What was read or written here is answered from memory for up to a second, then the store below is asked again:
    /// so long can pass until a change that another process made is seen. See [`near_for`](Self::near_for).
    #[must_use]
    pub fn two_level(memory_bytes: u64, below: impl Store) -> Self {
        let near = Near {
            store: MemoryStore::new(memory_bytes),
            keep_for: AtomicU64::new(NEAR_FOR_MS),
            changes: AtomicU64::new(0),
        };
        Self::new(Levels::Two(near, Arc::new(below)))
    }

    /// Sets how long the upper of two levels answers without asking the lower one, for all clones; it says nothing to
    /// a cache of one level. Changes made through this cache and its clones are always seen at once.
    #[must_use]
    pub fn near_for(self, time: Duration) -> Self {
        if let Some(near) = self.upper() {
            near.keep_for.store(after(0, time), Ordering::Relaxed);
        }
        self
    }

    fn new(levels: Levels) -> Self {
        let inner = Inner {
            levels,
            counts: Counts::default(),
            flights: Arc::default(),
            complained: AtomicU64::new(0),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The memory above another store.
    fn upper(&self) -> Option<&Near> {
        match &self.inner.levels {
            Levels::Two(near, _) => Some(near),
            _ => None,
        }
    }

    /// What is in memory.
    #[inline]
    fn peek(&self, key: &str) -> Option<(Entry, Age)> {
        match &self.inner.levels {
            Levels::Memory(store) | Levels::Two(Near { store, .. }, _) => store.peek(key),
            Levels::Store(_) => None,
        }
    }

    /// The bytes of a key, if memory has them fresh: without waiting, and without an allocation.
    ///
    /// What it finds counts as a hit; what it does not find counts as nothing, for the caller will look further.
    #[inline]
    #[must_use]
    pub fn at_hand(&self, key: &str) -> Option<Bytes> {
        let (entry, age) = self.peek(key)?;
        (age == Age::Fresh).then(|| {
            self.inner.counts.add(Count::Hit);
            entry.value
        })
    }

    /// The bytes of a key.
    ///
    /// # Errors
    ///
    /// When the store cannot be read. That the key is missing is no error.
    pub async fn get_bytes(&self, key: &str) -> Result<Option<Bytes>, CacheError> {
        match self.look(key).await? {
            Some((entry, Age::Fresh)) => {
                self.inner.counts.add(Count::Hit);
                Ok(Some(entry.value))
            }
            _ => {
                self.inner.counts.add(Count::Miss);
                Ok(None)
            }
        }
    }

    /// The value of a key. A value past its fresh time is not given here: it is for those who can load a new one.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, and [`CacheError::Value`] when what is stored is not a `T`.
    pub async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, CacheError> {
        self.get_bytes(key).await?.map(|json| decode(key, &json)).transpose()
    }

    /// Stores bytes.
    ///
    /// # Errors
    ///
    /// When the store cannot take them. What was stored before may be gone then.
    pub async fn set_bytes(
        &self,
        key: &str,
        value: impl Into<Bytes>,
        keep: impl Into<Keep<'_>>,
    ) -> Result<(), CacheError> {
        self.inner.flights.outdate(key);
        self.put(key, value.into(), &keep.into()).await
    }

    /// Stores a value as JSON.
    ///
    /// # Errors
    ///
    /// As [`set_bytes`](Self::set_bytes), and [`CacheError::Value`] when the value has no JSON form.
    pub async fn set<T: Serialize + ?Sized>(
        &self,
        key: &str,
        value: &T,
        keep: impl Into<Keep<'_>>,
    ) -> Result<(), CacheError> {
        self.set_bytes(key, encode(key, value)?, keep).await
    }

    /// Stores a value if the key has none; false if it has one. Of many who try at once, one succeeds.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    pub async fn add<T: Serialize + ?Sized>(
        &self,
        key: &str,
        value: &T,
        keep: impl Into<Keep<'_>>,
    ) -> Result<bool, CacheError> {
        let keep = keep.into();
        let entry = Entry { value: encode(key, value)?.into(), times: Times::of(&keep) };
        self.inner.flights.outdate(key);
        self.change(key, |store| store.add(key, entry, keep.tags)).await
    }

    /// Keeps a value for another time, from now; false if there is none. Its tags stay.
    ///
    /// # Errors
    ///
    /// When the store cannot do it.
    pub async fn touch(&self, key: &str, keep: impl Into<Keep<'_>>) -> Result<bool, CacheError> {
        let times = Times::of(&keep.into());
        self.change(key, |store| store.touch(key, times)).await
    }

    /// Removes a key; false if there was none.
    ///
    /// # Errors
    ///
    /// When the store cannot do it.
    pub async fn delete(&self, key: &str) -> Result<bool, CacheError> {
        self.inner.flights.outdate(key);
        self.change(key, |store| store.delete(key)).await
    }

    /// Removes a key and gives its value. Of many who try at once, one gets it.
    ///
    /// # Errors
    ///
    /// When the store cannot do it, and [`CacheError::Value`] when what was stored is not a `T`: it is gone then too.
    pub async fn pop<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, CacheError> {
        self.inner.flights.outdate(key);
        let entry = self.change(key, |store| store.pop(key)).await?;
        let fresh = entry.filter(|entry| entry.times.age() == Age::Fresh);
        fresh.map(|entry| decode(key, &entry.value)).transpose()
    }

    /// Adds to a whole number and gives the sum. A key that is missing counts as 0 and is kept as said; one that is
    /// there stays as it was kept.
    ///
    /// # Errors
    ///
    /// When the store cannot do it, and [`CacheError::Value`] when what is stored is no whole number or the sum has
    /// more than 64 bits.
    pub async fn incr(&self, key: &str, by: i64, keep: impl Into<Keep<'_>>) -> Result<i64, CacheError> {
        let times = Times::of(&keep.into());
        self.inner.flights.outdate(key);
        self.change(key, |store| store.incr(key, by, times)).await
    }

    /// Takes from a whole number, as [`incr`](Self::incr) adds to it.
    ///
    /// # Errors
    ///
    /// As [`incr`](Self::incr).
    pub async fn decr(&self, key: &str, by: i64, keep: impl Into<Keep<'_>>) -> Result<i64, CacheError> {
        let by = by.checked_neg().ok_or_else(|| {
            CacheError::Value(format!("{key:?} cannot be lowered by {by}: raise it in two steps"))
        })?;
        self.incr(key, by, keep).await
    }

    /// Removes every value with a tag. A load that runs meanwhile is not stored if it has the tag.
    ///
    /// # Errors
    ///
    /// When the store cannot do it.
    pub async fn invalidate_tag(&self, tag: &str) -> Result<(), CacheError> {
        self.inner.flights.outdate_tag(tag);
        self.change_all(|store| store.invalidate_tag(tag)).await
    }

    /// Removes everything.
    ///
    /// # Errors
    ///
    /// When the store cannot do it.
    pub async fn clear(&self) -> Result<(), CacheError> {
        self.inner.flights.outdate_all();
        self.change_all(Store::clear).await
    }

    /// Frees the room of values that are gone. It need not be called: room is found when it is needed.
    ///
    /// # Errors
    ///
    /// When the store cannot do it.
    pub async fn purge(&self) -> Result<(), CacheError> {
        if let Some(near) = self.upper() {
            near.store.purge().await?;
        }
        self.store().purge().await
    }

    /// How many values there are: in the lower one of two levels. It may take long: they are looked through.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn count(&self) -> Result<u64, CacheError> {
        self.store().count().await
    }

    /// What this cache and its clones did.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.inner.counts.read()
    }

    /// The store that decides: the lower one of two.
    fn store(&self) -> &dyn Store {
        match &self.inner.levels {
            Levels::Memory(store) => store,
            Levels::Store(store) | Levels::Two(_, store) => &**store,
        }
    }

    /// Looks through the levels, and keeps a copy of what is found in the lower one.
    pub(super) async fn look(&self, key: &str) -> Result<Option<(Entry, Age)>, CacheError> {
        if let Some(found) = self.peek(key) {
            return Ok(Some(found));
        }
        let (near, far) = match &self.inner.levels {
            Levels::Memory(_) => return Ok(None),
            Levels::Store(far) => (None, far),
            Levels::Two(near, far) => (Some((near, near.changes.load(Ordering::SeqCst))), far),
        };
        let found = far.get(key).await?.map(|entry| (entry.times.age(), entry));
        let Some((age, entry)) = found.filter(|(age, _)| *age != Age::Gone) else { return Ok(None) };
        if let (Some((near, changes)), Age::Fresh) = (near, age) {
            near.copy(key, &entry, changes);
        }
        Ok(Some((entry, age)))
    }

    pub(super) async fn put(&self, key: &str, value: Bytes, keep: &Keep<'_>) -> Result<(), CacheError> {
        let entry = Entry { value, times: Times::of(keep) };
        match &self.inner.levels {
            Levels::Memory(store) => store.put(key, entry, keep.tags),
            Levels::Store(far) => far.set(key, entry, keep.tags).await,
            Levels::Two(near, far) => {
                near.change(key);
                let stored = far.set(key, entry.clone(), keep.tags).await;
                let changes = near.change(key);
                if stored.is_ok() && entry.times.age() == Age::Fresh {
                    near.copy(key, &entry, changes);
                }
                stored
            }
        }
    }

    /// Changes one key in the store that decides.
    pub(super) async fn change<'a, T>(
        &'a self,
        key: &str,
        change: impl FnOnce(&'a dyn Store) -> Pending<'a, T>,
    ) -> Result<T, CacheError> {
        let result = change(self.store()).await;
        // Copies are forgotten also when it failed: it may have been done all the same.
        if let Some(near) = self.upper() {
            near.change(key);
        }
        result
    }

    /// Changes many keys in the store that decides.
    async fn change_all<'a>(
        &'a self,
        change: impl FnOnce(&'a dyn Store) -> Pending<'a, ()>,
    ) -> Result<(), CacheError> {
        let result = change(self.store()).await;
        if let Some(near) = self.upper() {
            near.changes.fetch_add(1, Ordering::SeqCst);
            near.store.forget_all();
        }
        result
    }
}

impl Near {
    /// Forgets a copy; gives the number of changes so far.
    fn change(&self, key: &str) -> u64 {
        let changes = self.changes.fetch_add(1, Ordering::SeqCst) + 1;
        self.store.remove(key);
        changes
    }

    /// Keeps a copy of what the store below had when there were so many changes.
    fn copy(&self, key: &str, entry: &Entry, changes: u64) {
        let keep_for = Duration::from_millis(self.keep_for.load(Ordering::Relaxed));
        let until = entry.times.fresh_until.min(after(now_ms(), keep_for));
        let times = Times { fresh_until: until, gone_at: until };
        if self.changes.load(Ordering::SeqCst) == changes {
            // One that is too large for memory is asked for below each time.
            let _ = self.store.put(key, Entry { value: entry.value.clone(), times }, &[]);
            if self.changes.load(Ordering::SeqCst) != changes {
                self.store.remove(key);
            }
        }
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("memory", &self.upper().map(|near| &near.store))
            .field("store", &self.store())
            .field("counters", &self.counters())
            .finish()
    }
}

pub(super) fn encode<T: Serialize + ?Sized>(key: &str, value: &T) -> Result<Vec<u8>, CacheError> {
    serde_json::to_vec(value)
        .map_err(|why| CacheError::Value(format!("the value for {key:?} has no JSON form: {why}")))
}

pub(super) fn decode<T: DeserializeOwned>(key: &str, json: &[u8]) -> Result<T, CacheError> {
    serde_json::from_slice(json).map_err(|why| CacheError::unfit(key, std::any::type_name::<T>(), why))
}
