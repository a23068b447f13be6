//! mcpack and nshead: bytes of others are refused or read, and what is read is written and read as the same.
//!
//! Input: bytes of mcpack; where they begin with a header of nshead, that as well.

#![no_main]

use butterfly_model::ral::{Limits, NSHEAD_LEN, Nshead, Value, decode, encode, from_value, to_value};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let body = match data.split_first_chunk::<NSHEAD_LEN>() {
        Some((head, rest)) => match Nshead::from_bytes(head) {
            Ok(read) => {
                assert_eq!(&read.to_bytes(), head);
                rest
            }
            Err(_) => data,
        },
        None => data,
    };
    let strict = decode(body, Limits::default());
    let lenient = decode(body, Limits::default().stray_zeros(true));
    let Ok(value) = lenient else { return assert!(strict.is_err()) };
    let small = decode(body, Limits::default().max_depth(2).max_items(8).stray_zeros(true));
    assert_eq!(small.is_ok(), depth(&value) <= 2 && items(&value) <= 8);
    let bytes = encode(&value).expect("what was read can be written");
    let again = decode(&bytes, Limits::default()).expect("what was written can be read");
    // Compared as bytes: NaN is not equal to itself.
    assert_eq!(encode(&again).ok(), Some(bytes.clone()));
    let by_serde: Value =
        from_value(to_value(&value).expect("a value is a type")).expect("and a type is a value");
    assert_eq!(items(&by_serde), items(&value));
    for end in 0..bytes.len().min(200) {
        assert!(decode(&bytes[..end], Limits::default()).is_err(), "cut at {end}");
    }
});

/// How deep containers are in each other.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
        Value::Object(items) => 1 + items.iter().map(|(_, value)| depth(value)).max().unwrap_or(0),
        _ => 0,
    }
}

/// How many values are in containers.
fn items(value: &Value) -> usize {
    match value {
        Value::Array(values) => values.len() + values.iter().map(items).sum::<usize>(),
        Value::Object(all) => all.len() + all.iter().map(|(_, value)| items(value)).sum::<usize>(),
        _ => 0,
    }
}
