//! One address of a service: its connections, its breaker, and one exchange over it.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::breaker::{Breaker, Pass};
use super::deadline::Deadline;
use super::frame::{FrameError, read_frame};
use super::options::ServiceBuilder;
use super::pool::Pool;
use super::{Nshead, RalErrorKind};

#[derive(Debug)]
pub(super) struct Address {
    text: String,
    pool: Pool,
    breaker: Arc<Breaker>,
    in_flight: AtomicUsize,
}

/// Why an exchange came to nothing.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) kind: RalErrorKind,
    pub(super) what: String,
    /// Whether the request was sent in full.
    pub(super) possibly_processed: bool,
    /// Whether it is the address's fault.
    pub(super) counts: bool,
    /// Whether there is time and sense for another attempt.
    pub(super) again: bool,
}

impl Failure {
    fn new(kind: RalErrorKind, what: String) -> Self {
        Self { kind, what, possibly_processed: false, counts: true, again: true }
    }

    fn sent(self) -> Self {
        Self { possibly_processed: true, ..self }
    }
}

/// Counts a call for as long as it is on its way.
struct Flight<'a>(&'a AtomicUsize);

impl<'a> Flight<'a> {
    fn start(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Address {
    pub(super) fn new(text: &str, options: &ServiceBuilder) -> Self {
        Self {
            text: text.into(),
            pool: Pool::new(options.max_connections, options.max_idle, options.idle_timeout),
            breaker: Arc::new(Breaker::new(options.breaker_failures, options.breaker_rest)),
            in_flight: AtomicUsize::new(0),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(super) fn idle(&self) -> usize {
        self.pool.idle_count()
    }

    pub(super) fn is_resting(&self) -> bool {
        self.breaker.is_open()
    }

    pub(super) fn admit(&self) -> Option<Pass> {
        self.breaker.admit(Instant::now())
    }

    /// Sends a frame and reads the one that answers it. Whatever ends this early closes the connection.
    pub(super) async fn exchange(
        &self,
        frame: &[u8],
        options: &ServiceBuilder,
        deadline: Deadline,
    ) -> Result<(Nshead, Vec<u8>), Failure> {
        let _flight = Flight::start(&self.in_flight);
        let place = within(deadline, options.pool_timeout, self.pool.place()).await;
        let _place = place.map_err(|late| {
            let count = options.max_connections;
            let busy = format!("all {count} connections are in use (max_connections)");
            // The address does its work; there is just too much of it.
            Failure { counts: false, ..late.failure(RalErrorKind::Busy, &busy) }
        })?;
        let mut stream = match self.pool.reuse() {
            Some(stream) => stream,
            None => self.connect(options, deadline).await?,
        };
        self.write(&mut stream, frame, options, deadline).await?;
        let answer = within(deadline, options.read_timeout, read_frame(&mut stream, options.max_body)).await;
        match answer {
            Ok(Ok(answer)) => {
                self.pool.keep(stream);
                Ok(answer)
            }
            Ok(Err(error)) => {
                let kind = match error {
                    FrameError::Closed(_) | FrameError::Io(_) => RalErrorKind::Closed,
                    FrameError::Protocol(_) => RalErrorKind::Protocol,
                };
                Err(Failure::new(kind, format!("no answer: {error}")).sent())
            }
            Err(late) => Err(late.failure(RalErrorKind::Timeout, "no answer (read_timeout)").sent()),
        }
    }

    async fn connect(&self, options: &ServiceBuilder, deadline: Deadline) -> Result<TcpStream, Failure> {
        let connected = within(deadline, options.connect_timeout, TcpStream::connect(&self.text)).await;
        let connected = connected
            .map_err(|late| late.failure(RalErrorKind::Connect, "cannot connect (connect_timeout)"))?
            .and_then(|stream| stream.set_nodelay(true).map(|()| stream));
        connected.map_err(|error| Failure::new(RalErrorKind::Connect, format!("cannot connect: {error}")))
    }

    /// Nothing is processed when this fails: part of a frame is no request.
    async fn write(
        &self,
        stream: &mut TcpStream,
        frame: &[u8],
        options: &ServiceBuilder,
        deadline: Deadline,
    ) -> Result<(), Failure> {
        let written = within(deadline, options.write_timeout, stream.write_all(frame)).await;
        let written: io::Result<()> =
            written.map_err(|late| late.failure(RalErrorKind::Send, "cannot send (write_timeout)"))?;
        written.map_err(|error| Failure::new(RalErrorKind::Send, format!("cannot send: {error}")))
    }
}

/// The time of a step was over.
struct Late {
    limit: Duration,
    of_deadline: bool,
}

impl Late {
    fn failure(self, kind: RalErrorKind, what: &str) -> Failure {
        let limit = self.limit;
        if self.of_deadline {
            let what = format!("{what}: the call's time was over");
            Failure { counts: false, again: false, ..Failure::new(RalErrorKind::Deadline, what) }
        } else {
            Failure::new(kind, format!("{what} within {limit:?}"))
        }
    }
}

async fn within<T>(deadline: Deadline, step: Duration, future: impl Future<Output = T>) -> Result<T, Late> {
    let (limit, of_deadline) = deadline.limit(step);
    tokio::time::timeout(limit, future).await.map_err(|_| Late { limit, of_deadline })
}
