//! The processes that send and run, and what becomes of those that are killed.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::chance::Chance;
use crate::ledger::{self, Ledger};
use crate::options::Options;
use crate::place::Place;
use crate::sender::{self, Errand};

/// All processes of the torture.
#[derive(Debug)]
pub(crate) struct Fleet {
    workers: Vec<Slot>,
    senders: Vec<Slot>,
    /// Processes that were killed.
    pub(crate) killed: HashSet<u32>,
    /// Processes that ended by themselves, though they should not.
    pub(crate) failed: u64,
}

/// The place of a process: when it is killed, another one takes its place.
#[derive(Debug)]
struct Slot {
    task: Task,
    folder: PathBuf,
    variables: Vec<(String, String)>,
    life: u64,
    now: Now,
}

#[derive(Debug)]
enum Task {
    Work,
    Send { errand: Errand },
}

#[derive(Debug)]
enum Now {
    Runs(Child),
    /// Begins at this time.
    Waits(Instant),
    /// A sender that has sent all.
    Done,
}

/// A process that ends by itself begins again after so long.
const AGAIN: Duration = Duration::from_millis(200);
/// A worker that is told to stop has so long.
const STOP: Duration = Duration::from_secs(30);

impl Fleet {
    /// Puts up all places; processes begin at the next [`tend`](Self::tend).
    pub(crate) fn of(options: &Options, folder: &Path, place: &Place, extra: &[(String, String)]) -> Self {
        let worker = |number| {
            let mut variables = worker_variables(options, folder, place, number);
            variables.extend_from_slice(extra);
            Slot::new(folder, Task::Work, variables)
        };
        let sender = |number| {
            let errand = Errand {
                place: place.clone(),
                numbers: share(options.messages, options.senders, number),
                depth: sender::depth(options.messages),
                ledger: ledger_of(folder, number),
                life: 0,
                delays: options.jumps == 0,
            };
            Slot::new(folder, Task::Send { errand }, extra.to_vec())
        };
        Self {
            workers: (0..options.workers).map(worker).collect(),
            senders: (0..options.senders).map(sender).collect(),
            killed: HashSet::new(),
            failed: 0,
        }
    }

    /// Starts whatever is to begin, and sees what has ended.
    pub(crate) fn tend(&mut self) -> io::Result<()> {
        for slot in self.workers.iter_mut().chain(&mut self.senders) {
            self.failed += u64::from(slot.tend()?);
        }
        Ok(())
    }

    pub(crate) fn has_sent_all(&self) -> bool {
        self.senders.iter().all(|slot| matches!(slot.now, Now::Done))
    }

    /// Whether any worker is there.
    pub(crate) fn works(&self) -> bool {
        self.workers.iter().any(Slot::runs)
    }

    /// The workers that run.
    pub(crate) fn worker_pids(&self) -> impl Iterator<Item = u32> {
        self.workers.iter().filter_map(|slot| match &slot.now {
            Now::Runs(child) => Some(child.id()),
            Now::Waits(_) | Now::Done => None,
        })
    }

    /// Kills one process, or all workers at once. Gives how many: 0 when none runs.
    pub(crate) fn kill(&mut self, chance: &mut Chance, lease: Duration) -> io::Result<usize> {
        let all_workers = chance.below(20) == 0;
        let senders_too = !all_workers && chance.below(4) == 0;
        let of_senders = self.senders.iter().any(Slot::runs) && senders_too;
        let rest = |chance: &mut Chance| match chance.below(8) {
            // Long enough that others take its messages.
            0 if !of_senders => lease * 2,
            _ => chance.moment(Duration::from_millis(500)),
        };
        let slots = if of_senders { &mut self.senders } else { &mut self.workers };
        let running = slots.iter().filter(|slot| slot.runs()).count();
        let at = chance.below(running as u64) as usize;
        let most = if all_workers { running } else { 1 };
        let skipped = if all_workers { 0 } else { at };
        let victims = slots.iter_mut().filter(|slot| slot.runs()).skip(skipped).take(most);
        let mut count = 0;
        for slot in victims {
            let pause = if all_workers { Duration::ZERO } else { rest(chance) };
            if let Some(pid) = slot.kill(pause)? {
                self.killed.insert(pid);
                count += 1;
            }
        }
        Ok(count)
    }

