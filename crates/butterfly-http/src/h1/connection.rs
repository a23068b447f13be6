//! One HTTP/1.1 connection: requests in their order, one context and two buffers for all of them.

#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use butterfly_core::head::Head;
use butterfly_core::reply::Content;
use butterfly_core::{Ctx, Fault, Reply, Result};
use http::{Method, Uri};
use tokio::net::TcpStream;

use super::parse::{
    HeadError, HeadLimits, Parsed, Request, Version, is_h2_preface, may_be_complete, parse_head,
};
use super::receive::{Broken, Receiver};
use super::respond::BodyLength;
use super::send::Sending;
use super::wire::{Gone, Wire};
use crate::answer::Answer;
use crate::chain::Chain;
use crate::door::{BodyMode, Door, Received, Target, names_file, timed_out};
use crate::drain::Drain;
use crate::service::Peer;

/// How a connection ended.
#[derive(Debug)]
pub(crate) enum End {
    Closed,
    /// The other end speaks HTTP/2: the connection, and what was read of it.
    Http2(TcpStream, Vec<u8>),
}

/// Serves a connection to its end.
pub(crate) async fn serve(door: &Door, stream: TcpStream, peer: SocketAddr, drain: Arc<Drain>) -> End {
    let wire = Wire::new(stream, drain);
    let (ctx, spare) = (door.context(), Some(Box::default()));
    let quiet = ctx.started();
    Connection { door, wire, peer, ctx, quiet, spare, line: Vec::new() }.run().await
}

struct Connection<'d> {
    door: &'d Door,
    wire: Wire,
    peer: SocketAddr,
    ctx: Ctx,
    /// Since when nothing is asked.
    quiet: Instant,
    spare: Option<Box<Head>>,
    line: Vec<u8>,
}

/// What comes next on a connection.
enum Next {
    Request(Request, Box<Head>),
    Http2,
    Refused(HeadError),
    Gone,
}

