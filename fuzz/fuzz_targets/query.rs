//! Query strings and single values: what is decoded can be written and read again, and what is refused says why.

#![no_main]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::IpAddr;

use butterfly::Blob;
use butterfly_core::args::{decode, from_text, pairs};
use butterfly_core::url_for;
use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "only read")]
enum Shape {
    Dot,
    Circle(f64),
    Box { width: u32 },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only read")]
struct Point {
    x: i32,
    y: Option<Box<Point>>,
}

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut values: Vec<Cow<'_, str>> = Vec::new();
    for (name, value) in pairs(text) {
        assert!(!name.contains(['&', ';', '=']) && !value.contains(['&', ';']));
        let (Ok(name), Ok(value)) = (decode(name), decode(value)) else { continue };
        let url = url_for("/", &[(&name, &value)]).unwrap();
        let written: Vec<_> = pairs(&url[2..]).collect();
        assert_eq!(written.len(), 1);
        assert_eq!((decode(written[0].0).unwrap(), decode(written[0].1).unwrap()), (name, value.clone()));
        read(std::slice::from_ref(&value));
        values.push(value);
    }
    read(&[Cow::Borrowed(text)]);
    read(&values);
});

/// Reads one list of values as every kind of type.
fn read(values: &[Cow<'_, str>]) {
    if let [one] = values {
        assert_eq!(said(from_text::<u8>(values)), one.trim().parse().ok());
        assert_eq!(said(from_text::<i64>(values)), one.trim().parse().ok());
        assert_eq!(said(from_text::<u128>(values)), one.trim().parse().ok());
        assert_eq!(said(from_text::<String>(values)).as_deref(), Some(one.as_ref()));
        assert_eq!(said(from_text::<Option<u32>>(values)), one.trim().parse().ok().map(Some));
    }
    if !matches!(values, [one] if one.trim_start().starts_with('[')) {
        assert_eq!(said(from_text::<Vec<String>>(values)).map(|list| list.len()), Some(values.len()));
    }
    any::<(f32, bool)>(values);
    any::<char>(values);
    any::<()>(values);
    any::<Vec<Vec<u8>>>(values);
    any::<Vec<Shape>>(values);
    any::<Shape>(values);
    any::<Point>(values);
    any::<BTreeMap<String, Point>>(values);
    any::<serde_json::Value>(values);
    any::<Blob>(values);
    any::<IpAddr>(values);
    any::<jiff::Timestamp>(values);
    any::<jiff::civil::DateTime>(values);
    any::<jiff::Span>(values);
}

fn any<T: DeserializeOwned + Debug>(values: &[Cow<'_, str>]) {
    said(from_text::<T>(values));
}

/// The value; an error is one that can be told.
fn said<T>(read: Result<T, String>) -> Option<T> {
    read.inspect_err(|problem| assert!(!problem.is_empty())).ok()
}
