//! A folder in which the program runs: its data, its logs, its configuration.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A folder that goes away with everything that runs in it.
pub(crate) struct Folder(tempfile::TempDir);

/// What a command said, and its exit code.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The program with these words, in this folder, untouched by the environment of whoever runs the tests.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
        command.args(words).current_dir(self.0.path()).stdin(Stdio::null());
        let ambient = ["PORT", "RUST_LOG", "NO_COLOR", "RUST_BACKTRACE"].map(str::to_owned);
        let own = std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("BUTTERFLY_"));
        for name in own.chain(ambient) {
            command.env_remove(name);
        }
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        Ran::of(&mut self.command(words))
    }

    /// Runs the program and reads what it says as JSON.
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        let ran = self.run(words);
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{words:?}: {error} in {ran:?}"))
    }

    /// The lines of a log: of the files that were set aside, and of the one that is written.
    pub(crate) fn lines(&self, log: &str) -> Vec<String> {
        self.log_files(log)
            .iter()
            .flat_map(|file| text(file).lines().map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }

    /// The files of a log.
    pub(crate) fn log_files(&self, log: &str) -> Vec<PathBuf> {
        let of_log = |name: &str| {
            let rest = name.strip_prefix(log);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(".2"))
        };
        let entries = fs::read_dir(self.path("logs")).unwrap().map(|entry| entry.unwrap());
        entries
            .filter(|entry| of_log(&entry.file_name().to_string_lossy()))
            .map(|entry| entry.path())
            .collect()
    }
}

fn text(file: &PathBuf) -> String {
    fs::read_to_string(file).unwrap()
}

impl Ran {
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// It failed with this code, and says each of these on stderr.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, says: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        for text in says {
            assert!(self.err.contains(text), "{text:?} is not said: {self:?}");
        }
    }
}

/// Ends what `start` left in the background: the lock says whether the process in the file is the one that lives.
impl Drop for Folder {
    fn drop(&mut self) {
        for instance in ["main", "w2"] {
            self.end(instance);
        }
    }
}

impl Folder {
    fn end(&self, instance: &str) {
        let name = if instance == "main" { String::new() } else { format!("-{instance}") };
        let Ok(text) = fs::read_to_string(self.path(&format!("data/butterfly{name}.pid"))) else { return };
        let Ok(said) = serde_json::from_str::<Value>(&text) else { return };
        if self.run(&["status", &format!("--set=instance={instance}")]).code != 0 {
            return;
        }
        if let Some(pid) = said["pid"].as_i64().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}
