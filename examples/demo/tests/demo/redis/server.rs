//! A `redis-server` of a test's own.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// Where a server will be, and the server once it runs. Dropped, it is gone.
pub(super) struct Server {
    folder: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
}

impl Server {
    /// A place at which nobody listens yet.
    pub(super) fn to_come() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { folder: tempfile::tempdir().unwrap(), port, child: None }
    }

    /// Stops it, as at a power cut.
    pub(super) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Sends a signal to it.
    pub(super) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.child.as_ref().unwrap()), signal).unwrap();
    }

    /// Starts it, for those who know this password. Waits until it answers.
    pub(super) fn start(&mut self, password: &str) {
        let mut child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--requirepass", password])
            .args(["--port", &self.port.to_string(), "--dir"])
            .arg(self.folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("there is a redis-server on the PATH");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains("Ready to accept connections")), "it ended at its start");
        // Whoever writes to a pipe that nobody reads is stopped some day.
        std::thread::spawn(move || lines.for_each(drop));
        self.child = Some(child);
    }

    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// What makes a service use it, with this password.
    pub(super) fn used(&self, password: &str) -> [String; 2] {
        let url = format!("--set=redis.default=redis://:{password}@{}", self.address());
        [url, "--set=queue.engine=default".into()]
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
