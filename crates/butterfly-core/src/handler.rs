//! What a handler is: one description that every door reads.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

use crate::args::Input;
use crate::{Ctx, Error, Reply};

/// One handler: where it is reached, what it takes, what it answers, and how it is run. `#[handler]` writes it.
#[derive(Debug)]
pub struct Handler {
    /// The route, such as `/demo_api/hello` or `/users/{id}`; lower case but for the names in braces.
    pub path: &'static str,
    /// The doc comment.
    pub doc: &'static str,
    /// How body and answer travel.
    pub kind: Kind,
    /// The parameters in order.
    pub params: &'static [Param],
    /// Limits and the like.
    pub options: Options,
    /// Where the function stands.
    pub source: Source,
    /// The schema of the answer; `None` where the answer is no JSON.
    pub reply: fn(&mut SchemaGenerator) -> Option<Schema>,
    /// Binds the arguments, then gives the future that runs the function.
    pub run: Run,
}

/// Binds the input to the handler's parameters and starts the call.
pub type Run = for<'c> fn(&'c Ctx, Input<'_>) -> Result<Call<'c>, Error>;

/// A call that runs.
pub type Call<'c> = Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send + 'c>>;

/// How a handler's body and answer travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Arguments in, JSON with `stat` out.
    Api,
    /// The handler reads the body itself; JSON with `stat` out.
    Upload,
    /// A file or stream out.
    Download,
    /// The handler chooses status and content type.
    Http,
}

impl Kind {
    /// The word that `#[handler(..)]` takes, and listings show.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Kind::Api => "api",
            Kind::Upload => "upload",
            Kind::Download => "download",
            Kind::Http => "http",
        }
    }

    /// True where every answer is a JSON object with `stat`, errors too.
    #[must_use]
    pub fn answers_stat(self) -> bool {
        matches!(self, Kind::Api | Kind::Upload)
    }
}

/// Where a parameter's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Query string or an entry of the body.
    Named,
    /// A segment of the path.
    Path,
    /// The whole body, as `Json<T>`.
    Body,
    /// The context. Not visible to the caller.
    Context,
    /// The body as a stream. Not visible to the caller as a parameter.
    Stream,
}

/// One parameter of a handler.
#[derive(Debug)]
pub struct Param {
    /// Its name, as in the function.
    pub name: &'static str,
    /// Its doc comment.
    pub doc: &'static str,
    /// Its type, as written.
    pub ty: &'static str,
    /// Where its value comes from.
    pub place: Place,
    /// True when a call without it is refused.
    pub required: bool,
    /// True when logs must not show its value.
    pub secret: bool,
    /// The default's value, where it can be shown as JSON.
    pub default: Option<fn() -> Option<Value>>,
    /// What values it takes.
    pub checks: &'static [Check],
    /// The schema of its type.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
}

impl Param {
    /// True when a caller can give it by name.
    #[must_use]
    pub fn visible(&self) -> bool {
        !matches!(self.place, Place::Context | Place::Stream)
    }
}

/// A check as the description shows it; the code that checks is in the binding.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Check {
    /// A number's bounds; the flag says that the upper one itself is out.
    Range(Option<f64>, Option<f64>, bool),
    /// The bounds of a length.
    Len(Option<usize>, Option<usize>),
    /// A pattern.
    Regex(&'static str),
    /// A function of the user's, by name.
    Custom(&'static str),
}

/// What `#[handler(..)]` can set beyond the kind.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// The methods that the HTTP door takes; empty means all.
    pub methods: &'static [&'static str],
    /// The longest that a call may take; the door's own limit when `None`.
    pub timeout: Option<Duration>,
    /// How long an answer to GET or HEAD stands for the same arguments and caller; not at all when `None`.
    pub cache: Option<Duration>,
    /// For operators: answered to callers on this machine, elsewhere only with the token `ops.token`.
    pub ops: bool,
    /// What the queue keeps to when it runs the handler.
    pub queue: QueueOptions,
}

/// What the queue keeps to when it runs a handler: how it tries again, and how much at once, over all processes.
///
/// What is `None` is as the queue's own configuration has it, or without a limit.
///
/// # Example
///
/// ```
/// use std::time::Duration;
///
/// use butterfly_core::handler::QueueOptions;
///
/// // #[handler(retries = 3, backoff = "1s", rate = "30/s")]
/// let options = QueueOptions {
///     retries: Some(3),
///     backoff: Some(Duration::from_secs(1)),
///     rate: Some((30, 1000)),
///     ..QueueOptions::NONE
/// };
/// assert_eq!(options.concurrency, None);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueOptions {
    /// How often a failed run is tried again.
    pub retries: Option<u32>,
    /// The pause before the first repetition; each later one is twice as long, with jitter, and at most an hour.
    pub backoff: Option<Duration>,
    /// The most runs that may start in a time: how many, and in how many milliseconds.
    pub rate: Option<(u32, u64)>,
    /// The most runs at once.
    pub concurrency: Option<u32>,
    /// The parameter whose values are keys: keys take turns, and have limits of their own.
    pub limit_by: Option<&'static str>,
    /// The most runs of one key that may start in a time: how many, and in how many milliseconds.
    pub key_rate: Option<(u32, u64)>,
    /// The most runs of one key at once.
    pub key_concurrency: Option<u32>,
    /// How messages are gathered, for a handler that takes many at once.
    pub batch: Option<Batch>,
}

impl QueueOptions {
    /// Nothing said.
    pub const NONE: Self = Self {
        retries: None,
        backoff: None,
        rate: None,
        concurrency: None,
        limit_by: None,
        key_rate: None,
        key_concurrency: None,
        batch: None,
    };
}

/// How messages are gathered for a handler that takes the elements of many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    /// The list parameter that takes the elements of all messages.
    pub param: &'static str,
    /// The most messages of one run.
    pub max: u32,
    /// How long a message may wait for others.
    pub wait: Duration,
}

/// A place in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// The file, as the compiler names it.
    pub file: &'static str,
    /// The folder of the crate's manifest.
    pub root: &'static str,
    /// The module, beginning with its crate.
    pub module: &'static str,
    /// The line.
    pub line: u32,
}

impl Source {
    /// The crate that the handler is in.
    #[must_use]
    pub fn krate(&self) -> &'static str {
        self.module.split("::").next().unwrap_or_default()
    }

    /// The file below the crate's folder.
    #[must_use]
    pub fn short(&self) -> &'static str {
        self.file.strip_prefix(self.root).map_or(self.file, |rest| rest.trim_start_matches('/'))
    }
}

/// A handler that the linker collected.
#[derive(Debug, Clone, Copy)]
pub struct Registered(pub &'static Handler);

inventory::collect!(Registered);

impl Handler {
    /// The parameters that a caller can give.
    pub fn visible(&self) -> impl Iterator<Item = &'static Param> {
        self.params.iter().filter(|param| param.visible())
    }

    /// True when the handler reads the body itself.
    #[must_use]
    pub fn streams(&self) -> bool {
        self.params.iter().any(|param| param.place == Place::Stream)
    }

    /// The app: the path's first segment.
    #[must_use]
    pub fn app(&self) -> &'static str {
        self.path.trim_start_matches('/').split('/').next().unwrap_or_default()
    }

    /// The first line of the doc comment.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        self.doc.trim().lines().next().unwrap_or_default().trim()
    }
}
