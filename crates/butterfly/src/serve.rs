//! `serve`: the process that answers.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use butterfly_core::{App, Handler};
use butterfly_http::{Door, ErrorStyle, Options, Server, StatAdaptor};
use butterfly_queue::{EngineError, Worker};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{oneshot, watch};

use crate::Butterfly;
use crate::butterfly::Around;
use crate::config::{self, Config, HttpConfig, Loaded, Role};
use crate::logs::Logs;
use crate::pid_file::{self, PidFile, Running};
use crate::queue;
use crate::reach;
use crate::say::say;

/// A drain that takes longer than its limit by so much is not coming to an end.
const GRACE: Duration = Duration::from_secs(1);

/// Runs the program until it is told to stop.
pub(crate) fn serve(program: Butterfly, loaded: &Loaded) -> ExitCode {
    let config = &loaded.config;
    if config.roles == [Role::Scheduler] {
        return failed("this version has no scheduler yet: set roles = [\"http\"], [\"worker\"] or both");
    }
    let registry = match program.served(config) {
        Ok(registry) => registry,
        Err(unfit) => return failed(unfit),
    };
    let pid_file = match PidFile::take(&pid_file::path(config)) {
        Ok(Some(pid_file)) => pid_file,
        Ok(None) => {
            return failed(format_args!(
                "the instance {} runs on {} already: see `status`, or set another instance to run beside it, \
                 or another data_dir",
                config.instance.as_str(),
                config.data_dir.display()
            ));
        }
        Err(error) => {
            return failed(format_args!("cannot use data_dir {}: {error}", config.data_dir.display()));
        }
    };
    let logs = match Logs::open(config) {
        Ok(logs) => logs,
        Err(error) => {
            return failed(format_args!(
                "cannot open the logs in log.dir {}: {error}",
                config.log.dir.display()
            ));
        }
    };
    logs.install();
    let (mut app, around) = program.into_app(registry, config);
    app.state.insert(logs.levels());
    let result = Logs::write_routes(config, &app).and_then(|()| runtime(&config.http)).and_then(|runtime| {
        let result = runtime.block_on(run(app, around, config, &logs, pid_file));
        // Handlers that block a thread past the drain's limit are not waited for.
        runtime.shutdown_background();
        result
    });
    logs.flush();
    match result {
        Ok(0) => ExitCode::SUCCESS,
        Ok(open) => failed(format_args!("{open} connections did not end within http.drain_timeout")),
        Err(error) => failed(error),
    }
}

fn failed(why: impl std::fmt::Display) -> ExitCode {
    eprintln!("error: {why}");
    ExitCode::FAILURE
}

fn runtime(http: &HttpConfig) -> io::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if http.threads > 0 {
        builder.worker_threads(http.threads);
    }
    builder.thread_name("butterfly").enable_all().build()
}

