//! Bodies that arrive or leave piece by piece.

use std::error::Error as StdError;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;

use crate::Fault;

/// A request or answer body as a stream of pieces; memory holds one piece at a time.
///
/// # Example
///
/// ```
/// use butterfly_core::Body;
///
/// # let read = async {
/// let mut body = Body::from("hello".to_owned());
/// while let Some(piece) = body.next().await {
///     assert_eq!(piece?, "hello");
/// }
/// # std::io::Result::Ok(())
/// # };
/// ```
pub struct Body {
    pieces: Option<Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>>,
    first: Option<Bytes>,
    length: Option<u64>,
}

impl Body {
    /// A body without a byte.
    #[must_use]
    pub fn empty() -> Self {
        Self { pieces: None, first: None, length: Some(0) }
    }

    /// A body from a stream; `length` is its size in bytes where it is known.
    pub fn stream(
        pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
        length: Option<u64>,
    ) -> Self {
        Self { pieces: Some(Box::pin(pieces)), first: None, length }
    }

    /// The size in bytes, where it is known.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// The next piece; `None` at the end.
    pub async fn next(&mut self) -> Option<io::Result<Bytes>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// The whole body in memory.
    ///
    /// # Errors
    ///
    /// When the body breaks off or is larger than `limit` bytes.
    pub async fn bytes(mut self, limit: usize) -> io::Result<Bytes> {
        let mut all = Vec::new();
        while let Some(piece) = self.next().await {
            let piece = piece?;
            if all.len() + piece.len() > limit {
                return Err(BodyError::TooLarge { limit: limit as u64 }.into());
            }
            all.extend_from_slice(&piece);
        }
        Ok(all.into())
    }
}

impl Stream for Body {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        match &mut self.pieces {
            Some(pieces) => pieces.as_mut().poll_next(cx),
            None => Poll::Ready(None),
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<http_body::Frame<Bytes>>>> {
        self.poll_next(cx).map(|piece| piece.map(|piece| piece.map(http_body::Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.pieces.is_none()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.length.map_or_else(http_body::SizeHint::default, http_body::SizeHint::with_exact)
    }
}

impl<B: Into<Bytes>> From<B> for Body {
    fn from(bytes: B) -> Self {
        let bytes = bytes.into();
        let length = Some(bytes.len() as u64);
        Self { pieces: None, first: Some(bytes).filter(|bytes| !bytes.is_empty()), length }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("length", &self.length).finish_non_exhaustive()
    }
}

/// Why a body cannot be read on: the caller's doing, not the handler's.
///
/// It travels inside an [`io::Error`]. A handler that passes that on with `?` answers 413 or `ERR_BAD_PARAMS`, as
/// for a body that the framework reads itself.
///
/// # Example
///
/// ```
/// use butterfly_core::{BodyError, Error, Stat};
///
/// let error = std::io::Error::from(BodyError::Broken("the body broke off"));
/// assert_eq!(Error::from(error).stat(), Stat::ERR_BAD_PARAMS);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyError {
    /// It is larger than so many bytes.
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// It broke off, stood still or is malformed.
    Broken(&'static str),
}

impl BodyError {
    /// The body error that an I/O error carries.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { limit } => write!(f, "the body is larger than {limit} bytes"),
            Self::Broken(why) => f.write_str(why),
        }
    }
}

impl StdError for BodyError {}

impl From<BodyError> for io::Error {
    fn from(error: BodyError) -> Self {
        Self::other(error)
    }
}

impl From<BodyError> for Fault {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge { limit } => Self::TooLarge { limit },
            BodyError::Broken(why) => Self::BadBody(why.to_owned()),
        }
    }
}
