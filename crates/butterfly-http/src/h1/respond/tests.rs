use super::*;
use crate::h1::framing::{BodyDecoder, Framing};

const DATE: &[u8; 29] = b"Sun, 06 Nov 1994 08:49:37 GMT";

fn head(
    status: u16,
    headers: &[(&str, &[u8])],
    length: BodyLength,
    keep: bool,
    version: Version,
) -> (String, Delivery) {
    let mut out = Vec::new();
    let delivery = write_head(&mut out, status, headers.iter().copied(), length, keep, version, DATE);
    (String::from_utf8(out).unwrap(), delivery)
}

fn text(status: u16, headers: &[(&str, &[u8])]) -> String {
    head(status, headers, BodyLength::Known(0), true, Version::Http11).0
}

#[test]
fn every_known_code_has_its_phrase_and_unknown_ones_none() {
    assert!(text(200, &[]).starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(text(431, &[]).starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"));
    assert!(text(777, &[]).starts_with("HTTP/1.1 777 \r\n"));
    assert!(text(0, &[]).starts_with("HTTP/1.1 500 "));
    assert!(text(u16::MAX, &[]).starts_with("HTTP/1.1 500 "));
    for status in 100..1000 {
        let line = text(status, &[]);
        let phrase = http::StatusCode::from_u16(status).unwrap().canonical_reason().unwrap_or_default();
        // Where `http` spells otherwise than the registry.
        let phrase = match status {
            203 => "Non-Authoritative Information",
            413 => "Content Too Large",
            422 => "Unprocessable Content",
            _ => phrase,
        };
        assert!(line.starts_with(&format!("HTTP/1.1 {status} {phrase}\r\n")), "{line}");
    }
}

#[test]
fn framing_and_connection_follow_version_and_length() {
    use BodyLength::{Chunked, Known};
    use Version::{Http10, Http11};
    let none = BodyLength::None;
    // status, length, keep-alive wanted, version -> framing and connection headers, chunked, keep-alive
    let rows = [
        (200, Known(5), true, Http11, "Content-Length: 5\r\n", false, true),
        (200, Known(0), false, Http11, "Content-Length: 0\r\nConnection: close\r\n", false, false),
        (200, Known(u64::MAX), true, Http11, "Content-Length: 18446744073709551615\r\n", false, true),
        (200, Known(5), true, Http10, "Content-Length: 5\r\nConnection: keep-alive\r\n", false, true),
        (200, Known(5), false, Http10, "Content-Length: 5\r\nConnection: close\r\n", false, false),
        (200, Chunked, true, Http11, "Transfer-Encoding: chunked\r\n", true, true),
        (200, Chunked, false, Http11, "Transfer-Encoding: chunked\r\nConnection: close\r\n", true, false),
        (200, Chunked, true, Http10, "Connection: close\r\n", false, false),
        (200, none, true, Http11, "", false, true),
        (204, Known(0), true, Http11, "", false, true),
        (204, Chunked, true, Http10, "Connection: keep-alive\r\n", false, true),
        (101, Known(0), true, Http11, "", false, true),
        (304, Known(9), true, Http11, "Content-Length: 9\r\n", false, true),
        (304, Chunked, true, Http11, "", false, true),
    ];
    for (status, length, keep, version, middle, chunked, keep_alive) in rows {
        let (text, delivery) = head(status, &[], length, keep, version);
        let rest = text.split_once("\r\n").unwrap().1;
        assert_eq!(
            rest,
            format!("{middle}Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n"),
            "{status} {length:?}"
        );
        assert_eq!(delivery, Delivery { chunked, keep_alive }, "{status} {length:?}");
    }
}

#[test]
fn a_handler_cannot_contradict_the_framing() {
    let headers: [(&str, &[u8]); 5] = [
        ("content-length", b"9"),
        ("Transfer-Encoding", b"gzip"),
        ("DATE", b"today"),
        ("X-Kept", b"1"),
        ("Connection", b"keep-alive"),
    ];
    let (text, delivery) = head(200, &headers, BodyLength::Known(2), true, Version::Http11);
    assert_eq!(text.matches("ontent-").count(), 1);
    assert_eq!(text.to_lowercase().matches("date: ").count(), 1);
    assert!(!text.contains("gzip") && !text.contains("Connection") && text.contains("X-Kept: 1\r\n"));
    assert!(delivery.keep_alive);
}

#[test]
fn a_handler_may_close_the_connection_and_upgrade_it() {
    let close: [(&str, &[u8]); 1] = [("connection", b"foo, Close")];
    let (text, delivery) = head(200, &close, BodyLength::Known(0), true, Version::Http11);
    assert!(!delivery.keep_alive);
    assert_eq!(text.to_lowercase().matches("connection: close\r\n").count(), 1);
    let upgrade: [(&str, &[u8]); 2] = [("Connection", b"Upgrade"), ("Upgrade", b"websocket")];
    let (text, delivery) = head(101, &upgrade, BodyLength::None, true, Version::Http11);
    assert!(delivery.keep_alive && text.contains("Connection: Upgrade\r\nUpgrade: websocket\r\n"));
}

#[test]
fn a_value_cannot_split_the_answer() {
    let text = text(
        302,
        &[("Location", b"/a\r\nSet-Cookie: x=1\0"), ("Bad\r\nName", b"1"), ("", b"1"), ("a b", b"1")],
    );
    assert!(text.contains("\r\nLocation: /a  Set-Cookie: x=1 \r\nContent-Length: 0\r\n"), "{text}");
    assert!(!text.contains("Name") && !text.contains("a b"));
}

/// Found by fuzzing: a client refused the whole answer.
#[test]
fn a_value_holds_no_control_characters() {
    let text = text(200, &[("X-Odd", b"a\x13\tb\x7fc")]);
    assert!(text.contains("\r\nX-Odd: a \tb c\r\n"), "{text}");
}

#[test]
fn chunks_are_framed_and_the_empty_one_is_not_sent() {
    let mut out = Vec::new();
    write_chunk(&mut out, b"");
    assert!(out.is_empty());
    write_chunk(&mut out, &[b'x'; 0x1a2]);
    assert!(out.starts_with(b"1a2\r\nx") && out.ends_with(b"x\r\n"));
    write_last_chunk(&mut out);
    let mut decoder = BodyDecoder::new(Framing::Chunked);
    let step = decoder.decode(&out).unwrap();
    assert!(step.done && step.consumed == out.len());
    assert_eq!(out[step.data], [b'x'; 0x1a2]);
}

#[test]
fn dates_match_known_ones() {
    let rows = [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
        (1_000_000_000, "Sun, 09 Sep 2001 01:46:40 GMT"),
        (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"),
        (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
        (2_147_483_648, "Tue, 19 Jan 2038 03:14:08 GMT"),
        (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
        (u64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ];
    for (seconds, expected) in rows {
        assert_eq!(HttpDate::at(seconds).as_bytes(), expected.as_bytes(), "{seconds}");
    }
}

#[test]
fn every_day_of_four_centuries_follows_the_one_before() {
    let lengths = |year: u64| {
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    };
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut days = 0;
    for year in 1970..2371 {
        for (month, length) in months.iter().zip(lengths(year)) {
            for day in 1..=length {
                let date = HttpDate::at(days * 86_400);
                assert_eq!(&date.as_bytes()[5..16], format!("{day:02} {month} {year}").as_bytes());
                days += 1;
            }
        }
    }
}

#[test]
fn the_remembered_date_is_the_one_asked_for() {
    for seconds in [0, 5, 5, 784_111_777, 5] {
        assert_eq!(HttpDate::cached(seconds), HttpDate::at(seconds));
    }
    assert!(HttpDate::now().as_bytes().ends_with(b" GMT"));
}
