//! What commands about the queue stand on: the engine opened from here, beside servers or without any.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;

use butterfly_core::access_log::{Access, Seconds};
use butterfly_core::{App, Ctx, Door, Error, Fault, Handler, Registry, Reply, ReqId};
use butterfly_queue::{Engine, EngineError, Queue};

use crate::Butterfly;
use crate::config::{Config, Loaded};
use crate::logs::Logs;

/// Why a command did not do what it was told.
#[derive(Debug)]
pub(super) enum Failure {
    /// It could not: exit code 1.
    Not(String),
    /// The words do not make sense: exit code 2.
    Usage(String),
}

pub(super) type Done = Result<(), Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let advice = match error.stat().as_str() {
            "ERR_MSG_NOT_EXIST" => {
                return Self::Not(
                    "there is no such message: it was deleted, its time was up, or it is in another engine \
                     (`config` shows queue.engine and data_dir)"
                        .into(),
                );
            }
            stat => stat.to_owned(),
        };
        match error.fault() {
            Fault::BadParams(bad) => {
                let problems: Vec<String> = bad.iter().map(|(name, why)| format!("{name}: {why}")).collect();
                Self::Not(format!("the arguments do not fit: {}", problems.join("; ")))
            }
            Fault::BadBody(why) => Self::Not(format!("the arguments do not fit: {why}")),
            Fault::Busy { reason, .. } => Self::Not(reason.clone()),
            Fault::Business { reason: Some(reason), .. } => Self::Not(format!("{advice}: {reason}")),
            _ => Self::Not(error.chain()),
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        Self::Not(error.to_string())
    }
}

/// Tells the user what went wrong, and the shell how.
pub(super) fn exit(done: Done) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Not(why)) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
        Err(Failure::Usage(why)) => {
            eprintln!("error: {why}");
            ExitCode::from(super::USAGE)
        }
    }
}

/// Asks whoever sits at the terminal; where nobody does, `--yes` has to say it.
pub(super) fn agreed(question: &str) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage(format!("{question} Say so with --yes")));
    }
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(|error| Failure::Not(format!("no answer: {error}")))?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// The queue, the program's handlers, and a call in whose name the command acts.
pub(super) struct Desk<'a> {
    pub(super) queue: Queue,
    pub(super) config: &'a Config,
    pub(super) ctx: Ctx,
    pub(super) logs: Logs,
    /// Whether programs read what is said.
    pub(super) json: bool,
}

/// Opens the engine and does something with it.
pub(super) fn at<'a, T, F>(
    program: Butterfly,
    loaded: &'a Loaded,
    (json, quiet): (bool, bool),
    act: impl FnOnce(Desk<'a>) -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let config = &loaded.config;
    let registry = program.registry().map_err(|unfit| Failure::Not(unfit.to_string()))?;
    let logs = Logs::open_dev(config, !quiet)
        .map_err(|error| Failure::Not(format!("cannot open the logs in log.dir: {error}")))?;
    logs.listen();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Not(error.to_string()))?;
    let result = runtime.block_on(async {
        let queue = open(config, &registry, program.version).await?;
        let app = with(program.into_app(registry, config).0, queue.clone());
        act(Desk { queue, config, ctx: ctx(Arc::new(app)), logs: logs.clone(), json }).await
    });
    logs.flush();
    result
}

async fn open(config: &Config, registry: &Registry, version: &str) -> Result<Queue, EngineError> {
    let engine: Arc<dyn Engine> = crate::queue::open(config).await?;
    // A name of its own: it owns no messages, and no worker's may be taken for its own.
    let who = format!("cli-{}", std::process::id());
    Ok(crate::queue::on(engine, registry, config, version, &who))
}

/// The app with the queue in it, for handlers that send messages; without, when the engine cannot be opened.
pub(super) async fn app(program: Butterfly, registry: Registry, config: &Config) -> App {
    let opened = open(config, &registry, program.version).await;
    let mut app = program.into_app(registry, config).0;
    #[cfg(feature = "sql")]
    match (crate::serve::databases(&mut app, config).await, &opened) {
        (Ok((databases, _)), Ok(queue)) => {
            let outbox = crate::outbox::open(queue, &databases, config);
            app.state.insert(outbox);
        }
        (Ok(_), Err(_)) => {}
        (Err(error), _) => {
            tracing::warn!(target: "butterfly::sql", "the call has no database: {error}");
        }
    }
    if let Err(error) = crate::replies::install(&mut app, config) {
        tracing::warn!(target: "butterfly::cache", "the call has no cache: {error}");
    }
    if let Err(error) = crate::sessions::install(&mut app, config) {
        tracing::warn!(target: "butterfly::session", "the call has no sessions: {error}");
    }
    match opened {
        Ok(queue) => with(app, queue),
        Err(error) => {
            tracing::warn!(target: "butterfly::queue", "the call has no queue: {error}");
            app
        }
    }
}

fn with(mut app: App, queue: Queue) -> App {
    app.state.insert(queue.clone());
    app.later = Some(Box::new(queue));
    app
}

/// A call from the command line, by whoever sits there.
pub(super) fn ctx(app: Arc<App>) -> Ctx {
    let mut ctx = Ctx::within(app, Door::Cli);
    if let Ok(reqid) = ReqId::new().prefixed("DEV_") {
        ctx.set_reqid(reqid);
    }
    let plain =
        |name: &String| (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
    ctx.set_username(std::env::var("USER").ok().filter(plain));
    ctx
}

/// Writes the line of a call from the command line into its own access log, where `trace` finds it.
pub(super) fn write(logs: &Logs, ctx: &mut Ctx, handler: &'static Handler, result: &Result<Reply, Error>) {
    let (stat, reason) = match result {
        Ok(reply) => (reply.stat.to_string(), String::new()),
        Err(error) => (error.stat().to_string(), error.chain()),
    };
    let cost = Seconds::of(ctx.started().elapsed());
    let access = Access {
        method: "CLI",
        function: handler.path,
        handler: Some(handler),
        stat: &stat,
        cost: &cost,
        reason: &reason,
    };
    access.write(logs, &mut Vec::new(), &std::process::id().to_string(), ctx);
}
