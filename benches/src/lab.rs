//! Who is measured, and how each is started.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::cleanup;
use crate::server::{Server, free_port};

/// A server in the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contender {
    Butterfly,
    Axum,
    Actix,
}

impl Contender {
    /// In the order of each round.
    pub(crate) const ALL: [Self; 3] = [Self::Butterfly, Self::Axum, Self::Actix];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Butterfly => "butterfly",
            Self::Axum => "axum",
            Self::Actix => "actix",
        }
    }

    /// With what the server does for each request.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Butterfly => "butterfly, full",
            Self::Axum => "axum, bare",
            Self::Actix => "actix-web, bare",
        }
    }
}

/// Everything needed to start a contender.
#[derive(Debug)]
pub(crate) struct Lab {
    butterfly: Vec<String>,
    /// True for the demo itself, which keeps an access log that can be held to account.
    logs: bool,
    me: PathBuf,
    scratch: TempDir,
}

impl Lab {
    /// Builds the demo, unless `stand_in` is a command line to take in its place.
    pub(crate) fn new(stand_in: Option<&str>) -> Result<Self> {
        let me = std::env::current_exe()?;
        // Beside this binary, not in the system's folder for such things: that one may be memory, and the
        // access log belongs on disk.
        let scratch = TempDir::with_prefix_in("bench-", me.parent().context("no folder")?)?;
        cleanup::on_signals(scratch.path())?;
        let butterfly = match stand_in {
            Some(line) => line.split_whitespace().map(String::from).collect(),
            None => demo_command(&build_demo()?),
        };
        Ok(Self { butterfly, logs: stand_in.is_none_or(|line| line.contains("{logs}")), me, scratch })
    }

    /// True when `who` must have a line on disk for every request.
    pub(crate) fn keeps_log(&self, who: Contender) -> bool {
        who == Contender::Butterfly && self.logs
    }

    /// Starts `who` with `threads` worker threads, under the command `wrapper` when there is one; `{dir}` in
    /// it is the server's own folder.
    pub(crate) fn start(&self, who: Contender, threads: usize, wrapper: &[&str]) -> Result<Server> {
        let dir = TempDir::with_prefix_in(who.name(), self.scratch.path())?;
        std::fs::create_dir(dir.path().join("logs"))?;
        let port = free_port()?;
        let mut words: Vec<String> =
            wrapper.iter().map(|word| word.replace("{dir}", &dir.path().to_string_lossy())).collect();
        words.extend(self.words(who, port, threads, dir.path()));
        if who == Contender::Butterfly && !wrapper.is_empty() {
            // What a queue's worker does by the clock is no request's, and a wrapper that slows all down would make it so.
            words.extend(["--roles", "http"].map(str::to_owned));
        }
        let (program, arguments) = words.split_first().context("an empty command line")?;
        let mut command = Command::new(program);
        // From its own folder: what lies about in this one, a configuration file say, is not part of the run.
        command.args(arguments).current_dir(dir.path());
        forget_settings(&mut command);
        Server::start(who.name(), command, SocketAddr::from((Ipv4Addr::LOCALHOST, port)), dir)
    }

    fn words(&self, who: Contender, port: u16, threads: usize, dir: &Path) -> Vec<String> {
        let (port, threads) = (port.to_string(), threads.to_string());
        if who != Contender::Butterfly {
            let me = self.me.to_string_lossy().into_owned();
            return vec![me, "peer".to_owned(), who.name().to_owned(), port, threads];
        }
        let folder = |name| dir.join(name).to_string_lossy().into_owned();
        let fill = |word: &String| {
            word.replace("{port}", &port)
                .replace("{threads}", &threads)
                .replace("{logs}", &folder("logs"))
                .replace("{data}", &folder("data"))
        };
        self.butterfly.iter().map(fill).collect()
    }
}

/// Keeps what configures a service in this environment away from the servers.
fn forget_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("BUTTERFLY_") || ["PORT", "RUST_LOG"].contains(&text.as_ref()) {
            command.env_remove(&name);
        }
    }
}

fn demo_command(binary: &Path) -> Vec<String> {
    let arguments = [
        "serve",
        "--listen",
        "127.0.0.1:{port}",
        "--set",
        "http.threads={threads}",
        "--set",
        "log.dir={logs}",
        "--set",
        "data_dir={data}",
    ];
    std::iter::once(binary.to_string_lossy().into_owned()).chain(arguments.map(String::from)).collect()
}

/// Builds the demo as a release and returns where cargo put it.
fn build_demo() -> Result<PathBuf> {
    eprintln!("building the demo");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("no parent folder")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["build", "--release", "-p", "demo", "--message-format=json-render-diagnostics"];
    let output = Command::new(cargo).args(arguments).current_dir(root).stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "the demo does not build");
    let messages = String::from_utf8_lossy(&output.stdout);
    messages.lines().find_map(demo_binary).context("cargo built no binary `demo`")
}

/// The path of the demo's binary, when cargo's message is the one that names it.
fn demo_binary(message: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let is_demo = message["reason"] == "compiler-artifact" && message["target"]["name"] == "demo";
    message["executable"].as_str().filter(|_| is_demo).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_is_found_among_cargos_messages() {
        let other = r#"{"reason":"compiler-artifact","target":{"name":"http"},"executable":null}"#;
        let demo =
            r#"{"reason":"compiler-artifact","target":{"name":"demo"},"executable":"/t/release/demo"}"#;
        let end = r#"{"reason":"build-finished","success":true}"#;
        let found = [other, "not json", demo, end].into_iter().find_map(demo_binary);
        assert_eq!(found, Some(PathBuf::from("/t/release/demo")));
        assert_eq!([other, end].into_iter().find_map(demo_binary), None);
    }

    #[test]
    fn placeholders_are_filled_in_every_word() {
        let lab = Lab {
            butterfly: demo_command(Path::new("/t/demo")),
            logs: true,
            me: PathBuf::from("/t/bench"),
            scratch: TempDir::new().unwrap(),
        };
        let words = lab.words(Contender::Butterfly, 20_001, 2, Path::new("/d"));
        let expected = "/t/demo serve --listen 127.0.0.1:20001 --set http.threads=2 --set log.dir=/d/logs \
                        --set data_dir=/d/data";
        assert_eq!(words.join(" "), expected);
        let words = lab.words(Contender::Actix, 20_001, 2, Path::new("/d"));
        assert_eq!(words.join(" "), "/t/bench peer actix 20001 2");
    }
}
