//! The tree for people: when, how long, a bar on the common line of time, and what.

use butterfly_queue::{Millis, State, now_ms};

use super::lines::Line;
use super::tree::{Branch, Node, Tree};
use crate::command::shown::{cost, cut, harmless, many, span, time};

/// The characters of a bar.
const BAR: usize = 24;
/// The bytes of an error that are shown.
const ERROR: usize = 160;

/// One line of the picture.
struct Row {
    /// Since when it waited.
    since: Millis,
    /// Since when it ran.
    from: Millis,
    /// Until when; that of a message, which has its runs below it, is where it begins to run.
    to: Millis,
    took: String,
    text: String,
}

impl Row {
    /// The time in its first column: of a run, when it began; of what only waits, since when.
    fn shown_from(&self) -> Millis {
        if self.to > self.from { self.from } else { self.since }
    }
}

pub(super) fn text(tree: &Tree) -> String {
    let now = now_ms();
    let mut rows = Vec::new();
    for (index, call) in tree.calls.iter().enumerate() {
        rows.push(call_row(tree, call));
        branches(&mut rows, "", &tree.of_call(index), now);
    }
    branches(&mut rows, "", &tree.orphans(), now);
    let begin = rows.iter().map(|row| row.since).min().unwrap_or(0);
    let end = rows.iter().map(|row| row.to).max().unwrap_or(begin);
    let mut out = head(tree, begin, end);
    for row in &rows {
        let bar = bar(row, begin, end);
        let after = row.shown_from().saturating_sub(begin);
        let offset = format!("+{}.{:03}", after / 1000, after % 1000);
        out.push_str(&format!("{offset:>10} {:>7} │{bar}│ {}\n", row.took, row.text));
    }
    out
}

fn head(tree: &Tree, begin: Millis, end: Millis) -> String {
    let runs: usize = tree.nodes().map(|node| node.runs.len()).sum();
    let messages = tree.nodes().count();
    let open = tree.unsettled().len();
    let open = if open == 0 { "all ended".to_owned() } else { format!("{open} not ended") };
    format!(
        "{}  {}  {}, {}, {}  {} in all, {open}\n\n    OFFSET    TOOK  {:BAR$}  (█ runs, · waits)\n",
        tree.reqid(),
        time(begin),
        many(tree.calls.len() as u64, "call"),
        many(messages as u64, "message"),
        many(runs as u64, "run"),
        span(end.saturating_sub(begin)),
        "",
    )
}

fn call_row(tree: &Tree, call: &Line) -> Row {
    let from = tree.began(call);
    let by = if call.user == "-" { String::new() } else { format!("  by {}", call.user) };
    // The command line is called from nowhere.
    let place = if call.method == "CLI" { String::new() } else { format!("from {}, ", call.ip) };
    let text = format!(
        "{} {}  {}{by}  {place}pid {}{}",
        call.method,
        call.function,
        call.stat,
        call.pid,
        because(call)
    );
    Row { since: from, from, to: ended(from, call), took: cost(call.cost_us), text: harmless(&text) }
}

/// When a call or run ended; even the shortest took some time.
fn ended(from: Millis, line: &Line) -> Millis {
    from.saturating_add(line.cost_us.div_ceil(1000).max(1))
}

/// Why a line's call failed; its stat stands before it already.
fn because(line: &Line) -> String {
    let error = line.error.strip_prefix(&line.stat).and_then(|rest| rest.strip_prefix(": "));
    said(error.unwrap_or(&line.error))
}

fn said(error: &str) -> String {
    if error.is_empty() { String::new() } else { format!("  {}", cut(error, ERROR)) }
}

