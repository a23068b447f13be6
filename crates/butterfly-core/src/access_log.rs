//! The access log's line: one for each call, at every door.

use std::borrow::Cow;
use std::time::Duration;

use crate::Ctx;
use crate::handler::Handler;

/// Takes whole lines; the program decides where they go.
pub trait LineSink: Send + Sync + std::fmt::Debug {
    /// Writes the line's first columns, then the rest.
    fn line(&self, line: &[u8]);
    /// Appends text in which nothing can forge a line or a column.
    fn escape(&self, out: &mut Vec<u8>, text: &[u8]);
    /// Appends `YYYY-MM-DD HH:MM:SS` of a call.
    fn stamp(&self, out: &mut Vec<u8>, ctx: &Ctx);
    /// True when lines are JSON objects instead of tab-separated columns.
    fn json(&self) -> bool {
        false
    }
}

/// What a line says beyond what the context knows.
#[derive(Debug)]
pub struct Access<'a> {
    /// The method of the request, or the door's name.
    pub method: &'a str,
    /// The path asked for; the handler's own where there is one.
    pub function: &'a str,
    /// The handler, where one was found.
    pub handler: Option<&'static Handler>,
    /// The status.
    pub stat: &'a str,
    /// From entry to answer.
    pub cost: &'a Seconds,
    /// The reason, as in `x-reason`.
    pub reason: &'a str,
}

impl Access<'_> {
    /// Writes the line: the columns of the original in its order, tab separated:
    /// time, pid, source, ip, reqid, method, function, then `cost: stat: user: talk: params: error_msg: res:`.
    pub fn write(&self, sink: &dyn LineSink, out: &mut Vec<u8>, pid: &str, ctx: &mut Ctx) {
        out.clear();
        if sink.json() {
            self.write_json(sink, out, pid, ctx);
            return sink.line(out);
        }
        sink.stamp(out, ctx);
        put(out, b"\t", pid.as_bytes());
        self.source(out);
        out.push(b'\t');
        ip(out, ctx);
        put(out, b"\t", ctx.reqid().as_bytes());
        put(out, b"\t", self.method.as_bytes());
        out.push(b'\t');
        self.function(sink, out);
        put(out, b"\tcost:", self.cost.as_bytes());
        out.extend_from_slice(b"\tstat:");
        escaped(sink, out, self.stat);
        out.extend_from_slice(b"\tuser:");
        escaped(sink, out, &user(ctx));
        self.notes(sink, out, ctx);
        sink.line(out);
    }

    /// A handler's path is clean; a path that somebody asked for may be anything.
    fn function(&self, sink: &dyn LineSink, out: &mut Vec<u8>) {
        match self.handler {
            Some(_) => out.extend_from_slice(self.function.as_bytes()),
            None => sink.escape(out, self.function.as_bytes()),
        }
    }

    /// The same fields as one JSON object.
    fn write_json(&self, sink: &dyn LineSink, out: &mut Vec<u8>, pid: &str, ctx: &mut Ctx) {
        let mut time = Vec::new();
        sink.stamp(&mut time, ctx);
        let (reqid, ip, user) = (ctx.reqid(), ctx.ip().map(|ip| ip.to_string()), user(ctx).into_owned());
        let notes = ctx.notes_mut();
        let talk: serde_json::Map<_, _> =
            notes.talk.iter().map(|(name, ms)| ((*name).to_owned(), thousandths(*ms).into())).collect();
        let mut source = Vec::new();
        self.source(&mut source);
        let line = serde_json::json!({
            "time": String::from_utf8_lossy(&time), "pid": pid.parse::<u32>().ok(),
            "source": String::from_utf8_lossy(&source[1..]), "ip": ip, "reqid": reqid.as_str(),
            "method": self.method, "function": self.function, "cost": self.cost.value().as_secs_f64(), "stat": self.stat,
            "user": user, "talk": talk, "params": String::from_utf8_lossy(&notes.params),
            "error_msg": self.reason, "res": notes.res,
        });
        harmless(out, &line.to_string());
    }

    fn source(&self, out: &mut Vec<u8>) {
        let Some(handler) = self.handler else { return put(out, b"\t", b"-") };
        put(out, b"\t", handler.source.short().as_bytes());
        out.push(b':');
        number(out, u64::from(handler.source.line), 1);
    }

    fn notes(&self, sink: &dyn LineSink, out: &mut Vec<u8>, ctx: &mut Ctx) {
        let notes = ctx.notes_mut();
        out.extend_from_slice(b"\ttalk:");
        for (name, ms) in &notes.talk {
            out.extend_from_slice(name.as_bytes());
            out.push(b'=');
            let micros = (ms * 1000.0).round() as u64;
            number(out, micros / 1000, 1);
            out.push(b'.');
            number(out, micros % 1000, 3);
            out.push(b';');
        }
        out.extend_from_slice(b"\tparams:");
        sink.escape(out, &notes.params);
        out.extend_from_slice(b"\terror_msg:");
        escaped(sink, out, self.reason);
        out.extend_from_slice(b"\tres:");
        for item in &notes.res {
            sink.escape(out, item.as_bytes());
            out.push(b';');
        }
    }
}

