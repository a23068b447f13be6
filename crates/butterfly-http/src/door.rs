//! The HTTP door: what becomes of one request, whichever version of HTTP brought it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use butterfly_core::access_log::{Access, LineSink, Seconds};
use butterfly_core::args::Input;
use butterfly_core::handler::Kind;
use butterfly_core::head::Head;
use butterfly_core::registry::{Found, Missed};
use butterfly_core::reply::{Content, Served};
use butterfly_core::{App, Body, Ctx, Door as Entrance, Error, Fault, Reply, ReqId, Result, call};
use bytes::Bytes;

use crate::answer::{Answer, allow_header};
use crate::chain::Chain;
use crate::options::Options;
use crate::payload::Whole;
use crate::{cached, files, prefer, static_files};

/// The HTTP door of an app: routes, binds, calls, answers and logs.
///
/// It is a `tower::Service` of `http::Request`s (see [`DoorService`](crate::DoorService)), and the HTTP/1.1
/// connections of [`Server`](crate::Server) call it without that detour.
#[derive(Debug)]
pub struct Door {
    pub(crate) app: Arc<App>,
    pub(crate) options: Options,
    pub(crate) chain: Option<Box<dyn Chain>>,
    pub(crate) mounts: Vec<(String, Box<dyn Chain>)>,
    log: Arc<dyn LineSink>,
    pid: String,
}

/// What a request is for.
#[derive(Debug)]
pub(crate) enum Target {
    Handler(Found),
    Static(String),
    Options(Vec<&'static str>),
    Mount(usize),
}

/// How the body of a request is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyMode {
    /// Whole, up to so many bytes.
    Whole(u64),
    /// Piece by piece, up to so many bytes in all.
    Stream(u64),
}

/// A body as the door takes it.
#[derive(Debug)]
pub(crate) enum Received {
    Whole(Bytes),
    Stream(Body),
}

impl Door {
    /// A door to an app; `log` takes the access log's lines.
    #[must_use]
    pub fn new(app: Arc<App>, options: Options, log: Arc<dyn LineSink>) -> Self {
        Self { app, options, chain: None, mounts: Vec::new(), log, pid: std::process::id().to_string() }
    }

    /// Puts layers around the door: see [`chain`](crate::chain).
    #[must_use]
    pub fn with_chain(mut self, chain: Option<Box<dyn Chain>>) -> Self {
        self.chain = chain;
        self
    }

    /// Hands every path below a prefix to another service, such as an axum router. Handlers go first.
    #[must_use]
    pub fn with_mounts(mut self, mounts: Vec<(String, Box<dyn Chain>)>) -> Self {
        self.mounts = mounts;
        self
    }

    /// A context for the calls of one connection.
    pub(crate) fn context(&self) -> Ctx {
        Ctx::within(self.app.clone(), Entrance::Http)
    }

    /// Fills in who calls: what a trusted peer says counts, what others say does not.
    pub(crate) fn identify(&self, ctx: &mut Ctx, peer: Option<IpAddr>) {
        ctx.set_ip(peer);
        if !peer.is_some_and(|peer| (self.options.trusted)(peer)) {
            return;
        }
        let text = |name: &str| ctx.header(name).map(|value| value.trim().to_owned());
        let (ip, user, reqid) = (text("x-real-ip"), text(&self.options.user_header), text("x-reqid"));
        if let Some(ip) = ip.and_then(|ip| ip.parse().ok()) {
            ctx.set_ip(Some(ip));
        }
        if let Some(reqid) = reqid.and_then(|reqid| reqid.parse::<ReqId>().ok()) {
            ctx.set_reqid(reqid);
        }
        ctx.set_username(user.filter(|user| !user.is_empty()));
    }

    /// Finds what a request is for.
    pub(crate) fn route(&self, head: &Head) -> Result<Target> {
        let method = head.method().as_str();
        let path = head.path();
        let lookup = if method == "OPTIONS" { self.options_of(path) } else { self.find(method, path) };
        lookup.or_else(|missed| self.elsewhere(head).ok_or(missed))
    }

    fn find(&self, method: &str, path: &str) -> Result<Target> {
        match self.app.registry.find(method, path) {
            Ok(found) => Ok(Target::Handler(found)),
            Err(Missed::Path) => Err(Fault::NotFound.into()),
            Err(Missed::Method(allow)) => Err(Fault::MethodNotAllowed { allow }.into()),
        }
    }

    /// OPTIONS is answered here, unless a handler asks for it.
    fn options_of(&self, path: &str) -> Result<Target> {
        const ALL: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
        if path == "*" {
            return Ok(Target::Options(ALL.to_vec()));
        }
        match self.app.registry.find("OPTIONS", path) {
            Ok(found) if found.handler.options.methods.is_empty() => Ok(Target::Options(ALL.to_vec())),
            Ok(found) => Ok(Target::Handler(found)),
            Err(Missed::Method(allow)) => Ok(Target::Options(allow)),
            Err(Missed::Path) => Err(Fault::NotFound.into()),
        }
    }

    fn elsewhere(&self, head: &Head) -> Option<Target> {
        let below = |prefix: &str| {
            let (prefix, path) = (prefix.trim_matches('/'), head.path().strip_prefix('/')?);
            let rest = path.strip_prefix(prefix)?;
            rest.strip_prefix('/').or((prefix.is_empty() || rest.is_empty()).then_some(rest))
        };
        let reads = matches!(head.method().as_str(), "GET" | "HEAD");
        let prefix = self.options.static_prefix.as_deref().filter(|_| reads);
        if let Some(rest) = prefix.and_then(below) {
            return Some(Target::Static(rest.to_owned()));
        }
        self.mounts.iter().position(|(prefix, _)| below(prefix).is_some()).map(Target::Mount)
    }

