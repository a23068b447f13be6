//! Handlers that answer with files and streams.

use std::pin::Pin;
use std::task::{Context, Poll};

use butterfly::prelude::*;

/// A file of this program: its own manifest. Ranges, `ETag` and `Content-Type` come by themselves.
#[handler(download)]
fn manifest() -> Download {
    Download::file(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .save_as("demo.toml")
        .media_type("text/plain")
}

/// So many zeros, as a stream: memory holds one piece at a time.
#[handler(download)]
fn zeros(
    /// how many bytes
    #[check(range(0..=1_u64 << 40))]
    size: u64,
) -> Download {
    Download::stream(Zeros { left: size }, Some(size)).save_as("zeros.bin")
}

/// A stream of zeros.
struct Zeros {
    left: u64,
}

const PIECE: &[u8] = &[0; 64 * 1024];

impl butterfly::Stream for Zeros {
    type Item = std::io::Result<butterfly::Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let count = PIECE.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= count as u64;
        Poll::Ready(Some(Ok(butterfly::Bytes::from_static(&PIECE[..count]))))
    }
}
