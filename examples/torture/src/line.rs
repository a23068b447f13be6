//! A line to a server that can be cut.

use std::io;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The line: who connects to its port is connected to the server, as long as it is not cut.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) port: u16,
    cut: Arc<watch::Sender<bool>>,
}

impl Line {
    pub(crate) async fn to(server: u16) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let cut = Arc::new(watch::Sender::new(false));
        tokio::spawn(accept(listener, server, cut.clone()));
        Ok(Self { port, cut })
    }

    /// Cuts what is connected, and whoever comes is cut off at once; or lets everybody through again.
    pub(crate) fn set_cut(&self, cut: bool) {
        self.cut.send_replace(cut);
    }
}

async fn accept(listener: TcpListener, server: u16, cut: Arc<watch::Sender<bool>>) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(carry(client, server, cut.subscribe()));
    }
}

async fn carry(mut client: TcpStream, server: u16, mut cut: watch::Receiver<bool>) {
    if *cut.borrow_and_update() {
        return;
    }
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", server)).await else { return };
    tokio::select! {
        _ = cut.wait_for(|cut| *cut) => {}
        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
    }
}
