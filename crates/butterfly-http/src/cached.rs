//! `#[handler(cache = "30s")]`: GET and HEAD are answered from what was answered before, with the headers by which
//! callers keep it too.
//!
//! An answer is kept for its handler, its arguments and the caller's name: who is called otherwise gets another.

use std::time::Duration;

use butterfly_core::args::Input;
use butterfly_core::reply::Content;
use butterfly_core::{App, Ctx, Error, Handler, Replies, Reply, Result, Stat, Turn, call, permit};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, ETAG, SET_COOKIE};
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::etag;

/// Longer keys are not kept: arguments of such a length hardly come twice.
const KEY_MAX: usize = 4096;

/// Where the answers of a call are kept, and for how long; `None` when they are not.
pub(crate) fn place<'a>(app: &'a App, handler: &Handler, ctx: &Ctx) -> Option<(&'a dyn Replies, Duration)> {
    let time = handler.options.cache?;
    let reads = ctx.head().is_some_and(|head| matches!(head.method().as_str(), "GET" | "HEAD"));
    app.replies.as_deref().filter(|_| reads && !handler.streams()).map(|replies| (replies, time))
}

/// Answers a call from what is kept, or makes it and keeps its answer.
pub(crate) async fn answer(
    (replies, time): (&dyn Replies, Duration),
    handler: &'static Handler,
    ctx: &Ctx,
    input: Input<'_>,
) -> Result<Reply> {
    // Who may not call, and what does not bind, is refused by the call itself; what JSON cannot carry is not kept.
    let args = permit(handler, ctx).and_then(|()| input.to_json(handler, ctx)).ok();
    let key = args.map(|args| key(handler, ctx, &args)).filter(|key| key.len() <= KEY_MAX);
    let Some(key) = key else { return call(handler, ctx, input).await };
    let hit = |kept: Kept| {
        ctx.note("cache=hit");
        kept.reply(handler, ctx, time)
    };
    let found = replies.find(&key).await;
    if let Some(kept) = found.as_ref().and_then(Kept::read) {
        return hit(kept);
    }
    let turn = replies.turn(&key).await;
    if let Turn::Made(bytes) = &turn
        && let Some(kept) = Kept::read(bytes)
    {
        return hit(kept);
    }
    let hand_on = |answer| {
        if let Turn::Make(hand_on) = turn {
            hand_on(answer);
        }
    };
    let kept = match call(handler, ctx, input).await.map(|reply| Kept::of(reply, ctx)) {
        Ok(Ok(kept)) => kept,
        Ok(Err(other)) => {
            hand_on(None);
            return Ok(*other);
        }
        Err(error) => {
            hand_on(None);
            return Err(error);
        }
    };
    let bytes = kept.write()?;
    replies.keep(&key, bytes.clone(), time).await;
    hand_on(Some(bytes));
    kept.reply(handler, ctx, time)
}

fn key(handler: &Handler, ctx: &Ctx, args: &str) -> String {
    format!("reply:{}\n{:?}\n{args}", handler.path, ctx.username())
}

/// An answer as it is kept: this head as one line of JSON, then the content.
#[derive(Serialize, Deserialize)]
struct Head {
    /// When it was made, in Unix milliseconds.
    made: u64,
    etag: String,
    /// `OK`, or `200` from a handler with status codes of its own.
    stat: String,
    json: bool,
    headers: Vec<(String, String)>,
}

struct Kept {
    head: Head,
    content: Bytes,
}

impl Kept {
    /// Takes an answer that can be kept; gives others back: what failed, what has a status of its own, what streams,
    /// what is for one caller (a cookie, a session), and what says itself how long it may be kept.
    fn of(reply: Reply, ctx: &Ctx) -> std::result::Result<Self, Box<Reply>> {
        let own = |name: &HeaderName| name == SET_COOKIE || name == CACHE_CONTROL || name == ETAG;
        let texts = reply.headers.iter().map(|(name, value)| {
            let text = value.to_str().ok().filter(|_| !own(name))?;
            Some((name.as_str().to_owned(), text.to_owned()))
        });
        let headers: Option<Vec<_>> = texts.collect();
        let ok = match reply.status {
            None => reply.stat == Stat::OK,
            Some(status) => status == 200 && matches!(reply.stat.as_str(), "OK" | "200"),
        };
        let Some(headers) = headers.filter(|_| ok && !ctx.sends_headers()) else {
            return Err(reply.into());
        };
        let (json, content) = match reply.content {
            Content::Json(document) => (true, Bytes::from(document)),
            Content::Bytes(bytes) => (false, bytes),
            content => return Err(Reply { content, ..reply }.into()),
        };
        let stat = reply.stat.as_str().to_owned();
        let head = Head { made: ctx.unix_ms(), etag: etag::of(&content), stat, json, headers };
        Ok(Self { head, content })
    }

    fn write(&self) -> Result<Bytes> {
        let mut bytes = serde_json::to_vec(&self.head).map_err(Error::server)?;
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.content);
        Ok(bytes.into())
    }

    /// Reads what was kept; `None` when it is not what this version writes.
    fn read(bytes: &Bytes) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let head = serde_json::from_slice(&bytes[..end]).ok()?;
        Some(Self { head, content: bytes.slice(end + 1..) })
    }

    /// The answer for this caller: without its content when the caller has that already.
    fn reply(self, handler: &Handler, ctx: &Ctx, time: Duration) -> Result<Reply> {
        let Self { head, content } = self;
        let age = Duration::from_millis(ctx.unix_ms().saturating_sub(head.made));
        let left = time.saturating_sub(age).as_secs();
        let private = if handler.options.ops || ctx.username() != "-" { "private, " } else { "" };
        let control = HeaderValue::try_from(format!("{private}max-age={left}")).map_err(Error::server)?;
        let tag = HeaderValue::try_from(&head.etag).map_err(Error::server)?;
        let mut headers = vec![(ETAG, tag), (CACHE_CONTROL, control)];
        let stat = Stat::from(head.stat);
        let known = ctx.head().is_some_and(|request| etag::is_known(request, &head.etag));
        if known {
            return Ok(Reply { stat, status: Some(304), headers, content: Content::Empty });
        }
        for (name, value) in &head.headers {
            let name = HeaderName::try_from(name).map_err(Error::server)?;
            headers.push((name, HeaderValue::try_from(value).map_err(Error::server)?));
        }
        let content = if head.json { Content::Json(content.into()) } else { Content::Bytes(content) };
        Ok(Reply { stat, status: Some(200), headers, content })
    }
}
