//! `call`: one handler, run here and now, without a server.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;

use butterfly_core::args::Input;
use butterfly_core::reply::Content;
use butterfly_core::trace::{self, TraceOptions};
use butterfly_core::{Body, Ctx, Error, Fault, Handler, Reply, call};
use serde_json::{Value, json};

use super::arguments::CallWords;
use super::given::{Given, find, usage_line};
use super::{desk, queue, routes};
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
    if words.queue {
        return super::desk::exit(queue::call(program, loaded, path, &words.words, words.json));
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
    let log = match Logs::open_dev(&loaded.config, true) {
        Ok(log) => log,
        Err(error) => return usage(format_args!("cannot open the logs in log.dir: {error}")),
    };
    log.listen();
    let app = Arc::new(runtime.block_on(desk::app(program, registry, &loaded.config)));
    let mut ctx = desk::ctx(app.clone());
    let traced = words.trace && start_trace(colour);
    let input =
        Input { captures: &captures, payload: given.payload(), stream: Some(Body::empty()), query: None };
    let result = runtime.block_on(async { call(handler, &ctx, input).await });
    #[cfg(feature = "sql")]
    runtime.block_on(crate::outbox::hand_over(&app));
    #[cfg(not(feature = "sql"))]
    drop(app);
    desk::write(&log, &mut ctx, handler, &result);
    log.flush();
    if traced {
        trace::stop();
    }
    show(handler, &runtime, result, words.json, &ctx)
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