impl Connection<'_> {
    async fn run(mut self) -> End {
        loop {
            match self.next().await {
                Next::Request(request, head) => match self.exchange(request, head).await {
                    Ok(true) => {}
                    Ok(false) => {
                        self.wire.linger(self.door.options.body_timeout).await;
                        return End::Closed;
                    }
                    Err(_) => return End::Closed,
                },
                Next::Refused(error) => {
                    self.refuse(error).await;
                    return End::Closed;
                }
                Next::Http2 => {
                    let (stream, first) = self.wire.into_parts();
                    return End::Http2(stream, first);
                }
                Next::Gone => return End::Closed,
            }
        }
    }

    /// Waits for the next head; answers that wait are sent before.
    async fn next(&mut self) -> Next {
        let limits = self.door.options.head;
        let mut head = self.spare.take().unwrap_or_default();
        let mut seen = 0;
        let mut begun: Option<Instant> = None;
        loop {
            let pending = self.wire.pending();
            let preface = if pending.first() == Some(&b'P') { is_h2_preface(pending) } else { Some(false) };
            if preface == Some(true) {
                return Next::Http2;
            }
            // The beginning of the preface is no request of this version: wait for the rest.
            if preface.is_some() && worth_parsing(pending, seen, &limits) {
                match parse_head(pending, &limits, &mut head) {
                    Ok(Parsed::Done(request)) => return Next::Request(request, head),
                    Ok(Parsed::Partial) => {}
                    Err(error) => return Next::Refused(error),
                }
            }
            seen = pending.len();
            if let Err(gone) = self.wait(seen == 0, &mut begun).await {
                self.spare = Some(head);
                return self.nothing_more(gone, seen > 0);
            }
        }
    }

    async fn wait(&mut self, idle: bool, begun: &mut Option<Instant>) -> Result<(), Gone> {
        let options = &self.door.options;
        self.wire.flush(options.body_timeout).await.map_err(|_| Gone::Closed)?;
        if idle {
            self.wire.rest();
            return self.wire.read(self.quiet + options.idle_timeout, true).await;
        }
        let begun = *begun.get_or_insert_with(Instant::now);
        self.wire.read(begun + options.head_timeout, false).await
    }

    fn nothing_more(&self, gone: Gone, partial: bool) -> Next {
        match gone {
            Gone::TimedOut if partial => Next::Refused(HeadError::Timeout),
            _ => Next::Gone,
        }
    }

    /// Answers a head that cannot be read, and ends the connection.
    async fn refuse(mut self, error: HeadError) {
        self.ctx.restart();
        self.ctx.set_ip(Some(self.peer.ip()));
        let (options, reqid) = (&self.door.options, self.ctx.reqid());
        let answer = Answer::refusal(error.status(), error.reason(), options, reqid);
        let sending = Sending {
            head_only: false,
            keep_alive: false,
            version: Version::Http11,
            unix_seconds: self.ctx.unix_ms() / 1000,
            patience: self.door.options.body_timeout,
        };
        let cost = self.door.record(&mut self.ctx, None, &answer, &mut self.line);
        // An answer without content needs no more than its head.
        let _ = sending.answer(&mut self.wire, &answer, &self.ctx.reqid(), &cost);
        self.wire.linger(self.door.options.body_timeout).await;
    }

    /// Serves one request; true when the connection may be used again.
    async fn exchange(&mut self, request: Request, head: Box<Head>) -> io::Result<bool> {
        self.wire.take(request.len);
        self.ctx.restart();
        let head_only = *head.method() == Method::HEAD;
        self.ctx.replace_head(Some(head));
        let sending =
            Sending::to(&request, head_only, self.ctx.unix_ms() / 1000, self.door.options.body_timeout);
        let kept = match &self.door.chain {
            Some(chain) => self.through(&**chain, &request, sending, false).await?,
            None => self.straight(&request, sending).await?,
        };
        self.spare = self.ctx.replace_head(None);
        if self.wire.full() {
            self.wire.flush(self.door.options.body_timeout).await?;
        }
        Ok(kept)
    }

    /// From the head to the handler without a detour.
    async fn straight(&mut self, request: &Request, mut sending: Sending) -> io::Result<bool> {
        let door = self.door;
        door.identify(&mut self.ctx, Some(self.peer.ip()));
        let routed = self.ctx.head().map_or(Err(Fault::BadPath.into()), |head| door.route(head));
        if let Ok(Target::Mount(index)) = &routed {
            return self.through(&*door.mounts[*index].1, request, sending, true).await;
        }
        let mut receiver = Receiver::new(request, door.options.max_body, door.options.body_timeout);
        let (target, result) = match routed {
            Ok(target) => {
                let result = match door.admit(&mut self.ctx, &target) {
                    BodyMode::Whole(_) => self.run_whole(&target, &mut receiver).await,
                    BodyMode::Stream(limit) => {
                        receiver = Receiver::new(request, limit, door.options.body_timeout);
                        self.run_stream(&target, &mut receiver).await
                    }
                };
                (Some(target), result)
            }
            Err(error) => (None, Err(error)),
        };
        let result = if names_file(&result) { Box::pin(door.open(&self.ctx, result)).await } else { result };
        let answer = door.answer(&mut self.ctx, target.as_ref(), result);
        let cost = door.record(&mut self.ctx, target.as_ref(), &answer, &mut self.line);
        self.quiet = self.ctx.started() + cost.value();
        sending.keep_alive &= self.may_stay(&receiver);
        let reqid = self.ctx.reqid();
        let delivery = sending.answer(&mut self.wire, &answer, &reqid, &cost);
        let kept = match answer.content {
            Content::Stream(body) if sending.has_body(answer.status) => {
                let kept = Box::pin(sending.stream(&mut self.wire, body, delivery, Some(reqid))).await?;
                self.quiet = Instant::now();
                kept
            }
            _ => delivery.keep_alive,
        };
        Ok(kept && (receiver.finished() || receiver.discard(&mut self.wire).await))
    }

    /// Whether the connection may serve another request after this one; asked when the answer is at hand, since the
    /// stop may have begun meanwhile.
    fn may_stay(&self, receiver: &Receiver) -> bool {
        receiver.skippable(&self.wire) && !self.wire.drain.stopping()
    }

    async fn run_whole(&mut self, target: &Target, receiver: &mut Receiver) -> Result<Reply> {
        let Self { door, wire, ctx, .. } = self;
        let deadline = ctx.deadline();
        receiver.until = deadline;
        let body = match (receiver.whole(wire).await, deadline) {
            (Ok(body), _) => body,
            (Err(Broken::Gone(Gone::TimedOut)), Some(deadline)) if deadline <= Instant::now() => {
                return Err(timed_out(ctx, deadline));
            }
            (Err(broken), _) => return Err(broken.into()),
        };
        // Pinned here, so that the future is not moved once more.
        let running = pin!(door.run(ctx, target, Received::Whole(body)));
        let result = wire.within(deadline, running).await;
        result.unwrap_or_else(|| Err(timed_out(ctx, deadline.unwrap_or_else(Instant::now))))
    }

    /// Runs a handler that reads its body, and reads it for the handler.
    async fn run_stream(&mut self, target: &Target, receiver: &mut Receiver) -> Result<Reply> {
        let Self { door, wire, ctx, .. } = self;
        let deadline = ctx.deadline();
        let (feed, body) = receiver.channel();
        let running = door.run(ctx, target, Received::Stream(body));
        let joined = beside(receiver.pump(wire, feed), running);
        match deadline {
            None => joined.await,
            Some(deadline) => {
                let result = tokio::time::timeout_at(deadline.into(), joined).await;
                result.unwrap_or_else(|_| Err(timed_out(ctx, deadline)))
            }
        }
    }

    /// Through layers, or to a mounted service: both speak the types of the `http` crate. Calls of a mounted
    /// service are logged here; those through layers are by the door inside.
    async fn through(
        &mut self,
        chain: &dyn Chain,
        request: &Request,
        mut sending: Sending,
        mounted: bool,
    ) -> io::Result<bool> {
        let Some(call) = self.ctx.head().and_then(|head| http_request(head, request.version, self.peer))
        else {
            return Ok(self.no_uri(sending));
        };
        let mut receiver =
            Receiver::new(request, self.door.options.max_upload, self.door.options.body_timeout);
        let (feed, body) = receiver.channel();
        let mut response =
            beside(receiver.pump(&mut self.wire, feed), chain.serve(call.map(|()| body))).await;
        sending.keep_alive &= self.may_stay(&receiver);
        let reqid = self.ctx.reqid();
        let own: &[(&'static str, &[u8])] = if mounted { &[("x-reqid", reqid.as_bytes())] } else { &[] };
        if mounted {
            let answer = Answer::of_mounted(response.status().as_u16());
            self.door.record(&mut self.ctx, None, &answer, &mut self.line);
        }
        let body = std::mem::take(response.body_mut());
        let headers = response.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let announced = response
            .headers()
            .get(http::header::CONTENT_LENGTH)
            .and_then(|text| text.to_str().ok()?.parse().ok());
        let length = match announced.filter(|_| sending.head_only).or(body.length()) {
            Some(length) => BodyLength::Known(length),
            None => BodyLength::Chunked,
        };
        let status = response.status().as_u16();
        let delivery = sending.head(&mut self.wire, status, own, headers, length);
        let kept = if sending.has_body(status) {
            sending.stream(&mut self.wire, body, delivery, mounted.then_some(reqid)).await?
        } else {
            delivery.keep_alive
        };
        self.quiet = Instant::now();
        Ok(kept && (receiver.finished() || receiver.discard(&mut self.wire).await))
    }

    /// Answers a target that the types of the `http` crate cannot carry, and ends the connection.
    fn no_uri(&mut self, mut sending: Sending) -> bool {
        let answer = self.door.answer(&mut self.ctx, None, Err(Fault::BadPath.into()));
        let cost = self.door.record(&mut self.ctx, None, &answer, &mut self.line);
        sending.keep_alive = false;
        sending.answer(&mut self.wire, &answer, &self.ctx.reqid(), &cost).keep_alive
    }
}

/// Whether a buffer that was looked at before may hold a whole head by now.
fn worth_parsing(pending: &[u8], seen: usize, limits: &HeadLimits) -> bool {
    !pending.is_empty() && (seen == 0 || may_be_complete(pending, seen) || pending.len() >= limits.max_bytes)
}

fn http_request(head: &Head, version: Version, peer: SocketAddr) -> Option<http::Request<()>> {
    let target = match head.query() {
        Some(query) => format!("{}?{query}", head.path()),
        None => head.path().to_owned(),
    };
    let mut call = http::Request::new(());
    *call.method_mut() = head.method().clone();
    *call.uri_mut() = Uri::try_from(target).ok()?;
    *call.version_mut() = match version {
        Version::Http10 => http::Version::HTTP_10,
        Version::Http11 => http::Version::HTTP_11,
    };
    for (name, value) in head.headers() {
        let name = http::HeaderName::try_from(name).ok()?;
        call.headers_mut().append(name, http::HeaderValue::from_bytes(value).ok()?);
    }
    call.extensions_mut().insert(Peer(peer));
    Some(call)
}

/// Runs a side task beside the main one, until the main one is done.
async fn beside<T>(side: impl Future<Output = ()>, main: impl Future<Output = T>) -> T {
    tokio::pin!(side, main);
    let mut over = false;
    std::future::poll_fn(|cx| {
        if let std::task::Poll::Ready(value) = main.as_mut().poll(cx) {
            return std::task::Poll::Ready(value);
        }
        if !over && side.as_mut().poll(cx).is_ready() {
            over = true;
            // The side may have given the main task its last input without a wake.
            return main.as_mut().poll(cx);
        }
        std::task::Poll::Pending
    })
    .await
}
