//! A line of the access log, read back.

use butterfly_core::ReqId;
use butterfly_queue::Millis;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

/// What a line says of its call.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Line {
    /// When the call began, to the second.
    pub(super) at: Millis,
    pub(super) pid: String,
    pub(super) ip: String,
    pub(super) method: String,
    pub(super) function: String,
    pub(super) cost_us: u64,
    pub(super) stat: String,
    pub(super) user: String,
    pub(super) params: String,
    pub(super) error: String,
    /// `name=value`, or a word.
    pub(super) res: Vec<String>,
}

impl Line {
    /// Reads a line if it is of this call.
    pub(super) fn of(bytes: &[u8], reqid: &ReqId) -> Option<Self> {
        if bytes.starts_with(b"{") {
            let text = std::str::from_utf8(bytes).ok()?;
            // Most lines are others': they are not parsed.
            return text.contains(reqid.as_str()).then(|| Self::of_json(text, reqid))?;
        }
        let mut columns = bytes.split(|byte| *byte == b'\t');
        if columns.nth(4)? != reqid.as_bytes() {
            return None;
        }
        Self::of_columns(std::str::from_utf8(bytes).ok()?)
    }

    fn of_columns(text: &str) -> Option<Self> {
        let columns: Vec<&str> = text.trim_end_matches('\n').split('\t').collect();
        let field = |at: usize, name: &str| columns.get(at)?.strip_prefix(name);
        Some(Self {
            at: moment(columns.first()?.as_bytes())?,
            pid: (*columns.get(1)?).to_owned(),
            ip: (*columns.get(3)?).to_owned(),
            method: (*columns.get(5)?).to_owned(),
            function: (*columns.get(6)?).to_owned(),
            cost_us: micros(field(7, "cost:")?)?,
            stat: field(8, "stat:")?.to_owned(),
            user: field(9, "user:")?.to_owned(),
            params: field(11, "params:")?.to_owned(),
            error: field(12, "error_msg:")?.to_owned(),
            res: field(13, "res:")?.split_terminator(';').map(str::to_owned).collect(),
        })
    }

    fn of_json(text: &str, reqid: &ReqId) -> Option<Self> {
        let line: Value = serde_json::from_str(text).ok()?;
        let word = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        if line["reqid"] != reqid.as_str() {
            return None;
        }
        let res = line["res"].as_array().into_iter().flatten();
        Some(Self {
            at: moment(line["time"].as_str()?.as_bytes())?,
            pid: line["pid"].to_string(),
            ip: word("ip"),
            method: word("method"),
            function: word("function"),
            cost_us: (line["cost"].as_f64()? * 1e6).round() as u64,
            stat: word("stat"),
            user: word("user"),
            params: word("params"),
            error: word("error_msg"),
            res: res.filter_map(Value::as_str).map(str::to_owned).collect(),
        })
    }

    /// The values that the line has under a name.
    pub(super) fn noted<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.res.iter().filter_map(move |item| item.strip_prefix(name)?.strip_prefix('='))
    }
}

/// `0.001234` as microseconds.
fn micros(text: &str) -> Option<u64> {
    let (secs, micros) = text.split_once('.')?;
    secs.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(micros.parse().ok()?)
}

/// The local `YYYY-MM-DD HH:MM:SS` that a line begins with.
pub(super) fn moment(text: &[u8]) -> Option<Millis> {
    let civil: DateTime = std::str::from_utf8(text.get(..19)?).ok()?.parse().ok()?;
    let time = civil.to_zoned(TimeZone::system()).ok()?.timestamp();
    u64::try_from(time.as_millisecond()).ok()
}

/// When a line of any call was written, about: when the call began, and what it cost.
pub(super) fn written(line: &[u8]) -> Option<Millis> {
    let (stamp, cost): (&[u8], &[u8]) = match line.first()? {
        // A JSON line's fields are in alphabetic order or in that of the writer: both are found by their names.
        b'{' => (after(line, b"\"time\":\"")?, after(line, b"\"cost\":")?),
        _ => (line, after(line, b"\tcost:")?),
    };
    let digits = cost.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let secs: u64 = std::str::from_utf8(&cost[..digits]).ok()?.parse().ok()?;
    Some(moment(stamp)?.saturating_add(secs.saturating_mul(1000)))
}

fn after<'a>(text: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    let at = text.windows(mark.len()).position(|window| window == mark)?;
    Some(&text[at + mark.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "2026-11-25 09:38:05\t7\tsrc/a.rs:27\t127.0.0.1\t32B3AAE07D2F4701\tQUEUE\t/a/b\tcost:2.001313\tstat:OK\tuser:bob\ttalk:a=1.000;\tparams:x=1\terror_msg:\tres:msg=e22;age=12ms;enqueued=f33;enqueued=g44;\n";

    #[test]
    fn lines_are_read_as_they_are_written() {
        let reqid: ReqId = "32B3AAE07D2F4701".parse().unwrap();
        let line = Line::of(TEXT.as_bytes(), &reqid).unwrap();
        assert_eq!(
            (line.method.as_str(), line.function.as_str(), line.cost_us),
            ("QUEUE", "/a/b", 2_001_313)
        );
        assert_eq!(line.noted("enqueued").collect::<Vec<_>>(), ["f33", "g44"]);
        assert_eq!(line.noted("msg").next(), Some("e22"));
        assert_eq!(written(TEXT.as_bytes()), Some(line.at + 2000));
        let json = serde_json::json!({
            "time": "2026-11-25 09:38:05", "pid": 7, "ip": "127.0.0.1", "reqid": reqid.as_str(), "method": "QUEUE",
            "function": "/a/b", "cost": 2.001313, "stat": "OK", "user": "bob", "talk": {"a": 1.0}, "params": "x=1",
            "error_msg": "", "res": ["msg=e22", "age=12ms", "enqueued=f33", "enqueued=g44"],
        });
        assert_eq!(Line::of(json.to_string().as_bytes(), &reqid), Some(line.clone()));
        assert_eq!(written(json.to_string().as_bytes()), Some(line.at + 2000));
    }

    #[test]
    fn other_lines_and_broken_ones_are_passed_over() {
        let other: ReqId = "32B3AAE07D2F4702".parse().unwrap();
        assert_eq!(Line::of(TEXT.as_bytes(), &other), None);
        let reqid: ReqId = "32B3AAE07D2F4701".parse().unwrap();
        for end in 0..TEXT.len() - 1 {
            // No cut line may be taken for a whole one with other figures, and none may panic.
            let cut = Line::of(&TEXT.as_bytes()[..end], &reqid);
            assert!(cut.is_none_or(|line| line.cost_us == 2_001_313), "{end}");
        }
        for garbage in
            [&b"\xff\xfe"[..], b"", b"{", b"{\"reqid\":\"32B3AAE07D2F4701\"}", b"\t\t\t\t32B3AAE07D2F4701"]
        {
            assert_eq!(Line::of(garbage, &reqid), None);
            assert_eq!(written(garbage), None);
        }
    }
}
