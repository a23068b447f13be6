//! Who is woken, in this process and in the others that share the file.
//!
//! A worker that found nothing *rests*, and a change of its topic wakes it once; a worker that is busy is left alone, for
//! it looks again by itself. Other processes are told by a word, at most one for each topic until they say that they
//! have looked: so a busy queue sends no words at all, and none is lost. The words are
//!
//! ```text
//! topic PATH       something of this topic may be claimed
//! rests PATH       the answer: I have looked since, and rest
//! ended INBOX ID   a message has ended for which that inbox waits
//! cancel SEQ PATH  a running message was cancelled
//! ```

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use butterfly_store::{PeerName, Peers, Tx};
use tokio::sync::mpsc;

use crate::engine::{Owner, Wake};
use crate::message::{MsgId, Seq};

pub(super) struct Wakes {
    peers: Peers,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    listeners: Vec<Listener>,
    topics: HashMap<Arc<str>, TopicState>,
    /// What others were told and have not answered; true when there is something new since.
    told: HashMap<(PeerName, Arc<str>), bool>,
}

struct Listener {
    inbox: Arc<str>,
    to: mpsc::UnboundedSender<Wake>,
}

/// What is known of this process's workers of a topic.
struct TopicState {
    /// True until a wake-up is given, and again when a worker has found nothing.
    rests: bool,
    /// Another process told of something while the workers were busy.
    unseen: bool,
    /// Those that told, and are to be answered when the workers rest.
    owed: Vec<PeerName>,
}

impl Default for TopicState {
    fn default() -> Self {
        Self { rests: true, unseen: false, owed: Vec::new() }
    }
}

impl State {
    fn send(&mut self, wake: &Wake) {
        self.listeners.retain(|listener| listener.to.send(wake.clone()).is_ok());
    }

    fn topic(&mut self, path: &Arc<str>) -> &mut TopicState {
        self.topics.entry(path.clone()).or_default()
    }
}

impl Wakes {
    pub(super) fn new(peers: Peers) -> Self {
        Self { peers, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn peers(&self) -> &Peers {
        &self.peers
    }

    pub(super) fn listen(&self, inbox: Arc<str>) -> mpsc::UnboundedReceiver<Wake> {
        let (to, wakes) = mpsc::unbounded_channel();
        self.state().listeners.push(Listener { inbox, to });
        wakes
    }

    // What a transaction leads to.

    /// Something of a topic may be claimed, or its time is another one.
    pub(super) fn touch(self: &Arc<Self>, tx: &Tx<'_>, path: &Arc<str>) {
        let (wakes, path) = (Arc::clone(self), path.clone());
        tx.when_visible(move || wakes.touched(&path));
    }

    /// A worker of this process has found nothing.
    pub(super) fn rests(self: &Arc<Self>, tx: &Tx<'_>, path: &Arc<str>) {
        let (wakes, path) = (Arc::clone(self), path.clone());
        tx.when_visible(move || wakes.rest(&path));
    }

    /// A message has ended for which an inbox waits.
    pub(super) fn ended(self: &Arc<Self>, tx: &Tx<'_>, inbox: &Arc<str>, id: &MsgId) {
        let (wakes, inbox, id) = (Arc::clone(self), inbox.clone(), id.clone());
        tx.when_durable(move || {
            if !wakes.end(&inbox, &id) {
                wakes.peers.tell_all(&format!("ended {inbox} {id}"));
            }
        });
    }

    /// A running message was cancelled.
    pub(super) fn cancelled(self: &Arc<Self>, tx: &Tx<'_>, path: &Arc<str>, seq: Seq) {
        let (wakes, path) = (Arc::clone(self), path.clone());
        tx.when_visible(move || {
            wakes.state().send(&Wake::Cancelled(path.clone(), seq));
            wakes.peers.tell_all(&format!("cancel {seq} {path}"));
        });
    }

    fn touched(&self, path: &Arc<str>) {
        let others = self.peers.connected();
        let mut state = self.state();
        if std::mem::take(&mut state.topic(path).rests) {
            state.send(&Wake::Topic(path.clone()));
        }
        for other in others {
            match state.told.get_mut(&(other.clone(), path.clone())) {
                Some(new) => *new = true,
                None => {
                    self.peers.tell(&other, &format!("topic {path}"));
                    state.told.insert((other, path.clone()), false);
                }
            }
        }
    }

    fn rest(&self, path: &Arc<str>) {
        let mut state = self.state();
        let topic = state.topic(path);
        topic.rests = !std::mem::take(&mut topic.unseen);
        let wake = !topic.rests;
        for other in std::mem::take(&mut topic.owed) {
            self.peers.tell(&other, &format!("rests {path}"));
        }
        if wake {
            state.send(&Wake::Topic(path.clone()));
        }
    }

    /// True when the inbox is in this process.
    fn end(&self, inbox: &str, id: &MsgId) -> bool {
        let mut here = false;
        for listener in self.state().listeners.iter().filter(|listener| *listener.inbox == *inbox) {
            here = true;
            // One that does not listen any more does not wait either.
            let _ = listener.to.send(Wake::Ended(id.clone()));
        }
        here
    }

    // What other processes say.

    /// A process is here: words to it may have been lost, and words of it.
    pub(super) fn joined(&self, other: &PeerName) {
        let mut state = self.state();
        state.told.retain(|(name, _), _| name != other);
        state.send(&Wake::All);
    }

    /// A process is no longer here.
    pub(super) fn gone(&self, other: &PeerName) {
        let mut state = self.state();
        state.told.retain(|(name, _), _| name != other);
        state.topics.values_mut().for_each(|topic| topic.owed.retain(|name| name != other));
    }

    /// An owner's process is no longer here.
    pub(super) fn dead(&self, owner: Owner) {
        self.state().send(&Wake::Dead(owner));
    }

    /// A word of another process. One that is not known is a newer version's, and says nothing to this one.
    pub(super) fn told(&self, other: &PeerName, text: &str) {
        match text.split_once(' ') {
            Some(("topic", path)) => self.told_of_topic(other, &path.into()),
            Some(("rests", path)) => self.told_of_rest(other, &path.into()),
            Some(("ended", rest)) => {
                if let Some((inbox, id)) = rest.rsplit_once(' ')
                    && let Ok(id) = id.parse()
                {
                    self.end(inbox, &id);
                }
            }
            Some(("cancel", rest)) => {
                if let Some((seq, path)) = rest.split_once(' ')
                    && let Ok(seq) = seq.parse()
                {
                    self.state().send(&Wake::Cancelled(path.into(), seq));
                }
            }
            _ => tracing::debug!("another process says {text:?}, which this version does not know"),
        }
    }

    fn told_of_topic(&self, other: &PeerName, path: &Arc<str>) {
        let mut state = self.state();
        let topic = state.topic(path);
        topic.owed.push(other.clone());
        if std::mem::take(&mut topic.rests) {
            state.send(&Wake::Topic(path.clone()));
        } else {
            topic.unseen = true;
        }
    }

    fn told_of_rest(&self, other: &PeerName, path: &Arc<str>) {
        let mut state = self.state();
        let about = (other.clone(), path.clone());
        if state.told.remove(&about) == Some(true) {
            state.told.insert(about, false);
            self.peers.tell(other, &format!("topic {path}"));
        }
    }
}