    /// How the body is to be read, and when the call is given up.
    pub(crate) fn admit(&self, ctx: &mut Ctx, target: &Target) -> BodyMode {
        let Target::Handler(found) = target else { return BodyMode::Whole(self.options.max_body) };
        let streams = found.handler.streams();
        // A body that moves may take long: the limit is for calls that hold nothing back but their answer.
        let limit = found.handler.options.timeout.or((!streams).then_some(self.options.request_timeout));
        ctx.set_deadline(limit.map(|limit| ctx.started() + limit));
        if streams {
            BodyMode::Stream(self.options.max_upload)
        } else {
            BodyMode::Whole(self.options.max_body)
        }
    }

    /// Runs what the request is for.
    pub(crate) async fn run(&self, ctx: &Ctx, target: &Target, body: Received) -> Result<Reply> {
        match target {
            Target::Handler(found) => self.run_handler(ctx, found, body).await,
            Target::Static(rest) => {
                let path = Box::pin(static_files::locate(&self.options.static_dir, rest)).await?;
                Ok(Reply::of(Content::File(Served { path, save_as: None, media_type: None })))
            }
            Target::Options(methods) => {
                let mut reply = Reply::of(Content::Empty);
                reply.status = Some(204);
                reply.headers = allow_header(methods);
                Ok(reply)
            }
            Target::Mount(_) => Err(Fault::NotFound.into()),
        }
    }

    async fn run_handler(&self, ctx: &Ctx, found: &Found, body: Received) -> Result<Reply> {
        let query = ctx.head().and_then(Head::query);
        let (whole, stream) = match body {
            Received::Stream(body) => (Whole::Nothing, Some(body)),
            Received::Whole(body) if body.is_empty() => (Whole::Nothing, None),
            Received::Whole(body) => match ctx.head() {
                // Boxed: reading a form takes much room, which calls without a body need not carry.
                Some(head) => (Box::pin(Whole::read(head, body, self.options.errors)).await?, None),
                None => (Whole::Json(body), None),
            },
        };
        let input = Input { query, payload: whole.payload(), captures: &found.captures, stream };
        if self.app.later.is_some() && !found.handler.streams() && prefer::async_answer(ctx) {
            // Boxed: most calls are made now, and need not carry the room for this.
            return Box::pin(prefer::accept(found.handler, ctx, input)).await;
        }
        if let Some(place) = cached::place(&self.app, found.handler, ctx) {
            // Boxed: see above.
            return Box::pin(cached::answer(place, found.handler, ctx, input)).await;
        }
        call(found.handler, ctx, input).await
    }

    /// Opens the file that a result names.
    pub(crate) async fn open(&self, ctx: &Ctx, result: Result<Reply>) -> Result<Reply> {
        let Reply { stat, headers, content, .. } = result?;
        let Content::File(file) = content else { return Ok(Reply { stat, status: None, headers, content }) };
        let opened = files::open(file, ctx.head()).await.map_err(Error::from)?;
        // What the handler says of a header replaces what the file says.
        let files =
            opened.headers.into_iter().filter(|(name, _)| headers.iter().all(|(known, _)| known != name));
        let headers = files.chain(headers.iter().cloned()).collect();
        Ok(Reply { stat, status: Some(opened.status), headers, content: opened.content })
    }

    /// Makes the answer of a result: errors take their form, and what the call sends in any case goes with it.
    pub(crate) fn answer(&self, ctx: &mut Ctx, target: Option<&Target>, result: Result<Reply>) -> Answer {
        let kind = match target {
            Some(Target::Handler(found)) => found.handler.kind,
            Some(Target::Static(_) | Target::Mount(_)) => Kind::Http,
            _ => Kind::Api,
        };
        let mut answer = Answer::of(kind, result, &self.options, ctx.reqid());
        let own = &mut ctx.notes_mut().headers;
        if !own.is_empty() {
            answer.headers.append(own);
        }
        answer
    }

    /// Counts and logs a call whose answer is made; gives its cost.
    pub(crate) fn record(
        &self,
        ctx: &mut Ctx,
        target: Option<&Target>,
        answer: &Answer,
        line: &mut Vec<u8>,
    ) -> Seconds {
        let cost = Seconds::of(ctx.started().elapsed());
        let found = match target {
            Some(Target::Handler(found)) => Some(found),
            _ => None,
        };
        let head = ctx.replace_head(None);
        let (method, path) = head.as_deref().map_or(("-", "-"), |head| (head.method().as_str(), head.path()));
        let access = Access {
            method,
            function: found.map_or(path, |found| found.handler.path),
            handler: found.map(|found| found.handler),
            stat: answer.stat.as_str(),
            cost: &cost,
            reason: &answer.reason,
        };
        access.write(&*self.log, line, &self.pid, ctx);
        ctx.replace_head(head);
        let talk = &ctx.notes_mut().talk;
        self.app.metrics.count(found.map(|found| found.index), answer.stat.as_str(), cost.value(), talk);
        cost
    }
}

/// True when the result names a file that is still to be opened.
pub(crate) fn names_file(result: &Result<Reply>) -> bool {
    matches!(result, Ok(Reply { content: Content::File(_), .. }))
}

/// The error of a call that was given up.
pub(crate) fn timed_out(ctx: &Ctx, deadline: Instant) -> Error {
    Fault::Timeout(deadline.saturating_duration_since(ctx.started())).into()
}
