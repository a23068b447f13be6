//! Stands before a server and counts what is sent to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Counts the times that something was sent. A client that waits for each answer sends once for each round trip, as long
/// as it sends little.
pub(crate) struct Counting {
    pub(crate) url: String,
    sent: Arc<AtomicU64>,
}

impl Counting {
    pub(crate) async fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let server = server.trim_start_matches("redis://").to_owned();
        let sent = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&sent);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server.clone(), Arc::clone(&count)));
            }
        });
        Self { url, sent }
    }

    /// How often something was sent since this was last asked.
    pub(crate) fn take(&self) -> u64 {
        self.sent.swap(0, Ordering::SeqCst)
    }
}

async fn pass(client: TcpStream, server: String, sent: Arc<AtomicU64>) {
    let server = TcpStream::connect(server).await.unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    tokio::spawn(async move {
        let _ = tokio::io::copy(&mut from_server, &mut to_client).await;
    });
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from_client.read(&mut buffer).await {
        sent.fetch_add(1, Ordering::SeqCst);
        if to_server.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
