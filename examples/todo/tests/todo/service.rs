//! A running program with a database of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use butterfly::model::sql::sea_orm::ConnectionTrait;
use butterfly::model::sql::{DEFAULT, Databases};
use serde_json::Value;
use tempfile::TempDir;

/// Far beyond anything that a test waits for.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Service {
    child: Child,
    address: SocketAddr,
    /// Open, so that the program can go on to say things.
    _stdout: BufReader<ChildStdout>,
    folder: TempDir,
}

/// Runs a test on every engine there is.
pub(crate) fn on_each(test: impl Fn(&Service)) {
    on_each_database(|database| test(&Service::start(database)));
}

/// Runs a test with a new database on every engine there is; without an address it is the default one.
pub(crate) fn on_each_database(test: impl Fn(Option<&str>)) {
    test(None);
    if !cfg!(feature = "live") {
        return;
    }
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let name = format!("todo_{}_{count}", std::process::id());
    // Of MariaDB the default may be a character set that has no other letters than Latin ones.
    for (variable, set) in [("SQL_TEST_MYSQL", " CHARACTER SET utf8mb4"), ("SQL_TEST_POSTGRES", "")] {
        let admin =
            std::env::var(variable).unwrap_or_else(|_| panic!("{variable}: bash .ci/sql COMMAND sets it"));
        run(&admin, &format!("CREATE DATABASE {name}{set}"));
        test(Some(&format!("{}/{name}", admin.rsplit_once('/').unwrap().0)));
        run(&admin, &format!("DROP DATABASE {name}"));
    }
}

/// Runs a statement on a database of an address.
pub(crate) fn run(url: &str, statement: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut databases = Databases::new();
        databases.add(DEFAULT, url.parse().unwrap(), PATIENCE).await.unwrap();
        databases.get(DEFAULT).unwrap().execute_unprepared(statement).await.unwrap();
        databases.close().await;
    });
}

impl Service {
    pub(crate) fn start(database: Option<&str>) -> Self {
        Self::start_with(database, &[])
    }

    /// With further words on its command line.
    pub(crate) fn start_with(database: Option<&str>, words: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_todo"));
        command.current_dir(folder.path()).args(["serve", "--listen", "127.0.0.1:0"]).args(words);
        command.args(database.map(|url| format!("--set=databases.default={url}")));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let (mut welcome, mut line) = (String::new(), String::new());
        let address = loop {
            line.clear();
            assert!(stdout.read_line(&mut line).unwrap() > 0, "it did not start: {welcome}");
            welcome.push_str(&line);
            if let Some(address) = line.trim().strip_prefix("address   http://") {
                break address.parse().unwrap();
            }
        };
        Self { child, address, _stdout: stdout, folder }
    }

    /// A call with a JSON body.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    /// A call with a query string.
    pub(crate) fn get(&self, target: &str) -> Value {
        self.send(&format!("GET {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"))
    }

    fn send(&self, request: &str) -> Value {
        self.line().send(request.as_bytes())
    }

    /// A connection for many calls.
    pub(crate) fn line(&self) -> Line {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Line(BufReader::new(stream))
    }

    /// Where its database and its logs are, when nothing else is said.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A connection.
pub(crate) struct Line(BufReader<TcpStream>);

impl Line {
    /// A call, by a target and a body of a type.
    pub(crate) fn call(&mut self, target: &str, media: &str, body: &[u8]) -> Value {
        let mut request = format!(
            "POST {target} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {media}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.send(&request)
    }

    fn send(&mut self, request: &[u8]) -> Value {
        self.0.get_mut().write_all(request).unwrap();
        let (mut head, mut length) = (String::new(), 0);
        while !head.ends_with("\r\n\r\n") {
            let start = head.len();
            assert!(self.0.read_line(&mut head).unwrap() > 0, "closed after {head}");
            if let Some((name, value)) = head[start..].split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{error}: {head}"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
