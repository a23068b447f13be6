//! Configuration: whatever the layers hold, loading ends in what holds or in all that is wrong; and what is shown,
//! saved as a file, is the same configuration.
//!
//! Input: `butterfly.toml`, then after a line of `---` variables as `NAME=value`, and after another the flags as
//! `key=value`. Names of variables get `BUTTERFLY_` before them, but for the three that platforms set.

#![no_main]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use butterfly::config::{ConfigError, Loaded, Loader};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut layers = text.splitn(3, "\n---\n");
    let file = layers.next().unwrap_or_default();
    let vars = pairs(layers.next().unwrap_or_default()).filter_map(variable);
    let flags = pairs(layers.next().unwrap_or_default()).collect();
    match load(file, vars, flags) {
        Ok(loaded) => holds(&loaded),
        Err(error) => told(&error),
    }
});

fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    text.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
}

/// A variable of ours; one that names a file would have the target read that.
fn variable((name, value): (String, String)) -> Option<(String, String)> {
    let ambient = ["PORT", "RUST_LOG", "NO_COLOR"].contains(&name.as_str());
    let name = if ambient { name } else { format!("BUTTERFLY_{name}") };
    let reads = name == "BUTTERFLY_CONFIG" || name.to_ascii_lowercase().ends_with("_file");
    (!reads).then_some((name, value))
}

fn load(
    file: &str,
    vars: impl Iterator<Item = (String, String)>,
    flags: Vec<(String, String)>,
) -> Result<Loaded, ConfigError> {
    let path: PathBuf = FOLDER.path().join(format!("{}.toml", std::process::id()));
    std::fs::write(&path, file).unwrap();
    Loader::new("demo").file(Some(path)).env(vars).flags(flags).load()
}

fn holds(loaded: &Loaded) {
    let shown = loaded.report();
    let values = values(&shown);
    loaded.report_json().to_string();
    let _ = loaded.config.app::<BTreeMap<String, Vec<u8>>>("x");
    let _ = loaded.config.app::<serde_json::Value>("x");
    // A secret is not shown, so it cannot come back.
    if !shown.contains("***") {
        let again = load(&shown, std::iter::empty(), Vec::new()).unwrap();
        assert_eq!(self::values(&again.report()), values);
    }
}

/// What a report says, as text: a number may be `nan`, which is not equal to itself.
fn values(report: &str) -> String {
    format!("{:#?}", toml::from_str::<toml::Table>(report).unwrap())
}

/// Each problem has a line of its own.
fn told(error: &ConfigError) {
    let count = error.problems().len();
    assert!(count > 0);
    assert_eq!(error.to_string().lines().count(), count + usize::from(count > 1), "{error}");
}
