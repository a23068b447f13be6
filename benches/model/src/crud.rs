//! A list of 20 rows over HTTP: what the server's CPU does for a request.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cost::{Cost, Rows, load};
use crate::load::{Generator, micros_each};
use crate::proc::CpuTime;
use crate::report::Report;
use crate::server::{Server, free_port};
use crate::wire::{Client, get_request};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The Python that has the peers, and the folder of their programs; without them ours alone is measured
    #[arg(long, value_names = ["PYTHON", "DIR"], num_args = 2)]
    peers: Option<Vec<PathBuf>>,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Keep-alive connections
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,
}

const ROWS: usize = 2000;
const LIST: &str = "/todo/list?done=false&sort=-id&page_size=20";
/// How long a server may take to start.
const START_LIMIT: Duration = Duration::from_secs(30);
const WARM_UP: Duration = Duration::from_millis(500);

/// Who answers, each with one worker process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contender {
    Butterfly,
    FastApi,
    Django,
}

impl Contender {
    fn name(self) -> &'static str {
        match self {
            Self::Butterfly => "butterfly",
            Self::FastApi => "FastAPI + SQLAlchemy, uvicorn",
            Self::Django => "Django REST framework, gunicorn",
        }
    }
}

pub(crate) fn run(options: &Options, rounds: u32, scratch: &TempDir) -> Result<Report> {
    let seconds = Duration::try_from_secs_f64(options.seconds).context("--seconds")?;
    let todo = build_todo()?;
    let mut contenders = vec![Contender::Butterfly];
    if options.peers.is_some() {
        contenders.extend([Contender::FastApi, Contender::Django]);
    }
    let mut rows = Rows::default();
    let mut seen = BTreeSet::new();
    for round in 1..=rounds {
        for who in &contenders {
            let mut server = start(*who, &todo, options, scratch)?;
            let (body, titles) = ready(&server, *who)?;
            seen.insert(titles);
            let connections = options.connections.into();
            let mut generator =
                Generator::connect(server.address(), connections, 1, &get_request(LIST), &body)?;
            generator.run(WARM_UP).context("during warm-up")?;
            let before = family_cpu(server.pid())?;
            let run = generator.run(seconds)?;
            let cpu = micros_each(family_cpu(server.pid())?.saturating_sub(before), run)?;
            let wall = run.elapsed.as_secs_f64() * 1e6 / run.answers as f64;
            eprintln!("round {round} of {rounds}: {}: {cpu:.1} µs", who.name());
            rows.add("list of 20", who.name(), Cost { wall, cpu });
            server.stop()?;
        }
    }
    ensure!(seen.len() == 1, "the servers list different rows: {seen:?}");
    let text = format!(
        "List of 20 of {ROWS} rows on SQLite, filtered, sorted, with the total: CPU of the server a request, {} \
         connections, {rounds} rounds of {} s (load {})\n\n{}",
        options.connections,
        options.seconds,
        load(),
        rows.table(1)?
    );
    Ok(Report { bench: "model crud", text, records: rows.records(), summary: json!({}), passed: true })
}

fn start(who: Contender, todo: &Path, options: &Options, scratch: &TempDir) -> Result<Server> {
    let dir = TempDir::with_prefix_in("crud-", scratch.path())?;
    let port = free_port()?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut command = if who == Contender::Butterfly {
        let mut command = Command::new(todo);
        command.args(["serve", "--listen", &address.to_string(), "--set", "http.threads=1"]);
        command.args(["--set", "databases.default=sqlite://app.db?synchronous=normal"]);
        command
    } else {
        let Some([python, peers]) = options.peers.as_deref() else { anyhow::bail!("no peers") };
        let mut fill = Command::new(python);
        let (module, server): (&str, &[&str]) = match who {
            Contender::Django => ("drf", &["gunicorn", "--workers=1", "--threads=4", "--keep-alive=30"]),
            _ => ("fast", &["uvicorn", "--workers=1", "--no-access-log"]),
        };
        fill.arg(peers.join(format!("{module}.py"))).arg(ROWS.to_string());
        let status = fill.current_dir(dir.path()).status().with_context(|| format!("{fill:?}"))?;
        ensure!(status.success(), "{fill:?} ended with {status}");
        let mut command = Command::new(python);
        command.arg("-m").args(server).env("PYTHONPATH", peers);
        match who {
            Contender::Django => command.arg(format!("--bind={address}")).arg("drf:application"),
            _ => command.arg(format!("--port={port}")).arg("fast:app"),
        };
        command
    };
    command.current_dir(dir.path());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("BUTTERFLY_") {
            command.env_remove(name);
        }
    }
    Server::start(who.name(), command, address, dir)
}

/// Waits until it answers, and fills ours; gives the answer to the list, and what it lists.
fn ready(server: &Server, who: Contender) -> Result<(Vec<u8>, Vec<String>)> {
    let started = Instant::now();
    let mut client = loop {
        match Client::connect(server.address()) {
            Ok(client) => break client,
            Err(_) if started.elapsed() < START_LIMIT => std::thread::sleep(Duration::from_millis(5)),
            Err(error) => return Err(error).context(server.output()),
        }
    };
    if who == Contender::Butterfly {
        for number in 1..=ROWS {
            let target = format!(
                "/todo/create?title=task+{number}&done={}&due=2027-01-{:02}T08:00:00Z",
                number.is_multiple_of(2),
                1 + number % 28
            );
            client.ask(&get_request(&target))?;
        }
    }
    let body = client.ask(&get_request(LIST)).with_context(|| server.output())?;
    let json: Value = serde_json::from_slice(&body)?;
    let (rows, total) = match who {
        Contender::Django => (&json["results"], &json["count"]),
        _ => (&json["data"], &json["total"]),
    };
    let rows = rows.as_array().with_context(|| format!("no rows: {json}"))?;
    ensure!(*total == ROWS / 2 && rows.len() == 20, "another list: {json}");
    let row = |row: &Value| {
        let due: String = row["due"].as_str().unwrap_or_default().chars().take(19).collect();
        format!("{} {} {} {due}", row["id"], row["title"], row["done"])
    };
    Ok((body, rows.iter().map(row).collect()))
}

/// CPU time of a process and of all below it.
fn family_cpu(pid: u32) -> Result<Duration> {
    let own = CpuTime::of(pid)?;
    let mut sum = own.user + own.system;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let children = fs::read_to_string(task?.path().join("children"))?;
        for child in children.split_whitespace() {
            sum += family_cpu(child.parse()?)?;
        }
    }
    Ok(sum)
}

/// Builds `examples/todo` as a release and returns where cargo put it.
fn build_todo() -> Result<PathBuf> {
    eprintln!("building examples/todo");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments =
        ["build", "--release", "--locked", "-p", "todo", "--message-format=json-render-diagnostics"];
    let output = Command::new(cargo).args(arguments).current_dir(root).stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "examples/todo does not build");
    let messages = String::from_utf8_lossy(&output.stdout);
    let binary = messages.lines().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let is_todo = message["reason"] == "compiler-artifact" && message["target"]["name"] == "todo";
        message["executable"].as_str().filter(|_| is_todo).map(PathBuf::from)
    });
    binary.context("cargo built no binary `todo`")
}
