//! Nothing outlives a run: every server is in a process group on a list, and the list is killed on ctrl-c.
//! An error or a panic unwinds, and the guards ([`Server`](crate::server::Server), `TempDir`) do it then.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, WaitOptions, kill_process_group, waitpid};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

static LIVE: Mutex<Live> = Mutex::new(Live { groups: Vec::new(), scratch: None });

struct Live {
    groups: Vec<Pid>,
    scratch: Option<PathBuf>,
}

fn live() -> MutexGuard<'static, Live> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on ctrl-c, SIGTERM and a closed terminal kill what was started, remove `scratch` and end this
/// process.
pub(crate) fn on_signals(scratch: &Path) -> io::Result<()> {
    live().scratch = Some(scratch.to_owned());
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            abandon(signal);
        }
    });
    Ok(())
}

/// Kills and removes everything, and exits. The list stays locked, so nothing can be started meanwhile.
fn abandon(signal: i32) -> ! {
    let live = live();
    for group in &live.groups {
        kill_group(*group, Signal::KILL);
        // The leader bears the group's number; once it is waited for, it is gone and its memory with it.
        let _ = waitpid(Some(*group), WaitOptions::empty());
    }
    if let Some(scratch) = &live.scratch {
        let _ = std::fs::remove_dir_all(scratch);
    }
    std::process::exit(128 + signal)
}

/// Starts `command` at the head of a process group of its own, and on the list.
pub(crate) fn spawn(command: &mut Command) -> io::Result<Child> {
    let mut live = live();
    let child = command.process_group(0).spawn()?;
    live.groups.push(Pid::from_child(&child));
    Ok(child)
}

/// Kills what is left of the group of `child` and takes it off the list.
pub(crate) fn reap(child: &mut Child) -> io::Result<ExitStatus> {
    let mut live = live();
    let group = Pid::from_child(child);
    // Not yet waited for, so the number still belongs to this group and to no other.
    kill_group(group, Signal::KILL);
    live.groups.retain(|other| *other != group);
    child.wait()
}

/// Sends `signal` to a whole group; one that has already ended is fine.
pub(crate) fn kill_group(group: Pid, signal: Signal) {
    let _ = kill_process_group(group, signal);
}
