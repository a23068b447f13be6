//! What something took, round by round, and how contenders compare.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::stats::{Spread, ratios};
use crate::table::Table;

/// What one operation took, in microseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// By the clock.
    pub(crate) wall: f64,
    /// User and system time of all threads of the process.
    pub(crate) cpu: f64,
}

/// A watch that has been started.
#[derive(Debug)]
pub(crate) struct Watch(Instant, Duration);

impl Watch {
    pub(crate) fn start() -> Self {
        Self(Instant::now(), cpu())
    }

    /// The time since the start, for each of so many operations.
    pub(crate) fn each(&self, operations: usize) -> Cost {
        let each = |time: Duration| time.as_secs_f64() * 1e6 / operations as f64;
        Cost { wall: each(self.0.elapsed()), cpu: each(cpu().saturating_sub(self.1)) }
    }
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Who did an operation, and what it took in each round.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    pub(crate) operation: String,
    pub(crate) who: String,
    pub(crate) rounds: Vec<Cost>,
}

/// The rows of a bench, in the order in which they first came.
#[derive(Debug, Default)]
pub(crate) struct Rows(Vec<Row>);

impl Rows {
    pub(crate) fn add(&mut self, operation: &str, who: &str, cost: Cost) {
        let known = self.0.iter_mut().find(|row| row.operation == operation && row.who == who);
        match known {
            Some(row) => row.rounds.push(cost),
            None => {
                self.0.push(Row { operation: operation.to_owned(), who: who.to_owned(), rounds: vec![cost] })
            }
        }
    }

    /// A table with the ratio of each to the first row of the same operation, by the CPU and by the clock: the median
    /// over the rounds.
    pub(crate) fn table(&self, figure: usize) -> Result<Table> {
        let mut table =
            Table::new(&["operation", "", "CPU µs", "min–max", "clock µs", "CPU ratio", "clock ratio"]);
        for row in &self.0 {
            let first = self.first(row)?;
            let spread = |of: fn(&Cost) -> f64| Spread::of(row.rounds.iter().map(of)).context("no rounds");
            let ratio = |of: fn(&Cost) -> f64| {
                let each = |row: &Row| row.rounds.iter().map(of).collect::<Vec<_>>();
                Spread::of(ratios(&each(row), &each(first))).context("no rounds")
            };
            let (cpu, wall) = (spread(|cost| cost.cpu)?, spread(|cost| cost.wall)?);
            let shown = |number: f64| format!("{number:.figure$}");
            let compared = |of| -> Result<String> { Ok(format!("{:.2}", ratio(of)?.median)) };
            table.row([
                row.operation.clone(),
                row.who.clone(),
                shown(cpu.median),
                format!("{}–{}", shown(cpu.min), shown(cpu.max)),
                shown(wall.median),
                compared(|cost| cost.cpu)?,
                compared(|cost| cost.wall)?,
            ]);
        }
        Ok(table)
    }

    fn first(&self, row: &Row) -> Result<&Row> {
        self.0.iter().find(|other| other.operation == row.operation).context("no such operation")
    }

    pub(crate) fn records(&self) -> Value {
        json!(self.0)
    }
}

/// What the machine has to do beside this, for the head of a report.
pub(crate) fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_to_the_first_of_the_same_operation() {
        let mut rows = Rows::default();
        for drift in [1.0, 2.0, 3.0] {
            for (who, wall) in [("a", 10.0), ("b", 5.0)] {
                rows.add("get", who, Cost { wall: wall * drift, cpu: wall * drift * 2.0 });
            }
            rows.add("set", "b", Cost { wall: drift, cpu: drift });
        }
        let table = rows.table(1).unwrap().to_string();
        let lines: Vec<&str> = table.lines().collect();
        assert!(lines[3].ends_with("0.50          0.50"), "{table}");
        assert!(lines[4].ends_with("1.00          1.00"), "{table}");
    }
}
