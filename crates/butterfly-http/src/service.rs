//! The door as a `tower::Service`: for HTTP/2, for layers, for programs that have a server of their own.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use butterfly_core::head::Head;
use butterfly_core::reply::Content;
use butterfly_core::{Body, BodyError, Ctx, Fault, ReqId, Result};
use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body::Body as HttpBody;
use tokio::time::Sleep;
use tower_service::Service;

use crate::answer::{Answer, into_bytes, note_break};
use crate::chain::from_http;
use crate::door::{BodyMode, Door, Received, Target, names_file, timed_out};

/// The address of the other end, in a request's extensions.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// The HTTP door as a `tower::Service`.
#[derive(Debug, Clone)]
pub struct DoorService(pub Arc<Door>);

impl<B> Service<Request<B>> for DoorService
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let door = self.0.clone();
        Box::pin(async move { Ok(serve(&door, request.map(from_http)).await) })
    }
}

/// Serves one request: what is mounted below a prefix goes there, all else goes to the handlers.
async fn serve(door: &Door, request: Request<Body>) -> Response<Body> {
    let mut ctx = door.context();
    let (parts, body) = request.into_parts();
    ctx.replace_head(Some(Box::new(head_of(&parts))));
    let peer = parts.extensions.get::<Peer>().map(|peer| peer.0.ip());
    door.identify(&mut ctx, peer);
    let routed = ctx.head().map_or(Err(Fault::BadPath.into()), |head| door.route(head));
    if let Ok(Target::Mount(index)) = &routed {
        let response = door.mounts[*index].1.serve(Request::from_parts(parts, body)).await;
        return mounted(door, &mut ctx, response);
    }
    let head_only = parts.method == http::Method::HEAD;
    let (target, result) = match routed {
        Ok(target) => {
            let mode = door.admit(&mut ctx, &target);
            let running = async {
                let received = receive(body, mode, door.options.body_timeout).await?;
                door.run(&ctx, &target, received).await
            };
            let result = match ctx.deadline() {
                None => running.await,
                Some(deadline) => match tokio::time::timeout_at(deadline.into(), running).await {
                    Ok(result) => result,
                    Err(_) => Err(timed_out(&ctx, deadline)),
                },
            };
            (Some(target), result)
        }
        Err(error) => (None, Err(error)),
    };
    let result = if names_file(&result) { door.open(&ctx, result).await } else { result };
    let answer = door.answer(&mut ctx, target.as_ref(), result);
    let cost = door.record(&mut ctx, target.as_ref(), &answer, &mut Vec::new());
    let (reqid, reason) = (ctx.reqid(), answer.reason_text());
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    put_headers(&mut response, answer.own_headers(&reqid, &cost, &reason).into_iter());
    put_headers(&mut response, answer.headers());
    put_content(&mut response, answer, head_only, reqid);
    response
}

/// Logs the answer of a mounted service, and says under which id.
fn mounted(door: &Door, ctx: &mut Ctx, mut response: Response<Body>) -> Response<Body> {
    let answer = Answer::of_mounted(response.status().as_u16());
    door.record(ctx, None, &answer, &mut Vec::new());
    put_headers(&mut response, std::iter::once(("x-reqid", ctx.reqid().as_bytes())));
    response
}

fn put_headers<'n, 'v>(response: &mut Response<Body>, headers: impl Iterator<Item = (&'n str, &'v [u8])>) {
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value)) {
            response.headers_mut().append(name, value);
        }
    }
}

fn put_content(response: &mut Response<Body>, answer: Answer, head_only: bool, reqid: ReqId) {
    let body = match answer.content {
        Content::Stream(body) => Noted::new(body, reqid),
        content => into_bytes(content).map(Body::from).unwrap_or_default(),
    };
    if let Some(length) = body.length().filter(|_| !matches!(answer.status, 204 | 304)) {
        response.headers_mut().insert(http::header::CONTENT_LENGTH, length.into());
    }
    if !head_only {
        *response.body_mut() = body;
    }
}

fn head_of(parts: &http::request::Parts) -> Head {
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let mut head = Head::new(parts.method.clone(), target);
    if let Some(authority) = parts.uri.authority().filter(|_| !parts.headers.contains_key("host")) {
        head.push("host", authority.as_str().as_bytes());
    }
    for (name, value) in &parts.headers {
        head.push(name.as_str(), value.as_bytes());
    }
    head
}

async fn receive(body: Body, mode: BodyMode, patience: Duration) -> Result<Received> {
    let limited = |limit| Limited::new(body, limit, patience);
    match mode {
        BodyMode::Stream(limit) => Ok(Received::Stream(limited(limit))),
        BodyMode::Whole(limit) => {
            let (mut body, mut all) = (limited(limit), Vec::new());
            while let Some(piece) = body.next().await {
                all.extend_from_slice(&piece?);
            }
            Ok(Received::Whole(all.into()))
        }
    }
}

/// The stream of an answer; the log says why it broke off.
struct Noted {
    body: Body,
    reqid: ReqId,
}

impl Noted {
    #[expect(clippy::new_ret_no_self, reason = "nobody sees it but as a body")]
    fn new(body: Body, reqid: ReqId) -> Body {
        let length = body.length();
        Body::stream(Self { body, reqid }, length)
    }
}

impl Stream for Noted {
    type Item = std::io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(Pin::new(&mut self.body).poll_next(cx));
        if let Some(Err(error)) = &next {
            note_break(self.reqid, error);
        }
        Poll::Ready(next)
    }
}

/// A body that ends in an error when it is larger than the limit, or stands still for too long.
struct Limited {
    body: Body,
    left: u64,
    limit: u64,
    patience: Duration,
    still: Option<Pin<Box<Sleep>>>,
}

impl Limited {
    #[expect(clippy::new_ret_no_self, reason = "nobody sees it but as a body")]
    fn new(body: Body, limit: u64, patience: Duration) -> Body {
        let length = body.length();
        // What announces that it is too large is not read at all.
        let left = if length > Some(limit) { 0 } else { limit };
        Body::stream(Self { body, left, limit, patience, still: None }, length)
    }

    fn spend(&mut self, piece: &Bytes) -> Result<(), BodyError> {
        let left = self.left.checked_sub(piece.len() as u64);
        self.left = left.ok_or(BodyError::TooLarge { limit: self.limit })?;
        Ok(())
    }

    /// Ready when nothing came for as long as the patience lasts.
    fn stands_still(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let patience = self.patience;
        self.still.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience))).as_mut().poll(cx)
    }
}

impl Stream for Limited {
    type Item = std::io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.left == 0 && self.body.length() > Some(self.limit) {
            return Poll::Ready(Some(Err(BodyError::TooLarge { limit: self.limit }.into())));
        }
        let Poll::Ready(next) = Pin::new(&mut self.body).poll_next(cx) else {
            ready!(self.stands_still(cx));
            return Poll::Ready(Some(Err(BodyError::Broken("the body stood still for too long").into())));
        };
        self.still = None;
        Poll::Ready(match next {
            Some(Ok(piece)) => Some(self.spend(&piece).map(|()| piece).map_err(Into::into)),
            // A body that says itself what is wrong with it is heard.
            Some(Err(error)) if BodyError::of(&error).is_none() => {
                tracing::debug!(target: "butterfly::http", "a body broke off: {error}");
                Some(Err(BodyError::Broken("the body broke off").into()))
            }
            other => other,
        })
    }
}
