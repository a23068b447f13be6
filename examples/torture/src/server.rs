//! A `redis-server` of the torture's own, which may be killed at any instant.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The server; what it accepted is in its append-only file before it answers, and on disk when that is asked for.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    folder: PathBuf,
    appendfsync: String,
    pub(crate) port: u16,
}

impl Server {
    pub(crate) fn start(folder: &Path, appendfsync: &str) -> io::Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = run(folder, appendfsync, port)?;
        Ok(Self { child, folder: folder.to_owned(), appendfsync: appendfsync.to_owned(), port })
    }

    /// Kills it as a crash does.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// Starts it again on what it has on disk.
    pub(crate) fn start_again(&mut self) -> io::Result<()> {
        self.child = run(&self.folder, &self.appendfsync, self.port)?;
        Ok(())
    }

    /// Starts it again if it has ended by itself, as whatever keeps services up does.
    pub(crate) fn start_if_ended(&mut self) -> io::Result<()> {
        if self.child.try_wait()?.is_some() { self.start_again() } else { Ok(()) }
    }

    /// Says something to it.
    pub(crate) fn tell(&self, words: &str) -> io::Result<()> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.write_all(format!("{words}\r\n").as_bytes())?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer)?;
        match answer.starts_with('+') {
            true => Ok(()),
            false => Err(io::Error::other(format!("redis-server answers {answer:?} to {words}"))),
        }
    }
}

/// Starts a server, and waits until it answers.
fn run(folder: &Path, appendfsync: &str, port: u16) -> io::Result<Child> {
    let mut child = Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--save", "", "--maxmemory-policy", "noeviction"])
        .args(["--appendonly", "yes", "--appendfsync", appendfsync, "--port", &port.to_string(), "--dir"])
        .arg(folder)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| io::Error::other(format!("cannot start redis-server: {error}; install it")))?;
    let Some(stdout) = child.stdout.take() else { return Err(io::Error::other("redis-server is silent")) };
    let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
    if !lines.any(|line| line.contains("Ready to accept connections")) {
        return Err(io::Error::other("redis-server ended at its start"));
    }
    // Whoever writes to a pipe that nobody reads is stopped some day.
    std::thread::spawn(move || lines.for_each(drop));
    Ok(child)
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.kill();
    }
}
