//! How the body is fed to the parser: in small steps and within an allowance, so that memory stays bounded.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::{error, io};

use butterfly_core::{Body, BodyError, Fault};
use bytes::Bytes;
use futures_core::Stream;

/// The most bytes that may come before a part's content begins: its headers, or what stands before the first part.
pub(super) const HEADERS: usize = 16 << 10;

/// The headers of a part do not end.
#[derive(Debug)]
struct HeadersTooLong;

impl fmt::Display for HeadersTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no part begins within {HEADERS} bytes")
    }
}

impl error::Error for HeadersTooLong {}

/// What the parser may take: how many bytes before it must have found a part, and when.
///
/// The parser keeps all that it took while it looks for a boundary or for the end of headers. Without an end to
/// that, a body of neither would come to lie in memory whole.
#[derive(Debug, Clone)]
pub(super) struct Allowance(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    left: AtomicUsize,
    pauses: AtomicU8,
}

impl Default for Allowance {
    fn default() -> Self {
        Self(Arc::new(Shared { left: AtomicUsize::new(usize::MAX), pauses: AtomicU8::new(1) }))
    }
}

impl Allowance {
    pub(super) fn limited(&self) {
        self.0.left.store(HEADERS, Relaxed);
    }

    pub(super) fn unlimited(&self) {
        self.0.left.store(usize::MAX, Relaxed);
    }

    /// Has the parser look at what it holds before it takes more: to be called before each step.
    ///
    /// It takes a piece for each part that it is asked for, also when it holds a thousand small ones already.
    pub(super) fn first_what_is_there(&self) {
        self.0.pauses.fetch_max(1, Relaxed);
    }

    /// The first pause ends the taking; the second is for a look at the piece before the next one, also where the
    /// parser took it too late to look at it in the same turn.
    fn pause_twice(&self) {
        self.0.pauses.store(2, Relaxed);
    }

    fn pauses(&self) -> bool {
        self.0.pauses.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    /// Takes off a piece. The last one may be larger than what was left: memory holds one piece anyway.
    fn spend(&self, bytes: usize) {
        self.0.left.store(self.0.left.load(Relaxed).saturating_sub(bytes), Relaxed);
    }

    fn is_spent(&self) -> bool {
        self.0.left.load(Relaxed) == 0
    }
}

/// The body as the parser sees it: one piece for each time that it looks.
///
/// The parser takes pieces until there is none, and a caller who sends faster than the disk writes would fill the
/// memory with them. So after each piece there is none, for one moment.
#[derive(Debug)]
pub(super) struct Feed {
    body: Option<Body>,
    allowance: Allowance,
}

impl Feed {
    pub(super) fn new(body: Body, allowance: Allowance) -> Self {
        Self { body: Some(body), allowance }
    }

    fn piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        if self.allowance.is_spent() {
            return Poll::Ready(Some(Err(io::Error::other(HeadersTooLong))));
        }
        Pin::new(body).poll_next(cx)
    }
}

impl Stream for Feed {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.allowance.pauses() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let next = ready!(self.piece(cx));
        match &next {
            Some(Ok(piece)) => {
                self.allowance.spend(piece.len());
                self.allowance.pause_twice();
            }
            // A body that has ended, well or not, is not asked again.
            _ => self.body = None,
        }
        Poll::Ready(next)
    }
}

/// What a parser's error means to the caller.
pub(super) fn fault(error: multer::Error) -> Fault {
    match error {
        multer::Error::StreamReadFailed(source) => broken(source.as_ref()),
        multer::Error::IncompleteFieldData { .. }
        | multer::Error::IncompleteHeaders
        | multer::Error::IncompleteStream => Fault::BadBody(
            "the form ends before its last boundary, or its boundaries differ from the header's".into(),
        ),
        other => Fault::BadBody(format!("the form cannot be read: {other}")),
    }
}

fn broken(source: &(dyn error::Error + 'static)) -> Fault {
    let inner = source.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    let Some(inner) = inner else { return Fault::BadBody("the form broke off".into()) };
    match inner.downcast_ref::<BodyError>() {
        Some(error) => (*error).into(),
        None if inner.is::<HeadersTooLong>() => Fault::BadBody(inner.to_string()),
        None => Fault::BadBody("the form broke off".into()),
    }
}
