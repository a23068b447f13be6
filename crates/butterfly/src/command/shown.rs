//! Times and texts as people read them on a terminal.

use butterfly_queue::Millis;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `2026-11-25 09:40:12.123`, local.
pub(super) fn time(ms: Millis) -> String {
    zoned(ms).map_or_else(|| "-".into(), |time| time.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string())
}

/// `09:40:12` today, with the date on other days.
pub(super) fn short_time(ms: Millis, now: Millis) -> String {
    let (Some(time), Some(now)) = (zoned(ms), zoned(now)) else { return "-".into() };
    let format = if time.date() == now.date() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
    time.strftime(format).to_string()
}

fn zoned(ms: Millis) -> Option<jiff::Zoned> {
    let time = Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok()?;
    Some(time.to_zoned(TimeZone::system()))
}

/// A span of time in two units at most: `12ms`, `1.2s`, `3m05s`, `2h10m`, `5d03h`.
pub(super) fn span(ms: u64) -> String {
    let secs = ms / 1000;
    match secs {
        0 => format!("{ms}ms"),
        1..10 => format!("{secs}.{}s", ms % 1000 / 100),
        10..60 => format!("{secs}s"),
        60..3600 => format!("{}m{:02}s", secs / 60, secs % 60),
        3600..86_400 => format!("{}h{:02}m", secs / 3600, secs % 3600 / 60),
        _ => format!("{}d{:02}h", secs / 86_400, secs % 86_400 / 3600),
    }
}

/// What a run cost: to the tenth of a millisecond below ten of them.
pub(super) fn cost(us: u64) -> String {
    match us {
        0..10_000 => format!("{}.{}ms", us / 1000, us % 1000 / 100),
        _ => span(us / 1000),
    }
}

/// `1 run`, `2 runs`.
pub(super) fn many(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// A text that senders or handlers wrote, on one line, cut: nothing in it is a command to the terminal.
pub(super) fn cut(text: &str, most: usize) -> String {
    let end = text.floor_char_boundary(most);
    let mut out = harmless(&text[..end]);
    if end < text.len() {
        out.push('…');
    }
    out
}

/// The same, whole.
pub(super) fn harmless(text: &str) -> String {
    let mut out = Vec::new();
    butterfly_log::escape_into(&mut out, text.as_bytes());
    // Backslashes are doubled so that logs can be read back; for people they stay as they are.
    String::from_utf8_lossy(&out).replace("\\\\", "\\")
}

/// JSON text with each of its parts on a line of its own; other text as it is.
pub(super) fn pretty(text: &str) -> String {
    let value = serde_json::from_str::<serde_json::Value>(text);
    let lines = value.map_or_else(|_| text.to_owned(), |value| format!("{value:#}"));
    lines.lines().map(harmless).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_two_units() {
        let shown = [7, 1_250, 12_900, 65_000, 7_260_000, 100_000_000].map(span);
        assert_eq!(shown, ["7ms", "1.2s", "12s", "1m05s", "2h01m", "1d03h"]);
        assert_eq!([420, 12_000, 3_000_000].map(cost), ["0.4ms", "12ms", "3.0s"]);
    }

    #[test]
    fn nothing_commands_the_terminal() {
        assert_eq!(cut("a\x1b[2Jb\nc", 20), "a\\x1b[2Jb\\nc");
        assert_eq!(cut("größer", 3), "gr…");
        assert_eq!(pretty("{\"a\":\"\\u001b[2J\\\\\"}"), "{\n  \"a\": \"\\u001b[2J\\\\\"\n}");
    }
}
