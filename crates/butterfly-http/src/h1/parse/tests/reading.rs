//! Heads that stand: what is read from them, and where the limits lie.

use std::borrow::Cow;

use super::*;

#[test]
fn a_head_is_read_whole_and_leaves_the_rest() {
    let bytes =
        b"GET /demo/hello?a=1&b=%20 HTTP/1.1\r\nHost: a:80\r\nX-Empty:\r\nX-Bytes: \xfc\xff \r\n\r\nGET /2";
    stands(bytes, "/demo/hello");
    let (head, request) = done(bytes);
    assert_eq!((head.method(), head.query()), (&Method::GET, Some("a=1&b=%20")));
    let headers: Vec<_> = head.headers().collect();
    assert_eq!(headers, [("Host", &b"a:80"[..]), ("X-Empty", b""), ("X-Bytes", b"\xfc\xff")]);
    assert_eq!(&bytes[request.len..], b"GET /2");
    assert_eq!((request.version, request.framing), (Version::Http11, Framing::None));
}

#[test]
fn targets_are_reduced_to_origin_form() {
    let rows: &[(&str, &str, &str, Option<&str>)] = &[
        ("GET", "/", "/", None),
        ("GET", "//a/b", "//a/b", None),
        ("GET", "/a?b?c", "/a", Some("b?c")),
        ("GET", "/?", "/", Some("")),
        ("GET", "/%00|{}^", "/%00|{}^", None),
        ("OPTIONS", "*", "*", None),
        ("GET", "http://b", "/", None),
        ("GET", "HTTPS://b:1/c?d=e", "/c", Some("d=e")),
        ("GET", "http://[::1]:80/c", "/c", None),
        ("GET", "http://b?c=/d", "/", Some("c=/d")),
        ("OPTIONS", "http://b", "*", None),
        ("OPTIONS", "http://b/", "/", None),
    ];
    for (method, target, path, query) in rows {
        let bytes = format!("{method} {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        stands(bytes.as_bytes(), path);
        assert_eq!(done(bytes.as_bytes()).0.query(), *query, "{target}");
    }
}

#[test]
fn an_absolute_target_overrules_the_host() {
    let host = |bytes: &[u8]| done(bytes).0.text("host").map(Cow::into_owned);
    assert_eq!(host(b"GET http://b:1/ HTTP/1.1\r\nHost: a\r\n\r\n").as_deref(), Some("b:1"));
    assert_eq!(host(b"GET http://b:1/ HTTP/1.0\r\n\r\n").as_deref(), Some("b:1"));
    assert_eq!(host(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").as_deref(), Some("a"));
    assert_eq!(host(b"GET / HTTP/1.0\r\n\r\n"), None);
}

#[test]
fn methods_beyond_the_registered_ones_are_kept() {
    for method in ["GET", "QUEUE", "get", "M-SEARCH", "ABCDEFGHIJKLMNOPQRSTUVWX"] {
        let (head, _) = done(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        assert_eq!(head.method().as_str(), method);
    }
}

#[test]
fn the_connection_stays_open_by_version_and_wish() {
    let rows = [
        ("1.1", "", true),
        ("1.1", "Connection: close\r\n", false),
        ("1.1", "Connection: foo , CLOSE\r\n", false),
        ("1.1", "Connection: foo\r\nConnection: close\r\n", false),
        ("1.1", "Connection: keep-alive, close\r\n", false),
        ("1.1", "Connection: closed\r\n", true),
        ("1.0", "", false),
        ("1.0", "Connection: Keep-Alive\r\n", true),
        ("1.0", "Connection: keep-alive, close\r\n", false),
    ];
    for (version, headers, keep_alive) in rows {
        let (_, request) = done(format!("GET / HTTP/{version}\r\nHost: a\r\n{headers}\r\n").as_bytes());
        assert_eq!(request.keep_alive, keep_alive, "{version} {headers}");
    }
}

#[test]
fn an_upgrade_needs_both_headers_and_http11() {
    let rows = [
        ("1.1", "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n", true),
        ("1.1", "Upgrade: websocket\r\n", false),
        ("1.1", "Connection: Upgrade\r\n", false),
        ("1.1", "Connection: Upgrade\r\nUpgrade:\r\n", false),
        ("1.0", "Upgrade: websocket\r\nConnection: Upgrade\r\n", false),
    ];
    for (version, headers, upgrade) in rows {
        let (_, request) = done(format!("GET / HTTP/{version}\r\nHost: a\r\n{headers}\r\n").as_bytes());
        assert_eq!(request.upgrade, upgrade, "{version} {headers}");
    }
}

#[test]
fn continue_is_expected_only_before_a_body() {
    let rows = [
        ("1.1", "Expect: 100-Continue\r\nContent-Length: 5\r\n", true),
        ("1.1", "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n", true),
        ("1.1", "Expect: 100-continue\r\nContent-Length: 0\r\n", false),
        ("1.1", "Expect: 100-continue\r\n", false),
        ("1.1", "Content-Length: 5\r\n", false),
        ("1.0", "Expect: 100-continue\r\nContent-Length: 5\r\n", false),
    ];
    for (version, headers, expected) in rows {
        let (_, request) = done(format!("POST / HTTP/{version}\r\nHost: a\r\n{headers}\r\n").as_bytes());
        assert_eq!(request.expect_continue, expected, "{version} {headers}");
    }
}

#[test]
fn two_empty_lines_before_the_request_are_forgiven() {
    stands(b"\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n", "/a");
    stands(b"\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n", "/a");
}

#[test]
fn the_head_may_be_as_long_as_the_limit_and_no_longer() {
    let bytes = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nbody that does not count";
    let (_, request) = done(bytes);
    let within = |max_bytes, bytes| {
        let limits = HeadLimits { max_bytes, ..HeadLimits::default() };
        read_within(bytes, &limits).map(|done| done.is_some())
    };
    assert_eq!(within(request.len, bytes), Ok(true));
    assert_eq!(within(request.len - 1, bytes), Err(HeadError::TooLarge));
    assert_eq!(within(20, &bytes[..19]), Ok(false));
    assert_eq!(within(20, &bytes[..20]), Err(HeadError::TooLarge));
    assert_eq!(within(0, b""), Err(HeadError::TooLarge));
}

#[test]
fn headers_are_counted() {
    let head = |count| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: 1\r\n".repeat(count - 1));
    let within = |max_headers, count| {
        let limits = HeadLimits { max_headers, ..HeadLimits::default() };
        read_within(head(count).as_bytes(), &limits).map(|done| done.map(|(head, _)| head.headers().count()))
    };
    assert_eq!(within(10, 10), Ok(Some(10)));
    assert_eq!(within(10, 11), Err(HeadError::TooManyHeaders));
    assert_eq!(within(usize::MAX, HARD_MAX_HEADERS), Ok(Some(HARD_MAX_HEADERS)));
    assert_eq!(within(usize::MAX, HARD_MAX_HEADERS + 1), Err(HeadError::TooManyHeaders));
}

#[test]
fn a_long_target_is_refused_even_before_its_end() {
    let limits = HeadLimits { max_target: 10, ..HeadLimits::default() };
    let outcome = |bytes: &str| read_within(bytes.as_bytes(), &limits).map(|done| done.is_some());
    assert_eq!(outcome("GET /123456789 HTTP/1.1\r\nHost: a\r\n\r\n"), Ok(true));
    assert_eq!(outcome("GET /1234567890 HTTP/1.1\r\nHost: a\r\n\r\n"), Err(HeadError::TargetTooLong));
    assert_eq!(outcome(&format!("GET /{}", "a".repeat(100))), Err(HeadError::TargetTooLong));
    assert_eq!(outcome(&format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(100))), Ok(false));
    let endless = format!("GET /{}", "a".repeat(40_000));
    assert_eq!(read(endless.as_bytes()).map(|done| done.is_some()), Err(HeadError::TargetTooLong));
}

#[test]
fn the_preface_of_http2_is_known_from_its_first_bytes() {
    for end in 0..H2_PREFACE.len() {
        assert_eq!(is_h2_preface(&H2_PREFACE[..end]), None);
    }
    assert_eq!(is_h2_preface(H2_PREFACE), Some(true));
    assert_eq!(is_h2_preface(&[H2_PREFACE, b"\0\0"].concat()), Some(true));
    assert_eq!(is_h2_preface(b"PO"), Some(false));
    assert_eq!(is_h2_preface(b"PRI * HTTP/2.1"), Some(false));
}

#[test]
fn the_end_is_noticed_at_whichever_byte_it_arrives() {
    for bytes in [&b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..], b"GET / HTTP/1.1\nHost: a\n\n"] {
        for seen in 0..bytes.len() {
            assert!(may_be_complete(bytes, seen), "{seen}");
            let part = &bytes[..seen];
            assert!(!may_be_complete(part, 0), "{seen}");
        }
    }
    assert!(!may_be_complete(b"", 10));
}
