//! One server under test: started, waited for, asked, stopped, and never left behind.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};
use tempfile::TempDir;

use crate::cleanup;
use crate::wire::{Client, get_request};

/// The question every server answers.
pub(crate) const HELLO: &str = "/demo_api/hello?str_info=meetbill";
/// How long a server has to end after SIGTERM.
const STOP_LIMIT: Duration = if cfg!(test) { Duration::from_millis(200) } else { Duration::from_secs(10) };
/// How long to wait between two attempts to connect to a server that is starting.
const RETRY: Duration = Duration::from_micros(200);
/// Below the range the kernel takes outgoing ports from: a connection cannot take a server's port, nor meet
/// itself.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A running server; it ends with this value at the latest.
#[derive(Debug)]
pub(crate) struct Server {
    name: &'static str,
    child: Child,
    ended: OwnedFd,
    running: bool,
    started: Instant,
    address: SocketAddr,
    dir: TempDir,
}

impl Server {
    /// Starts `command`, whose standard output and error go to a file in `dir`.
    pub(crate) fn start(
        name: &'static str,
        mut command: Command,
        address: SocketAddr,
        dir: TempDir,
    ) -> Result<Self> {
        let output = File::create(dir.path().join("output"))?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let started = Instant::now();
        let child = cleanup::spawn(&mut command).with_context(|| format!("{name}: {command:?}"))?;
        match pidfd_open(Pid::from_child(&child), PidfdFlags::empty()) {
            Ok(ended) => Ok(Self { name, child, ended, running: true, started, address, dir }),
            Err(error) => {
                let mut child = child;
                cleanup::reap(&mut child)?;
                Err(error.into())
            }
        }
    }

    /// Waits until [`HELLO`] has its right answer, at most `limit`; returns the answer and the time since the
    /// start.
    pub(crate) fn ready(&self, limit: Duration) -> Result<(Vec<u8>, Duration)> {
        let mut client = self.connect(limit)?;
        let body = client.ask(&get_request(HELLO)).with_context(|| self.complaint("no good answer"))?;
        let took = self.started.elapsed();
        check_hello(&body)?;
        Ok((body, took))
    }

    fn connect(&self, limit: Duration) -> Result<Client> {
        loop {
            match Client::connect(self.address) {
                Ok(client) => return Ok(client),
                Err(_) if self.started.elapsed() < limit => {}
                Err(error) => return Err(error).with_context(|| self.complaint("never listened")),
            }
            ensure!(!self.ends_within(RETRY)?, self.complaint("ended at once"));
        }
    }

