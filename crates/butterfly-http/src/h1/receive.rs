//! Bodies on their way in: whole into memory, or piece by piece to a handler that runs beside.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use butterfly_core::{Body, Error, Fault, Result};
use bytes::Bytes;
use futures_core::Stream;
use tokio::sync::mpsc;

use super::framing::{BodyDecoder, Framing};
use super::parse::Request;
use super::respond::CONTINUE;
use super::wire::{Gone, Wire};
use crate::multipart::LimitExceeded;

/// Reads the body of one request.
pub(super) struct Receiver {
    decoder: BodyDecoder,
    limit: u64,
    seen: u64,
    patience: Duration,
    expects: bool,
    announced: Option<u64>,
}

/// Why a body cannot be had.
#[derive(Debug)]
pub(super) enum Broken {
    TooLarge(u64),
    Malformed(&'static str),
    Gone(Gone),
}

impl From<Broken> for Error {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::TooLarge(limit) => Fault::TooLarge { limit }.into(),
            Broken::Malformed(why) => Fault::BadBody(why.to_owned()).into(),
            Broken::Gone(Gone::TimedOut) => Fault::BadBody("the body stood still for too long".into()).into(),
            Broken::Gone(_) => Fault::BadBody("the body broke off".into()).into(),
        }
    }
}

impl From<Broken> for io::Error {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::TooLarge(limit) => io::Error::other(LimitExceeded(limit)),
            Broken::Malformed(why) => io::Error::new(io::ErrorKind::InvalidData, why),
            Broken::Gone(Gone::TimedOut) => io::ErrorKind::TimedOut.into(),
            Broken::Gone(_) => io::ErrorKind::UnexpectedEof.into(),
        }
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
        Self { decoder, limit, seen: 0, patience, expects: request.expect_continue, announced }
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
            wire.flush(self.patience).await.map_err(|_| Broken::Gone(Gone::Closed))?;
        }
        wire.read(Instant::now() + self.patience, false).await.map_err(Broken::Gone)
    }

    /// Feeds a handler's body until it ends or the handler stops listening.
    pub(super) async fn pump(&mut self, wire: &mut Wire, sink: mpsc::Sender<io::Result<Bytes>>) {
        loop {
            // Reads only when the handler has room: what is not read stays in the kernel, and slows the sender.
            let Ok(slot) = sink.reserve().await else { return };
            match self.piece(wire).await {
                Ok(Some(piece)) => slot.send(Ok(piece)),
                Ok(None) => return,
                Err(broken) => return slot.send(Err(broken.into())),
            }
        }
    }

    /// Drops what is left of a body that nobody read, when it is little; false when the connection must close.
    pub(super) async fn discard(&mut self, wire: &mut Wire) -> bool {
        const LITTLE: u64 = 64 * 1024;
        let waiting = self.expects && wire.pending().is_empty();
        self.limit = self.seen + LITTLE;
        if waiting || self.decoder.remaining().is_some_and(|left| left > LITTLE) {
            return self.finished();
        }
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
struct Pieces(mpsc::Receiver<io::Result<Bytes>>);

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(cx)
    }
}

/// A body and the end into which its pieces go.
pub(super) fn channel(announced: Option<u64>) -> (mpsc::Sender<io::Result<Bytes>>, Body) {
    let (sender, receiver) = mpsc::channel(4);
    (sender, Body::stream(Pieces(receiver), announced))
}

impl Receiver {
    /// The length that the caller announced.
    pub(super) fn announced(&self) -> Option<u64> {
        self.announced
    }
}
