//! What a process hears, and a worker that does as it is told.

use std::time::Duration;

use tokio::sync::mpsc;

use super::desk::Desk;
use super::failed::{Failed, Proof};
use crate::engine::{Next, Wake, Want};
use crate::message::{Claimed, MsgId, Seq, now_ms};

/// The end of a process at which its wake-ups come out.
#[derive(Debug)]
pub(super) struct Ear {
    wakes: mpsc::UnboundedReceiver<Wake>,
    patience: Duration,
    engine_wakes: bool,
}

impl Ear {
    pub(super) fn new(wakes: mpsc::UnboundedReceiver<Wake>, patience: Duration, engine_wakes: bool) -> Self {
        Self { wakes, patience, engine_wakes }
    }

    /// Forgets what it has heard.
    pub(super) fn clear(&mut self) {
        while self.wakes.try_recv().is_ok() {}
    }

    /// Waits for a wake-up that fits, and gives it. What does not fit is passed over.
    ///
    /// An engine that tells by a timer says [`Wake::All`] instead of anything else, and must be believed.
    pub(super) async fn hear(&mut self, what: &str, fits: impl Fn(&Wake) -> bool) -> Proof<Wake> {
        let timer = !self.engine_wakes;
        let heard = async {
            loop {
                match self.wakes.recv().await {
                    Some(wake) if fits(&wake) || (timer && wake == Wake::All) => return Some(wake),
                    Some(_) => (),
                    None => return None,
                }
            }
        };
        match tokio::time::timeout(self.patience, heard).await {
            Ok(Some(wake)) => Ok(wake),
            Ok(None) => Err(Failed::new(format!("the engine hung up where {what} was to be heard"))),
            Err(_) => Err(Failed::new(format!("{what} was not heard within {:?}", self.patience))),
        }
    }

    /// Waits until something of the topic may be claimed.
    pub(super) async fn topic(&mut self, path: &str) -> Proof {
        let fits =
            |wake: &Wake| matches!(wake, Wake::All) || matches!(wake, Wake::Topic(of) if **of == *path);
        self.hear(&format!("a wake-up for {path}"), fits).await.map(drop)
    }

    /// Waits until a message has ended.
    pub(super) async fn ended(&mut self, id: &MsgId) -> Proof {
        let wake = Wake::Ended(id.clone());
        self.hear(&format!("the end of {id}"), |heard| *heard == wake).await.map(drop)
    }

    /// Waits until it is told to stop a message.
    pub(super) async fn cancelled(&mut self, path: &str, seq: Seq) -> Proof {
        let wake = Wake::Cancelled(path.into(), seq);
        self.hear(&format!("that {seq} was cancelled"), |heard| *heard == wake).await.map(drop)
    }
}

/// Has nothing to do: has asked, was given nothing, and waits to be told.
pub(super) async fn idle(desk: &Desk, ear: &mut Ear) -> Proof {
    ear.clear();
    let (claimed, _) = desk.claim_and_next(1).await?;
    if claimed.is_empty() { Ok(()) } else { Err(Failed::new("claimed where nothing may be")) }
}

/// Waits as a worker does that is idle: for a wake-up, then for whatever time the engine names, until it has a message.
/// It asks only when it was told to: a wake-up that is lost makes it wait in vain.
pub(super) async fn woken_to_claim(desk: &Desk, ear: &mut Ear) -> Proof<Claimed> {
    ear.topic(desk.path()).await?;
    loop {
        let exchange = desk.exchange(vec![], Want { count: 1, last_chance: false }).await?;
        if let Some(claimed) = exchange.claimed.into_iter().next() {
            return Ok(claimed);
        }
        match exchange.next {
            Next::Now => (),
            Next::Wake => ear.topic(desk.path()).await?,
            Next::Over => return Err(Failed::new("an owner that lives is told that it is over")),
            Next::At(at) => {
                let rest = Duration::from_millis(at.saturating_sub(now_ms()) + 1);
                if rest > ear.patience {
                    return Err(Failed::new(format!("the engine says to ask again in {rest:?}")));
                }
                // Time passes or something is heard, whichever is first: either is a reason to ask.
                let _ = tokio::time::timeout(rest, ear.topic(desk.path())).await;
            }
        }
    }
}
