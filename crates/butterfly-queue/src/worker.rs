//! The worker: leases messages of this program's topics and runs their handlers.
//!
//! ```text
//!  engine ◀── exchange ── dispatcher ──▶ ready ──▶ runners (one for each message at once)
//!                             ▲                       │
//!                             └───────── done ◀───────┘
//! ```
//!
//! One dispatcher decides; it never waits for a single call. Runners take the next message themselves, and their ends
//! travel together: what ends while an exchange is on its way makes up the next one. Runners have threads of their own, so
//! that a handler that blocks holds up neither the leases nor other doors.

mod ahead;
mod batch;
mod dispatch;
mod flight;
mod lane;
mod lease;
mod ready;
mod run;
mod runner;
mod verdict;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use butterfly_core::App;
use butterfly_core::access_log::LineSink;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::engine::EngineError;
use crate::queue::Queue;
use dispatch::Dispatcher;
use runner::Runner;

pub(crate) use run::Run;

/// A worker that runs.
pub struct Worker {
    stop: mpsc::Sender<Stop>,
    dispatcher: JoinHandle<()>,
    runners: Option<Runtime>,
}

/// Tells the dispatcher to come to an end.
struct Stop {
    /// Messages that run have so long.
    drain: Duration,
    done: oneshot::Sender<()>,
}

/// What runners and dispatcher share.
struct Shared {
    queue: Queue,
    app: Arc<App>,
    log: Option<Arc<dyn LineSink>>,
    ready: ready::Ready,
    done: ready::Done,
    /// What each runner runs.
    runs: Vec<Arc<Run>>,
}

impl Worker {
    /// Starts a worker for the topics that the queue's settings name. Call it inside a tokio runtime.
    ///
    /// `log` takes a line for each run, as the HTTP door writes one for each request.
    ///
    /// # Errors
    ///
    /// When the engine cannot be listened to, or the system gives no threads.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use std::{sync::Arc, time::Duration};
    /// use butterfly_core::App;
    /// use butterfly_queue::{Queue, Worker};
    ///
    /// # async fn example(queue: Queue, app: Arc<App>) -> Result<(), Box<dyn std::error::Error>> {
    /// let worker = Worker::start(queue, app, None)?;
    /// // … until it is time to go:
    /// worker.stop(Duration::from_secs(10)).await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn start(queue: Queue, app: Arc<App>, log: Option<Arc<dyn LineSink>>) -> Result<Self, EngineError> {
        let concurrency = queue.settings().concurrency.max(1);
        let runners = threads(concurrency)?;
        let wakes = queue.0.bus.worker()?;
        let runs = (0..concurrency).map(|_| Arc::default()).collect();
        let shared = Arc::new(Shared {
            queue,
            app,
            log,
            ready: ready::Ready::new(),
            done: ready::Done::default(),
            runs,
        });
        for run in &shared.runs {
            runners.spawn(Runner::new(shared.clone(), run.clone()).run());
        }
        let (stop, stopped) = mpsc::channel(1);
        let dispatcher = tokio::spawn(Dispatcher::new(shared).run(wakes, stopped));
        Ok(Self { stop, dispatcher, runners: Some(runners) })
    }

    /// Stops: nothing more is claimed, what waits here is handed back at once, what runs has `drain` to end and is handed
    /// back then. When it returns, the engine knows.
    pub async fn stop(mut self, drain: Duration) {
        let (done, stopped) = oneshot::channel();
        // A dispatcher that has ended already has nothing to hand back.
        if self.stop.send(Stop { drain, done }).await.is_ok() {
            let _ = stopped.await;
        }
        self.dispatcher.abort();
        if let Some(runners) = self.runners.take() {
            // Handlers that block a thread are not waited for.
            runners.shutdown_background();
        }
    }
}

/// Threads that run handlers: one for each message at once up to four for each core, for handlers may block.
fn threads(concurrency: usize) -> Result<Runtime, EngineError> {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let count = concurrency.clamp(1, cores * 4);
    let built = Builder::new_multi_thread().worker_threads(count).thread_name("worker").enable_all().build();
    built.map_err(|error| EngineError::Misconfigured(format!("no threads for a worker: {error}")))
}

/// The host's name.
pub(crate) fn hostname() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.is_empty() { "localhost".into() } else { name }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.dispatcher.abort();
        if let Some(runners) = self.runners.take() {
            runners.shutdown_background();
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Worker")
    }
}
