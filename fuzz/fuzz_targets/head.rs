//! The head of a request: no form of it is read in two ways.

#![no_main]

use butterfly_core::head::Head;
use butterfly_http::h1::parse::{
    Framing, HeadError, HeadLimits, Parsed, Request, Version, is_h2_preface, may_be_complete, parse_head,
};
use libfuzzer_sys::fuzz_target;

const TIGHT: HeadLimits = HeadLimits { max_bytes: 300, max_headers: 4, max_target: 40 };

fuzz_target!(|data: &[u8]| {
    let _ = is_h2_preface(data);
    for limits in [HeadLimits::default(), TIGHT] {
        let mut head = Head::default();
        let verdict = parse_head(data, &limits, &mut head);
        if let Ok(Parsed::Done(request)) = verdict {
            holds(data, &limits, &head, &request);
        }
        prefixes_agree(data, &limits, verdict);
        arrival_agrees(data, &limits, verdict);
    }
});

/// What must be true of a head that was accepted.
fn holds(data: &[u8], limits: &HeadLimits, head: &Head, request: &Request) {
    assert!(request.len <= data.len() && request.len <= limits.max_bytes);
    assert!(data[..request.len].ends_with(b"\r\n\r\n"));
    assert!(head.path().starts_with('/') || head.path() == "*", "{}", head.path());
    assert!(head.headers().count() <= limits.max_headers + 1);
    for (name, value) in head.headers() {
        assert!(!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':'));
        assert!(!value.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n')));
    }
    let hosts = values(head, "host").len();
    assert!(hosts == 1 || hosts == 0 && request.version == Version::Http10);
    framing_is_certain(head, request);
    token_by_token(data, head, request);
}

/// One statement about the length, understood in full.
fn framing_is_certain(head: &Head, request: &Request) {
    let (lengths, codings) = (values(head, "content-length"), values(head, "transfer-encoding"));
    match request.framing {
        Framing::None => assert!(lengths.is_empty() && codings.is_empty()),
        Framing::Length(length) => {
            assert!(lengths.len() == 1 && codings.is_empty());
            assert!(lengths[0].iter().all(u8::is_ascii_digit));
            assert_eq!(std::str::from_utf8(lengths[0]).unwrap().parse(), Ok(length));
        }
        Framing::Chunked => {
            assert!(lengths.is_empty() && codings.len() == 1 && request.version == Version::Http11);
            assert!(codings[0].eq_ignore_ascii_case(b"chunked"));
        }
    }
}

fn values<'a>(head: &'a Head, name: &str) -> Vec<&'a [u8]> {
    head.headers().filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
}

/// A plain split at line ends finds the same headers.
fn token_by_token(data: &[u8], head: &Head, request: &Request) {
    let text = data[..request.len - 4].trim_ascii_start();
    let lines = text.split(|byte| *byte == b'\n').skip(1).map(<[u8]>::trim_ascii_end);
    for (line, (name, value)) in lines.zip(head.headers()) {
        let colon = line.iter().position(|byte| *byte == b':').unwrap();
        assert_eq!(&line[..colon], name.as_bytes());
        // An absolute target takes the place of the host.
        assert!(line[colon + 1..].trim_ascii() == value.trim_ascii() || name.eq_ignore_ascii_case("host"));
    }
}

/// Less of the same bytes says the same, or nothing yet; more of them changes nothing. A line that grows too long is
/// refused before it ends, where the whole of it would be read on.
fn prefixes_agree(data: &[u8], limits: &HeadLimits, verdict: Result<Parsed, HeadError>) {
    let mut head = Head::default();
    for end in (0..data.len()).step_by(1 + data.len() / 128) {
        match (parse_head(&data[..end], limits, &mut head), verdict) {
            (Ok(Parsed::Partial), Ok(Parsed::Done(request))) => assert!(end < request.len),
            (Ok(Parsed::Partial), _) => {}
            (early @ Ok(Parsed::Done(_)), _) => assert_eq!(early, verdict, "at {end}"),
            (Err(early), _) => assert!(!is_done(verdict), "{early:?} at {end}"),
        }
    }
}

/// A connection that reads byte by byte, and looks only when that is worthwhile, comes to the same verdict.
fn arrival_agrees(data: &[u8], limits: &HeadLimits, verdict: Result<Parsed, HeadError>) {
    let mut head = Head::default();
    let mut seen = 0;
    for end in 1..=data.len() {
        if seen > 0 && end < limits.max_bytes && !may_be_complete(&data[..end], seen) {
            seen = end;
            continue;
        }
        seen = end;
        match parse_head(&data[..end], limits, &mut head) {
            Ok(Parsed::Partial) => {}
            Err(early) => return assert!(!is_done(verdict), "{early:?} at {end}"),
            done => return assert_eq!(done, verdict),
        }
    }
    assert!(!is_done(verdict), "never seen to be complete");
}

fn is_done(verdict: Result<Parsed, HeadError>) -> bool {
    matches!(verdict, Ok(Parsed::Done(_)))
}
