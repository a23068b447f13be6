//! The head of an answer: whatever a handler puts into its headers, a client reads one answer, framed one way.
//!
//! Input: a line of four choices (status, length, keep-alive, version), then lines of `name:value`. A `\r` stands for
//! a line feed inside a value.

#![no_main]

use butterfly_fuzz::{choice, line};
use butterfly_http::h1::parse::Version;
use butterfly_http::h1::respond::{BodyLength, Delivery, HttpDate, write_head};
use libfuzzer_sys::fuzz_target;

const STATUSES: [u16; 12] = [200, 204, 304, 101, 100, 404, 999, 0, 1000, 99, 500, 65_535];

fuzz_target!(|data: &[u8]| {
    let (choices, rest) = line(data);
    let (status, choices) = choice(choices);
    let (length, choices) = choice(choices);
    let (keep_alive, choices) = choice(choices);
    let (version, _) = choice(choices);
    let status = STATUSES[status % STATUSES.len()];
    let length = [BodyLength::Known(length as u64), BodyLength::Chunked, BodyLength::None][length % 3];
    let keep_alive = keep_alive % 2 == 1;
    let version = if version % 2 == 1 { Version::Http11 } else { Version::Http10 };

    let headers = headers(rest);
    let pairs = headers.iter().map(|(name, value)| (&name[..], &value[..]));
    let mut out = Vec::new();
    let delivery =
        write_head(&mut out, status, pairs, length, keep_alive, version, HttpDate::at(0).as_bytes());
    check(&out, status, length, keep_alive, version, delivery, &headers);
});

fn headers(mut rest: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut headers = Vec::new();
    while !rest.is_empty() {
        let (one, after) = line(rest);
        rest = after;
        let colon = one.iter().position(|byte| *byte == b':').unwrap_or(one.len());
        let name = String::from_utf8_lossy(&one[..colon]).replace('\r', "\n");
        let mut value = one.get(colon + 1..).unwrap_or_default().to_vec();
        value.iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
        headers.push((name, value));
    }
    headers
}

fn check(
    out: &[u8],
    status: u16,
    length: BodyLength,
    keep_alive: bool,
    version: Version,
    delivery: Delivery,
    headers: &[(String, Vec<u8>)],
) {
    let mut slots = vec![httparse::EMPTY_HEADER; headers.len() + 8];
    let mut parsed = httparse::Response::new(&mut slots);
    assert_eq!(parsed.parse(out), Ok(httparse::Status::Complete(out.len())));
    assert_eq!(parsed.code, Some(if (100..1000).contains(&status) { status } else { 500 }));
    let count =
        |name: &str| parsed.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name)).count();
    assert_eq!(count("date"), 1);
    let (lengths, codings) = (count("content-length"), count("transfer-encoding"));
    assert_eq!(codings, usize::from(delivery.chunked));
    assert!(lengths + codings <= 1);
    if version == Version::Http10 || matches!(status, 100..200 | 204) {
        assert!(!delivery.chunked);
    }
    let known = matches!(length, BodyLength::Known(_)) && !matches!(status, 100..200 | 204);
    assert_eq!(lengths, usize::from(known));
    assert!(keep_alive || !delivery.keep_alive);
    if status != 101 {
        assert_eq!(count("connection"), usize::from(!delivery.keep_alive || version == Version::Http10));
    }
    // Nothing came in beside what the handler and the server wrote.
    let own = ["date", "content-length", "transfer-encoding", "connection"];
    let theirs =
        parsed.headers.iter().filter(|header| !own.iter().any(|own| header.name.eq_ignore_ascii_case(own)));
    for header in theirs {
        assert!(headers.iter().any(|(name, value)| name == header.name && same(value, header.value)));
    }
}

/// Equal but for what a client trims and what cannot stand in a header.
fn same(sent: &[u8], got: &[u8]) -> bool {
    let harmless = |byte: &u8| if byte.is_ascii_control() { b' ' } else { *byte };
    let plain = |value: &[u8]| value.iter().map(harmless).collect::<Vec<_>>().trim_ascii().to_vec();
    plain(sent) == plain(got)
}
