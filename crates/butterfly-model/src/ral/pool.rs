//! Connections to one address: so many at most, used again while they are good.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::net::RecvFlags;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

#[derive(Debug)]
pub(super) struct Pool {
    idle: Mutex<Vec<Idle>>,
    room: Arc<Semaphore>,
    max_idle: usize,
    idle_timeout: Duration,
}

#[derive(Debug)]
struct Idle {
    stream: TcpStream,
    since: Instant,
}

/// The right to one connection. Dropping it, in whatever state, gives the right back.
#[derive(Debug)]
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    pub(super) fn new(max: usize, max_idle: usize, idle_timeout: Duration) -> Self {
        Self { idle: Mutex::default(), room: Arc::new(Semaphore::new(max)), max_idle, idle_timeout }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn idle_count(&self) -> usize {
        self.idle().len()
    }

    /// Waits for room. The room is never closed.
    pub(super) async fn place(&self) -> Option<Place> {
        self.room.clone().acquire_owned().await.ok().map(|permit| Place { _permit: permit })
    }

    /// A connection from before that is still good.
    pub(super) fn reuse(&self) -> Option<TcpStream> {
        loop {
            let Idle { stream, since } = self.idle().pop()?;
            if since.elapsed() < self.idle_timeout && is_quiet(&stream) {
                return Some(stream);
            }
        }
    }

    /// Keeps a connection whose answer was read to its end.
    pub(super) fn keep(&self, stream: TcpStream) {
        let mut idle = self.idle();
        // The last one in is the first one out: the first ones are those that nobody needs.
        let old = idle.iter().take_while(|idle| idle.since.elapsed() >= self.idle_timeout).count();
        idle.drain(..old);
        if idle.len() < self.max_idle {
            idle.push(Idle { stream, since: Instant::now() });
        }
    }
}

/// Whether a connection is open and has nothing to say. The runtime may not have heard yet of what has come, the system
/// has.
fn is_quiet(stream: &TcpStream) -> bool {
    let mut byte = [0u8; 1];
    let looked = rustix::net::recv(stream, &mut byte[..], RecvFlags::PEEK | RecvFlags::DONTWAIT);
    matches!(looked, Err(error) if io::Error::from(error).kind() == io::ErrorKind::WouldBlock)
}
