//! What one call knows of itself.

use std::any::{Any, TypeId};
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http::header::SET_COOKIE;
use http::{HeaderName, HeaderValue};

use crate::head::Head;
use crate::reply::{Cookie, push_header};
use crate::{App, ReqId, Used};

/// The way by which a call came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Door {
    /// HTTP.
    Http,
    /// The message queue.
    Queue,
    /// The schedule.
    Schedule,
    /// A workflow.
    Flow,
    /// The command line.
    Cli,
    /// An AI agent.
    Mcp,
}

impl Door {
    /// The name in lower case: `http`, `queue`, …
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Queue => "queue",
            Self::Schedule => "schedule",
            Self::Flow => "flow",
            Self::Cli => "cli",
            Self::Mcp => "mcp",
        }
    }
}

/// What one call knows: its id, door, caller, deadline and timings, and the app that it runs in.
///
/// # Example
///
/// ```
/// use butterfly_core::{Ctx, Door};
///
/// let ctx = Ctx::new(Door::Cli);
/// ctx.mark("think");
/// assert_eq!(ctx.reqid().as_str().len(), 16);
/// assert_eq!(ctx.username(), "-");
/// ```
pub struct Ctx {
    reqid: ReqId,
    door: Door,
    app: Arc<App>,
    started: Instant,
    unix_ms: u64,
    ip: Option<IpAddr>,
    username: Option<String>,
    deadline: Option<Instant>,
    head: Option<Box<Head>>,
    local: Option<Arc<dyn Any + Send + Sync>>,
    notes: Mutex<Notes>,
}

/// What a call gathers for its log line, and for its answer.
#[derive(Default)]
pub struct Notes {
    /// Timing marks in milliseconds.
    pub talk: Vec<(&'static str, f64)>,
    /// The parameters as `name=value`, joined by `;`, not yet escaped.
    pub params: Vec<u8>,
    /// Results that the handler wants in the log.
    pub res: Vec<String>,
    /// Who is logged in, as far as the call asked.
    pub user: Option<String>,
    /// Headers that go with whatever the call answers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Values of this call alone, at most one of each type.
    kept: Vec<Arc<dyn Any + Send + Sync>>,
    /// What the call made use of.
    pub(crate) used: Vec<Arc<dyn Used>>,
    marked: Option<Instant>,
}

impl fmt::Debug for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notes").field("talk", &self.talk).field("res", &self.res).finish_non_exhaustive()
    }
}

impl Notes {
    fn add(&mut self, name: &'static str, time: Duration) {
        let ms = time.as_secs_f64() * 1000.0;
        match self.talk.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += ms,
            None => self.talk.push((name, ms)),
        }
    }
}

/// The part of a long argument that the access log keeps, in bytes.
const PARAM_LOGGED: usize = 512;

impl Ctx {
    /// A context for a call from here: tests, the command line.
    #[must_use]
    pub fn new(door: Door) -> Self {
        Self::within(Arc::default(), door)
    }

    /// A context for a call in an app.
    #[must_use]
    pub fn within(app: Arc<App>, door: Door) -> Self {
        let unix_ms = now_ms();
        Self {
            reqid: ReqId::at(unix_ms),
            door,
            app,
            started: Instant::now(),
            unix_ms,
            ip: None,
            username: None,
            deadline: None,
            head: None,
            local: None,
            notes: Mutex::default(),
        }
    }

    /// Makes the context that of a new call, keeping its memory: a connection uses one for all its requests.
    pub fn restart(&mut self) {
        (self.started, self.unix_ms) = clocks();
        self.reqid = ReqId::at(self.unix_ms);
        self.username = None;
        self.deadline = None;
        let notes = self.notes_mut();
        notes.talk.clear();
        notes.params.clear();
        notes.res.clear();
        notes.user = None;
        notes.headers.clear();
        notes.kept.clear();
        notes.used.clear();
        notes.marked = None;
    }

    /// The id of the call, the same in every log line that it causes.
    #[must_use]
    pub fn reqid(&self) -> ReqId {
        self.reqid
    }

