//! A process that sends: each message until it is accepted, and what was accepted is written down at once.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use butterfly::messages::{EngineError, Queue, Settings};
use butterfly::{Error, Registry};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::chance::mix;
use crate::handlers::torture;
use crate::ledger::{self, Line};
use crate::place::Place;
use crate::runs::Kind;

/// What a sender is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Errand {
    pub(crate) place: Place,
    /// The numbers of its messages.
    pub(crate) numbers: Range<u64>,
    /// How many messages of a topic may wait before it is refused.
    pub(crate) depth: u64,
    /// Where it writes down what was accepted.
    pub(crate) ledger: PathBuf,
    /// Which of its lives this is.
    pub(crate) life: u64,
    /// Whether some messages are to wait a moment: by the wall clock, so not while that jumps.
    pub(crate) delays: bool,
}

/// So many messages are on their way at once.
pub(crate) const WINDOW: usize = 256;
/// A sender that begins again sends so many of its last named messages once more.
const AGAIN: usize = 20;
/// Attempts of one life; the number of an attempt says which life it was of.
const ATTEMPTS: u64 = 1_000_000;
/// After a refusal.
const PAUSE: Duration = Duration::from_millis(50);
/// So many messages of a topic may wait, of so many in all: above, senders are refused. What goes wrong late finds
/// senders that still send.
pub(crate) fn depth(messages: u64) -> u64 {
    (messages / 50).clamp(50, 20_000)
}

/// Which handler a number's message is for.
pub(crate) fn kind_of(n: u64) -> Kind {
    if n.is_multiple_of(2) { Kind::Named } else { Kind::Plain }
}

/// The name that the sender gives it.
pub(crate) fn name_of(n: u64) -> String {
    format!("order-{n}")
}

/// The process: `torture send ERRAND`.
pub(crate) fn main() -> ExitCode {
    let run = || -> Result<(), Box<dyn std::error::Error>> {
        let errand: Errand = serde_json::from_str(&std::env::args().nth(2).ok_or("send needs an errand")?)?;
        tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(send_all(errand))
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: a sender gives up: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Sender {
    queue: Queue,
    ledger: File,
    life: u64,
    delays: bool,
}

async fn send_all(errand: Errand) -> Result<(), Box<dyn std::error::Error>> {
    let before = ledger::read(&errand.ledger)?;
    let accepted: HashSet<u64> = before.accepted.iter().map(|accepted| accepted.sending.1).collect();
    let ledger = OpenOptions::new().create(true).append(true).open(&errand.ledger)?;
    let settings = Settings {
        max_depth: errand.depth,
        instance: format!("sender-{}", errand.numbers.start).into(),
        ..Settings::default()
    };
    let queue = Queue::new(open(&errand.place).await?, &Registry::collect()?, settings);
    let sender = Arc::new(Sender { queue, ledger, life: errand.life, delays: errand.delays });
    for last in before.accepted.iter().rev().filter(|last| last.sending.0 == Kind::Named).take(AGAIN) {
        sender.send_again(last.sending.1).await?;
    }
    let mut left = errand.numbers.filter(|n| !accepted.contains(n));
    let mut sending = JoinSet::new();
    loop {
        while sending.len() < WINDOW
            && let Some(n) = left.next()
        {
            let sender = sender.clone();
            sending.spawn(async move { sender.send(n).await });
        }
        match sending.join_next().await {
            Some(sent) => sent??,
            None => return Ok(()),
        }
    }
}

/// An engine that is out of reach, or has no room, may be there in a moment.
async fn open(place: &Place) -> Result<Arc<dyn butterfly::messages::Engine>, EngineError> {
    loop {
        match place.open().await {
            Err(EngineError::Unavailable(_) | EngineError::NoRoom(_)) => tokio::time::sleep(PAUSE).await,
            opened => return opened,
        }
    }
}

impl Sender {
    /// Sends a message until it is accepted.
    async fn send(&self, n: u64) -> io::Result<()> {
        for attempt in 0.. {
            let sent = self.life * ATTEMPTS + attempt;
            let line = match self.once(n, sent).await {
                Ok((id, _)) => Line::Accepted { sending: (kind_of(n), n, sent), id },
                Err(error) => Line::Refused { sending: (kind_of(n), n, sent), why: error.to_string() },
            };
            self.write(&line)?;
            if matches!(line, Line::Accepted { .. }) {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Sends a message that was accepted before: it must be known.
    async fn send_again(&self, n: u64) -> io::Result<()> {
        loop {
            if let Ok((_, new)) = self.once(n, self.life * ATTEMPTS + ATTEMPTS - 1).await {
                return self.write(&Line::Again { n, new });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Gives the id of the message, and whether it is a new one.
    async fn once(&self, n: u64, sent: u64) -> Result<(String, bool), Error> {
        let receipt = match kind_of(n) {
            Kind::Named => {
                let enqueue = self.queue.enqueue(&torture::named::job(n, sent)).id(name_of(n));
                match delay_of(n).filter(|_| self.delays) {
                    Some(delay) => enqueue.delay(delay).await?,
                    None => enqueue.await?,
                }
            }
            Kind::Plain => self.queue.enqueue(&torture::plain::job(n, sent)).await?,
        };
        Ok((receipt.id.to_string(), receipt.new))
    }

    fn write(&self, line: &Line) -> io::Result<()> {
        (&self.ledger).write_all(format!("{line}\n").as_bytes())
    }
}

/// One named message in fifty is to wait a moment.
fn delay_of(n: u64) -> Option<Duration> {
    let luck = mix(n ^ 0xDE1A);
    luck.is_multiple_of(50).then(|| Duration::from_millis(luck >> 32 & 0x3FF))
}
