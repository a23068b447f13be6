//! The other half: a small server that speaks nshead and mcpack.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::frame::{FrameError, read_frame, write_frame};
use super::{Limits, Nshead, Value, decode, encode};

/// After an error of accept, such as no file descriptor left.
const REST: Duration = Duration::from_millis(50);

/// How a server takes requests; the default suits most.
#[derive(Debug, Clone, Copy)]
pub struct Server {
    max_connections: usize,
    idle_timeout: Duration,
    write_timeout: Duration,
    max_body: usize,
    limits: Limits,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            max_connections: 1024,
            idle_timeout: Duration::from_secs(300),
            write_timeout: Duration::from_secs(10),
            max_body: 16 << 20,
            limits: Limits::default(),
        }
    }
}

impl Server {
    /// How many connections there may be; 1024 by default. More wait to be accepted.
    #[must_use]
    pub fn max_connections(mut self, count: usize) -> Self {
        self.max_connections = count.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// How long a connection may take until its next request is there in full; five minutes by default.
    #[must_use]
    pub fn idle_timeout(mut self, time: Duration) -> Self {
        self.idle_timeout = time;
        self
    }

    /// How long a client may take to read an answer; ten seconds by default.
    #[must_use]
    pub fn write_timeout(mut self, time: Duration) -> Self {
        self.write_timeout = time;
        self
    }

    /// The longest body of a request, in bytes; 16 MiB by default.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// How deep and how many the values of a request may be, and whether zeros behind it are passed over.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Answers requests until the future is dropped, which closes all connections. One connection's requests are answered
    /// in turn; one that cannot be read, or whose handler panics, closes its connection.
    pub async fn serve<H, F>(self, listener: TcpListener, handler: H)
    where
        H: Fn(Nshead, Value) -> F + Send + Sync + 'static,
        F: Future<Output = Value> + Send,
    {
        let handler = Arc::new(handler);
        let room = Arc::new(Semaphore::new(self.max_connections));
        let mut connections = JoinSet::new();
        loop {
            let Ok(permit) = room.clone().acquire_owned().await else { return };
            // The ends of others are taken away, so that they do not pile up.
            while connections.try_join_next().is_some() {}
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let handler = handler.clone();
                    connections.spawn(async move {
                        if let Err(error) = self.connection(stream, &*handler).await {
                            tracing::debug!("nshead connection of {peer}: {error}");
                        }
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::warn!("cannot accept an nshead connection: {error}");
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }

    async fn connection<H, F>(self, mut stream: TcpStream, handler: &H) -> Result<(), String>
    where
        H: Fn(Nshead, Value) -> F,
        F: Future<Output = Value>,
    {
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        loop {
            let read = tokio::time::timeout(self.idle_timeout, read_frame(&mut stream, self.max_body)).await;
            let (head, body) = match read {
                Ok(Ok(frame)) => frame,
                Ok(Err(FrameError::Closed(0))) => return Ok(()),
                Ok(Err(error)) => return Err(error.to_string()),
                Err(_) => return Err(format!("no request within {:?}", self.idle_timeout)),
            };
            let ask = decode(&body, self.limits).map_err(|error| error.to_string())?;
            let answer = encode(&handler(head, ask).await).map_err(|error| error.to_string())?;
            let frame = write_frame(head, &answer).ok_or("an answer of more than 4 GiB")?;
            let written = tokio::time::timeout(self.write_timeout, stream.write_all(&frame)).await;
            written.map_err(|_| "the client does not read its answer")?.map_err(|error| error.to_string())?;
        }
    }
}

/// Answers requests on a listener with the default limits, until the future is dropped: see [`Server::serve`].
///
/// The handler gets the header, whose ids the answer carries back, and what is asked.
pub async fn serve<H, F>(listener: TcpListener, handler: H)
where
    H: Fn(Nshead, Value) -> F + Send + Sync + 'static,
    F: Future<Output = Value> + Send,
{
    Server::default().serve(listener, handler).await;
}
