//! The bytes of a connection: one buffer in, one buffer out, one timer.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::futures::OwnedNotified;
use tokio::time::{Sleep, sleep_until};

use crate::drain::Drain;

/// The first size of the read buffer; it grows to what heads and bodies need.
const READ: usize = 4 * 1024;
/// Answers are sent once so much is gathered, or no request is left to answer.
const GATHER: usize = 32 * 1024;
/// The read buffer while a large body comes.
const BODY: usize = 64 * 1024;
/// Buffers above this size are given back before a connection waits for its next request.
const KEEP: usize = 32 * 1024;

/// Why there is nothing more to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gone {
    Closed,
    TimedOut,
    Stopping,
}

/// Reads and writes a connection.
pub(super) struct Wire {
    stream: TcpStream,
    buf: Vec<u8>,
    start: usize,
    end: usize,
    pub(super) out: Vec<u8>,
    /// How much of `out` is sent: kept here, since a wait for room may be given up.
    sent: usize,
    pub(super) timer: Timer,
    pub(super) drain: Arc<Drain>,
    stop: Option<Pin<Box<OwnedNotified>>>,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, drain: Arc<Drain>) -> Self {
        let (buf, out) = (vec![0; READ], Vec::with_capacity(READ / 4));
        Self { stream, buf, start: 0, end: 0, out, sent: 0, timer: Timer::default(), drain, stop: None }
    }

    /// What was read and not yet taken.
    pub(super) fn pending(&self) -> &[u8] {
        &self.buf[self.start..self.end]
    }

    pub(super) fn take(&mut self, count: usize) {
        self.start += count;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Makes the buffers small again where a large head, body or answer made them grow: a connection may now be
    /// idle for long.
    pub(super) fn rest(&mut self) {
        if self.buf.len() > KEEP {
            self.buf = vec![0; READ];
        }
        if self.out.capacity() > KEEP && self.out.is_empty() {
            self.out = Vec::with_capacity(READ / 4);
        }
    }

    /// Makes room for a body of which so much is still to come, so that it takes few reads.
    pub(super) fn widen(&mut self, left: u64) {
        if self.start == self.end && self.buf.len() < BODY && left > self.buf.len() as u64 {
            self.buf.resize(BODY, 0);
        }
    }

    /// The connection and what was read from it, for another protocol.
    pub(super) fn into_parts(self) -> (TcpStream, Vec<u8>) {
        let pending = self.pending().to_vec();
        (self.stream, pending)
    }

    /// Reads what is there, waiting for the first byte until the deadline. An idle wait also ends when the server
    /// stops.
    pub(super) async fn read(&mut self, deadline: Instant, idle: bool) -> Result<(), Gone> {
        self.make_room();
        let Self { stream, buf, end, timer, drain, stop, .. } = self;
        let count = poll_fn(|cx| {
            let mut room = ReadBuf::new(&mut buf[*end..]);
            match Pin::new(&mut *stream).poll_read(cx, &mut room) {
                Poll::Ready(result) => {
                    return Poll::Ready(result.map(|()| room.filled().len()).map_err(|_| Gone::Closed));
                }
                Poll::Pending if timer.expired(cx, deadline) => return Poll::Ready(Err(Gone::TimedOut)),
                Poll::Pending => {}
            }
            if idle && stopping(drain, stop, cx) {
                // A request may have come that the runtime has not been told of yet: closing now would destroy it.
                return Poll::Ready(arrived(stream, &mut buf[*end..]).ok_or(Gone::Stopping));
            }
            Poll::Pending
        })
        .await?;
        *end += count;
        if count == 0 { Err(Gone::Closed) } else { Ok(()) }
    }

    fn make_room(&mut self) {
        if self.end < self.buf.len() {
            return;
        }
        if self.start > 0 {
            self.buf.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        } else {
            self.buf.resize(self.buf.len() * 2, 0);
        }
    }

    /// True when enough answers are gathered to be sent.
    pub(super) fn full(&self) -> bool {
        self.out.len() >= GATHER
    }

    /// Sends what is gathered. The other end may stand still no longer than `patience`.
    pub(super) async fn flush(&mut self, patience: Duration) -> io::Result<()> {
        let Self { stream, out, sent, timer, .. } = self;
        while *sent < out.len() {
            let mut deadline = None;
            *sent += poll_fn(|cx| match Pin::new(&mut *stream).poll_write(cx, &out[*sent..]) {
                Poll::Ready(result) => Poll::Ready(result),
                Poll::Pending => {
                    let deadline = *deadline.get_or_insert_with(|| Instant::now() + patience);
                    if timer.expired(cx, deadline) {
                        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
                    } else {
                        Poll::Pending
                    }
                }
            })
            .await?;
        }
        out.clear();
        *sent = 0;
        Ok(())
    }

    /// Sends what the other end takes at once. An error is left to the next [`flush`](Self::flush).
    fn push(&mut self, cx: &mut Context<'_>) {
        while self.sent < self.out.len() {
            match Pin::new(&mut self.stream).poll_write(cx, &self.out[self.sent..]) {
                Poll::Ready(Ok(count)) => self.sent += count,
                _ => return,
            }
        }
    }

    /// Runs a call until the deadline; `None` when it was not ready by then. Answers to earlier requests do not
    /// wait for it.
    pub(super) async fn within<T>(
        &mut self,
        deadline: Option<Instant>,
        call: impl Future<Output = T>,
    ) -> Option<T> {
        let mut call = std::pin::pin!(call);
        poll_fn(|cx| {
            if let Poll::Ready(value) = call.as_mut().poll(cx) {
                return Poll::Ready(Some(value));
            }
            self.push(cx);
            match deadline {
                Some(deadline) if self.timer.expired(cx, deadline) => Poll::Ready(None),
                _ => Poll::Pending,
            }
        })
        .await
    }

    /// Ends a connection whose peer may still be sending: what it sends is read and dropped for a while, since
    /// closing at once would destroy the answer before the peer has read it.
    pub(super) async fn linger(mut self, patience: Duration) {
        const MOST: usize = 1 << 20;
        if self.flush(patience).await.is_err()
            || poll_fn(|cx| Pin::new(&mut self.stream).poll_shutdown(cx)).await.is_err()
        {
            return;
        }
        let deadline = Instant::now() + patience.min(Duration::from_secs(2));
        let mut dropped = 0;
        while dropped < MOST && self.read(deadline, false).await.is_ok() {
            dropped += self.pending().len();
            self.take(self.pending().len());
        }
    }
}

