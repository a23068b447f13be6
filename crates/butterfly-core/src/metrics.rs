//! Counts and durations by handler, cheap enough for every call.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::registry::Registry;

/// Upper bounds of the duration histogram, in microseconds.
const BOUNDS: [u64; 12] =
    [50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000, 1_000_000, 10_000_000];
/// Threads share so many copies of the figures; more copies, fewer threads on one cache line.
const SHARDS: usize = 8;
/// Each handler tells apart so many statuses; the others are counted as `other`.
const STATS: usize = 64;

/// The figures of one process.
///
/// | name | type | labels | unit |
/// | --- | --- | --- | --- |
/// | `butterfly_requests_total` | counter | `handler`, `stat` | calls |
/// | `butterfly_request_seconds` | histogram | `handler` | seconds |
/// | `butterfly_talk_seconds_total`, `butterfly_talk_total` | counter | `handler`, `mark` | seconds, marks |
/// | `butterfly_uptime_seconds` | gauge | | seconds |
/// | `butterfly_connections` | gauge | | open HTTP connections |
#[derive(Debug, Default)]
pub struct Metrics {
    shards: Vec<Shard>,
    rare: Mutex<Rare>,
    /// Open HTTP connections.
    pub connections: AtomicUsize,
}

/// One copy of the figures, in cache lines of its own.
#[derive(Debug)]
#[repr(align(128))]
struct Shard {
    handlers: Vec<Figures>,
}

#[derive(Debug, Default)]
struct Figures {
    micros: AtomicU64,
    buckets: [AtomicU64; BOUNDS.len() + 1],
}

/// What happens seldom enough for a lock.
#[derive(Debug, Default)]
struct Rare {
    stats: BTreeMap<(usize, String), u64>,
    talk: BTreeMap<(usize, &'static str), (u64, f64)>,
}

impl Metrics {
    pub(crate) fn new(handlers: usize) -> Self {
        let shard = || Shard { handlers: (0..=handlers).map(|_| Figures::default()).collect() };
        Self { shards: (0..SHARDS).map(|_| shard()).collect(), ..Self::default() }
    }

