//! `start`, `stop`, `restart`, `status`: the service without a terminal.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::arguments::Settings;
use crate::Butterfly;
use crate::config::{Config, Loaded};
use crate::pid_file::{self, Running};
use crate::say::say;

/// `status` of a service that does not run.
const NOT_RUNNING: u8 = 3;
/// The longest that a start may take until the service listens.
const START: Duration = Duration::from_secs(15);
/// Beyond its drain, a stop may take so long.
const STOP: Duration = Duration::from_secs(5);

/// Leaves the terminal's session, so that closing the terminal does not end the service.
pub(super) fn detach() {
    if let Err(error) = rustix::process::setsid() {
        tracing::debug!(target: "butterfly", "cannot leave the session: {error}");
    }
}

pub(super) fn start(program: &Butterfly, loaded: &Loaded, settings: &Settings) -> ExitCode {
    let config = &loaded.config;
    match pid_file::running(&pid_file::path(config)) {
        Ok(None) => {}
        Ok(Some(running)) => {
            let title = title(&running.name, config);
            return fail(format_args!(
                "{title} runs already, pid {}; to run another process beside it, set another instance",
                running.pid
            ));
        }
        Err(error) => {
            return fail(format_args!("cannot use data_dir {}: {error}", config.data_dir.display()));
        }
    }
    match spawn(config, settings).and_then(|child| wait_until_up(child, config)) {
        Ok(running) => {
            let address = running.listen.map(|address| format!(" on http://{address}")).unwrap_or_default();
            let title = title(&config.name, config);
            say!("{title} {} started{address}, pid {}", program.version, running.pid);
            ExitCode::SUCCESS
        }
        Err(error) => fail(error),
    }
}

fn spawn(config: &Config, settings: &Settings) -> io::Result<Child> {
    fs::create_dir_all(&config.log.dir)?;
    let output = OpenOptions::new().create(true).append(true).open(config.log.dir.join("__stdout"))?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(settings.words()).args(["serve", "--detached"]);
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).spawn()
}

/// Waits for the child to say that it listens, or to end. There is no event for both, so it is asked often.
fn wait_until_up(mut child: Child, config: &Config) -> io::Result<Running> {
    let deadline = Instant::now() + START;
    loop {
        if let Some(status) = child.try_wait()? {
            let output = last_lines(&config.log.dir.join("__stdout"));
            return Err(io::Error::other(format!("it ended at once, {status}:\n{output}")));
        }
        match pid_file::running(&pid_file::path(config))? {
            Some(running) if running.pid == child.id() => return Ok(running),
            _ if Instant::now() > deadline => {
                child.kill()?;
                return Err(io::Error::other(format!(
                    "it did not listen within {START:?}; see {}",
                    config.log.dir.display()
                )));
            }
            _ => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

fn last_lines(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}

pub(super) fn stop(loaded: &Loaded) -> ExitCode {
    let config = &loaded.config;
    let running = match pid_file::running(&pid_file::path(config)) {
        Ok(Some(running)) => running,
        Ok(None) => return fail(format_args!("{} does not run", title(&config.name, config))),
        Err(error) => {
            return fail(format_args!("cannot use data_dir {}: {error}", config.data_dir.display()));
        }
    };
    let signalled = i32::try_from(running.pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .map(|pid| rustix::process::kill_process(pid, rustix::process::Signal::TERM));
    match signalled {
        Some(Ok(())) => {}
        Some(Err(error)) => return fail(format_args!("cannot stop pid {}: {error}", running.pid)),
        None => return fail(format_args!("{} names no process", pid_file::path(config).display())),
    }
    let patience = config.http.drain_timeout.as_duration() + STOP;
    if ended_within(pid_file::path(config), patience) {
        say!("{} stopped, pid {}", title(&running.name, config), running.pid);
        ExitCode::SUCCESS
    } else {
        fail(format_args!(
            "pid {} has not ended after {patience:?}; `kill -9 {}` ends it now",
            running.pid, running.pid
        ))
    }
}

/// Waits for the lock that the process holds while it lives.
fn ended_within(pid_file: PathBuf, patience: Duration) -> bool {
    let (tell, ended) = mpsc::channel();
    std::thread::spawn(move || tell.send(pid_file::wait_until_free(&pid_file)));
    matches!(ended.recv_timeout(patience), Ok(Ok(())))
}

pub(super) fn status(loaded: &Loaded) -> ExitCode {
    let config = &loaded.config;
    match pid_file::running(&pid_file::path(config)) {
        Ok(Some(running)) => {
            let address = running.listen.map(|address| format!(" on http://{address}")).unwrap_or_default();
            let title = title(&running.name, config);
            say!("{title} {} runs{address}, pid {}", running.version, running.pid);
            ExitCode::SUCCESS
        }
        Ok(None) => {
            say!("{} does not run", title(&config.name, config));
            ExitCode::from(NOT_RUNNING)
        }
        Err(error) => fail(format_args!("cannot use data_dir {}: {error}", config.data_dir.display())),
    }
}

/// The service's name, with the instance's where it is not the only one.
fn title(name: &str, config: &Config) -> String {
    if config.instance.is_main() { name.to_owned() } else { format!("{name} ({})", config.instance.as_str()) }
}

fn fail(why: impl std::fmt::Display) -> ExitCode {
    eprintln!("error: {why}");
    ExitCode::FAILURE
}
