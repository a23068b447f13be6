//! An event as one line of text.

use std::error::Error;
use std::fmt::{self, Write};

use tracing::Event;
use tracing::field::{Field, Visit};

use crate::applog::Head;
use crate::escape::{Escaping, escape_into, push};
use crate::spans::Spans;

/// What stands where a request's id would, when there is none.
const NO_REQID: &[u8; 16] = b"@@@@@@@@@@@@@@@@";

/// `LEVEL target MM-DD HH:MM:SS: file:line thread reqid * spans: message key=value …`
pub(crate) fn line(out: &mut Vec<u8>, head: &Head<'_>, spans: &Spans, event: &Event<'_>) {
    let meta = head.meta;
    push(out, format_args!("{} ", meta.level()));
    escape_into(out, meta.target().as_bytes());
    out.push(b' ');
    out.extend_from_slice(&head.stamp.text[5..]);
    out.extend_from_slice(b": ");
    escape_into(out, meta.file().unwrap_or("-").as_bytes());
    push(out, format_args!(":{} {} ", meta.line().unwrap_or(0), head.thread));
    reqid(out, head);
    out.extend_from_slice(b" *");
    spans.around(event, |name, fields| span(out, name, fields));
    let mut fields = TextFields::default();
    event.record(&mut fields);
    fields.append_to(out);
}

fn reqid(out: &mut Vec<u8>, head: &Head<'_>) {
    let before = out.len();
    (head.reqid)(&mut |id| escape_into(out, id.as_bytes()));
    if out.len() == before {
        out.extend_from_slice(NO_REQID);
    }
}

/// ` name{key=value …}:`
pub(crate) fn span(out: &mut Vec<u8>, name: &str, fields: &[u8]) {
    out.push(b' ');
    escape_into(out, name.as_bytes());
    if let Some(fields) = fields.strip_prefix(b" ") {
        out.push(b'{');
        out.extend_from_slice(fields);
        out.push(b'}');
    }
    out.push(b':');
}

/// The fields of an event or span, as text: the message apart, because it need not be the first.
#[derive(Default)]
pub(crate) struct TextFields {
    message: Vec<u8>,
    /// ` key=value` for each.
    others: Vec<u8>,
}

impl TextFields {
    fn append_to(&self, out: &mut Vec<u8>) {
        if !self.message.is_empty() {
            out.push(b' ');
            out.extend_from_slice(&self.message);
        }
        out.extend_from_slice(&self.others);
    }

    pub(crate) fn into_span_text(self) -> Vec<u8> {
        let mut text = self.others;
        if !self.message.is_empty() {
            text.extend_from_slice(b" message=");
            value(&mut text, |out| out.extend_from_slice(&self.message));
        }
        text
    }

    /// Adds a field whose value `write` appends, escaped.
    fn add(&mut self, field: &Field, write: impl FnOnce(&mut Vec<u8>)) {
        if field.name() == "message" {
            return write(&mut self.message);
        }
        self.others.push(b' ');
        escape_into(&mut self.others, field.name().as_bytes());
        self.others.push(b'=');
        value(&mut self.others, write);
    }
}

impl Visit for TextFields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, |out| {
            let _ = write!(Escaping(out), "{value:?}");
        });
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, |out| escape_into(out, value.as_bytes()));
    }

    fn record_error(&mut self, field: &Field, error: &(dyn Error + 'static)) {
        self.add(field, |out| {
            let _ = chain(&mut Escaping(out), error);
        });
    }
}

/// An error with what caused it, from the outermost inward.
pub(crate) fn chain(out: &mut dyn Write, error: &(dyn Error + 'static)) -> fmt::Result {
    write!(out, "{error}")?;
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(out, ": {error}")?;
        cause = error.source();
    }
    Ok(())
}

/// Appends what `write` does, in quotes when it could otherwise be read as more than one value.
fn value(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    write(out);
    if is_one_word(&out[start..]) || is_quoted(&out[start..]) {
        return;
    }
    let bare = out.split_off(start);
    out.push(b'"');
    for byte in bare {
        if byte == b'"' {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

fn is_one_word(value: &[u8]) -> bool {
    !value.is_empty() && !value.iter().any(|byte| b" =\"".contains(byte))
}

/// Strings printed with `{:?}` bring their quotes along.
fn is_quoted(value: &[u8]) -> bool {
    let inside = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    inside.is_some_and(|inside| !inside.contains(&b'"') && !inside.ends_with(b"\\"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_when_they_need_it() {
        let cases = [
            ("plain", "plain"),
            ("", "\"\""),
            ("two words", "\"two words\""),
            ("bob admin=true", "\"bob admin=true\""),
            ("say \"hi\"", "\"say \\\"hi\\\"\""),
            ("\"quoted by debug\"", "\"quoted by debug\""),
            ("\"a\" b=\"c\"", "\"\\\"a\\\" b=\\\"c\\\"\""),
            ("\"", "\"\\\"\""),
        ];
        for (text, expected) in cases {
            let mut out = b"k=".to_vec();
            value(&mut out, |out| escape_into(out, text.as_bytes()));
            assert_eq!(String::from_utf8(out).unwrap(), format!("k={expected}"));
        }
    }
}
