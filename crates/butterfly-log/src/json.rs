//! An event as one line of JSON.

use std::error::Error;
use std::fmt::{self, Write};

use tracing::Event;
use tracing::field::{Field, Visit};

use crate::applog::Head;
use crate::escape::{JsonEscaping, json_into, push};
use crate::spans::Spans;
use crate::text;

/// `{"time", "level", "target", "file", "line", "thread", "reqid", "spans", "message", "fields"}`
pub(crate) fn line(out: &mut Vec<u8>, head: &Head<'_>, spans: &Spans, event: &Event<'_>) {
    out.extend_from_slice(b"{\"time\":\"");
    time(out, head);
    push(out, format_args!("\",\"level\":\"{}\",\"target\":", head.meta.level()));
    string(out, head.meta.target());
    out.extend_from_slice(b",\"file\":");
    match head.meta.file() {
        Some(file) => string(out, file),
        None => out.extend_from_slice(b"null"),
    }
    push(out, format_args!(",\"line\":{},\"thread\":{}", head.meta.line().unwrap_or(0), head.thread));
    reqid(out, head);
    span_list(out, spans, event);
    let mut fields = JsonFields::default();
    event.record(&mut fields);
    fields.append_to(out);
    out.push(b'}');
}

/// RFC 3339, local, to the millisecond.
fn time(out: &mut Vec<u8>, head: &Head<'_>) {
    let (date, clock) = head.stamp.text.split_at(10);
    out.extend_from_slice(date);
    out.push(b'T');
    out.extend_from_slice(&clock[1..]);
    push(out, format_args!(".{:03}", head.millis));
    out.extend_from_slice(&head.stamp.zone);
}

fn reqid(out: &mut Vec<u8>, head: &Head<'_>) {
    out.extend_from_slice(b",\"reqid\":");
    let before = out.len();
    (head.reqid)(&mut |id| string(out, id));
    if out.len() == before {
        out.extend_from_slice(b"null");
    }
}

/// The spans around the event as text, outermost first; left out when there are none.
fn span_list(out: &mut Vec<u8>, spans: &Spans, event: &Event<'_>) {
    let mut texts = Vec::new();
    spans.around(event, |name, fields| {
        text::span(&mut texts, name, fields);
    });
    if !texts.is_empty() {
        out.extend_from_slice(b",\"spans\":");
        let texts = String::from_utf8_lossy(&texts);
        let inside = texts.strip_prefix(' ').and_then(|texts| texts.strip_suffix(':'));
        string(out, inside.unwrap_or_default());
    }
}

fn string(out: &mut Vec<u8>, text: &str) {
    quoted(out, |out| json_into(out, text));
}

fn quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    write(out);
    out.push(b'"');
}

#[derive(Default)]
struct JsonFields {
    /// The inside of a string.
    message: Vec<u8>,
    /// `"key":value` for each, with commas between.
    others: Vec<u8>,
}

impl JsonFields {
    fn append_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b",\"message\":");
        quoted(out, |out| out.extend_from_slice(&self.message));
        out.extend_from_slice(b",\"fields\":{");
        out.extend_from_slice(&self.others);
        out.push(b'}');
    }

    /// Adds text that `write` appends, escaped.
    fn add(&mut self, field: &Field, write: impl FnOnce(&mut Vec<u8>)) {
        if field.name() == "message" {
            return write(&mut self.message);
        }
        self.key(field);
        quoted(&mut self.others, write);
    }

    /// Adds a value that JSON writes as Rust does.
    fn add_bare(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        if field.name() == "message" {
            return push(&mut self.message, value);
        }
        self.key(field);
        push(&mut self.others, value);
    }

    fn key(&mut self, field: &Field) {
        if !self.others.is_empty() {
            self.others.push(b',');
        }
        string(&mut self.others, field.name());
        self.others.push(b':');
    }
}

impl Visit for JsonFields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, |out| {
            let _ = write!(JsonEscaping(out), "{value:?}");
        });
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, |out| json_into(out, value));
    }

    fn record_error(&mut self, field: &Field, error: &(dyn Error + 'static)) {
        self.add(field, |out| {
            let _ = text::chain(&mut JsonEscaping(out), error);
        });
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add_bare(field, format_args!("{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add_bare(field, format_args!("{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add_bare(field, format_args!("{value}"));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.add_bare(field, format_args!("{value}"));
        } else {
            self.add_bare(field, format_args!("null"));
        }
    }
}