/// Who is logged in, or whom the proxy names. The line is the last that asks.
fn user(ctx: &mut Ctx) -> Cow<'_, str> {
    match ctx.notes_mut().user.take() {
        Some(user) => user.into(),
        None => ctx.username().into(),
    }
}

/// Appends a JSON document with what JSON lets through, but a terminal may take for a command, escaped: C1 controls,
/// line separators, and marks that change the direction of what is shown.
fn harmless(out: &mut Vec<u8>, document: &str) {
    use std::io::Write as _;
    let disguises = |c: char| matches!(c, '\u{7f}'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut copied = 0;
    for (at, c) in document.char_indices().filter(|(_, c)| disguises(*c)) {
        // Writing to memory never fails.
        let _ = write!(out, "{}\\u{:04x}", &document[copied..at], u32::from(c));
        copied = at + c.len_utf8();
    }
    out.extend_from_slice(&document.as_bytes()[copied..]);
}

/// Milliseconds to the microsecond, without the noise of binary fractions behind it.
fn thousandths(ms: f64) -> f64 {
    (ms * 1000.0).round() / 1000.0
}

fn put(out: &mut Vec<u8>, gap: &[u8], text: &[u8]) {
    out.extend_from_slice(gap);
    out.extend_from_slice(text);
}

fn ip(out: &mut Vec<u8>, ctx: &Ctx) {
    use std::io::Write as _;
    match ctx.ip() {
        Some(std::net::IpAddr::V4(v4)) => {
            for (index, part) in v4.octets().into_iter().enumerate() {
                if index > 0 {
                    out.push(b'.');
                }
                number(out, u64::from(part), 1);
            }
        }
        // Writing to memory never fails.
        Some(v6) => drop(write!(out, "{v6}")),
        None => out.extend_from_slice(b"0.0.0.0"),
    }
}

/// Text with escapes, but for the commonest, which need none.
fn escaped(sink: &dyn LineSink, out: &mut Vec<u8>, text: &str) {
    match text {
        "" | "-" | "OK" => out.extend_from_slice(text.as_bytes()),
        text => sink.escape(out, text.as_bytes()),
    }
}

/// A duration as seconds with six decimals, as `x-cost` and the access log show it.
#[derive(Debug, Clone, Copy)]
pub struct Seconds {
    text: [u8; 27],
    from: u8,
    value: Duration,
}

impl Seconds {
    /// Writes the digits.
    #[must_use]
    pub fn of(value: Duration) -> Self {
        let mut text = [b'0'; 27];
        let mut at = text.len();
        let mut put = |digit: u8| {
            at -= 1;
            text[at] = digit;
        };
        let mut micros = value.subsec_micros();
        for _ in 0..6 {
            put(b'0' + (micros % 10) as u8);
            micros /= 10;
        }
        put(b'.');
        let mut seconds = value.as_secs();
        loop {
            put(b'0' + (seconds % 10) as u8);
            seconds /= 10;
            if seconds == 0 {
                break;
            }
        }
        Self { text, from: at as u8, value }
    }

    /// The digits.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.text[usize::from(self.from)..]
    }

    /// The duration itself.
    #[must_use]
    pub fn value(&self) -> Duration {
        self.value
    }
}

fn number(out: &mut Vec<u8>, mut value: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut at = digits.len();
    while value > 0 || digits.len() - at < width {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_have_six_decimals() {
        assert_eq!(Seconds::of(Duration::from_micros(1_000_042)).as_bytes(), b"1.000042");
        assert_eq!(Seconds::of(Duration::from_secs(u64::MAX)).as_bytes(), b"18446744073709551615.000000");
        assert_eq!(Seconds::of(Duration::ZERO).as_bytes(), b"0.000000");
    }
}
