//! The access log in memory.

use std::fmt;

use butterfly_core::Ctx;
use butterfly_core::access_log::LineSink;

use super::Events;

#[derive(Default)]
pub(crate) struct Lines {
    pub(crate) written: Events,
    pub(crate) json: bool,
}

impl Lines {
    /// Waits for the line that holds a text, mostly a reqid.
    pub(crate) fn with(&self, text: &str) -> String {
        self.written.wait(&format!("a line with {text}"), |line| line.contains(text))
    }

    /// The columns of the line that holds a text.
    pub(crate) fn columns(&self, text: &str) -> Vec<String> {
        self.with(text).split('\t').map(str::to_owned).collect()
    }

    /// One column of the line that holds a text, such as `stat`, without its name.
    pub(crate) fn column(&self, text: &str, name: &str) -> String {
        let columns = self.columns(text);
        let value = columns.iter().find_map(|column| column.strip_prefix(name)?.strip_prefix(':'));
        value.unwrap_or_else(|| panic!("no {name} in {columns:?}")).to_owned()
    }
}

impl LineSink for Lines {
    fn line(&self, line: &[u8]) {
        self.written.push(String::from_utf8(line.to_vec()).unwrap());
    }

    fn escape(&self, out: &mut Vec<u8>, text: &[u8]) {
        butterfly_log::escape_into(out, text);
    }

    fn stamp(&self, out: &mut Vec<u8>, ctx: &Ctx) {
        butterfly_log::stamp_secs(out, (ctx.unix_ms() / 1000).cast_signed());
    }

    fn json(&self) -> bool {
        self.json
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lines({})", self.written.list().len())
    }
}
