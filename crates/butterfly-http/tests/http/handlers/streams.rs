//! Bodies in pieces, both ways.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use butterfly_core::reply::{Download, Http};
use butterfly_core::{Body, Ctx, Result};
use butterfly_http::Multipart;
use butterfly_macros::{data, handler};
use bytes::Bytes;
use futures_core::Stream;

use crate::support::{Events, Gate};

/// A byte that depends on its place, so that nothing can be lost, doubled or swapped unseen.
pub(crate) fn byte_at(at: u64) -> u8 {
    (at % 251) as u8 ^ (at >> 16) as u8
}

/// So many such bytes from a place on.
pub(crate) fn pattern(from: u64, count: usize) -> Vec<u8> {
    (from..from + count as u64).map(byte_at).collect()
}

#[data]
struct Received {
    bytes: u64,
    pieces: u64,
    intact: bool,
}

/// Counts and compares what arrives.
#[handler(upload)]
async fn take(ctx: &Ctx, #[default(false)] wait: bool, mut body: Body) -> Result<Received> {
    if wait {
        ctx.state::<Events>()?.push("waits");
        ctx.state::<Gate>()?.pass().await;
    }
    let mut got = Received { bytes: 0, pieces: 0, intact: true };
    while let Some(piece) = body.next().await {
        let piece = piece?;
        got.intact &= piece.iter().zip(got.bytes..).all(|(byte, at)| *byte == byte_at(at));
        got.bytes += piece.len() as u64;
        got.pieces += 1;
    }
    Ok(got)
}

/// Answers without a look at the body.
#[handler(upload)]
fn ignore(body: Body) {
    drop(body);
}

/// Says when each piece arrived.
#[handler(upload)]
async fn echo(ctx: &Ctx, mut body: Body) -> Result<()> {
    while let Some(piece) = body.next().await {
        ctx.state::<Events>()?.push(format!("piece {}", String::from_utf8_lossy(&piece?)));
    }
    Ok(())
}

#[handler(upload)]
async fn form(mut form: Multipart) -> Result<Vec<String>> {
    let mut seen = Vec::new();
    while let Some(part) = form.next().await? {
        let name = format!("{}/{}", part.name(), part.file_name().unwrap_or("-"));
        seen.push(format!("{name}={}", part.bytes(1 << 20).await?.len()));
    }
    Ok(seen)
}

/// How much a stream has given out, for the test.
#[derive(Default, Clone)]
pub(crate) struct Given(pub(crate) Arc<AtomicU64>);

struct Pattern<'a> {
    at: u64,
    end: u64,
    fate: &'a str,
    given: Option<Given>,
    events: Option<Arc<Told>>,
}

/// Tells the test that a stream was dropped.
struct Told(Box<dyn Fn() + Send + Sync>);

impl Drop for Told {
    fn drop(&mut self) {
        (self.0)();
    }
}

impl Stream for Pattern<'static> {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.at == self.end {
            return match self.fate {
                "breaks" => Poll::Ready(Some(Err(io::Error::other("the disk is gone")))),
                "panics" => panic!("the stream went boom"),
                _ => {
                    self.events = None;
                    Poll::Ready(None)
                }
            };
        }
        let count = (self.end - self.at).min(32 * 1024);
        let piece = pattern(self.at, count as usize);
        self.at += count;
        if let Some(given) = &self.given {
            given.0.fetch_add(count, Ordering::SeqCst);
        }
        Poll::Ready(Some(Ok(piece.into())))
    }
}

fn fate(how: &str) -> &'static str {
    match how {
        "breaks" => "breaks",
        "panics" => "panics",
        _ => "ends",
    }
}

/// A stream of known length; `say` more or less than it has.
#[handler(download)]
fn give(ctx: &Ctx, bytes: u64, say: Option<u64>, #[default("ends")] how: String) -> Result<Download> {
    let given = Some(ctx.state::<Given>()?.clone());
    let app = ctx.app().clone();
    let told = Told(Box::new(move || {
        if let Some(events) = app.state.get::<Events>() {
            events.push("stream dropped");
        }
    }));
    let pieces = Pattern { at: 0, end: bytes, fate: fate(&how), given, events: Some(Arc::new(told)) };
    Ok(Download::stream(pieces, Some(say.unwrap_or(bytes))))
}

/// A stream of unknown length.
#[handler(http)]
fn chunks(bytes: u64, #[default("ends")] how: String) -> Http {
    let pieces = Pattern { at: 0, end: bytes, fate: fate(&how), given: None, events: None };
    Http::stream("application/octet-stream", pieces)
}
