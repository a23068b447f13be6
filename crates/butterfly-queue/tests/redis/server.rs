//! A server of a test's own, and a line to it that can be cut.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How long a test waits for what must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A `redis-server` in a folder of its own. Dropped, it is gone.
pub(crate) struct Server {
    child: Option<Child>,
    folder: tempfile::TempDir,
    pub(crate) port: u16,
    args: Vec<String>,
}

impl Server {
    /// Starts one.
    pub(crate) fn start(args: &[&str]) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let args = args.iter().map(ToString::to_string).collect();
        let mut server = Self { child: None, folder: tempfile::tempdir().unwrap(), port, args };
        server.run();
        server
    }

    /// Starts it again on what it has left on disk. Waits until it answers.
    pub(crate) fn run(&mut self) {
        let mut child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--port", &self.port.to_string(), "--dir"])
            .arg(self.folder.path())
            .args(&self.args)
            .stdout(Stdio::piped())
            .spawn()
            .expect("there is a redis-server on the PATH");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.any(|line| line.unwrap().contains("Ready to accept connections"));
        assert!(ready, "redis-server ended at its start");
        // Whoever writes to a pipe that nobody reads is stopped some day.
        std::thread::spawn(move || lines.for_each(drop));
        self.child = Some(child);
    }

    /// Kills it as a crash does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) async fn ask<T: redis::FromRedisValue>(&self, words: &str) -> T {
        ask(&self.url(), words).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Sends a command of words to a server.
pub(crate) async fn ask<T: redis::FromRedisValue>(url: &str, words: &str) -> T {
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut words = words.split(' ');
    let mut command = redis::cmd(words.next().unwrap());
    words.for_each(|word| {
        command.arg(word);
    });
    command.query_async(&mut connection).await.unwrap()
}

/// A line to a server that can lose an answer.
pub(crate) struct Line {
    pub(crate) port: u16,
    lose: Arc<AtomicBool>,
    cut: watch::Sender<u64>,
}

impl Line {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let line = Self {
            port: listener.local_addr().unwrap().port(),
            lose: Arc::default(),
            cut: watch::Sender::new(0),
        };
        let (lose, cut) = (line.lose.clone(), line.cut.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
                tokio::spawn(carry(client, server, lose.clone(), cut.subscribe()));
            }
        });
        line
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The next answer is lost, and the connection with it: the server has done what it was told.
    pub(crate) fn lose_next_answer(&self) {
        self.lose.store(true, Ordering::SeqCst);
    }

    /// Cuts all connections.
    pub(crate) fn cut(&self) {
        self.cut.send_modify(|cuts| *cuts += 1);
    }
}

async fn carry(
    mut client: TcpStream,
    mut server: TcpStream,
    lose: Arc<AtomicBool>,
    mut cut: watch::Receiver<u64>,
) {
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            _ = cut.changed() => return,
            read = client.read(&mut asked) => match read {
                Ok(len @ 1..) if server.write_all(&asked[..len]).await.is_ok() => {}
                _ => return,
            },
            read = server.read(&mut answered) => match read {
                Ok(1..) if lose.swap(false, Ordering::SeqCst) => return,
                Ok(len @ 1..) if client.write_all(&answered[..len]).await.is_ok() => {}
                _ => return,
            },
        }
    }
}