async fn run(
    mut app: App,
    around: Around,
    config: &Config,
    logs: &Logs,
    mut pid_file: PidFile,
) -> io::Result<usize> {
    let (name, version) = (app.name.clone(), app.version.clone());
    let engine = queue::of_service(config).map_err(io::Error::other)?;
    let missing = reach::missing(&*engine).await.map_err(io::Error::other)?;
    let queue = queue::on(engine, &app.registry, config, &version, config.instance.as_str());
    #[cfg(feature = "sql")]
    let (databases, differences) = databases(&mut app, config).await?;
    crate::replies::install(&mut app, config)?;
    crate::sessions::install(&mut app, config)?;
    #[cfg(feature = "sql")]
    let outbox = crate::outbox::open(&queue, &databases, config);
    app.state.insert(queue.clone());
    app.later = Some(Box::new(queue.clone()));
    let app = Arc::new(app);
    let server = if config.roles.contains(&Role::Http) {
        Some(bind(door(app.clone(), around, config, logs), config.http.listen).await?)
    } else {
        None
    };
    let listen = server.as_ref().map(Server::local_addr);
    let told = stop_signals(config, logs.clone())?;
    pid_file.write(&Running { pid: std::process::id(), name, version, listen })?;
    welcome(&app, config, listen, missing.as_ref());
    #[cfg(feature = "sql")]
    differences.iter().for_each(|line| eprintln!("warning: {line}"));
    let address = listen.map(tracing::field::display);
    tracing::info!(target: "butterfly", address, handlers = app.registry.handlers().len(), "started");
    #[cfg(feature = "sql")]
    let relay = outbox.relay(&queue);
    let (stop, stopped) = watch::channel(false);
    let ended = async {
        tokio::select! {
            _ = told => {}
            // What cannot be used ends the process by itself.
            () = until(stopped.clone()) => {}
        }
        let _ = stop.send(true);
    };
    let works = config.roles.contains(&Role::Worker);
    let start = async {
        if let Some(why) = missing {
            reach::reached(&**queue.engine(), why).await?;
        }
        works.then(|| Worker::start(queue, app.clone(), Some(Arc::new(logs.clone())))).transpose()
    };
    let drain = config.http.drain_timeout.as_duration();
    let working = async {
        let worked = work(start, stopped.clone(), drain).await;
        let _ = stop.send(true);
        worked
    };
    let ((), open, worked) = tokio::join!(ended, serve_http(server, until(stopped.clone())), working);
    worked.map_err(io::Error::other)?;
    #[cfg(feature = "sql")]
    {
        relay.stop().await;
        databases.close().await;
    }
    tracing::info!(target: "butterfly", open, "stopped");
    Ok(open)
}

/// Gives the app its databases; and what stands between them and the entities, for people.
#[cfg(feature = "sql")]
pub(crate) async fn databases(
    app: &mut App,
    config: &Config,
) -> io::Result<(butterfly_model::sql::Databases, Vec<String>)> {
    let databases = crate::sql::open(config).await?;
    let told = crate::sql::prepare(&databases, config).await?;
    app.state.insert(databases.clone());
    Ok((databases, told))
}

/// Completes when the process is told to stop.
async fn until(mut stopped: watch::Receiver<bool>) {
    // The sender lives as long as this is awaited.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Answers until told to stop; gives how many connections did not end in time.
async fn serve_http(server: Option<Server>, stop: impl Future<Output = ()>) -> usize {
    match server {
        Some(server) => server.run(stop).await,
        None => {
            stop.await;
            0
        }
    }
}

/// Starts the worker once the queue is there, if this process has one, and runs messages until told to stop; hands
/// back what has not ended by then.
async fn work(
    start: impl Future<Output = Result<Option<Worker>, EngineError>>,
    stopped: watch::Receiver<bool>,
    drain: Duration,
) -> Result<(), EngineError> {
    let worker = tokio::select! {
        started = start => started?,
        () = until(stopped.clone()) => None,
    };
    until(stopped).await;
    if let Some(worker) = worker {
        worker.stop(drain).await;
    }
    Ok(())
}

async fn bind(door: Door, listen: SocketAddr) -> io::Result<Server> {
    Server::bind(listen, door).await.map_err(|error| cannot_listen(listen, &error))
}

fn cannot_listen(address: SocketAddr, error: &io::Error) -> io::Error {
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another process has it; set http.listen to another port, or to port 0 to pick one"
        }
        io::ErrorKind::AddrNotAvailable => "no network of this machine has this address",
        io::ErrorKind::PermissionDenied => "ports below 1024 are the system administrator's",
        _ => "see http.listen",
    };
    io::Error::new(error.kind(), format!("cannot listen on {address}: {error}; {advice}"))
}

/// Completes at the first SIGTERM or SIGINT; the second ends the process at once, and so does the end of the drain's
/// limit, in case it is not kept. A thread of its own listens: handlers that block all others cannot prevent the end.
fn stop_signals(config: &Config, logs: Logs) -> io::Result<oneshot::Receiver<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let entered = runtime.enter();
    let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    drop(entered);
    let (tell, told) = oneshot::channel();
    let watch = watch_signals(terminate, interrupt, config.http.drain_timeout.as_duration(), tell, logs);
    std::thread::Builder::new().name("signals".into()).spawn(move || runtime.block_on(watch))?;
    Ok(told)
}

