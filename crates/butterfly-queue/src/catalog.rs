//! The topics of a program: one for each handler, with what holds for its messages.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use butterfly_core::args::{Input, Payload};
use butterfly_core::handler::Batch;
use butterfly_core::{App, BadParams, Ctx, Door, Error, Fault, Handler, Registry, Result, bind};
use serde_json::value::RawValue;

use crate::message::Spec;
use crate::settings::Settings;
use crate::topic::{Limits, Rate, Topic};

/// A topic of this program: its limits, its handler, and what its messages have unless they say otherwise.
#[derive(Debug)]
pub struct Entry {
    /// The topic.
    pub topic: Topic,
    /// The handler that runs its messages.
    pub handler: &'static Handler,
    /// How often a failed run is tried again.
    pub retries: u32,
    /// The first pause before a run is tried again.
    pub backoff: Duration,
    /// How long one run may take; zero is without a limit.
    pub timeout: Duration,
    /// How its messages are taken together, where they are.
    pub batch: Option<Batch>,
}

/// The topics of a program by path.
#[derive(Debug)]
pub struct Catalog {
    entries: Vec<Entry>,
    by_path: HashMap<&'static str, usize>,
    settings: Settings,
    /// What arguments are bound in when they are only checked.
    nowhere: Arc<App>,
}

/// The first pause before a run is tried again, where the handler names none.
const BACKOFF: Duration = Duration::from_secs(1);

impl Catalog {
    /// A topic for each handler that takes arguments as JSON.
    #[must_use]
    pub fn new(registry: &Registry, settings: Settings) -> Self {
        let mut catalog =
            Self { entries: Vec::new(), by_path: HashMap::new(), settings, nowhere: Arc::default() };
        for handler in registry.handlers().iter().filter(|handler| !handler.streams()) {
            // Two handlers of one path differ in their HTTP methods, which the queue does not know: the first has it.
            if let (Ok(topic), false) = (Topic::new(handler.path), catalog.by_path.contains_key(handler.path))
            {
                catalog.by_path.insert(handler.path, catalog.entries.len());
                let entry = catalog.entry(topic, handler);
                catalog.entries.push(entry);
            }
        }
        catalog
    }

    fn entry(&self, topic: Topic, handler: &'static Handler) -> Entry {
        let options = &handler.options.queue;
        let rate = |rate: Option<(u32, u64)>| rate.map(|(count, per_ms)| Rate { count, per_ms });
        let limits = Limits {
            depth: Some(self.settings.max_depth),
            concurrency: options.concurrency,
            rate: rate(options.rate),
            keyed: options.limit_by.is_some(),
            key_concurrency: options.key_concurrency,
            key_rate: rate(options.key_rate),
        };
        Entry {
            topic: topic.with(limits),
            handler,
            retries: options.retries.unwrap_or(self.settings.retries),
            backoff: options.backoff.unwrap_or(BACKOFF),
            timeout: handler.options.timeout.unwrap_or(self.settings.timeout),
            batch: options.batch,
        }
    }

    /// What holds for all of them.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The topics, sorted by path.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The topic of a path.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Entry> {
        self.by_path.get(path).map(|index| &self.entries[*index])
    }

    /// The topic that a message is for: one of this program, or any where that is allowed.
    ///
    /// # Errors
    ///
    /// `ERR_BAD_PARAMS`, naming the topic.
    pub(crate) fn topic(&self, path: &str) -> Result<(Topic, Option<&Entry>)> {
        if let Some(entry) = self.get(path) {
            return Ok((entry.topic.clone(), Some(entry)));
        }
        let topic = Topic::new(path).map_err(|why| bad("topic", why))?;
        if self.settings.allow_unknown {
            let depth = Some(self.settings.max_depth);
            return Ok((topic.with(Limits { depth, ..Limits::default() }), None));
        }
        Err(bad(
            "topic",
            format!(
                "no handler here has the path {path}, or it reads its body as a stream; `routes` lists them, and queue.allow_unknown lets messages for others pass"
            ),
        ))
    }

    /// The message of these arguments, if they fit the handler.
    ///
    /// # Errors
    ///
    /// `ERR_BAD_PARAMS`, naming each argument that does not fit.
    pub(crate) fn spec(&self, entry: Option<&Entry>, args: String) -> Result<Spec> {
        if args.len() > self.settings.max_args {
            let (size, limit) = (args.len(), self.settings.max_args);
            return Err(bad("args", format!("{size} bytes, and queue.max_args allows {limit}")));
        }
        self.check(entry, &args)?;
        let ms = |span: Duration| span.as_millis() as u64;
        let mut spec = Spec::new(args);
        spec.timeout_ms = ms(entry.map_or(self.settings.timeout, |entry| entry.timeout));
        spec.retries = entry.map_or(self.settings.retries, |entry| entry.retries);
        spec.result_ttl_ms = self.settings.result_ttl.map(ms);
        spec.failure_ttl_ms = self.settings.failure_ttl.map(ms);
        spec.key = entry.and_then(|entry| key(entry.handler, &spec.args));
        Ok(spec)
    }

    /// Binds the arguments to the handler, without running it.
    ///
    /// # Errors
    ///
    /// `ERR_BAD_PARAMS`, naming each argument that does not fit.
    pub(crate) fn check(&self, entry: Option<&Entry>, args: &str) -> Result<()> {
        let Some(entry) = entry else {
            // Not `&str`: a name with an escape in it is a name all the same.
            return match serde_json::from_str::<HashMap<Cow<'_, str>, &RawValue>>(args) {
                Ok(_) => Ok(()),
                Err(error) => Err(bad("args", format!("must be a JSON object: {error}"))),
            };
        };
        let ctx = Ctx::within(self.nowhere.clone(), Door::Queue);
        let input = Input { payload: Payload::Args(args.as_bytes()), ..Input::default() };
        bind(entry.handler, &ctx, input)
    }
}

/// A problem with one parameter.
pub(crate) fn bad(name: &str, problem: impl Into<String>) -> Error {
    let mut bad = BadParams::default();
    bad.push(name, problem);
    Fault::BadParams(bad).into()
}

/// The text by which the messages of a handler are told apart (`limit_by`).
fn key(handler: &Handler, args: &str) -> Option<String> {
    let name = handler.options.queue.limit_by?;
    let given = serde_json::from_str::<HashMap<Cow<'_, str>, &RawValue>>(args).ok()?;
    let text = match given.get(name) {
        Some(value) => value.get().to_owned(),
        None => handler.params.iter().find(|param| param.name == name)?.default?()?.to_string(),
    };
    Some(text.trim_matches('"').to_owned())
}
