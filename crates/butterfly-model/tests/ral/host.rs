//! A server that does with each connection what the test says.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use butterfly_model::ral::{Limits, NSHEAD_LEN, Nshead, Ral, ServiceBuilder, Value, decode, encode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// What a server has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) connections: AtomicUsize,
    pub(crate) requests: AtomicUsize,
}

pub(crate) struct Host {
    pub(crate) address: String,
    pub(crate) seen: Arc<Seen>,
    task: JoinHandle<()>,
}

impl Drop for Host {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Host {
    pub(crate) async fn start<F>(each: impl Fn(Connection) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), each)
    }

    pub(crate) fn on<F>(listener: TcpListener, each: impl Fn(Connection) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Seen::default());
        let of_task = seen.clone();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                of_task.connections.fetch_add(1, SeqCst);
                tokio::spawn(each(Connection { stream, seen: of_task.clone() }));
            }
        });
        Self { address, seen, task }
    }

    /// One that answers each request with what was asked.
    pub(crate) async fn echo() -> Self {
        Self::start(Connection::echo).await
    }

    /// One that reads each request and never answers.
    pub(crate) async fn silent() -> Self {
        Self::start(|mut connection| async move { while connection.request().await.is_some() {} }).await
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(SeqCst)
    }

    pub(crate) fn requests(&self) -> usize {
        self.seen.requests.load(SeqCst)
    }
}

pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    seen: Arc<Seen>,
}

impl Connection {
    /// The next request; `None` when the client is gone.
    pub(crate) async fn request(&mut self) -> Option<(Nshead, Value)> {
        let mut head = [0; NSHEAD_LEN];
        self.stream.read_exact(&mut head).await.ok()?;
        let head = Nshead::from_bytes(&head).unwrap();
        let mut body = vec![0; head.body_len as usize];
        self.stream.read_exact(&mut body).await.ok()?;
        self.seen.requests.fetch_add(1, SeqCst);
        Some((head, decode(&body, Limits::default()).unwrap()))
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        // The client may be gone, as some tests want it.
        let _ = self.stream.write_all(bytes).await;
    }

    pub(crate) async fn echo(mut self) {
        while let Some((head, ask)) = self.request().await {
            self.send(&frame(head, &encode(&ask).unwrap())).await;
        }
    }
}

/// A whole message.
pub(crate) fn frame(head: Nshead, body: &[u8]) -> Vec<u8> {
    let head = Nshead { body_len: body.len() as u32, ..head };
    [&head.to_bytes()[..], body].concat()
}

/// A service at these hosts, patient: the machine may be busy.
pub(crate) fn service<'a>(hosts: impl IntoIterator<Item = &'a Host>) -> ServiceBuilder {
    Ral::service("users")
        .addresses(hosts.into_iter().map(|host| host.address.clone()))
        .read_timeout(Duration::from_secs(20))
}

/// An address that nobody listens on, and what keeps others from it.
pub(crate) fn nobody() -> (String, TcpSocket) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    (socket.local_addr().unwrap().to_string(), socket)
}

/// Waits until something holds.
pub(crate) async fn until(mut holds: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(10), async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    waited.await.unwrap();
}
