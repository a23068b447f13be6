//! Heads that two servers may cut at different places: each must be refused, or read in the only safe way.

use super::*;

fn post(headers: &str) -> Vec<u8> {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{headers}\r\n0\r\n\r\n").into_bytes()
}

#[test]
fn doubtful_framing_is_refused() {
    use HeadError::*;
    let rows: &[(&str, HeadError, u16)] = &[
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", LengthAndEncoding, 400),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", LengthAndEncoding, 400),
        ("transfer-encoding: CHUNKED\r\ncontent-LENGTH: 0\r\n", LengthAndEncoding, 400),
        ("Transfer-Encoding: identity\r\nContent-Length: 5\r\n", LengthAndEncoding, 400),
        ("Transfer-Encoding:\r\nContent-Length: 5\r\n", LengthAndEncoding, 400),
        ("Content-Length: 5\r\nContent-Length: 6\r\n", LengthTwice, 400),
        ("Content-Length: 5\r\ncontent-length: 5\r\n", LengthTwice, 400),
        ("Content-Length: 5, 5\r\n", LengthInvalid, 400),
        ("Content-Length: 5,6\r\n", LengthInvalid, 400),
        ("Content-Length: +5\r\n", LengthInvalid, 400),
        ("Content-Length: -5\r\n", LengthInvalid, 400),
        ("Content-Length: 0x5\r\n", LengthInvalid, 400),
        ("Content-Length: 5 5\r\n", LengthInvalid, 400),
        ("Content-Length: 5;\r\n", LengthInvalid, 400),
        ("Content-Length: 5.0\r\n", LengthInvalid, 400),
        ("Content-Length: 5e0\r\n", LengthInvalid, 400),
        ("Content-Length: 1_0\r\n", LengthInvalid, 400),
        ("Content-Length: \"5\"\r\n", LengthInvalid, 400),
        ("Content-Length: \u{665}\r\n", LengthInvalid, 400),
        ("Content-Length:\r\n", LengthInvalid, 400),
        ("Content-Length: \t \r\n", LengthInvalid, 400),
        ("Content-Length: 18446744073709551616\r\n", LengthInvalid, 400),
        ("Content-Length: 99999999999999999999999\r\n", LengthInvalid, 400),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", EncodingTwice, 400),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", EncodingTwice, 400),
        ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", EncodingTwice, 400),
        ("Transfer-Encoding: chunked, chunked\r\n", EncodingUnknown, 501),
        ("Transfer-Encoding: gzip, chunked\r\n", EncodingUnknown, 501),
        ("Transfer-Encoding: chunked, identity\r\n", EncodingUnknown, 501),
        ("Transfer-Encoding: chunked,\r\n", EncodingUnknown, 501),
        ("Transfer-Encoding: ,chunked\r\n", EncodingUnknown, 501),
        ("Transfer-Encoding: identity\r\n", EncodingUnknown, 501),
        ("Transfer-Encoding: xchunked\r\n", EncodingUnknown, 501),
        ("Transfer-Encoding: chunked;q=1\r\n", EncodingUnknown, 501),
        ("Transfer-Encoding: \"chunked\"\r\n", EncodingUnknown, 501),
        ("Transfer-Encoding:\r\n", EncodingUnknown, 501),
        ("Transfer-Encoding: chun\u{212a}ed\r\n", EncodingUnknown, 501),
        ("Transfer-Encoding: \x0bchunked\r\n", HeaderValue, 400),
        ("Transfer-Encoding: chunked\x0c\r\n", HeaderValue, 400),
        ("Transfer-Encoding\x0b: chunked\r\n", HeaderName, 400),
        ("Transfer-Encoding : chunked\r\n", SpaceBeforeColon, 400),
        ("Content-Length : 5\r\n", SpaceBeforeColon, 400),
        (" Transfer-Encoding: chunked\r\n", FoldedHeader, 400),
        ("X: 1\r\n Transfer-Encoding: chunked\r\n", FoldedHeader, 400),
        ("Transfer-Encoding:\r\n chunked\r\n", FoldedHeader, 400),
        ("Content-Length: 5\r\n 5\r\n", FoldedHeader, 400),
        ("X: 1\nTransfer-Encoding: chunked\r\n", LineEnd, 400),
        ("X: 1\rTransfer-Encoding: chunked\r\n", HeaderValue, 400),
        ("X: 1\n\nGET /admin HTTP/1.1\r\n", LineEnd, 400),
        ("Host: b\r\nContent-Length: 5\r\n", HostTwice, 400),
    ];
    for (headers, error, status) in rows {
        falls(&post(headers), *error, *status);
    }
}

#[test]
fn http10_has_no_chunks() {
    let bytes = b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    falls(bytes, HeadError::EncodingInHttp10, 400);
}

#[test]
fn clear_framing_is_read() {
    let rows: &[(&str, Framing)] = &[
        ("", Framing::None),
        ("Content-Length: 0\r\n", Framing::Length(0)),
        ("Content-Length: 5\r\n", Framing::Length(5)),
        ("Content-Length:5\r\n", Framing::Length(5)),
        ("Content-Length: \t5\t \r\n", Framing::Length(5)),
        ("CONTENT-LENGTH: 005\r\n", Framing::Length(5)),
        ("Content-Length: 18446744073709551615\r\n", Framing::Length(u64::MAX)),
        ("Transfer-Encoding: chunked\r\n", Framing::Chunked),
        ("TRANSFER-encoding:  cHUNKED \t\r\n", Framing::Chunked),
        // Names that only look alike carry no meaning here, and none for a correct neighbour.
        ("Content_Length: 5\r\n", Framing::None),
        ("X-Content-Length: 5\r\n", Framing::None),
        ("TransferXEncoding: chunked\r\n", Framing::None),
    ];
    for (headers, framing) in rows {
        let bytes = post(headers);
        stands(&bytes, "/");
        let (_, request) = done(&bytes);
        assert_eq!(request.framing, *framing, "{headers}");
        assert_eq!(&bytes[request.len..], b"0\r\n\r\n", "{headers}");
    }
}