    /// Waits for the end of the process, at most `limit`; true when it has ended.
    fn ends_within(&self, limit: Duration) -> Result<bool> {
        let limit = Timespec::try_from(limit)?;
        let mut watched = [PollFd::new(&self.ended, PollFlags::IN)];
        Ok(rustix::io::retry_on_intr(|| poll(&mut watched, Some(&limit)))? > 0)
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Asks the server to end, and makes it when it does not; its files stay until this value is dropped.
    ///
    /// # Errors
    ///
    /// When it had to be killed: then what it should have written last may be missing.
    pub(crate) fn stop(&mut self) -> Result<()> {
        if !std::mem::take(&mut self.running) {
            return Ok(());
        }
        cleanup::kill_group(Pid::from_child(&self.child), Signal::TERM);
        let ended = self.ends_within(STOP_LIMIT);
        cleanup::reap(&mut self.child)?;
        if ended? {
            return Ok(());
        }
        bail!(self.complaint(&format!("did not end within {STOP_LIMIT:?} of SIGTERM")))
    }

    /// What the server has printed.
    pub(crate) fn output(&self) -> String {
        let bytes = fs::read(self.dir.path().join("output")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The number of lines in the files of folder `logs` that have `needle` in them.
    pub(crate) fn log_lines(&self, needle: &str) -> Result<u64> {
        count_lines(&self.dir.path().join("logs"), needle)
    }

    fn complaint(&self, what: &str) -> String {
        let output = self.output();
        let start = output.len().saturating_sub(2000);
        let tail = output.get(start..).unwrap_or(&output).trim();
        format!("{} {what}; it printed: {}", self.name, if tail.is_empty() { "nothing" } else { tail })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("{error:#}");
        }
    }
}

/// A port of this machine that nobody listens on.
pub(crate) fn free_port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let width = PORTS.end - PORTS.start;
    let first = (std::process::id() % u32::from(width)) as u16;
    for _ in 0..width {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = PORTS.start + (first + step % width) % width;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port between {} and {} is free", PORTS.start, PORTS.end)
}

/// Every server must give the same JSON; what else is in the object is its own affair.
fn check_hello(body: &[u8]) -> Result<()> {
    let text = || String::from_utf8_lossy(body).into_owned();
    let json: serde_json::Value = serde_json::from_slice(body).with_context(text)?;
    ensure!(json["stat"] == "OK" && json["str_info"] == "meetbill", "wrong answer: {}", text());
    Ok(())
}

fn count_lines(folder: &Path, needle: &str) -> Result<u64> {
    let mut count = 0;
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        // The log of the start names the handlers too.
        if path.file_name().is_some_and(|name| name == "init.log") {
            continue;
        }
        count += if path.is_dir() { count_lines(&path, needle)? } else { count_in_file(&path, needle)? };
    }
    Ok(count)
}

fn count_in_file(path: &Path, needle: &str) -> Result<u64> {
    let mut count = 0;
    for line in BufReader::new(File::open(path)?).split(b'\n') {
        count += u64::from(line?.windows(needle.len()).any(|window| window == needle.as_bytes()));
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str) -> Server {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let address = (Ipv4Addr::LOCALHOST, free_port().unwrap()).into();
        Server::start("test", command, address, TempDir::new().unwrap()).unwrap()
    }

    #[test]
    fn a_server_that_ends_at_once_is_an_error_with_its_words() {
        let error = run("echo no such key >&2").ready(Duration::from_secs(10)).unwrap_err();
        assert!(error.to_string().contains("ended at once; it printed: no such key"), "{error}");
    }

    #[test]
    fn dropping_ends_the_whole_group() {
        let server = run("sleep 1000 & wait");
        let child = server.ended.try_clone().unwrap();
        drop(server);
        assert_eq!(poll(&mut [PollFd::new(&child, PollFlags::IN)], Some(&Timespec::default())).unwrap(), 1);
    }

    #[test]
    fn a_server_deaf_to_sigterm_is_killed_and_named() {
        let mut server = run("trap '' TERM; echo deaf; while :; do sleep 1; done");
        while server.output().is_empty() {
            assert!(!server.ends_within(RETRY).unwrap());
        }
        let error = server.stop().unwrap_err();
        assert!(error.to_string().contains("did not end within 200ms of SIGTERM"), "{error}");
        assert!(server.ends_within(Duration::ZERO).unwrap());
    }

    #[test]
    fn hello_must_be_ok_and_echo() {
        assert!(check_hello(br#"{"stat":"OK","str_info":"meetbill"}"#).is_ok());
        assert!(check_hello(br#"{"stat":"ERR","str_info":"meetbill"}"#).is_err());
        assert!(check_hello(b"meetbill").is_err());
    }

    #[test]
    fn lines_are_counted_below_the_folder() {
        let dir = TempDir::new().unwrap();
        fs::create_dir(dir.path().join("old")).unwrap();
        fs::write(dir.path().join("access.log"), "a /x b\nother\n/x\n").unwrap();
        fs::write(dir.path().join("old/access.log"), "/x").unwrap();
        assert_eq!(count_lines(dir.path(), "/x").unwrap(), 3);
    }

    #[test]
    fn ports_differ_from_one_call_to_the_next() {
        assert_ne!(free_port().unwrap(), free_port().unwrap());
    }
}
