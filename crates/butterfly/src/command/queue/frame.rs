//! One frame of `queue top`: two looks, and what happened between them.

use std::time::Duration;

use butterfly_queue::engine::{Counts, WorkerInfo};
use butterfly_queue::{State, now_ms};
use serde_json::Value;

use super::document;
use super::look::{used, worker_table};
use super::top::Look;
use crate::command::shown::{many, short_time, span};
use crate::command::table::table;

/// What happened to a topic in a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Rates {
    enqueued: f64,
    finished: f64,
    failed: f64,
}

impl Rates {
    fn of(before: &Counts, now: &Counts, over: Duration) -> Self {
        let total = |counts: &Counts| State::ALL.iter().map(|state| counts.of(*state)).sum();
        // Messages that were removed meanwhile make counts smaller, which is no rate.
        let rate = |before: u64, now: u64| match over.as_secs_f64() {
            secs if secs > 0.0 => now.saturating_sub(before) as f64 / secs,
            _ => 0.0,
        };
        Self {
            enqueued: rate(total(before), total(now)),
            finished: rate(before.finished, now.finished),
            failed: rate(before.failed, now.failed),
        }
    }

    fn add(&mut self, other: Self) {
        self.enqueued += other.enqueued;
        self.finished += other.finished;
        self.failed += other.failed;
    }

    fn cells(self) -> [String; 3] {
        [self.enqueued, self.finished, self.failed].map(shown)
    }
}

fn shown(rate: f64) -> String {
    if rate > 0.0 && rate < 10.0 { format!("{rate:.1}") } else { format!("{rate:.0}") }
}

type Row<'a> = (&'a str, &'a Counts, Rates);

/// The topics that have messages, those with most to do first.
fn rows<'a>(before: &Look, now: &'a Look) -> Vec<Row<'a>> {
    let over = now.at.saturating_duration_since(before.at);
    let row = |(topic, counts): &'a (std::sync::Arc<str>, Counts)| {
        let known = before.topics.iter().find(|(known, _)| known == topic);
        let first = known.map_or_else(Counts::default, |(_, counts)| *counts);
        (&**topic, counts, Rates::of(&first, counts, over))
    };
    let mut rows: Vec<_> = now.topics.iter().filter(|(_, counts)| used(counts)).map(row).collect();
    rows.sort_by_key(|(topic, counts, _)| (std::cmp::Reverse(counts.started + counts.queued), *topic));
    rows
}

/// A frame of at most so many lines; topics that do not fit are counted.
pub(super) fn text(title: &str, before: &Look, now: &Look, lines: usize) -> String {
    let rows = rows(before, now);
    let mut out = summary(title, now, &rows);
    let workers =
        if now.workers.is_empty() { "no worker is here\n".to_owned() } else { worker_table(&now.workers) };
    let room = lines.saturating_sub(out.lines().count() + workers.lines().count() + 4).max(3);
    if rows.is_empty() {
        out.push_str("\nno topic has messages\n");
    } else {
        let cells: Vec<_> = rows.iter().take(room).map(cells).collect();
        let head =
            ["TOPIC", "QUEUED", "RUNNING", "SCHEDULED", "IN/s", "DONE/s", "FAILED/s", "FAILED", "OLDEST", ""];
        out.push('\n');
        out.push_str(&table(&head, &[1, 2, 3, 4, 5, 6, 7, 8], &cells));
    }
    if rows.len() > room {
        out.push_str(&format!("and {} more topics\n", rows.len() - room));
    }
    out.push('\n');
    out.push_str(&workers);
    out
}

fn summary(title: &str, now: &Look, rows: &[Row<'_>]) -> String {
    let sum = |state| rows.iter().map(|(_, counts, _)| counts.of(state)).sum::<u64>();
    let mut rates = Rates::default();
    rows.iter().for_each(|(_, _, topic)| rates.add(*topic));
    let [enqueued, finished, failed] = rates.cells();
    let ms = now_ms();
    format!(
        "{title}  {}\n{} queued, {} running, {} scheduled, {} failed  in {enqueued}/s, done {finished}/s, failed {failed}/s  {}\n",
        short_time(ms, ms),
        sum(State::Queued),
        sum(State::Started),
        sum(State::Scheduled),
        sum(State::Failed),
        many(now.workers.len() as u64, "worker"),
    )
}

fn cells((topic, counts, rates): &Row<'_>) -> Vec<String> {
    let oldest = counts.oldest.map_or_else(|| "-".into(), |oldest| span(now_ms().saturating_sub(oldest)));
    let mut cells = vec![(*topic).to_owned()];
    cells.extend([counts.queued, counts.started, counts.scheduled].map(|count| count.to_string()));
    cells.extend(rates.cells());
    cells.extend([counts.failed.to_string(), oldest]);
    cells.push(if counts.paused { "paused".into() } else { String::new() });
    cells
}

/// The same for programs.
pub(super) fn json(before: &Look, now: &Look) -> Value {
    let topic = |(topic, counts, rates): Row<'_>| {
        let mut topic = document::topic(topic, counts);
        topic["rates"] = serde_json::json!({
            "enqueued": rates.enqueued, "finished": rates.finished, "failed": rates.failed,
        });
        topic
    };
    let topics: Vec<_> = rows(before, now).into_iter().map(topic).collect();
    let workers: Vec<_> = now.workers.iter().map(|worker: &WorkerInfo| document::worker(worker)).collect();
    serde_json::json!({ "topics": topics, "workers": workers })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn look(at: Instant, topics: &[(&str, Counts)]) -> Look {
        let topics = topics.iter().map(|(topic, counts)| ((*topic).into(), *counts)).collect();
        Look { at, topics, workers: Vec::new() }
    }

    #[test]
    fn rates_are_differences_over_the_time_between_looks() {
        let start = Instant::now();
        let before =
            look(start, &[("/a", Counts { queued: 10, finished: 5, failed: 3, ..Counts::default() })]);
        let counts = Counts { queued: 4, finished: 15, failed: 2, ..Counts::default() };
        let now = look(start + Duration::from_secs(2), &[("/a", counts), ("/b", Counts::default())]);
        let rows = rows(&before, &now);
        assert_eq!(rows.len(), 1, "topics without messages are left out");
        assert_eq!(rows[0].2, Rates { enqueued: 1.5, finished: 5.0, failed: 0.0 });
    }

    #[test]
    fn a_frame_fits_its_terminal() {
        let start = Instant::now();
        let names: Vec<String> = (0..100).map(|number| format!("/t{number}")).collect();
        let one = |name| (name, Counts { queued: 1, ..Counts::default() });
        let topics: Vec<_> = names.iter().map(|name| one(name.as_str())).collect();
        let look = look(start, &topics);
        let frame = text("title", &look, &look, 24);
        assert!(frame.lines().count() <= 24 && frame.contains("more topics"), "{frame}");
    }
}
