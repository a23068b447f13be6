//! The listening socket, the connections behind it, and the way they end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use butterfly_core::App;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::door::Door;
use crate::drain::{Drain, Open};
use crate::h1::{Rewound, connection};
use crate::h2;

/// An HTTP server: a socket that listens, and the door behind it.
///
/// # Example
///
/// ```no_run
/// # async fn run(door: butterfly_http::Door) -> std::io::Result<()> {
/// let server = butterfly_http::Server::bind("127.0.0.1:0".parse().unwrap(), door).await?;
/// println!("listening on {}", server.local_addr());
/// server.run(async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    door: Arc<Door>,
    drain: Arc<Drain>,
}

impl Server {
    /// Opens the socket; connections wait in its queue until [`run`](Self::run).
    ///
    /// # Errors
    ///
    /// When the address cannot be had: it is in use, or not this machine's.
    pub async fn bind(address: SocketAddr, door: Door) -> io::Result<Self> {
        let listener = listen(address)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, door: Arc::new(door), drain: Arc::default() })
    }

    /// The address; its port is the one that was picked when 0 was asked for.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` completes, then drains: no new connections, idle ones close, calls that run may finish
    /// within the drain limit. Gives the number of connections that did not.
    pub async fn run(self, stop: impl Future<Output = ()>) -> usize {
        let Self { listener, door, drain, .. } = self;
        let limit = door.options.drain_timeout;
        let app = door.app.clone();
        app.set_ready(true);
        tokio::pin!(stop);
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => admit(&door, &drain, stream, peer),
                    Err(error) => pause(&error).await,
                },
                () = &mut stop => break,
            }
        }
        app.set_ready(false);
        drop(listener);
        drain.begin();
        let drained = tokio::time::timeout(limit, drain.emptied()).await;
        if drained.is_err() {
            tracing::warn!(target: "butterfly::http", open = drain.open(), "connections were still open after {limit:?}");
        }
        drain.open()
    }
}

/// Connections that may wait to be accepted; the system may allow fewer. Beyond it a caller waits a second and more.
const QUEUE: u32 = 4096;

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart takes the address over at once. On Windows the same option would share it with other programs.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(QUEUE)
}

fn admit(door: &Arc<Door>, drain: &Arc<Drain>, stream: TcpStream, peer: SocketAddr) {
    // Answers leave at once; without it a small one may wait for the other end's acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(target: "butterfly::http", "a connection ended before it began: {error}");
        return;
    }
    let Some(open) = drain.enter(door.options.max_connections) else {
        tracing::warn!(target: "butterfly::http", "refused a connection from {peer}: http.max_connections are open");
        // Best effort: the peer may already be gone.
        let _ = stream
            .try_write(b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        return;
    };
    tokio::spawn(serve(door.clone(), drain.clone(), stream, peer, open));
}

async fn serve(door: Arc<Door>, drain: Arc<Drain>, stream: TcpStream, peer: SocketAddr, open: Open) {
    let _counted = Counted::new(&door.app);
    if let connection::End::Http2(stream, first) = connection::serve(&door, stream, peer, drain.clone()).await
    {
        h2::serve(door.clone(), Rewound::new(stream, first), peer, drain).await;
    }
    drop(open);
}

/// A connection in the figures; also one that ends in a panic is taken off.
struct Counted(Arc<App>);

impl Counted {
    fn new(app: &Arc<App>) -> Self {
        app.metrics.connections.fetch_add(1, Ordering::Relaxed);
        Self(app.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.metrics.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Out of file descriptors or memory: connections wait in the queue until some are free again.
async fn pause(error: &io::Error) {
    tracing::error!(target: "butterfly::http", "cannot accept a connection: {error}");
    tokio::time::sleep(Duration::from_millis(100)).await;
}