fn branches(rows: &mut Vec<Row>, indent: &str, all: &[Branch<'_>], now: Millis) {
    for (index, branch) in all.iter().enumerate() {
        let last = index + 1 == all.len();
        let (knot, below) = if last { ("└─", "   ") } else { ("├─", "│  ") };
        rows.push(message_row(&format!("{indent}{knot} "), branch, now));
        let indent = format!("{indent}{below}");
        run_rows(rows, &indent, branch);
        branches(rows, &indent, &branch.below, now);
    }
}

fn message_row(indent: &str, branch: &Branch<'_>, now: Millis) -> Row {
    let node = branch.node;
    let since = node.created().unwrap_or(now);
    let first = node.runs.iter().map(|run| node.began(run)).min();
    let until = first.or(node.message.as_ref().and_then(|message| message.started.or(message.ended)));
    let to = until.unwrap_or(now).max(since);
    let took = if node.message.is_some() { span(to - since) } else { "-".into() };
    let text = format!("{indent}{} {}", branch.id, fate(node, now));
    Row { since, from: to, to, took, text: harmless(&text) }
}

/// Where a message stands.
fn fate(node: &Node, now: Millis) -> String {
    let Some(message) = &node.message else {
        let topic = node.runs.first().map_or("", |run| run.function.as_str());
        return format!("{topic}  gone: deleted, or not kept any longer");
    };
    let state = match message.state {
        State::Scheduled => {
            let at = message.run_at.unwrap_or(now);
            format!("scheduled, runs in {}", span(at.saturating_sub(now)))
        }
        State::Queued => format!("queued for {}", span(now.saturating_sub(message.spec.created))),
        State::Started => {
            let since = message.started.map(|at| format!(" for {}", span(now.saturating_sub(at))));
            format!(
                "runs{} on {}",
                since.unwrap_or_default(),
                message.worker.as_deref().unwrap_or("a worker")
            )
        }
        State::Finished => format!("finished {}", message.stat.as_deref().unwrap_or_default()),
        State::Failed => "failed".to_owned(),
    };
    // The lines of its runs tell why; one that never ran, or waits to run again, tells itself.
    let told = node.runs.iter().any(|run| Some(run.error.as_str()) == message.error.as_deref());
    let why = message.error.as_deref().filter(|_| !told).map(said).unwrap_or_default();
    format!("{}  {state}{why}", message.topic)
}

fn run_rows(rows: &mut Vec<Row>, indent: &str, branch: &Branch<'_>) {
    // What it sent in turn hangs on the message, so a run has a line only where there is nothing below.
    let bar = if branch.below.is_empty() { "  " } else { "│ " };
    let mut before = None;
    for (index, run) in branch.node.runs.iter().enumerate() {
        let from = branch.node.began(run);
        let attempt = run.noted("attempt").next().map_or((index + 1).to_string(), str::to_owned);
        let batch =
            run.noted("batch").next().map(|size| format!(" of a batch of {size}")).unwrap_or_default();
        let text =
            format!("{indent}{bar}run {attempt}{batch}  {}  pid {}{}", run.stat, run.pid, because(run));
        let (since, to) = (before.unwrap_or(from).min(from), ended(from, run));
        rows.push(Row { since, from, to, took: cost(run.cost_us), text: harmless(&text) });
        before = Some(to);
    }
}

/// Where a row lies on the line of time from `begin` to `end`.
fn bar(row: &Row, begin: Millis, end: Millis) -> String {
    let whole = (end - begin).max(1) as f64;
    let place = |at: Millis| (at.saturating_sub(begin) as f64 / whole * BAR as f64) as usize;
    let since = place(row.since).min(BAR - 1);
    let from = place(row.from).min(BAR - 1);
    // Whatever took any time at all is seen.
    let to = if row.to > row.from { place(row.to).clamp(from + 1, BAR) } else { from };
    let waited = if row.to > row.from { from } else { place(row.to).clamp(since + 1, BAR) };
    let mark = |at| match at {
        at if (from..to).contains(&at) => '█',
        at if (since..waited).contains(&at) => '·',
        _ => ' ',
    };
    (0..BAR).map(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_lie_where_their_time_is() {
        let row = |since, from, to| Row { since, from, to, took: String::new(), text: String::new() };
        let shown = |row: &Row| {
            let bar = bar(row, 1000, 1240);
            assert_eq!(bar.chars().count(), BAR);
            let of = |mark| bar.chars().filter(|c| *c == mark).count();
            (bar.chars().position(|c| c == '█'), of('█'), of('·'))
        };
        assert_eq!(shown(&row(1000, 1000, 1240)), (Some(0), BAR, 0));
        assert_eq!(shown(&row(1060, 1120, 1180)), (Some(12), 6, 6));
        assert_eq!(shown(&row(1239, 1239, 1240)), (Some(BAR - 1), 1, 0));
        assert_eq!(shown(&row(1000, 1120, 1120)), (None, 0, 12));
        assert_eq!(shown(&row(1000, 1000, 1000)), (None, 0, 1));
        assert_eq!(bar(&row(5, 5, 5), 5, 5).chars().count(), BAR);
    }
}
