//! Sessions in the memory of this process.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::store::{Pending, SessionStore, Stored};

/// Sessions in the memory of this process: gone when it ends, unknown to others. For tests and trials.
///
/// Whoever calls without a cookie can begin a session, so those without a login are bounded: a new one beyond the limit
/// ends the one that was not seen for the longest time. Nobody who is logged in is thrown out by that.
#[derive(Debug)]
pub struct MemorySessions {
    all: Mutex<All>,
    max_anonymous: usize,
}

#[derive(Debug, Default)]
struct All {
    sessions: HashMap<String, Stored>,
    /// Those without a login, by when they expire: the first was not seen for the longest time.
    anonymous: BTreeSet<(u64, String)>,
}

impl All {
    fn put(&mut self, id: &str, session: Stored) {
        self.take(id);
        if session.owner.is_none() {
            self.anonymous.insert((session.expires, id.to_owned()));
        }
        self.sessions.insert(id.to_owned(), session);
    }

    fn take(&mut self, id: &str) -> Option<Stored> {
        let session = self.sessions.remove(id)?;
        if session.owner.is_none() {
            self.anonymous.remove(&(session.expires, id.to_owned()));
        }
        Some(session)
    }

    fn is_of(&self, id: &str, version: Option<u64>) -> bool {
        let found = self.sessions.get(id);
        found.is_some_and(|session| version.is_none_or(|version| session.version == version))
    }
}

impl MemorySessions {
    /// The sessions without a login that it keeps unless told otherwise.
    pub const MAX_ANONYMOUS: usize = 10_000;

    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self { all: Mutex::default(), max_anonymous: Self::MAX_ANONYMOUS }
    }

    /// Keeps so many sessions without a login, one at least.
    #[must_use]
    pub fn max_anonymous(mut self, most: usize) -> Self {
        self.max_anonymous = most.max(1);
        self
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemorySessions {
    fn default() -> Self {
        Self::new()
    }
}

impl SessionStore for MemorySessions {
    fn load<'a>(&'a self, id: &'a str) -> Pending<'a, Option<Stored>> {
        Box::pin(async move { Ok(self.all().sessions.get(id).cloned()) })
    }

    fn insert<'a>(&'a self, id: &'a str, session: Stored) -> Pending<'a, ()> {
        Box::pin(async move {
            let mut all = self.all();
            while session.owner.is_none() && all.anonymous.len() >= self.max_anonymous {
                let Some((_, oldest)) = all.anonymous.pop_first() else { break };
                all.sessions.remove(&oldest);
            }
            all.put(id, session);
            Ok(())
        })
    }

    fn replace<'a>(&'a self, id: &'a str, session: Stored) -> Pending<'a, bool> {
        Box::pin(async move {
            let mut all = self.all();
            let before = session.version.checked_sub(1);
            let is_there = before.is_some_and(|before| all.is_of(id, Some(before)));
            if is_there {
                all.put(id, session);
            }
            Ok(is_there)
        })
    }

    fn remove<'a>(&'a self, id: &'a str, version: Option<u64>) -> Pending<'a, bool> {
        Box::pin(async move {
            let mut all = self.all();
            Ok(all.is_of(id, version) && all.take(id).is_some())
        })
    }

    fn list<'a>(&'a self, owner: &'a str) -> Pending<'a, Vec<(String, Stored)>> {
        Box::pin(async move {
            let all = self.all();
            let of_owner = all.sessions.iter().filter(|(_, session)| session.owner.as_deref() == Some(owner));
            Ok(of_owner.map(|(id, session)| (id.clone(), session.clone())).collect())
        })
    }

    fn purge(&self, now: u64) -> Pending<'_, ()> {
        Box::pin(async move {
            let mut all = self.all();
            all.sessions.retain(|_, session| session.expires > now);
            all.anonymous.retain(|(expires, _)| *expires > now);
            Ok(())
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    fn session(owner: Option<&str>, version: u64, expires: u64) -> Stored {
        let owner = owner.map(str::to_owned);
        Stored { version, owner, expires, ends: 1_000_000, record: "{}".to_owned() }
    }

    #[tokio::test]
    async fn those_without_a_login_are_bounded_and_throw_nobody_out() {
        let store = MemorySessions::new().max_anonymous(3);
        store.insert("ada", session(Some("a"), 1, 1)).await.unwrap();
        for number in 0..3 {
            store.insert(&format!("v{number}"), session(None, 1, 10 + number)).await.unwrap();
        }
        // The first is seen once more: the second is the oldest now.
        assert!(store.replace("v0", session(None, 2, 99)).await.unwrap());
        for number in 3..500 {
            store.insert(&format!("v{number}"), session(None, 1, 10 + number)).await.unwrap();
            assert_eq!(store.all().sessions.len(), 4);
            assert!((number > 3) || store.load("v0").await.unwrap().is_some());
            assert!(store.load("v1").await.unwrap().is_none());
        }
        assert!(store.load("ada").await.unwrap().is_some());
        // One that ends makes room.
        assert!(store.remove("v499", None).await.unwrap());
        assert_eq!(store.all().anonymous.len(), 2);
        store.purge(508).await.unwrap();
        let all = store.all();
        assert_eq!((all.sessions.len(), all.anonymous.len()), (0, 0));
    }
}