    /// Tells the workers to stop, and waits for it. Gives how many did not end well.
    pub(crate) fn stop(&mut self) -> io::Result<u64> {
        let mut bad = 0;
        for slot in &mut self.workers {
            if let Now::Runs(child) = &mut slot.now {
                terminate(child)?;
            }
        }
        for slot in &mut self.workers {
            if let Now::Runs(child) = &mut slot.now {
                bad += u64::from(!ends_well(child)?);
            }
        }
        Ok(bad)
    }

    /// What the senders have written down.
    pub(crate) fn ledger(&self) -> io::Result<Ledger> {
        let mut all = Ledger::default();
        for slot in &self.senders {
            if let Task::Send { errand } = &slot.task {
                all.merge(ledger::read(&errand.ledger)?);
            }
        }
        Ok(all)
    }
}

impl Slot {
    fn new(folder: &Path, task: Task, variables: Vec<(String, String)>) -> Self {
        Self { task, folder: folder.to_owned(), variables, life: 0, now: Now::Waits(Instant::now()) }
    }

    fn runs(&self) -> bool {
        matches!(self.now, Now::Runs(_))
    }

    /// Whether its process has ended though it should not.
    fn tend(&mut self) -> io::Result<bool> {
        match &mut self.now {
            Now::Waits(until) if *until <= Instant::now() => self.begin().map(|()| false),
            Now::Waits(_) | Now::Done => Ok(false),
            Now::Runs(child) => match child.try_wait()? {
                None => Ok(false),
                Some(status) if status.success() && matches!(self.task, Task::Send { .. }) => {
                    self.now = Now::Done;
                    Ok(false)
                }
                Some(_) => {
                    self.now = Now::Waits(Instant::now() + AGAIN);
                    Ok(true)
                }
            },
        }
    }

    fn begin(&mut self) -> io::Result<()> {
        let mut command = Command::new(std::env::current_exe()?);
        match &mut self.task {
            Task::Work => {
                command.args(["serve", "--roles", "worker"]);
            }
            Task::Send { errand } => {
                errand.life = self.life;
                command.arg("send").arg(serde_json::to_string(errand)?);
            }
        }
        self.life += 1;
        let said = File::options().create(true).append(true).open(self.folder.join("said"))?;
        command.envs(self.variables.iter().cloned()).current_dir(&self.folder);
        command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
        self.now = Now::Runs(command.spawn()?);
        Ok(())
    }

    fn kill(&mut self, pause: Duration) -> io::Result<Option<u32>> {
        let Now::Runs(child) = &mut self.now else { return Ok(None) };
        if child.try_wait()?.is_some() {
            return Ok(None);
        }
        child.kill()?;
        child.wait()?;
        let pid = child.id();
        self.now = Now::Waits(Instant::now() + pause);
        Ok(Some(pid))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // Whatever happens, nothing is left running; it may have ended already.
        let _ = self.kill(Duration::ZERO);
    }
}

fn worker_variables(options: &Options, folder: &Path, place: &Place, number: usize) -> Vec<(String, String)> {
    let logs = folder.join(format!("logs-{number}"));
    let mut variables = vec![
        ("BUTTERFLY_INSTANCE", format!("w{number}")),
        ("BUTTERFLY_DATA_DIR", folder.join("workers").display().to_string()),
        ("BUTTERFLY_LOG__DIR", logs.display().to_string()),
        ("BUTTERFLY_LOG__LEVEL", "warn".to_owned()),
        ("BUTTERFLY_QUEUE__CONCURRENCY", options.concurrency.to_string()),
        ("BUTTERFLY_QUEUE__LEASE", format!("{}ms", options.lease)),
        (crate::RUNS, runs_of(folder).display().to_string()),
    ];
    variables.extend(place.variables());
    variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The file in which handlers note their runs.
pub(crate) fn runs_of(folder: &Path) -> PathBuf {
    folder.join("runs")
}

fn ledger_of(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("ledger-{number}"))
}

fn share(messages: u64, of: usize, number: usize) -> Range<u64> {
    let part = |number: usize| messages * number as u64 / of as u64;
    part(number)..part(number + 1)
}

fn terminate(child: &Child) -> io::Result<()> {
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    let pid = pid.ok_or_else(|| io::Error::other("a process has no number"))?;
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).map_err(io::Error::from)
}

/// Waits for a process that was told to stop.
fn ends_well(child: &mut Child) -> io::Result<bool> {
    let since = Instant::now();
    while since.elapsed() < STOP {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(false)
}
