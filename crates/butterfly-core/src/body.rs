//! Bodies that arrive or leave piece by piece.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;

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
                return Err(io::Error::other(format!("the body is larger than {limit} bytes")));
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
