//! `call`: one handler, run here and now, without a server.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;

use butterfly_core::args::{Input, Payload};
use butterfly_core::reply::Content;
use butterfly_core::trace::{self, TraceOptions};
use butterfly_core::{Body, Ctx, Door, Error, Fault, Handler, Reply, ReqId, call};
use serde_json::{Value, json};

use super::arguments::CallWords;
use super::routes;
use crate::Butterfly;
use crate::config::Loaded;
use crate::logs::Logs;
use crate::say::say;

pub(super) fn run(program: Butterfly, loaded: &Loaded, words: CallWords) -> ExitCode {
    let registry = match program.registry() {
        Ok(registry) => registry,
        Err(unfit) => return usage(unfit),
    };
    let Some(path) = &words.path else {
        say!("Usage: call PATH [name=value | value …] [--trace] [--json]\n");
        say!("{}", routes::table(registry.handlers()).trim_end());
        return ExitCode::from(super::USAGE);
    };
    let Some((handler, captures)) = find(&registry, path) else {
        return usage(format_args!("no handler has the path {path}; `routes` lists them"));
    };
    let (app, _) = program.into_app(registry, &loaded.config);
    let mut ctx = Ctx::within(Arc::new(app), Door::Cli);
    if let Ok(reqid) = ReqId::new().prefixed("DEV_") {
        ctx.set_reqid(reqid);
    }
    let given = match Given::read(handler, &words.words) {
        Ok(given) => given,
        Err(problem) => return usage(problem),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return usage(error),
    };
    let colour = std::io::stderr().is_terminal() && loaded.config.log.color;
    let log = match Logs::open_dev(&loaded.config) {
        Ok(log) => log,
        Err(error) => return usage(format_args!("cannot open the logs in log.dir: {error}")),
    };
    // Nothing else in this command has set a log.
    let _ = tracing::subscriber::set_global_default(log.clone());
    let traced = words.trace && start_trace(colour);
    let input =
        Input { captures: &captures, payload: given.payload(), stream: Some(Body::empty()), query: None };
    let result = runtime.block_on(async { call(handler, &ctx, input).await });
    log.flush();
    if traced {
        trace::stop();
    }
    show(handler, &runtime, result, words.json, &ctx)
}

fn find(
    registry: &butterfly_core::Registry,
    path: &str,
) -> Option<(&'static Handler, Vec<(String, String)>)> {
    let path = format!("/{}", path.trim_matches('/'));
    match registry.get(&path) {
        Some(handler) => Some((handler, Vec::new())),
        None => registry.find("GET", &path).ok().map(|found| (found.handler, found.captures)),
    }
}

/// The arguments as words of the command line.
enum Given {
    Pairs(Vec<(String, String)>),
    Document(String),
}

impl Given {
    /// `name=value` where the handler has such a parameter, else the next parameter in order; `none` is left out.
    fn read(handler: &Handler, words: &[String]) -> Result<Self, String> {
        if let [document] = words
            && document.trim_start().starts_with('{')
        {
            return Ok(Self::Document(document.clone()));
        }
        let names: Vec<&str> = handler.visible().map(|param| param.name).collect();
        let mut order = names.iter();
        let mut pairs = Vec::new();
        for word in words {
            match word.split_once('=') {
                Some((name, value)) if names.contains(&name) => {
                    pairs.push((name.to_owned(), value.to_owned()));
                }
                _ => {
                    let taken = |name: &str| pairs.iter().any(|(known, _)| known == name);
                    let next = order.find(|name| !taken(name));
                    let next = next.ok_or_else(|| {
                        format!("{word:?} is one argument too many: {}", usage_line(handler))
                    })?;
                    pairs.push(((*next).to_owned(), word.clone()));
                }
            }
        }
        pairs.retain(|(_, value)| !value.eq_ignore_ascii_case("none"));
        Ok(Self::Pairs(pairs))
    }

    fn payload(&self) -> Payload<'_> {
        match self {
            Self::Pairs(pairs) => Payload::Pairs(pairs),
            Self::Document(document) => Payload::Json(document.as_bytes()),
        }
    }
}

fn usage_line(handler: &Handler) -> String {
    let params: Vec<String> = handler.visible().map(routes::param).collect();
    format!("call {} {}", handler.path, params.join(" "))
}

fn usage(why: impl std::fmt::Display) -> ExitCode {
    eprintln!("error: {why}");
    ExitCode::from(super::USAGE)
}

/// Turns the trace on; release builds have none.
fn start_trace(colour: bool) -> bool {
    if !cfg!(debug_assertions) {
        eprintln!(
            "note: --trace needs a debug build, since a release build keeps no lines: use `cargo run -- call …`"
        );
        return false;
    }
    trace::start(TraceOptions::new(std::io::stderr()).color(colour));
    true
}

fn show(
    handler: &Handler,
    runtime: &tokio::runtime::Runtime,
    result: Result<Reply, Error>,
    json_only: bool,
    ctx: &Ctx,
) -> ExitCode {
    match result {
        Ok(reply) => {
            let ok =
                reply.stat == butterfly_core::Stat::OK || reply.status.is_some_and(|status| status < 400);
            if !json_only {
                eprintln!("{} {}", ctx.reqid(), reply.stat);
            }
            print_content(runtime, reply.content, json_only);
            if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            let mut document = json!({ "stat": error.stat().as_str() });
            match error.fault() {
                Fault::BadParams(bad) => {
                    document["params"] =
                        bad.iter().map(|(name, why)| (name.to_owned(), Value::from(why))).collect();
                }
                Fault::BadBody(why) => document["reason"] = why.as_str().into(),
                Fault::Business { reason: Some(reason), .. } => document["reason"] = reason.as_str().into(),
                _ => {}
            }
            say!("{}", if json_only { document.to_string() } else { format!("{document:#}") });
            if !json_only {
                eprintln!("{} {}", ctx.reqid(), error.chain());
                eprintln!("usage: {}", usage_line(handler));
            }
            ExitCode::FAILURE
        }
    }
}

fn print_content(runtime: &tokio::runtime::Runtime, content: Content, plain: bool) {
    use std::io::Write;
    match content {
        Content::Json(document) => match serde_json::from_slice::<Value>(&document) {
            Ok(value) if !plain => say!("{value:#}"),
            _ => say!("{}", String::from_utf8_lossy(&document)),
        },
        Content::File(file) => say!("{}", file.path.display()),
        Content::Empty => {}
        // A closed pipe (`| head`) is no reason to fail, here and below.
        Content::Bytes(bytes) => drop(std::io::stdout().write_all(&bytes)),
        Content::Stream(mut body) => runtime.block_on(async {
            while let Some(Ok(piece)) = body.next().await {
                if std::io::stdout().write_all(&piece).is_err() {
                    return;
                }
            }
        }),
    }
}