async fn watch_signals(
    mut terminate: Signal,
    mut interrupt: Signal,
    drain: Duration,
    tell: oneshot::Sender<()>,
    logs: Logs,
) {
    either(&mut terminate, &mut interrupt).await;
    tracing::info!(target: "butterfly", "told to stop: calls that run have {drain:?} to end; a second signal ends them now");
    // Nobody listens when the server has ended by itself.
    let _ = tell.send(());
    if tokio::time::timeout(drain + GRACE, either(&mut terminate, &mut interrupt)).await.is_err() {
        tracing::error!(target: "butterfly", "handlers that never wait hold every thread: ended without them");
    }
    logs.flush();
    std::process::exit(1);
}

async fn either(one: &mut Signal, two: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = two.recv() => {}
    }
}

fn door(app: Arc<App>, around: Around, config: &Config, logs: &Logs) -> Door {
    let make = |chain, mounts| {
        Door::new(app.clone(), options(&config.http), Arc::new(logs.clone()))
            .with_chain(chain)
            .with_mounts(mounts)
    };
    match around.layer {
        None => make(None, around.mounts),
        // The layer's innermost service is a door of its own, without the layer.
        Some(layer) => make(Some(layer(Arc::new(make(None, around.mounts)))), Vec::new()),
    }
}

/// The door's limits and choices, as configured.
pub(crate) fn options(http: &HttpConfig) -> Options {
    let defaults = Options::default();
    let trusted = http.trusted_proxies.clone();
    let mut head = defaults.head;
    head.max_bytes = http.max_head.as_usize();
    Options {
        errors: match http.errors {
            config::ErrorStyle::Rest => ErrorStyle::Rest,
            config::ErrorStyle::Butterfly => ErrorStyle::Butterfly,
        },
        stat_adaptor: http.stat_adaptor.as_ref().map(|adaptor| StatAdaptor {
            status_name: adaptor.status_name.clone(),
            status_map: adaptor
                .status_map
                .iter()
                .map(|(stat, value)| (stat.clone(), value.to_string()))
                .collect(),
            message_name: adaptor.message_name.clone(),
        }),
        max_connections: http.max_connections,
        head,
        max_body: http.max_body.as_u64(),
        max_upload: http.max_upload.as_u64(),
        head_timeout: http.head_timeout.as_duration(),
        body_timeout: http.body_timeout.as_duration(),
        request_timeout: http.request_timeout.as_duration(),
        idle_timeout: http.idle_timeout.as_duration(),
        drain_timeout: http.drain_timeout.as_duration(),
        trusted: Arc::new(move |ip| trusted.iter().any(|network| network.contains(ip))),
        user_header: http.user_header.as_str().to_owned(),
        static_dir: http.static_dir.clone(),
        static_prefix: http.static_prefix.get().map(str::to_owned),
    }
}

/// What a newcomer sees: where it is, what it serves, where to click.
fn welcome(app: &App, config: &Config, listen: Option<SocketAddr>, missing: Option<&EngineError>) {
    let own = |handler: &&&Handler| handler.source.krate() != "butterfly_apps";
    let mut apps: Vec<&str> =
        app.registry.handlers().iter().filter(own).map(|handler| handler.app()).collect();
    apps.dedup();
    say!("{} {} serves {} handlers\n", app.name, app.version, app.registry.handlers().len());
    say!("  apps      {}", apps.join(", "));
    if let Some(address) = listen {
        say!("  address   http://{address}");
    }
    if let Some(address) = listen.filter(|_| config.ops.enabled) {
        say!("  docs      http://{address}/docs");
        say!("  openapi   http://{address}/openapi.json");
        say!("  metrics   http://{address}/metrics");
    }
    say!("  queue     {}", queue::shown(config));
    if let Some(why) = missing {
        say!("            {why}; it is tried again until it is there");
    }
    say!("  logs      {}", config.log.dir.display());
    let from_elsewhere = listen.is_some_and(|address| !address.ip().is_loopback());
    if config.ops.enabled && from_elsewhere && app.ops_token.is_none() {
        say!("\n  docs, openapi and metrics answer callers on this machine; others need ops.token to be set");
    }
    say!("\nCtrl-C stops it.");
}
