//! The processes that share a folder notice each other: words go between them at once, and a death is known at once.
//!
//! Each process keeps two files in the folder: one that it has locked, for the system gives a lock back whatever way
//! the process ends, and a socket. Each is connected to each. A connection that ends says "look": when the lock can be
//! had, the process is dead, and its files are removed; else the two connect again.

mod folder;
mod link;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::StoreError;
use folder::{Folder, Place};
use link::Links;

/// The name of one life of one process among its peers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerName(Arc<str>);

impl PeerName {
    /// The name as text, fit for a file's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for PeerName {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for PeerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is noticed of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerEvent {
    /// A process is here, or is here again after words may have been lost.
    Joined(PeerName),
    /// A process says something to this one.
    Told(PeerName, String),
    /// A process has ended, in whatever way, or had ended before this one came.
    Gone(PeerName),
}

/// This process among its peers. Dropping it leaves them.
pub struct Peers {
    place: Arc<Place>,
    links: Arc<Links>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Peers {
    /// Joins the processes of a folder, which is made where it is missing. Needs a Tokio runtime around it.
    ///
    /// # Errors
    ///
    /// When the folder cannot be written, when its path cannot be that of a socket, or outside of a Tokio runtime.
    pub fn join(folder: &Path) -> Result<(Self, mpsc::UnboundedReceiver<PeerEvent>), StoreError> {
        let runtime = tokio::runtime::Handle::try_current()
            .map_err(|error| StoreError::Refused(format!("peers need a Tokio runtime: {error}")))?;
        let _inside = runtime.enter();
        let folder = Folder::open(folder)?;
        // Who listens before others can see it is found by whoever comes later: so each two find each other.
        let (place, listener) = folder.take_place()?;
        let place = Arc::new(place);
        let (events, noticed) = mpsc::unbounded_channel();
        let links = Arc::new(Links::new(Arc::clone(&place), events));
        let others = place.folder().others(place.name())?;
        let tasks = vec![
            tokio::spawn(link::accept(Arc::clone(&links), listener)),
            tokio::spawn(link::meet(Arc::clone(&links), others)),
        ];
        Ok((Self { place, links, tasks }, noticed))
    }

    /// This process's own name.
    #[must_use]
    pub fn name(&self) -> &PeerName {
        self.place.name()
    }

    /// Says something to one of the others; without effect when it is not here. A line break ends the text.
    pub fn tell(&self, to: &PeerName, text: &str) {
        self.links.tell(to, text);
    }

    /// Says something to all others. A line break ends the text.
    pub fn tell_all(&self, text: &str) {
        self.links.tell_all(text);
    }

    /// The others that are connected.
    #[must_use]
    pub fn connected(&self) -> Vec<PeerName> {
        self.links.names()
    }

    /// Whether the process of this name lives, connected or not.
    #[must_use]
    pub fn lives(&self, name: &PeerName) -> bool {
        name == self.name() || self.place.folder().lives(name)
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
        self.place.leave();
        self.links.close();
    }
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peers").field("name", self.name()).finish_non_exhaustive()
    }
}
