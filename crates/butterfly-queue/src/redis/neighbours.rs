//! The processes of this machine that share a folder tell each other under which names they hold leases: so the death
//! of one is known at once, and not only when its lease has passed.
//!
//! A word is `owner EPOCH INSTANCE WORKER`. What is not told in time, or is told to nobody, ends with its lease.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use butterfly_store::{PeerEvent, PeerName, Peers, StoreError};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use crate::engine::{Owner, Wake};

/// What a dead process had sent before its end may reach the server after it: one looks for that so much later.
const AGAIN: Duration = Duration::from_secs(1);
/// So many of the dead are told of again when a server that was out of reach is back.
const REMEMBERED: usize = 16;

/// This process among those that share its folder.
pub(super) struct Neighbours {
    peers: Peers,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What this process holds leases as.
    own: HashSet<Owner>,
    others: HashMap<PeerName, HashSet<Owner>>,
    /// Those that died last.
    dead: VecDeque<Owner>,
    ears: Vec<UnboundedSender<Wake>>,
}

impl Neighbours {
    /// Joins the processes of a folder. Needs a Tokio runtime around it.
    pub(super) fn join(folder: &Path) -> Result<Arc<Self>, StoreError> {
        let (peers, events) = Peers::join(folder)?;
        let neighbours = Arc::new(Self { peers, state: Mutex::default() });
        tokio::spawn(notice(Arc::downgrade(&neighbours), events));
        Ok(neighbours)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This process is about to hold leases as this owner.
    pub(super) fn hold(&self, owner: &Owner) {
        let mut state = self.state();
        if !state.own.contains(owner) {
            state.own.insert(owner.clone());
            self.peers.tell_all(&word(owner));
        }
    }

    /// Tells of every death from now on.
    pub(super) fn listen(&self, ear: UnboundedSender<Wake>) {
        self.state().ears.push(ear);
    }

    /// Those that died last: while the server was out of reach, nobody could take what they held.
    pub(super) fn dead(&self) -> Vec<Owner> {
        self.state().dead.iter().cloned().collect()
    }

    fn joined(&self, other: &PeerName) {
        for owner in &self.state().own {
            self.peers.tell(other, &word(owner));
        }
    }

    fn told(&self, other: PeerName, text: &str) {
        match read(text) {
            Some(owner) => {
                self.state().others.entry(other).or_default().insert(owner);
            }
            None => tracing::debug!("another process says {text:?}, which this version does not know"),
        }
    }

    /// A process has ended; gives what it held leases as.
    fn gone(&self, other: &PeerName) -> Vec<Owner> {
        let mut state = self.state();
        let owners: Vec<Owner> = state.others.remove(other).into_iter().flatten().collect();
        state.dead.extend(owners.iter().cloned());
        let most = state.dead.len().saturating_sub(REMEMBERED);
        state.dead.drain(..most);
        drop(state);
        self.tell(&owners);
        owners
    }

    fn tell(&self, dead: &[Owner]) {
        let hears = |ear: &UnboundedSender<Wake>| {
            dead.iter().all(|owner| ear.send(Wake::Dead(owner.clone())).is_ok()) && !ear.is_closed()
        };
        self.state().ears.retain(hears);
    }
}

impl fmt::Debug for Neighbours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Neighbours").field("peers", &self.peers).finish_non_exhaustive()
    }
}

/// Takes note of what is noticed, as long as the engine is there.
async fn notice(neighbours: Weak<Neighbours>, mut events: UnboundedReceiver<PeerEvent>) {
    while let Some(event) = events.recv().await {
        let Some(here) = neighbours.upgrade() else { return };
        match event {
            PeerEvent::Joined(name) => here.joined(&name),
            PeerEvent::Told(name, text) => here.told(name, &text),
            PeerEvent::Gone(name) => {
                let dead = here.gone(&name);
                if !dead.is_empty() {
                    tokio::spawn(tell_again(neighbours.clone(), dead));
                }
            }
        }
    }
}

async fn tell_again(neighbours: Weak<Neighbours>, dead: Vec<Owner>) {
    tokio::time::sleep(AGAIN).await;
    if let Some(here) = neighbours.upgrade() {
        here.tell(&dead);
    }
}

fn word(owner: &Owner) -> String {
    format!("owner {} {} {}", owner.epoch, owner.instance, owner.worker)
}

fn read(text: &str) -> Option<Owner> {
    let mut words = text.strip_prefix("owner ")?.splitn(3, ' ');
    let epoch = words.next()?.parse().ok()?;
    Some(Owner { epoch, instance: words.next()?.into(), worker: words.next()?.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_read_as_it_was_written() {
        let owner = Owner { instance: "main-0f".into(), epoch: 7, worker: "my host:80:9".into() };
        assert_eq!(read(&word(&owner)), Some(owner));
        for odd in ["", "owner", "owner x a b", "owner 1 a", "other 1 a b"] {
            assert_eq!(read(odd), None, "{odd}");
        }
    }

    /// Waits until a process knows what another one holds leases as.
    async fn known(neighbours: &Neighbours, owner: &Owner) {
        let told = async {
            while !neighbours.state().others.values().any(|owners| owners.contains(owner)) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), told).await.expect("it is told");
    }

    #[tokio::test]
    async fn owners_are_told_to_who_is_here_and_to_who_comes_and_their_death_to_all() {
        let folder = tempfile::tempdir().unwrap();
        let owner = |epoch| Owner { instance: "a".into(), epoch, worker: "w".into() };
        let early = Neighbours::join(folder.path()).unwrap();
        let holds = Neighbours::join(folder.path()).unwrap();
        holds.hold(&owner(1));
        known(&early, &owner(1)).await;
        let late = Neighbours::join(folder.path()).unwrap();
        known(&late, &owner(1)).await;
        holds.hold(&owner(2));
        holds.hold(&owner(2));
        known(&early, &owner(2)).await;
        known(&late, &owner(2)).await;
        drop(holds);
        for neighbours in [early, late] {
            let (ear, mut heard) = tokio::sync::mpsc::unbounded_channel();
            neighbours.listen(ear);
            // Once at once, unless that was before there was an ear, and once more.
            let mut dead = HashSet::new();
            while dead.len() < 2 {
                let Some(Wake::Dead(owner)) = heard.recv().await else { panic!("a death is told") };
                dead.insert(owner);
            }
            assert_eq!(dead, HashSet::from([owner(1), owner(2)]));
            assert_eq!(HashSet::from_iter(neighbours.dead()), dead);
            assert!(neighbours.state().others.is_empty());
        }
    }

    #[tokio::test]
    async fn the_dead_are_forgotten_at_last() {
        let folder = tempfile::tempdir().unwrap();
        let neighbours = Neighbours::join(folder.path()).unwrap();
        for epoch in 0..100 {
            neighbours.told("x".into(), &format!("owner {epoch} a w"));
            neighbours.gone(&"x".into());
        }
        let epochs: Vec<u64> = neighbours.dead().iter().map(|owner| owner.epoch).collect();
        assert_eq!(epochs, (100 - REMEMBERED as u64..100).collect::<Vec<_>>());
    }
}
