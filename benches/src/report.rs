//! What a bench hands back: words for people, records for programs, and whether its gate held.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::proc::machine;

/// The outcome of one bench.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) bench: &'static str,
    /// The tables, ready to print.
    pub(crate) text: String,
    /// One record for each measurement.
    pub(crate) records: Value,
    /// The few figures that matter, drawn from the records.
    pub(crate) summary: Value,
    /// False when a gate was asked for and did not hold.
    pub(crate) passed: bool,
}

impl Report {
    pub(crate) fn print(&self) {
        println!("\n{}\n\n{}", machine(), self.text);
    }

    /// Writes everything but the words to `path`.
    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        let document = json!({
            "bench": self.bench,
            "machine": machine(),
            "passed": self.passed,
            "summary": self.summary,
            "records": self.records,
        });
        let mut text = serde_json::to_string_pretty(&document)?;
        text.push('\n');
        std::fs::write(path, text).with_context(|| path.display().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saved_records_can_be_read_back() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("out.json");
        let records = json!([{"server": "axum", "cpu_us": 6.3}]);
        let report =
            Report { bench: "access", text: String::new(), records, summary: json!({}), passed: true };
        report.save(&path).unwrap();
        let back: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(back["bench"], "access");
        assert_eq!(back["records"][0]["cpu_us"], 6.3);
    }
}
