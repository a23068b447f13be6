//! Forms with files: in whatever pieces they arrive they are the same form, and a flood does not fill the memory.
//!
//! Input: a choice (the size of the pieces, whether a flood follows), the content type up to the end of the line, the
//! body.

#![no_main]

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};

use butterfly::{Body, Ctx, Door, Error, Fault, FromBody};
use butterfly_core::head::Head;
use butterfly_fuzz::{choice, finish, line};
use butterfly_http::Multipart;
use bytes::Bytes;
use futures_core::Stream;
use http::Method;
use libfuzzer_sys::fuzz_target;

/// One piece of a flood.
static FLOOD: [u8; 16 << 10] = [b'x'; 16 << 10];

/// How many pieces a flood has.
const PIECES: usize = 40;

fuzz_target!(|data: &[u8]| {
    let (number, data) = choice(data);
    let (kind, body) = line(data);
    let mut ctx = Ctx::new(Door::Http);
    let mut head = Head::new(Method::POST, "/");
    head.push("Content-Type", kind);
    ctx.replace_head(Some(Box::new(head)));

    let whole = read(&ctx, Pieces::of(body, body.len()));
    let cut = read(&ctx, Pieces::of(body, 1 + number / 2));
    assert_eq!(whole.as_ref().map_err(drop), cut.as_ref().map_err(drop));
    if let Ok(whole) = &whole {
        assert_eq!(read(&ctx, Pieces::large(body, number)).as_ref(), Ok(whole));
    }
    if number % 2 == 1 {
        let _ = read(&ctx, Pieces { flood: PIECES, ..Pieces::of(body, 1 + number * 16) });
    }
    skipped(&ctx, body, whole.map_or(0, |rows| rows.len()));
});

/// The parts that are left unread are as many as those that are read.
fn skipped(ctx: &Ctx, body: &[u8], wanted: usize) {
    let Ok(mut form) = Multipart::from_body(ctx, Pieces::of(body, 7).body()) else { return };
    let mut count = 0;
    while let Ok(Some(_)) = finish(form.next()) {
        count += 1;
    }
    assert!(count >= wanted);
}

/// Name, file name and content of a part.
type Row = (String, Option<String>, Vec<u8>);

fn read(ctx: &Ctx, pieces: Pieces) -> Result<Vec<Row>, ()> {
    let (real, fed) = (pieces.left.iter().map(Bytes::len).sum(), pieces.fed.clone());
    let held = Held { real, fed, delivered: 0 };
    rows(ctx, pieces.body(), held).map_err(|error| match error.fault() {
        Fault::BadBody(why) => assert!(!why.is_empty()),
        other => panic!("{other:?}"),
    })
}

fn rows(ctx: &Ctx, body: Body, mut held: Held) -> Result<Vec<Row>, Error> {
    let mut form = Multipart::from_body(ctx, body)?;
    let mut rows = Vec::new();
    while let Some(mut part) = finish(form.next())? {
        held.check(0);
        let name = part.name().to_owned();
        let file = part.file_name().map(str::to_owned);
        file.iter().for_each(|file| harmless(file));
        let mut content = Vec::new();
        while let Some(piece) = finish(part.next_piece())? {
            held.check(piece.len());
            content.extend_from_slice(&piece);
        }
        rows.push((name, file, content));
    }
    Ok(rows)
}

/// A file name is one plain component.
fn harmless(name: &str) {
    assert!((1..=255).contains(&name.len()) && !name.starts_with('.'));
    assert!(
        !name.contains(|letter: char| letter.is_control() || r#"/\<>:"|?*"#.contains(letter)),
        "{name:?}"
    );
}

/// How much the form keeps in memory, beside the input itself.
struct Held {
    real: usize,
    fed: Arc<AtomicUsize>,
    delivered: usize,
}

impl Held {
    fn check(&mut self, delivered: usize) {
        self.delivered += delivered;
        let held = self.fed.load(Relaxed).saturating_sub(self.delivered + self.real);
        assert!(held <= 4 * FLOOD.len(), "{held} bytes kept");
    }
}

/// A body in pieces; after it, as often as told, a piece of a flood.
struct Pieces {
    left: VecDeque<Bytes>,
    flood: usize,
    fed: Arc<AtomicUsize>,
}

impl Pieces {
    fn of(body: &[u8], size: usize) -> Self {
        let left = body.chunks(size.max(1)).map(Bytes::copy_from_slice).collect();
        Self { left, flood: 0, fed: Arc::default() }
    }

    /// In two pieces, the second of them large: what follows the form is no part of it.
    fn large(body: &[u8], first: usize) -> Self {
        let (first, second) = body.split_at(first.min(body.len()));
        let second = [second, b"\r\n", &FLOOD[..]].concat();
        let left = [first, &second].map(Bytes::copy_from_slice);
        Self { left: left.into(), flood: 0, fed: Arc::default() }
    }

    fn body(self) -> Body {
        Body::stream(self, None)
    }
}

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let piece = self.left.pop_front().or_else(|| {
            self.flood = self.flood.checked_sub(1)?;
            Some(Bytes::from_static(&FLOOD))
        });
        self.fed.fetch_add(piece.as_ref().map_or(0, Bytes::len), Relaxed);
        Poll::Ready(piece.map(Ok))
    }
}
