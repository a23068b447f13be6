//! The program: what it is called, what state its handlers share, what stands around them.

use std::any::Any;
use std::process::ExitCode;
use std::sync::Arc;

use butterfly_core::registry::RegistryError;
use butterfly_core::{App, Handler, Registry, States};
use butterfly_http::{AnyService, Chain, Door, DoorService};

use crate::command;
use crate::config::Config;

/// A program of handlers, on its way to being run.
///
/// # Example
///
/// ```no_run
/// struct Greeting(String);
///
/// fn main() -> std::process::ExitCode {
///     butterfly::app!().state(Greeting("hello".into())).run()
/// }
/// ```
#[must_use = "nothing runs before .run()"]
pub struct Butterfly {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    state: States,
    handlers: Vec<&'static Handler>,
    apps: &'static [&'static str],
    layer: Option<LayerFn>,
    mounts: Vec<(String, Box<dyn Chain>)>,
}

type LayerFn = Box<dyn FnOnce(Arc<Door>) -> Box<dyn Chain>>;

/// Why a program cannot start.
#[derive(Debug)]
pub(crate) enum Unfit {
    Routes(RegistryError),
    /// A crate that was to bring handlers brought none.
    Empty(&'static str),
}

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Routes(error) => error.fmt(f),
            Self::Empty(name) => write!(
                f,
                "the crate {name} was to bring handlers and brought none: it has no #[handler], or the linker left it \
                 out; name it where the program is built: .apps(butterfly::apps![{name}])"
            ),
        }
    }
}

impl Butterfly {
    /// A program of this name and version; [`app!`](crate::app) takes both from the crate.
    pub fn new(name: &'static str, version: &'static str) -> Self {
        Self {
            name,
            version,
            state: States::default(),
            handlers: Vec::new(),
            apps: &[],
            layer: None,
            mounts: Vec::new(),
        }
    }

    /// Gives the handlers a value of a type of its own: `ctx.state::<T>()?`. The configuration is there by itself:
    /// `ctx.state::<Config>()?.app::<T>("section")?`.
    pub fn state<T: Any + Send + Sync>(mut self, value: T) -> Self {
        self.state.insert(value);
        self
    }

    /// Crates of handlers that must be there: [`apps!`](crate::apps).
    pub fn apps(mut self, names: &'static [&'static str]) -> Self {
        self.apps = names;
        self
    }

    /// Adds a handler that is not collected at link time.
    pub fn handler(mut self, handler: &'static Handler) -> Self {
        self.handlers.push(handler);
        self
    }

    /// Puts a tower layer around every HTTP call, and around the layers given before. Calls then go through the types of the `http` crate, which costs
    /// some microseconds each.
    pub fn layer<L, B>(mut self, layer: L) -> Self
    where
        L: tower_layer::Layer<AnyService> + 'static,
        L::Service: tower_service::Service<::http::Request<butterfly_core::Body>, Response = ::http::Response<B>>
            + Clone
            + Send
            + 'static,
        <L::Service as tower_service::Service<::http::Request<butterfly_core::Body>>>::Error:
            std::fmt::Display + Send,
        <L::Service as tower_service::Service<::http::Request<butterfly_core::Body>>>::Future: Send,
        B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let before = self.layer.take();
        self.layer = Some(Box::new(move |door| {
            let inner = match before {
                Some(before) => before(door),
                None => butterfly_http::chain(DoorService(door)),
            };
            butterfly_http::layered(inner, layer)
        }));
        self
    }

    /// Hands every path below a prefix to another service, such as an axum router; see
    /// [`chain`](butterfly_http::chain). Handlers go first.
    pub fn mount(mut self, prefix: impl Into<String>, service: Box<dyn Chain>) -> Self {
        self.mounts.push((prefix.into(), service));
        self
    }

    /// Runs the program as its command line says: `serve` when it says nothing.
    pub fn run(self) -> ExitCode {
        butterfly_apps::link();
        command::run(self)
    }

    /// The handlers of the program.
    pub(crate) fn registry(&self) -> Result<Registry, Unfit> {
        let linked = Registry::collect().map_err(Unfit::Routes)?;
        for name in self.apps {
            if !linked.handlers().iter().any(|handler| handler.source.krate() == *name) {
                return Err(Unfit::Empty(name));
            }
        }
        if self.handlers.is_empty() {
            return Ok(linked);
        }
        Registry::of(linked.handlers().iter().chain(&self.handlers).copied()).map_err(Unfit::Routes)
    }

    /// The handlers that answer over HTTP: all, or all but the operators' (`ops.enabled`).
    pub(crate) fn served(&self, config: &Config) -> Result<Registry, Unfit> {
        let all = self.registry()?;
        if config.ops.enabled {
            return Ok(all);
        }
        Registry::of(all.handlers().iter().copied().filter(|handler| !handler.options.ops))
            .map_err(Unfit::Routes)
    }

    /// The app that all calls share, and what stands around its HTTP door.
    pub(crate) fn into_app(self, registry: Registry, config: &Config) -> (App, Around) {
        let mut app = App::new(registry);
        app.name.clone_from(&config.name);
        app.version = self.version.to_owned();
        app.state = self.state;
        app.state.insert(config.clone());
        app.ops_token = config.ops.token.as_ref().map(|token| token.expose().to_owned());
        (app, Around { layer: self.layer, mounts: self.mounts })
    }
}

/// What stands around and beside the HTTP door.
pub(crate) struct Around {
    pub(crate) layer: Option<LayerFn>,
    pub(crate) mounts: Vec<(String, Box<dyn Chain>)>,
}

impl std::fmt::Debug for Butterfly {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Butterfly({} {})", self.name, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use butterfly_apps::health::healthz;
    use butterfly_core::handler::{Options, Source};

    /// A program of the built-in apps.
    fn program() -> Butterfly {
        butterfly_apps::link();
        Butterfly::new("shop", "1")
    }

    #[test]
    fn two_handlers_of_one_path_stop_the_start_and_both_places_are_named() {
        let first = &healthz::HANDLER;
        let twin = Box::leak(Box::new(Handler {
            path: "/healthz",
            doc: "",
            kind: first.kind,
            params: &[],
            options: Options::default(),
            source: Source { file: "shop/src/handlers/doctor.rs", root: "shop", line: 7, ..first.source },
            reply: first.reply,
            run: first.run,
        }));
        let why = program().handler(twin).registry().unwrap_err().to_string();
        assert!(why.contains("two handlers have the path /healthz: "), "{why}");
        for place in ["src/handlers/doctor.rs:7", &format!("src/health.rs:{}", first.source.line)] {
            assert!(why.contains(place), "{place} is not named: {why}");
        }
    }

    #[test]
    fn a_crate_that_brings_no_handler_stops_the_start() {
        let why = program().apps(crate::apps![butterfly_log]).registry().unwrap_err().to_string();
        assert!(why.contains("the crate butterfly_log was to bring handlers and brought none"), "{why}");
        assert!(program().apps(crate::apps![butterfly_apps]).registry().is_ok());
    }

    #[test]
    fn without_ops_operators_handlers_are_not_served() {
        let mut config = Config::default();
        assert!(program().served(&config).unwrap().get("/metrics").is_some());
        config.ops.enabled = false;
        let served = program().served(&config).unwrap();
        assert!(served.get("/metrics").is_none() && served.get("/healthz").is_some());
        assert!(program().registry().unwrap().get("/metrics").is_some(), "the command line keeps them");
    }
}