    /// Takes over the id of the call that caused this one.
    pub fn set_reqid(&mut self, reqid: ReqId) {
        self.reqid = reqid;
    }

    /// The way by which the call came in.
    #[must_use]
    pub fn door(&self) -> Door {
        self.door
    }

    /// The app that the call runs in: its handlers and its state.
    #[must_use]
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// The state of type `T` that the program gave the app.
    ///
    /// # Errors
    ///
    /// A server fault that names the type, when the program gave none.
    pub fn state<T: Any + Send + Sync>(&self) -> crate::Result<&T> {
        let found = self.app.state.get::<T>();
        found.ok_or_else(|| {
            let name = std::any::type_name::<T>();
            crate::Error::server(format!("no state of type {name}: add .state(value) where the app is built"))
        })
    }

    /// What the door knows of this call beyond what all doors know, such as the message that is run; `None` when the
    /// call came by another door.
    #[must_use]
    pub fn local<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.local.as_ref()?.downcast_ref()
    }

    /// Sets what [`local`](Self::local) gives. It stays over [`restart`](Self::restart).
    pub fn set_local(&mut self, local: Option<Arc<dyn Any + Send + Sync>>) {
        self.local = local;
    }

    /// When the call entered.
    #[must_use]
    pub fn started(&self) -> Instant {
        self.started
    }

    /// When the call entered, in Unix milliseconds.
    #[must_use]
    pub fn unix_ms(&self) -> u64 {
        self.unix_ms
    }

    /// The address of the caller.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.ip
    }

    /// Sets the address of the caller.
    pub fn set_ip(&mut self, ip: Option<IpAddr>) {
        self.ip = ip;
    }

    /// The name of the caller, or `-`.
    #[must_use]
    pub fn username(&self) -> &str {
        self.username.as_deref().unwrap_or("-")
    }

    /// Sets the name of the caller.
    pub fn set_username(&mut self, name: Option<String>) {
        self.username = name;
    }

    /// When the call is given up.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Sets when the call is given up.
    pub fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    /// The time left until the deadline; `None` when there is none.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// The head of the HTTP request; `None` at other doors.
    #[must_use]
    pub fn head(&self) -> Option<&Head> {
        self.head.as_deref()
    }

    /// Puts in the head of the HTTP request, and gives back the one before.
    pub fn replace_head(&mut self, head: Option<Box<Head>>) -> Option<Box<Head>> {
        std::mem::replace(&mut self.head, head)
    }

    /// The value of a request header as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<std::borrow::Cow<'_, str>> {
        self.head()?.text(name)
    }

    /// The value of a cookie.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.head()?.cookie(name)
    }

    /// Sends a header with whatever this call answers, an error too, beside those of the answer itself. A name or value
    /// that HTTP cannot carry is left out and logged. Doors other than HTTP send none.
    ///
    /// An answer with such a header is for this caller alone: `#[handler(cache = ..)]` does not keep it.
    ///
    /// # Example
    ///
    /// ```
    /// use butterfly_core::{Ctx, Door};
    ///
    /// let mut ctx = Ctx::new(Door::Http);
    /// ctx.send_header("vary", "cookie");
    /// assert_eq!(ctx.notes_mut().headers[0].0, "vary");
    /// ```
    pub fn send_header(&self, name: &str, value: &str) {
        push_header(&mut self.notes().headers, name, value);
    }

    /// Sets a cookie by whatever this call answers, as [`send_header`](Self::send_header) does, in place of one of the
    /// same name that the call set before.
    pub fn send_cookie(&self, cookie: &Cookie) {
        let line = cookie.line();
        let name = line.split_inclusive('=').next().unwrap_or_default().as_bytes();
        let same = |header: &HeaderName, value: &HeaderValue| {
            *header == SET_COOKIE && value.as_bytes().starts_with(name)
        };
        self.notes().headers.retain(|(header, value)| !same(header, value));
        self.send_header(SET_COOKIE.as_str(), &line);
    }

    /// Whether the call sends headers of its own, by [`send_header`](Self::send_header).
    #[must_use]
    pub fn sends_headers(&self) -> bool {
        !self.notes().headers.is_empty()
    }

    /// A value of this call alone, made when it is first asked for: what one part of a call found out, others need not
    /// find out again. There is one of each type.
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// use butterfly_core::{Ctx, Door};
    ///
    /// let ctx = Ctx::new(Door::Cli);
    /// ctx.once(AtomicU32::default).fetch_add(1, Ordering::Relaxed);
    /// assert_eq!(ctx.once(AtomicU32::default).load(Ordering::Relaxed), 1);
    /// ```
    pub fn once<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let mut notes = self.notes();
        let found = notes.kept.iter().find_map(|kept| Arc::clone(kept).downcast().ok());
        found.unwrap_or_else(|| {
            let made = Arc::new(make());
            notes.kept.push(made.clone());
            made
        })
    }

    /// Notes the time since the last mark (or the start) under a name: `talk:name=0.012` in the access log, in
    /// milliseconds, and `butterfly_talk_seconds` in the metrics. The same name adds up.
    pub fn mark(&self, name: &'static str) {
        let now = Instant::now();
        let mut notes = self.notes();
        let since = notes.marked.replace(now).unwrap_or(self.started);
        notes.add(name, now - since);
    }

    /// Notes time that was spent on something under a name, as [`mark`](Self::mark) does for the time since the last
    /// mark: `talk:db=1.204`. The same name adds up.
    pub fn spend(&self, name: &'static str, time: Duration) {
        self.notes().add(name, time);
    }

    /// Adds an item to the `res:` field of the access log.
    pub fn note(&self, item: impl Into<String>) {
        self.notes().res.push(item.into());
    }

    /// Notes who is logged in: the `user:` field of the access log, before [`username`](Self::username).
    pub fn note_user(&self, user: impl Into<String>) {
        self.notes().user = Some(user.into());
    }

    /// Writes the call's parameters for the log, long values cut.
    pub fn note_params(&self, describe: impl FnOnce(&mut dyn FnMut(&str, &str))) {
        let mut notes = self.notes();
        let line = &mut notes.params;
        line.clear();
        describe(&mut |name, value| {
            if !line.is_empty() {
                line.push(b';');
            }
            line.extend_from_slice(name.as_bytes());
            line.push(b'=');
            let cut = value.floor_char_boundary(PARAM_LOGGED);
            line.extend_from_slice(&value.as_bytes()[..cut]);
            if cut < value.len() {
                line.extend_from_slice("…".as_bytes());
            }
        });
    }

    pub(crate) fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// What the call gathered for its log line.
    pub fn notes_mut(&mut self) -> &mut Notes {
        self.notes.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Both clocks at the price of one: the time of day is carried on from a reading at most a second old, so a step of
/// the clock is noticed within that second.
fn clocks() -> (Instant, u64) {
    const TRUST: Duration = Duration::from_secs(1);
    thread_local! {
        static READING: Cell<Option<(Instant, u64)>> = const { Cell::new(None) };
    }
    let now = Instant::now();
    if let Some((at, unix_ms)) = READING.get() {
        let since = now.saturating_duration_since(at);
        if since < TRUST {
            return (now, unix_ms + since.as_millis() as u64);
        }
    }
    let unix_ms = now_ms();
    READING.set(Some((now, unix_ms)));
    (now, unix_ms)
}

pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

impl fmt::Debug for Ctx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ctx({}, {:?})", self.reqid, self.door)
    }
}

/// Values that a program gives its app, one for each type.
#[derive(Default)]
pub struct States(HashMap<TypeId, Box<dyn Any + Send + Sync>>);

impl States {
    /// Puts in a value; one of the same type is replaced.
    pub fn insert<T: Any + Send + Sync>(&mut self, value: T) {
        self.0.insert(TypeId::of::<T>(), Box::new(value));
    }

    /// The value of a type.
    #[must_use]
    pub fn get<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref()
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "States({})", self.0.len())
    }
}
