//! A running service: what it says, the signals it gets, the way it ends.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::folder::Folder;
use crate::wire::{Answer, Connection, Request};

/// Far beyond anything that a test waits for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// How a welcome ends.
const LAST: &str = "Ctrl-C stops it.\n";

/// A service in the foreground; it ends with its test.
pub(crate) struct Service {
    child: Child,
    /// Where it listens, as it said itself; port 0 when it does not.
    pub(crate) address: SocketAddr,
    /// What it greeted with.
    pub(crate) welcome: String,
    errors: Receiver<String>,
}

impl Service {
    /// Starts it on a free port, its log on stderr as well.
    pub(crate) fn start(folder: &Folder, words: &[&str]) -> Self {
        let mut all = vec!["serve", "--listen", "127.0.0.1:0", "--set=log.stderr=true"];
        all.extend(words);
        Self::spawn(&mut folder.command(&all))
    }

    /// Starts a command that serves.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let errors = lines_of(child.stderr.take().unwrap());
        let welcome = welcome(child.stdout.take().unwrap());
        let said = welcome.lines().find_map(|line| line.trim().strip_prefix("address   http://"));
        if !welcome.ends_with(LAST) {
            panic!("it did not start: {welcome}{}", errors.iter().collect::<Vec<_>>().join("\n"));
        }
        let mut address =
            said.map_or_else(|| ([127, 0, 0, 1], 0).into(), |said| said.parse::<SocketAddr>().unwrap());
        if address.ip().is_unspecified() {
            address.set_ip([127, 0, 0, 1].into());
        }
        Self { child, address, welcome, errors }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    /// One request on a connection of its own.
    pub(crate) fn get(&self, target: &str) -> Answer {
        self.connect().call(&Request::get(target))
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for a line of its log.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.errors.recv_timeout(left).unwrap_or_else(|error| panic!("{text:?}: {error}"));
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Waits for its end; gives its exit code and what it said last.
    pub(crate) fn ended(mut self) -> (i32, String) {
        let deadline = Instant::now() + PATIENCE;
        let left = || self.errors.recv_timeout(deadline.saturating_duration_since(Instant::now()));
        let last: Vec<String> = std::iter::from_fn(|| left().ok()).collect();
        assert!(Instant::now() < deadline, "it does not end: {last:?}");
        let status = self.child.wait().unwrap();
        (status.code().unwrap_or(-1), last.join("\n"))
    }

    /// Tells it to stop, and waits until it has.
    #[track_caller]
    pub(crate) fn stop(self) {
        self.signal(Signal::TERM);
        let (code, last) = self.ended();
        assert_eq!(code, 0, "{last}");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn welcome(stdout: impl Read) -> String {
    let mut welcome = String::new();
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        welcome.push_str(&line);
        welcome.push('\n');
        if welcome.ends_with(LAST) {
            break;
        }
    }
    welcome
}

fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (tell, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if tell.send(line).is_err() {
                return;
            }
        }
    });
    lines
}
