//! What is known of the traced calls, and how it is printed.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::source::Sources;
use super::{TraceOptions, value};

/// Ids are never used again, so that a call left over from an earlier trace is not taken for one of this trace.
static NEXT: AtomicU64 = AtomicU64::new(1);

const DIM: &str = "2";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const BLUE: &str = "34";
const CYAN: &str = "36";

/// One trace.
pub(super) struct Recorder {
    options: TraceOptions,
    calls: HashMap<u64, Call>,
    /// The call that did something last: a call that begins now is taken to be made by it.
    active: u64,
    /// The file that was named last.
    file: &'static str,
    sources: Sources,
}

/// A function that is running.
struct Call {
    parent: u64,
    level: usize,
    name: &'static str,
    file: &'static str,
    root: Option<&'static str>,
    line: u32,
    began: Instant,
    variables: HashMap<&'static str, String>,
    result: Option<String>,
}

impl Recorder {
    pub(super) fn new(options: TraceOptions) -> Self {
        Self { options, calls: HashMap::new(), active: 0, file: "", sources: Sources::default() }
    }

    /// Takes a call into the trace, unless it is too deep.
    pub(super) fn enter(
        &mut self,
        name: &'static str,
        file: &'static str,
        line: u32,
        root: Option<&'static str>,
    ) -> Option<u64> {
        let level = self.calls.get(&self.active).map_or(0, |parent| parent.level + 1);
        if level >= self.options.depth {
            return None;
        }
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let (variables, began) = (HashMap::new(), Instant::now());
        let call =
            Call { parent: self.active, level, name, file, root, line, began, variables, result: None };
        self.calls.insert(id, call);
        self.active = id;
        self.name_file(level, file);
        Some(id)
    }

    pub(super) fn call(&mut self, id: u64) {
        self.event(id, "call");
    }

    pub(super) fn line(&mut self, id: u64, line: u32) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.line = line;
            self.active = id;
            self.event(id, "line");
        }
    }

    /// A variable's value after something may have changed it; prints nothing when it is the same.
    pub(super) fn variable(&mut self, id: u64, name: &'static str, text: String, label: &'static str) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let level = call.level;
        let label = match call.variables.get(name) {
            Some(known) if *known == text && !value::is_cut(&text) => return,
            Some(_) => "Modified var:..",
            None => label,
        };
        self.labelled(level, label, &format!("{name} = {text}"));
        if let Some(call) = self.calls.get_mut(&id) {
            call.variables.insert(name, text);
        }
    }

    pub(super) fn returned(&mut self, id: u64, text: String) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.result = Some(text);
        }
    }

    /// The end of a call: by returning, by a panic, or because nobody waits for it any more.
    pub(super) fn leave(&mut self, id: u64) {
        let took = self.calls.get(&id).map(|call| call.began.elapsed()).unwrap_or_default();
        self.event(id, if std::thread::panicking() { "panic" } else { "return" });
        let Some(call) = self.calls.remove(&id) else { return };
        if let Some(result) = &call.result {
            self.labelled(call.level, "Return value:..", result);
        }
        let line = format!("{} {}", self.paint(DIM, "Elapsed time:"), clock(took));
        self.print(call.level, &line);
        if self.active == id {
            self.active = call.parent;
        }
    }

    fn name_file(&mut self, level: usize, file: &'static str) {
        if self.file != file {
            self.file = file;
            self.labelled(level, "Source path:...", file);
        }
    }

    fn event(&mut self, id: u64, event: &str) {
        let Some(Call { level, name, file, root, line, .. }) = self.calls.get(&id) else { return };
        let (level, name, file, root, line) = (*level, *name, *file, *root, *line);
        self.name_file(level, file);
        let source = match self.sources.line(file, root, line) {
            Some(source) => source.to_owned(),
            None if event == "call" => format!("fn {name}"),
            None => String::new(),
        };
        let event = self.paint(if event == "line" { BLUE } else { CYAN }, format_args!("{event:<9}"));
        let text = format!("{} {event} {line:>4} {source}", self.paint(DIM, now()));
        self.print(level, text.trim_end());
    }

    fn labelled(&mut self, level: usize, label: &str, text: &str) {
        let color = if label.starts_with("Source") { YELLOW } else { GREEN };
        let line = format!("{} {text}", self.paint(color, label));
        self.print(level, &line);
    }

    fn paint(&self, color: &str, text: impl fmt::Display) -> String {
        if self.options.color { format!("\u{1b}[{color}m{text}\u{1b}[0m") } else { text.to_string() }
    }

    /// A sink that takes no more (a closed pipe) must not disturb the call: from then on nothing is printed.
    fn print(&mut self, level: usize, text: &str) {
        let indent = level * 4;
        let sink = &mut self.options.sink;
        if writeln!(sink, "{:indent$}{text}", "").and_then(|()| sink.flush()).is_err() {
            self.options.sink = Box::new(io::sink());
        }
    }
}

fn now() -> impl fmt::Display {
    jiff::Zoned::now().strftime("%H:%M:%S%.6f").to_string()
}

/// A duration as `00:00:00.000123`.
fn clock(took: Duration) -> String {
    let seconds = took.as_secs();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{:06}", seconds % 60, took.subsec_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_reads_like_a_clock() {
        assert_eq!(clock(Duration::from_micros(123)), "00:00:00.000123");
        assert_eq!(clock(Duration::from_millis(3_661_500)), "01:01:01.500000");
    }
}
