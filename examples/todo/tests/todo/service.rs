//! A running program with a database of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
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
    _folder: TempDir,
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
    for variable in ["SQL_TEST_MYSQL", "SQL_TEST_POSTGRES"] {
        let admin = std::env::var(variable).unwrap_or_else(|_| panic!("{variable}: bash .ci/sql sets it"));
        let server = admin.rsplit_once('/').unwrap().0;
        let utf8 = if variable.ends_with("MYSQL") { " CHARACTER SET utf8mb4" } else { "" };
        run(&admin, &format!("CREATE DATABASE {name}{utf8}"));
        test(Some(&format!("{server}/{name}")));
        run(&admin, &format!("DROP DATABASE {name}"));
    }
}

fn run(url: &str, statement: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut databases = Databases::new();
        databases.add(DEFAULT, url.parse().unwrap(), PATIENCE).await.unwrap();
        databases.get(DEFAULT).unwrap().execute_unprepared(statement).await.unwrap();
        databases.close().await;
    });
}

impl Service {
    fn start(database: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_todo"));
        command.current_dir(folder.path()).args(["serve", "--listen", "127.0.0.1:0"]);
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
        Self { child, address, _stdout: stdout, _folder: folder }
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
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