    /// Counts a call of a handler; `None` is a call of a path that no handler has.
    pub fn count(&self, handler: Option<usize>, stat: &str, cost: Duration, talk: &[(&'static str, f64)]) {
        let Some(shard) = self.shards.get(shard()) else { return };
        let index = handler.unwrap_or(shard.handlers.len() - 1);
        let Some(figures) = shard.handlers.get(index) else { return };
        let micros = cost.as_micros() as u64;
        let bucket = BOUNDS.iter().position(|bound| micros <= *bound).unwrap_or(BOUNDS.len());
        figures.micros.fetch_add(micros, Ordering::Relaxed);
        figures.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        if stat != "OK" || !talk.is_empty() {
            self.count_rare(index, stat, talk);
        }
    }

    fn count_rare(&self, index: usize, stat: &str, talk: &[(&'static str, f64)]) {
        let mut rare = self.rare.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if stat != "OK" {
            let key = (index, stat.to_owned());
            let full = rare.stats.range(of_handler(index)).count() >= STATS;
            let key = if full && !rare.stats.contains_key(&key) { (index, "other".to_owned()) } else { key };
            *rare.stats.entry(key).or_default() += 1;
        }
        for (mark, ms) in talk {
            let (count, seconds) = rare.talk.entry((index, mark)).or_default();
            *count += 1;
            *seconds += ms / 1000.0;
        }
    }

    /// The figures in the Prometheus text format, version 0.0.4.
    #[must_use]
    pub fn prometheus(&self, registry: &Registry, uptime: Duration) -> String {
        let mut out = String::new();
        // Writing to a String never fails, here and below.
        let _ = self.write(&mut out, registry, uptime);
        out
    }

    fn write(&self, out: &mut String, registry: &Registry, uptime: Duration) -> std::fmt::Result {
        let name = |index: usize| registry.handlers().get(index).map_or("-", |handler| handler.path);
        let count = self.shards.first().map_or(0, |shard| shard.handlers.len());
        let totals: Vec<Totals> = (0..count).map(|index| self.totals(index)).collect();
        let rare = self.rare.lock().unwrap_or_else(std::sync::PoisonError::into_inner);

        head(out, "butterfly_requests_total", "counter", "Calls by handler and status.")?;
        for (index, totals) in totals.iter().enumerate() {
            // What was not counted under another status was OK.
            let others: u64 = rare.stats.range(of_handler(index)).map(|(_, count)| count).sum();
            let ok = totals.count().saturating_sub(others);
            if ok > 0 {
                writeln!(out, "butterfly_requests_total{{handler={:?},stat=\"OK\"}} {ok}", name(index))?;
            }
        }
        for ((index, stat), count) in &rare.stats {
            let stat = label(stat);
            writeln!(out, "butterfly_requests_total{{handler={:?},stat=\"{stat}\"}} {count}", name(*index))?;
        }
        head(out, "butterfly_request_seconds", "histogram", "Duration of calls by handler.")?;
        for (index, totals) in totals.iter().enumerate().filter(|(_, totals)| totals.count() > 0) {
            totals.write(out, name(index))?;
        }
        head(out, "butterfly_talk_total", "counter", "Timing marks by handler and mark.")?;
        for ((index, mark), (count, _)) in &rare.talk {
            writeln!(
                out,
                "butterfly_talk_total{{handler={:?},mark=\"{}\"}} {count}",
                name(*index),
                label(mark)
            )?;
        }
        head(out, "butterfly_talk_seconds_total", "counter", "Time up to timing marks by handler and mark.")?;
        for ((index, mark), (_, seconds)) in &rare.talk {
            writeln!(
                out,
                "butterfly_talk_seconds_total{{handler={:?},mark=\"{}\"}} {seconds}",
                name(*index),
                label(mark)
            )?;
        }
        head(out, "butterfly_connections", "gauge", "Open HTTP connections.")?;
        writeln!(out, "butterfly_connections {}", self.connections.load(Ordering::Relaxed))?;
        head(out, "butterfly_uptime_seconds", "gauge", "Time since the start.")?;
        writeln!(out, "butterfly_uptime_seconds {:.3}", uptime.as_secs_f64())
    }

    fn totals(&self, index: usize) -> Totals {
        let mut totals = Totals::default();
        for figures in self.shards.iter().filter_map(|shard| shard.handlers.get(index)) {
            totals.micros += figures.micros.load(Ordering::Relaxed);
            for (sum, bucket) in totals.buckets.iter_mut().zip(&figures.buckets) {
                *sum += bucket.load(Ordering::Relaxed);
            }
        }
        totals
    }
}

#[derive(Default)]
struct Totals {
    micros: u64,
    buckets: [u64; BOUNDS.len() + 1],
}

impl Totals {
    fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    fn write(&self, out: &mut String, handler: &str) -> std::fmt::Result {
        let mut sum = 0;
        for (bound, count) in BOUNDS.iter().zip(self.buckets) {
            sum += count;
            let le = *bound as f64 / 1e6;
            writeln!(out, "butterfly_request_seconds_bucket{{handler={handler:?},le=\"{le}\"}} {sum}")?;
        }
        let count = self.count();
        writeln!(out, "butterfly_request_seconds_bucket{{handler={handler:?},le=\"+Inf\"}} {count}")?;
        writeln!(out, "butterfly_request_seconds_sum{{handler={handler:?}}} {}", self.micros as f64 / 1e6)?;
        writeln!(out, "butterfly_request_seconds_count{{handler={handler:?}}} {count}")
    }
}

/// The statuses of one handler.
fn of_handler(index: usize) -> std::ops::Range<(usize, String)> {
    (index, String::new())..(index + 1, String::new())
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) -> std::fmt::Result {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

/// A label's value, escaped as the text format asks.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Which copy of the figures this thread counts in.
fn shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static MINE: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    let mine = MINE.get();
    if mine != usize::MAX {
        return mine;
    }
    let new = NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS;
    MINE.set(new);
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_add_up_and_stats_are_bounded() {
        let metrics = Metrics::new(0);
        metrics.count(None, "OK", Duration::from_micros(80), &[("think", 2.0)]);
        for number in 0..100 {
            metrics.count(None, &format!("ERR_{number}"), Duration::from_secs(20), &[]);
        }
        let text = metrics.prometheus(&Registry::default(), Duration::from_secs(1));
        assert!(text.contains("butterfly_requests_total{handler=\"-\",stat=\"OK\"} 1\n"), "{text}");
        assert!(text.contains("butterfly_requests_total{handler=\"-\",stat=\"other\"} 36\n"), "{text}");
        assert!(text.contains("butterfly_request_seconds_bucket{handler=\"-\",le=\"0.0001\"} 1\n"), "{text}");
        assert!(text.contains("butterfly_request_seconds_count{handler=\"-\"} 101\n"), "{text}");
        assert!(
            text.contains("butterfly_talk_seconds_total{handler=\"-\",mark=\"think\"} 0.002\n"),
            "{text}"
        );
    }
}
