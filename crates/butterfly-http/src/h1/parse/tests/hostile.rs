//! Heads that break a rule, and their neighbours that do not.

use proptest::prelude::*;

use super::*;

#[test]
fn request_lines() {
    use HeadError::*;
    let rows: &[(&[u8], HeadError, u16)] = &[
        (b" / HTTP/1.1\r\nHost: a\r\n\r\n", BadMethod, 400),
        (b"GE(T / HTTP/1.1\r\nHost: a\r\n\r\n", BadMethod, 400),
        (b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", BadMethod, 400),
        (b"GET\r\n\r\n", BadMethod, 400),
        (b"G\0T / HTTP/1.1\r\nHost: a\r\n\r\n", BadMethod, 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", BadMethod, 400),
        (b"ABCDEFGHIJKLMNOPQRSTUVWXY / HTTP/1.1\r\nHost: a\r\n\r\n", MethodTooLong, 501),
        (b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", Connect, 405),
        (b"CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", Connect, 405),
        (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget, 400),
        (b"GET /\r\n\r\n", BadTarget, 400),
        (b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget, 400),
        (b"GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget, 400),
        (b"GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget, 400),
        (b"GET /a\x7fb HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget, 400),
        (b"GET /\xc3\xbc HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget, 400),
        (b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget, 400),
        (b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", FragmentInTarget, 400),
        (b"GET /?a#b HTTP/1.1\r\nHost: a\r\n\r\n", FragmentInTarget, 400),
        (b"GET a HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget, 400),
        (b"GET ?a=1 HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget, 400),
        (b"GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget, 400),
        (b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", AsteriskTarget, 400),
        (b"OPTIONS *a HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget, 400),
        (b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget, 400),
        (b"GET http:/a/ HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget, 400),
        (b"GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget, 400),
        (b"GET http://u:p@a/ HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget, 400),
        (b"GET http://a\\b/ HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget, 400),
        (b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", UnsupportedVersion, 505),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", UnsupportedVersion, 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", UnsupportedVersion, 505),
        (b"GET / http/1.1\r\nHost: a\r\n\r\n", BadVersion, 400),
        (b"GET / HTTP/11\r\nHost: a\r\n\r\n", BadVersion, 400),
        (b"GET / HTTP/1.1.1\r\nHost: a\r\n\r\n", LineEnd, 400),
        (b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", LineEnd, 400),
        (b"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget, 400),
        (b"GET / HTP/1.1\r\nHost: a\r\n\r\n", BadVersion, 400),
    ];
    rows.iter().for_each(|(bytes, error, status)| falls(bytes, *error, *status));
}

#[test]
fn line_ends() {
    use HeadError::*;
    let rows: &[(&[u8], HeadError)] = &[
        (b"GET / HTTP/1.1\nHost: a\r\n\r\n", LineEnd),
        (b"GET / HTTP/1.1\r\nHost: a\n\r\n", LineEnd),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\n", LineEnd),
        (b"GET / HTTP/1.1\r\nHost: a\n\n", LineEnd),
        (b"GET / HTTP/1.1\n\n", LineEnd),
        (b"GET / HTTP/1.0\n\r\n", LineEnd),
        (b"GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n", LineEnd),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX:\nY: 1\r\n\r\n", LineEnd),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: \nY: 1\r\n\r\n", LineEnd),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: 1 \n\r\n", LineEnd),
        (b"GET / HTTP/1.1\rHost: a\r\n\r\n", LineEnd),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\rX", LineEnd),
        (b"GET / HTTP/1.1\r\nHost: a\rX: 1\r\n\r\n", HeaderValue),
        (b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", BlankLines),
        (b"\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", BlankLines),
        (b"\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", BlankLines),
        (b"\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", BlankLines),
    ];
    rows.iter().for_each(|(bytes, error)| falls(bytes, *error, 400));
}

#[test]
fn header_lines() {
    use HeadError::*;
    let rows: &[(&str, HeadError)] = &[
        ("X : 1\r\n", SpaceBeforeColon),
        ("X\t: 1\r\n", SpaceBeforeColon),
        ("X: 1\r\n  2\r\n", FoldedHeader),
        ("X: 1\r\n\t2\r\n", FoldedHeader),
        (" X: 1\r\n", FoldedHeader),
        (": 1\r\n", HeaderName),
        ("X\r\n", HeaderName),
        ("X(: 1\r\n", HeaderName),
        ("X\0: 1\r\n", HeaderName),
        ("X\u{fc}: 1\r\n", HeaderName),
        ("X: a\0b\r\n", HeaderValue),
        ("X: a\x0bb\r\n", HeaderValue),
        ("X: a\x7fb\r\n", HeaderValue),
        ("X: \x1b[0m\r\n", HeaderValue),
    ];
    for (line, error) in rows {
        falls(format!("GET / HTTP/1.1\r\nHost: a\r\n{line}\r\n").as_bytes(), *error, 400);
        falls(format!("GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\n{line}B: 2\r\n\r\n").as_bytes(), *error, 400);
    }
}

#[test]
fn hosts() {
    use HeadError::*;
    let bad = [
        "a b",
        "a,b",
        "a, b",
        "a/b",
        "u@a",
        "a?b",
        "a#b",
        "a\\b",
        "http://a",
        "a:b",
        "a:80:90",
        "a:123456",
        ":80",
        "[",
        "[]",
        "[::1",
        "[::1]x",
        "[::1]:x",
        "::1",
        "[::g]",
        "\u{fc}.de",
        "a\"",
        "<a>",
    ];
    for host in bad {
        falls(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes(), HostInvalid, 400);
    }
    falls(b"GET / HTTP/1.1\r\n\r\n", HostMissing, 400);
    falls(b"GET http://a/ HTTP/1.1\r\n\r\n", HostMissing, 400);
    falls(b"GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", HostTwice, 400);
    falls(b"GET / HTTP/1.1\r\nHost:\r\nHost:\r\n\r\n", HostTwice, 400);
    falls(b"GET / HTTP/1.0\r\nHost: a\r\nHOST: b\r\n\r\n", HostTwice, 400);
    for host in [
        "",
        "a",
        "a.example",
        "A-b_c~d.e",
        "a:80",
        "a:",
        "127.0.0.1:65535",
        "[::1]",
        "[fe80::1]:80",
        "%2Frun",
    ] {
        stands(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes(), "/");
    }
}

#[test]
fn expectations() {
    falls(b"GET / HTTP/1.1\r\nHost: a\r\nExpect: gold\r\n\r\n", HeadError::ExpectationUnknown, 417);
    falls(
        b"GET / HTTP/1.1\r\nHost: a\r\nExpect: gold\r\nExpect: 100-continue\r\n\r\n",
        HeadError::ExpectationUnknown,
        417,
    );
    stands(b"GET / HTTP/1.0\r\nExpect: gold\r\n\r\n", "/");
}

/// The tokeniser works in blocks of up to 32 bytes: a byte must be judged alike wherever it stands in one.
#[test]
fn control_bytes_are_refused_at_every_place() {
    for byte in (0..32).chain([127]).filter(|byte| *byte != b'\t') {
        for place in 0..70 {
            let mut value = [b'a'; 71];
            value[place] = byte;
            let head = [b"GET / HTTP/1.1\r\nHost: a\r\nX: ", &value[..], b"\r\n\r\n"].concat();
            assert!(read(&head).is_err(), "byte {byte} at {place} of a value");
            let head = [b"GET /", &value[..], b" HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
            assert!(read(&head).is_err(), "byte {byte} at {place} of a target");
            let head = [b"GET / HTTP/1.1\r\nHost: a\r\nX", &value[..], b": 1\r\n\r\n"].concat();
            assert!(read(&head).is_err(), "byte {byte} at {place} of a name");
        }
    }
}

#[test]
fn every_error_says_in_plain_text_what_to_do() {
    use HeadError::*;
    let all = [
        TooLarge,
        TooManyHeaders,
        TargetTooLong,
        MethodTooLong,
        BadMethod,
        Connect,
        BadTarget,
        FragmentInTarget,
        AsteriskTarget,
        BadVersion,
        UnsupportedVersion,
        LineEnd,
        BlankLines,
        HeaderName,
        SpaceBeforeColon,
        FoldedHeader,
        HeaderValue,
        HostMissing,
        HostTwice,
        HostInvalid,
        LengthInvalid,
        LengthTwice,
        LengthAndEncoding,
        EncodingTwice,
        EncodingUnknown,
        EncodingInHttp10,
        ExpectationUnknown,
    ];
    let texts: std::collections::HashSet<_> = all.iter().map(|error| error.reason()).collect();
    assert_eq!(texts.len(), all.len());
    for error in all {
        assert!(error.reason().bytes().all(|b| (b' '..0x7f).contains(&b)), "{error:?}");
        assert!((400..600).contains(&error.status()));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes);
    }

    /// Damages a good head; whatever is still taken for one keeps the rules a second reader would rely on.
    #[test]
    fn what_stands_has_clean_lines(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 0..5),
    ) {
        let mut bytes =
            b"\r\nPOST http://a/b?c=d HTTP/1.1\r\nHost: a:80\r\nContent-Length: 12\r\nConnection: close\r\n\r\nrest".to_vec();
        for (place, byte, insert) in damage {
            let at = place.index(bytes.len());
            if insert { bytes.insert(at, byte) } else { bytes[at] = byte }
        }
        if let Ok(Some((head, request))) = read(&bytes) {
            let text = &bytes[..request.len];
            prop_assert!(text.ends_with(b"\r\n\r\n"));
            let bare = (0..text.len()).any(|at| {
                (text[at] == b'\n' && text[at - 1] != b'\r') || (text[at] == b'\r' && text[at + 1] != b'\n')
            });
            prop_assert!(!bare);
            prop_assert!(head.path().starts_with('/') || head.path() == "*");
            prop_assert!(head.headers().all(|(name, _)| name.bytes().all(crate::h1::framing::is_token_byte)));
        }
    }
}
