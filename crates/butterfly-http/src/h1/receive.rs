//! Bodies on their way in: whole into memory, or piece by piece to a handler that runs beside.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use butterfly_core::{Body, BodyError, Error, Fault, Result};
use bytes::Bytes;
use futures_core::Stream;
use tokio::sync::{mpsc, oneshot};

use super::framing::{BodyDecoder, Framing};
use super::parse::Request;
use super::respond::CONTINUE;
use super::wire::{Gone, Wire};

/// So much of a body that nobody read is read and dropped, to keep the connection.
const LITTLE: u64 = 64 * 1024;

/// Reads the body of one request.
pub(super) struct Receiver {
    decoder: BodyDecoder,
    limit: u64,
    seen: u64,
    patience: Duration,
    /// When the whole body must be there.
    pub(super) until: Option<Instant>,
    expects: bool,
    announced: Option<u64>,
    /// What came cannot be read on.
    broken: bool,
}

/// Why a body cannot be had.
#[derive(Debug)]
pub(super) enum Broken {
    TooLarge(u64),
    Malformed(&'static str),
    Gone(Gone),
}

impl From<Broken> for BodyError {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::TooLarge(limit) => Self::TooLarge { limit },
            Broken::Malformed(why) => Self::Broken(why),
            Broken::Gone(Gone::TimedOut) => Self::Broken("the body stood still for too long"),
            Broken::Gone(_) => Self::Broken("the body broke off"),
        }
    }
}

impl From<Broken> for Error {
    fn from(broken: Broken) -> Self {
        Fault::from(BodyError::from(broken)).into()
    }
}

impl Receiver {
    pub(super) fn new(request: &Request, limit: u64, patience: Duration) -> Self {
        let announced = match request.framing {
            Framing::None => Some(0),
            Framing::Length(length) => Some(length),
            Framing::Chunked => None,
        };
        let decoder = BodyDecoder::new(request.framing);
        let expects = request.expect_continue;
        Self { decoder, limit, seen: 0, patience, until: None, expects, announced, broken: false }
    }

    /// True when the next request begins at the next byte.
    pub(super) fn finished(&self) -> bool {
        self.decoder.is_done()
    }

    /// The whole body.
    pub(super) async fn whole(&mut self, wire: &mut Wire) -> Result<Bytes, Broken> {
        if self.finished() {
            return Ok(Bytes::new());
        }
        // A length is a claim: memory grows with what arrives.
        let mut all = Vec::with_capacity(self.announced.unwrap_or(0).min(16 * 1024) as usize);
        while let Some(piece) = self.piece(wire).await? {
            all.extend_from_slice(&piece);
        }
        Ok(all.into())
    }

    /// The next piece; `None` at the end.
    async fn piece(&mut self, wire: &mut Wire) -> Result<Option<Bytes>, Broken> {
        let piece = self.next(wire).await;
        self.broken |= matches!(piece, Err(Broken::Malformed(_) | Broken::Gone(_)));
        piece
    }

    async fn next(&mut self, wire: &mut Wire) -> Result<Option<Bytes>, Broken> {
        if let Some(length) = self.announced.filter(|length| *length > self.limit) {
            self.seen = length;
            return Err(Broken::TooLarge(self.limit));
        }
        loop {
            let step =
                self.decoder.decode(wire.pending()).map_err(|error| Broken::Malformed(error.reason()))?;
            let piece = Bytes::copy_from_slice(&wire.pending()[step.data]);
            wire.take(step.consumed);
            self.seen += piece.len() as u64;
            if self.seen > self.limit {
                return Err(Broken::TooLarge(self.limit));
            }
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
            if step.done || self.finished() {
                return Ok(None);
            }
            if wire.pending().is_empty() {
                self.more(wire).await?;
            }
        }
    }

    async fn more(&mut self, wire: &mut Wire) -> Result<(), Broken> {
        if std::mem::take(&mut self.expects) {
            wire.out.extend_from_slice(CONTINUE);
        }
        // Answers to earlier requests do not wait for this body.
        wire.flush(self.patience).await.map_err(|_| Broken::Gone(Gone::Closed))?;
        wire.widen(self.decoder.remaining().unwrap_or(u64::MAX));
        let patient = Instant::now() + self.patience;
        wire.read(self.until.map_or(patient, |until| until.min(patient)), false).await.map_err(Broken::Gone)
    }

    /// Feeds a handler's body until it ends or the handler stops listening.
    pub(super) async fn pump(&mut self, wire: &mut Wire, feed: Feed) {
        let Feed { sink, wanted } = feed;
        // What cannot be sent shows when the answer is.
        let _ = wire.flush(self.patience).await;
        if let Some(wanted) = wanted
            && wanted.await.is_err()
        {
            return;
        }
        loop {
            // Reads only when the handler has room: what is not read stays in the kernel, and slows the sender.
            let Ok(slot) = sink.reserve().await else { return };
            match self.piece(wire).await {
                Ok(Some(piece)) => slot.send(Ok(piece)),
                Ok(None) => return,
                Err(broken) => return slot.send(Err(BodyError::from(broken).into())),
            }
        }
    }

    /// True when what is left of the body is little enough to be read for the sake of the connection.
    pub(super) fn skippable(&self, wire: &Wire) -> bool {
        // Who waits for `100 Continue` may send the body or not: nobody can tell what comes next.
        let waiting = self.expects && wire.pending().is_empty();
        let much = self.decoder.remaining().is_some_and(|left| left > LITTLE);
        self.finished() || !(waiting || much || self.broken)
    }

    /// Drops what is left of a body that nobody read; false when the connection must close.
    pub(super) async fn discard(&mut self, wire: &mut Wire) -> bool {
        self.expects = false;
        self.until = None;
        self.limit = self.seen.saturating_add(LITTLE);
        loop {
            match self.piece(wire).await {
                Ok(Some(_)) => {}
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }
}

/// Pieces of a body that another part of the connection reads.
struct Pieces {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    /// Says that somebody wants the body, where the caller waits to hear that.
    wanted: Option<oneshot::Sender<()>>,
}

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(wanted) = self.wanted.take() {
            // Whoever pumps may have given up.
            let _ = wanted.send(());
        }
        self.pieces.poll_recv(cx)
    }
}

/// The end into which the pieces of a body go.
pub(super) struct Feed {
    sink: mpsc::Sender<io::Result<Bytes>>,
    wanted: Option<oneshot::Receiver<()>>,
}

impl Receiver {
    /// The body as the handler gets it, and the end into which its pieces go.
    pub(super) fn channel(&self) -> (Feed, Body) {
        let (sink, pieces) = mpsc::channel(4);
        let (want, wanted) = self.expects.then(oneshot::channel).unzip();
        (Feed { sink, wanted }, Body::stream(Pieces { pieces, wanted: want }, self.announced))
    }
}
