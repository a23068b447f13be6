//! Sessions in the memory of this process.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::store::{Pending, SessionStore, Stored};

/// Sessions in the memory of this process: gone when it ends, unknown to others. For tests and trials.
#[derive(Debug, Default)]
pub struct MemorySessions(Mutex<HashMap<String, Stored>>);

impl MemorySessions {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Stored>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionStore for MemorySessions {
    fn load<'a>(&'a self, id: &'a str) -> Pending<'a, Option<Stored>> {
        Box::pin(async move { Ok(self.all().get(id).cloned()) })
    }

    fn insert<'a>(&'a self, id: &'a str, session: Stored) -> Pending<'a, ()> {
        Box::pin(async move {
            self.all().insert(id.to_owned(), session);
            Ok(())
        })
    }

    fn replace<'a>(&'a self, id: &'a str, session: Stored) -> Pending<'a, bool> {
        Box::pin(async move {
            let mut all = self.all();
            let before = all.get_mut(id).filter(|before| before.version + 1 == session.version);
            Ok(before.map(|before| *before = session).is_some())
        })
    }

    fn remove<'a>(&'a self, id: &'a str, version: Option<u64>) -> Pending<'a, bool> {
        Box::pin(async move {
            match self.all().entry(id.to_owned()) {
                Entry::Occupied(found) if version.is_none_or(|version| found.get().version == version) => {
                    found.remove();
                    Ok(true)
                }
                _ => Ok(false),
            }
        })
    }

    fn list<'a>(&'a self, owner: &'a str) -> Pending<'a, Vec<(String, Stored)>> {
        Box::pin(async move {
            let all = self.all();
            let of_owner = all.iter().filter(|(_, session)| session.owner.as_deref() == Some(owner));
            Ok(of_owner.map(|(id, session)| (id.clone(), session.clone())).collect())
        })
    }

    fn purge(&self, now: u64) -> Pending<'_, ()> {
        Box::pin(async move {
            self.all().retain(|_, session| session.expires > now);
            Ok(())
        })
    }
}
