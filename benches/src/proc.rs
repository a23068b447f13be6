//! What the kernel knows of a process: its CPU time and its memory, from `/proc`.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// CPU time of all threads of a process, those that have ended included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CpuTime {
    pub(crate) user: Duration,
    pub(crate) system: Duration,
}

impl CpuTime {
    /// Reads the CPU time that `pid` has used so far, to the kernel's tick (10 ms as a rule).
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("the server is gone")?;
        Self::parse(&stat, rustix::param::clock_ticks_per_second())
    }

    fn parse(stat: &str, ticks_per_second: u64) -> Result<Self> {
        // The command name is in parentheses and may itself hold spaces and parentheses.
        let (_, fields) = stat.rsplit_once(')').context("no command name in /proc/PID/stat")?;
        let mut fields = fields.split_ascii_whitespace().skip(11);
        let mut next = || -> Result<Duration> {
            let ticks: u64 = fields.next().context("/proc/PID/stat is short")?.parse()?;
            Ok(Duration::from_secs_f64(ticks as f64 / ticks_per_second as f64))
        };
        Ok(Self { user: next()?, system: next()? })
    }

    /// What was used between `earlier` and this reading.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
        }
    }
}

/// Resident memory of a process, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) now: u64,
    pub(crate) peak: u64,
}

impl Memory {
    /// Reads the resident memory of `pid`: now, and at its highest since the start or the last
    /// [`reset_peak`].
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the server is gone")?;
        Self::parse(&status)
    }

    fn parse(status: &str) -> Result<Self> {
        Ok(Self { now: kib(status, "VmRSS:")? * 1024, peak: kib(status, "VmHWM:")? * 1024 })
    }
}

fn kib(status: &str, key: &str) -> Result<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let line = line.with_context(|| format!("no {key} in /proc/PID/status"))?;
    match line.split_ascii_whitespace().collect::<Vec<_>>()[..] {
        [number, "kB"] => Ok(number.parse()?),
        _ => bail!("{key} is not in kB: {line:?}"),
    }
}

/// Makes the peak of `pid` start again from what it holds now.
pub(crate) fn reset_peak(pid: u32) -> Result<()> {
    fs::write(format!("/proc/{pid}/clear_refs"), "5").context("the peak of memory could not be reset")
}

/// Lets this process, and with it the servers it starts, hold `wanted` files and sockets.
pub(crate) fn raise_file_limit(wanted: u64) -> Result<()> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    limit.current = Some(wanted);
    setrlimit(Resource::Nofile, limit)
        .with_context(|| format!("{wanted} open files are needed: raise the limit with `ulimit -n`"))
}

/// The machine in a few words, for the head of a report.
pub(crate) fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{cores} x {}, Linux {}", model.map_or("unknown processor", |m| m.1), kernel.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "4242 (a) name (odd) S 1 4242 4242 0 -1 4194560 150 0 0 0 321 79 5 6 20 0 4 0 900 1 2";

    #[test]
    fn cpu_time_survives_parentheses_in_the_name() {
        let cpu = CpuTime::parse(STAT, 100).unwrap();
        assert_eq!(cpu.user, Duration::from_millis(3210));
        assert_eq!(cpu.system, Duration::from_millis(790));
    }

    #[test]
    fn cpu_time_scales_with_the_tick() {
        assert_eq!(CpuTime::parse(STAT, 1000).unwrap().user, Duration::from_millis(321));
    }

    #[test]
    fn cpu_time_refuses_what_is_not_a_stat_line() {
        assert!(CpuTime::parse("", 100).is_err());
        assert!(CpuTime::parse("1 (cut) S 1 2 3", 100).is_err());
        assert!(CpuTime::parse(&STAT.replace("321", "x"), 100).is_err());
    }

    #[test]
    fn since_is_the_difference() {
        let at = |user, system| CpuTime {
            user: Duration::from_millis(user),
            system: Duration::from_millis(system),
        };
        assert_eq!(at(50, 30).since(at(20, 10)), at(30, 20));
    }

    #[test]
    fn memory_is_read_in_bytes() {
        let memory = Memory::parse("Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n").unwrap();
        assert_eq!(memory, Memory { now: 1 << 20, peak: 2 << 20 });
    }

    #[test]
    fn memory_refuses_missing_keys_and_other_units() {
        assert!(Memory::parse("VmRSS:\t 10 kB\n").is_err());
        assert!(Memory::parse("VmHWM:\t 10 kB\nVmRSS:\t 10 MB\n").is_err());
    }

    #[test]
    fn this_process_can_be_read() {
        let pid = std::process::id();
        CpuTime::of(pid).unwrap();
        let memory = Memory::of(pid).unwrap();
        assert!(memory.now > 0 && memory.peak >= memory.now);
    }
}
