//! `/demo_log/…`: log levels, changeable while the program runs.
//!
//! Levels are numbers, as users of the original know them, or words: 10 `debug`, 20 `info`, 30 `warn`, 40 `error`;
//! beyond those 5 `trace` and 60 `off`. 50, the original's `critical`, sets `error`: nothing is more severe.

use std::collections::BTreeMap;
use std::sync::Arc;

use butterfly_core::levels::LogLevels;
use butterfly_core::{Ctx, Result, bail};
use butterfly_macros::{data, handler};

/// What the default for all targets is called here; the log itself gives it the empty name.
const ROOT: &str = "root";
/// The framework's own target, which is always shown.
const BUTTERFLY: &str = "butterfly";

const LEVELS: [(u32, &str); 6] =
    [(5, "trace"), (10, "debug"), (20, "info"), (30, "warn"), (40, "error"), (60, "off")];

/// A level by number or by name.
#[data]
#[serde(untagged)]
pub enum Level {
    /// 10, 20, 30, 40 or 50.
    Number(u32),
    /// `debug`, `info`, `warn` or `error`.
    Name(String),
}

/// The levels of the log.
#[data]
pub struct Levels {
    /// the level of each target, as a number; `root` is the default
    pub data: BTreeMap<String, u32>,
}

/// Shows the log level of every target that has one of its own.
#[handler(ops)]
pub fn loglevel_get(ctx: &Ctx) -> Result<Levels> {
    let list = log(ctx)?.list();
    let mut data: BTreeMap<String, u32> =
        list.into_iter().map(|(target, level)| (shown(target), number(&level))).collect();
    if let (Some(root), None) = (data.get(ROOT).copied(), data.get(BUTTERFLY)) {
        data.insert(BUTTERFLY.into(), root);
    }
    Ok(Levels { data })
}

/// Sets the log level of one target, and of all inside it, until the program ends.
#[handler(ops)]
pub fn loglevel_set(
    ctx: &Ctx,
    /// the target: `root` for all that have no level of their own, `butterfly`, or a module such as `my_app::db`
    #[check(len(1..=200))]
    name: String,
    /// 10, 20, 30, 40 or 50, or debug, info, warn, error, off
    level: Level,
) -> Result<()> {
    let Some(word) = word(&level) else { bail!("ERR_LEVEL_INVALID") };
    let target = if name == ROOT { "" } else { name.as_str() };
    if let Err(why) = log(ctx)?.set(target, word) {
        bail!("ERR_NAME_INVALID", "{why}");
    }
    ctx.note(format!("{name}={word}"));
    Ok(())
}

fn log(ctx: &Ctx) -> Result<&dyn LogLevels> {
    ctx.state::<Arc<dyn LogLevels>>().map(AsRef::as_ref)
}

fn shown(target: String) -> String {
    if target.is_empty() { ROOT.into() } else { target }
}

fn number(word: &str) -> u32 {
    let known = LEVELS.iter().find(|(_, known)| known.eq_ignore_ascii_case(word));
    known.map_or(0, |(number, _)| *number)
}

fn word(level: &Level) -> Option<&'static str> {
    match level {
        Level::Number(number) => by_number(*number),
        // In a query string, and from those who quote numbers, a number is text.
        Level::Name(text) => match text.trim().parse() {
            Ok(number) => by_number(number),
            Err(_) => by_name(text.trim()),
        },
    }
}

fn by_number(wanted: u32) -> Option<&'static str> {
    match wanted {
        50 => Some("error"),
        _ => LEVELS.iter().find(|(number, _)| *number == wanted).map(|(_, word)| *word),
    }
}

fn by_name(text: &str) -> Option<&'static str> {
    match text.to_ascii_lowercase().as_str() {
        "warning" => Some("warn"),
        "critical" => Some("error"),
        name => LEVELS.iter().find(|(_, word)| *word == name).map(|(_, word)| *word),
    }
}
