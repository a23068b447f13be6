//! A Redis of our own, and what it says of itself.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::cleanup;
use crate::server::free_port;

/// How long a server may take to answer, also to be emptied.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a Redis keeps what it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeps {
    /// In memory alone.
    Memory,
    /// In a log that is on disk before a command is answered.
    Always,
}

/// A running Redis; it ends with this value.
#[derive(Debug)]
pub(super) struct Redis {
    child: Child,
    port: u16,
    connection: BufReader<TcpStream>,
    _dir: TempDir,
}

impl Redis {
    pub(super) fn start(keeps: Keeps, scratch: &TempDir) -> Result<Self> {
        let dir = TempDir::with_prefix_in("redis-", scratch.path())?;
        let port = free_port()?;
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"])
            .arg(dir.path());
        if keeps == Keeps::Always {
            command.args(["--appendonly", "yes", "--appendfsync", "always"]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut child =
            cleanup::spawn(&mut command).context("redis-server could not be started: install redis")?;
        match connect(port) {
            Ok(connection) => Ok(Self { child, port, connection, _dir: dir }),
            Err(error) => {
                cleanup::reap(&mut child)?;
                Err(error)
            }
        }
    }

    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(super) fn flush(&mut self) -> Result<()> {
        self.ask("FLUSHALL SYNC").map(drop)
    }

    /// Asks for nothing: the floor of what an answer takes.
    pub(super) fn ping(&mut self) -> Result<()> {
        self.ask("PING").map(drop)
    }

    /// CPU seconds that the server has used so far.
    pub(super) fn cpu(&mut self) -> Result<f64> {
        let info = self.ask("INFO cpu")?;
        Ok(number(&info, "used_cpu_user")? + number(&info, "used_cpu_sys")?)
    }

    /// Bytes that the server's data takes.
    pub(super) fn memory(&mut self) -> Result<f64> {
        number(&self.ask("INFO memory")?, "used_memory_dataset")
    }

    fn ask(&mut self, line: &str) -> Result<String> {
        self.connection.get_mut().write_all(format!("{line}\r\n").as_bytes())?;
        answer(&mut self.connection)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // The process group is killed; one that is gone already is fine.
        let _ = cleanup::reap(&mut self.child);
    }
}

fn connect(port: u16) -> Result<BufReader<TcpStream>> {
    let started = Instant::now();
    loop {
        match TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
            Ok(stream) => {
                stream.set_read_timeout(Some(PATIENCE))?;
                return Ok(BufReader::new(stream));
            }
            Err(_) if started.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(5)),
            Err(error) => return Err(error).context("redis-server does not listen"),
        }
    }
}

/// One answer of the kinds that the commands here have.
fn answer(from: &mut impl BufRead) -> Result<String> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    let line = line.trim_end();
    match line.split_at_checked(1) {
        Some(("+", text)) => Ok(text.to_owned()),
        Some(("$", length)) => {
            let mut bulk = vec![0; length.parse::<usize>()? + 2];
            from.read_exact(&mut bulk)?;
            Ok(String::from_utf8(bulk)?)
        }
        _ => bail!("Redis says {line:?}"),
    }
}

fn number(info: &str, name: &str) -> Result<f64> {
    let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    Ok(line.with_context(|| format!("no {name} in what Redis says of itself"))?.parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_to_their_end() {
        let mut wire = &b"+OK\r\n$9\r\na:1\r\nb:25\r\n-ERR no\r\n"[..];
        assert_eq!(answer(&mut wire).unwrap(), "OK");
        assert_eq!(number(&answer(&mut wire).unwrap(), "b").unwrap(), 25.0);
        assert!(answer(&mut wire).unwrap_err().to_string().contains("ERR no"));
        assert!(answer(&mut wire).is_err());
    }
}
