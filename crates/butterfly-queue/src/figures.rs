//! What this process's worker did, by topic: counts and durations for the metrics.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::catalog::Catalog;
use crate::engine::Counts;
use crate::message::{State, now_ms};

/// Upper bounds of the run histogram, in microseconds.
const BOUNDS: [u64; 12] = [
    100,
    500,
    1_000,
    5_000,
    10_000,
    50_000,
    100_000,
    500_000,
    1_000_000,
    10_000_000,
    60_000_000,
    600_000_000,
];

/// The figures of one process, by topic.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    topics: Vec<TopicFigures>,
}

/// The figures of one topic in one process.
#[derive(Debug, Default)]
pub(crate) struct TopicFigures {
    pub(crate) finished: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) retried: AtomicU64,
    pub(crate) released: AtomicU64,
    /// Ends that did not count, for the lease was another's by then.
    pub(crate) lost: AtomicU64,
    /// Messages taken from workers that died.
    pub(crate) reaped: AtomicU64,
    pub(crate) run_us: AtomicU64,
    buckets: [AtomicU64; BOUNDS.len() + 1],
    wait_ms: AtomicU64,
}

impl TopicFigures {
    /// Counts one run: how long it took, and how long its message had waited.
    pub(crate) fn run(&self, cost_us: u64, waited_ms: u64) {
        let bucket = BOUNDS.iter().position(|bound| cost_us <= *bound).unwrap_or(BOUNDS.len());
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.run_us.fetch_add(cost_us, Ordering::Relaxed);
        self.wait_ms.fetch_add(waited_ms, Ordering::Relaxed);
    }

    fn runs(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum()
    }
}

impl Figures {
    pub(crate) fn new(topics: usize) -> Self {
        Self { topics: (0..topics).map(|_| TopicFigures::default()).collect() }
    }

    /// The figures of the topic at this place of the catalog.
    pub(crate) fn of(&self, index: usize) -> Option<&TopicFigures> {
        self.topics.get(index)
    }

    /// The sum of a figure over all topics.
    pub(crate) fn sum(&self, figure: impl Fn(&TopicFigures) -> &AtomicU64) -> u64 {
        self.topics.iter().map(|topic| figure(topic).load(Ordering::Relaxed)).sum()
    }

    /// Writes the figures of this process's worker in the Prometheus text format; topics without a run are left out.
    pub(crate) fn write(&self, out: &mut String, catalog: &Catalog) -> std::fmt::Result {
        let topics = || {
            let named = catalog.entries().iter().map(|entry| &*entry.topic.path).zip(&self.topics);
            named.filter(|(_, figures)| figures.runs() > 0 || figures.reaped.load(Ordering::Relaxed) > 0)
        };
        type Figure = fn(&TopicFigures) -> &AtomicU64;
        let counters: [(&str, &str, Figure); 6] = [
            ("finished", "Messages finished by this worker.", |figures| &figures.finished),
            ("failed", "Messages failed by this worker.", |figures| &figures.failed),
            ("retried", "Runs that failed and are tried again.", |figures| &figures.retried),
            ("released", "Messages handed back unfinished.", |figures| &figures.released),
            ("lease_losses", "Ends that did not count: the lease had passed to another.", |figures| {
                &figures.lost
            }),
            ("reaped", "Messages taken from workers that died.", |figures| &figures.reaped),
        ];
        for (name, help, figure) in counters {
            writeln!(
                out,
                "# HELP butterfly_queue_{name}_total {help}\n# TYPE butterfly_queue_{name}_total counter"
            )?;
            for (topic, figures) in topics() {
                let count = figure(figures).load(Ordering::Relaxed);
                writeln!(out, "butterfly_queue_{name}_total{{topic={topic:?}}} {count}")?;
            }
        }
        out.push_str("# HELP butterfly_queue_run_seconds Duration of runs.\n# TYPE butterfly_queue_run_seconds histogram\n");
        for (topic, figures) in topics() {
            figures.write_histogram(out, topic)?;
        }
        out.push_str("# HELP butterfly_queue_wait_seconds_total Time from when a message was handed in to its run, its delay included, summed over runs.\n# TYPE butterfly_queue_wait_seconds_total counter\n");
        for (topic, figures) in topics() {
            let seconds = figures.wait_ms.load(Ordering::Relaxed) as f64 / 1e3;
            writeln!(out, "butterfly_queue_wait_seconds_total{{topic={topic:?}}} {seconds}")?;
        }
        Ok(())
    }
}

impl TopicFigures {
    fn write_histogram(&self, out: &mut String, topic: &str) -> std::fmt::Result {
        let name = "butterfly_queue_run_seconds";
        let mut sum = 0;
        for (bound, bucket) in BOUNDS.iter().zip(&self.buckets) {
            sum += bucket.load(Ordering::Relaxed);
            let le = *bound as f64 / 1e6;
            writeln!(out, "{name}_bucket{{topic={topic:?},le=\"{le}\"}} {sum}")?;
        }
        let count = self.runs();
        writeln!(out, "{name}_bucket{{topic={topic:?},le=\"+Inf\"}} {count}")?;
        writeln!(out, "{name}_sum{{topic={topic:?}}} {}", self.run_us.load(Ordering::Relaxed) as f64 / 1e6)?;
        writeln!(out, "{name}_count{{topic={topic:?}}} {count}")
    }
}

/// Writes whether the engine answers.
pub(crate) fn write_up(out: &mut String, up: bool) -> std::fmt::Result {
    out.push_str(
        "# HELP butterfly_queue_up Whether the queue's engine answers.\n# TYPE butterfly_queue_up gauge\n",
    );
    writeln!(out, "butterfly_queue_up {}", u8::from(up))
}

/// Writes how many messages are in which state, over all processes.
pub(crate) fn write_counts(out: &mut String, topics: &[(std::sync::Arc<str>, Counts)]) -> std::fmt::Result {
    let is_used = |counts: &Counts| counts.paused || State::ALL.iter().any(|state| counts.of(*state) > 0);
    let used = || topics.iter().filter(|(_, counts)| is_used(counts));
    out.push_str("# HELP butterfly_queue_messages Messages by topic and state, over all processes.\n# TYPE butterfly_queue_messages gauge\n");
    for (topic, counts) in used() {
        for state in State::ALL {
            writeln!(
                out,
                "butterfly_queue_messages{{topic={topic:?},state=\"{state}\"}} {}",
                counts.of(state)
            )?;
        }
    }
    out.push_str("# HELP butterfly_queue_oldest_seconds Age of the oldest queued message.\n# TYPE butterfly_queue_oldest_seconds gauge\n");
    for (topic, counts) in used() {
        let age = counts.oldest.map_or(0, |at| now_ms().saturating_sub(at)) as f64 / 1e3;
        writeln!(out, "butterfly_queue_oldest_seconds{{topic={topic:?}}} {age}")?;
    }
    out.push_str(
        "# HELP butterfly_queue_paused Whether claims are stopped.\n# TYPE butterfly_queue_paused gauge\n",
    );
    for (topic, counts) in used() {
        writeln!(out, "butterfly_queue_paused{{topic={topic:?}}} {}", u8::from(counts.paused))?;
    }
    Ok(())
}
