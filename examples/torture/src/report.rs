//! What came of a torture.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::books::Audit;
use crate::faults::Fault;
use crate::options::Options;

/// Everything that is told in the end.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) took: Duration,
    /// Processes killed.
    pub(crate) kills: u64,
    pub(crate) server_kills: u64,
    pub(crate) cuts: u64,
    pub(crate) fulls: u64,
    pub(crate) full_disks: u64,
    pub(crate) jumps: u64,
    /// Runs that were seen while all went on.
    pub(crate) seen: u64,
    /// The longest time in which no run began, while workers were there and nothing but kills was wrong.
    pub(crate) longest: Duration,
    /// Processes that ended by themselves, though they should not.
    pub(crate) fell: u64,
    /// Workers that did not end well when they were told to.
    pub(crate) bad_stops: u64,
    /// Named messages that were sent once more.
    pub(crate) again: u64,
    pub(crate) refused: BTreeMap<String, u64>,
    pub(crate) audit: Audit,
}

impl Report {
    pub(crate) fn note(&mut self, fault: Fault) {
        match fault {
            Fault::Kill => {}
            Fault::Server => self.server_kills += 1,
            Fault::Cut => self.cuts += 1,
            Fault::Full => self.fulls += 1,
            Fault::FullDisk => self.full_disks += 1,
            Fault::Jump(_) => self.jumps += 1,
        }
    }

    pub(crate) fn adds_up(&self) -> bool {
        self.audit.adds_up() && self.bad_stops == 0
    }
}

/// Prints the table.
pub(crate) fn print(options: &Options, report: &Report) {
    let audit = &report.audit;
    let row = |name: &str, count: u64| println!("  {name:<44}{count:>10}");
    println!("\n{:?}, seed {}, {:.1} s", options.engine, report.seed, report.took.as_secs_f64());
    for (name, count) in [
        ("messages accepted", audit.accepted),
        ("kept though the answer was lost", audit.unanswered),
        ("named ones sent once more", report.again),
        ("processes killed", report.kills),
        ("server killed", report.server_kills),
        ("connections cut", report.cuts),
        ("no room left", report.fulls),
        ("disk of Redis full", report.full_disks),
        ("clock jumped", report.jumps),
        ("processes that ended by themselves", report.fell),
        ("finished", audit.finished),
        ("set aside after three deaths", audit.died),
        ("  though fewer runs had begun", audit.died_waiting),
        ("runs", audit.runs),
        ("extra runs", audit.extra),
        ("  after a process that was killed", audit.explained),
        ("  after a lease lost by a process that lives", audit.silent),
    ] {
        row(name, count);
    }
    println!("  {:<44}{:>8} ms", "longest time without a run", report.longest.as_millis());
    println!("must be 0");
    for (name, count) in audit.faults() {
        row(name, count);
    }
    row("workers that did not stop when told", report.bad_stops);
    if !report.refused.is_empty() {
        println!("what senders were told, and sent again");
        for (why, count) in &report.refused {
            println!("  {count:>8}  {why}");
        }
    }
    println!("{}", if report.adds_up() { "the books add up" } else { "THE BOOKS DO NOT ADD UP" });
}
