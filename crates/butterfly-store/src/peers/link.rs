//! The connections between processes.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;

use super::folder::Place;
use super::{PeerEvent, PeerName};

/// So much may wait for a process that does not read; then the connection is given up, and made anew.
const WAITING_MAX: usize = 65_536;
/// The longest text that is read.
const LINE_MAX: u64 = 64 * 1024;

/// All connections of this process.
pub(crate) struct Links {
    place: Arc<Place>,
    events: mpsc::UnboundedSender<PeerEvent>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    links: HashMap<PeerName, Link>,
    /// Tells a connection from a later one to the same process.
    count: u64,
    closed: bool,
}

struct Link {
    number: u64,
    lines: mpsc::Sender<String>,
    task: tokio::task::AbortHandle,
    /// Two processes that connect to each other at once have two connections. Either may be the later one for its
    /// side, so neither is closed: the other side would take the end of it for a death.
    older: Option<Box<Link>>,
}

impl Links {
    pub(crate) fn new(place: Arc<Place>, events: mpsc::UnboundedSender<PeerEvent>) -> Self {
        Self { place, events, open: Mutex::default() }
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn event(&self, event: PeerEvent) {
        // Nobody listens any more: the process is leaving.
        let _ = self.events.send(event);
    }

    pub(crate) fn names(&self) -> Vec<PeerName> {
        self.open().links.keys().cloned().collect()
    }

    pub(crate) fn tell(&self, to: &PeerName, text: &str) {
        let mut open = self.open();
        if let Some(link) = open.links.get(to)
            && !link.tell(text)
        {
            open.links.remove(to);
        }
    }

    pub(crate) fn tell_all(&self, text: &str) {
        self.open().links.retain(|_, link| link.tell(text));
    }

    pub(crate) fn close(&self) {
        let mut open = self.open();
        open.closed = true;
        open.links.drain().for_each(|(_, link)| link.stop());
    }
}

impl Link {
    fn tell(&self, text: &str) -> bool {
        let line = text.lines().next().unwrap_or_default();
        self.lines.try_send(format!("{line}\n")).is_ok()
    }

    fn stop(self) {
        self.task.abort();
        if let Some(older) = self.older {
            older.stop();
        }
    }
}

/// Takes in those that connect.
pub(crate) async fn accept(links: Arc<Links>, listener: UnixListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let links = Arc::clone(&links);
                tokio::spawn(async move {
                    // One that says no name, or none that is locked here, is no peer.
                    let _ = greeted(links, stream).await;
                });
            }
            Err(error) => {
                tracing::warn!("cannot take in a connection of another process: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn greeted(links: Arc<Links>, stream: UnixStream) -> io::Result<()> {
    let (read, write) = stream.into_split();
    let mut read = BufReader::new(read);
    let Some(name) = line(&mut read).await? else { return Ok(()) };
    let name = PeerName::from(name.as_str());
    if !name.as_str().contains('/') && links.place.folder().lives(&name) {
        start(links, name, read, write);
    }
    Ok(())
}

/// Connects to those that were here before, and tells of those that have died.
pub(crate) async fn meet(links: Arc<Links>, others: Vec<PeerName>) {
    for name in others {
        look_after(Arc::clone(&links), name).await;
    }
}

/// Connects to a process, or finds that it is dead.
async fn look_after(links: Arc<Links>, name: PeerName) {
    // A process that ends closes its connections a moment before the system gives its lock back.
    let mut pause = Duration::from_millis(1);
    loop {
        if !links.place.folder().lives(&name) {
            links.place.folder().clean(&name);
            return links.event(PeerEvent::Gone(name));
        }
        if let Ok(stream) = links.place.folder().connect(&name).await {
            let (read, mut write) = stream.into_split();
            if write.write_all(format!("{}\n", links.place.name()).as_bytes()).await.is_ok() {
                return start(links, name, BufReader::new(read), write);
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}

fn start(links: Arc<Links>, name: PeerName, read: BufReader<OwnedReadHalf>, write: OwnedWriteHalf) {
    let (lines, waiting) = mpsc::channel(WAITING_MAX);
    let mut open = links.open();
    if open.closed {
        return;
    }
    open.count += 1;
    let number = open.count;
    let task = tokio::spawn(listen(Arc::clone(&links), name.clone(), number, read)).abort_handle();
    tokio::spawn(speak(waiting, write));
    let older = open.links.remove(&name).map(Box::new);
    open.links.insert(name.clone(), Link { number, lines, task, older });
    drop(open);
    links.event(PeerEvent::Joined(name));
}

/// Writes what is said, many lines at once where they wait. Ends when the link is dropped.
async fn speak(mut waiting: mpsc::Receiver<String>, mut write: OwnedWriteHalf) {
    let mut lines = Vec::new();
    while waiting.recv_many(&mut lines, 256).await > 0 {
        if write.write_all(lines.concat().as_bytes()).await.is_err() {
            return;
        }
        lines.clear();
    }
}

/// Reads what is said until the connection ends, then looks why.
async fn listen(links: Arc<Links>, name: PeerName, number: u64, mut read: BufReader<OwnedReadHalf>) {
    while let Ok(Some(text)) = line(&mut read).await {
        links.event(PeerEvent::Told(name.clone(), text));
    }
    let current = {
        let mut open = links.open();
        let current = open.links.get(&name).is_none_or(|link| link.number == number) && !open.closed;
        if current {
            open.links.remove(&name);
        }
        current
    };
    if current {
        // Boxed: a connection that is made anew ends here again.
        let again: std::pin::Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(look_after(links, name));
        again.await;
    }
}

/// A line without its end; `None` when there is no whole one.
async fn line(read: &mut BufReader<OwnedReadHalf>) -> io::Result<Option<String>> {
    let mut text = String::new();
    (&mut *read).take(LINE_MAX).read_line(&mut text).await?;
    Ok(text.strip_suffix('\n').map(str::to_owned))
}