/// Reads what the system holds for a connection, without the runtime's word that there is something.
fn arrived(stream: &TcpStream, room: &mut [u8]) -> Option<usize> {
    let (count, _) = rustix::net::recv(stream, room, rustix::net::RecvFlags::DONTWAIT).ok()?;
    Some(count).filter(|count| *count > 0)
}

/// Asks whether the server stops; asks to be woken when it does, once.
fn stopping(drain: &Drain, stop: &mut Option<Pin<Box<OwnedNotified>>>, cx: &mut Context<'_>) -> bool {
    if stop.is_none() {
        let begun = stop.insert(Box::pin(drain.begun()));
        // Registers the task; a connection stays in one task for life.
        let _ = begun.as_mut().poll(cx);
    }
    drain.stopping()
}

/// One timer for all waits of a connection. It is set anew only when a wait ends earlier than the timer would ring,
/// or when it rang too early: a request that is answered in time costs no timer operation.
#[derive(Default)]
pub(super) struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
    waker: Option<Waker>,
}

impl Timer {
    /// True when the deadline has passed; else the task will be woken at the deadline, or before.
    pub(super) fn expired(&mut self, cx: &mut Context<'_>, deadline: Instant) -> bool {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline.into())));
        if sleep.deadline().into_std() > deadline {
            sleep.as_mut().reset(deadline.into());
            self.waker = None;
        }
        loop {
            if sleep.is_elapsed() {
                if Instant::now() >= deadline {
                    return true;
                }
                sleep.as_mut().reset(deadline.into());
                self.waker = None;
            }
            if self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                return false;
            }
            if sleep.as_mut().poll(cx).is_pending() {
                self.waker = Some(cx.waker().clone());
                return false;
            }
        }
    }
}

/// A connection that begins with bytes that were already read.
#[derive(Debug)]
pub(crate) struct Rewound {
    stream: TcpStream,
    first: Vec<u8>,
    taken: usize,
}

impl Rewound {
    pub(crate) fn new(stream: TcpStream, first: Vec<u8>) -> Self {
        Self { stream, first, taken: 0 }
    }
}

impl AsyncRead for Rewound {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.taken < self.first.len() {
            let count = room.remaining().min(self.first.len() - self.taken);
            room.put_slice(&self.first[self.taken..self.taken + count]);
            self.taken += count;
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(cx, room)
    }
}

impl AsyncWrite for Rewound {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
