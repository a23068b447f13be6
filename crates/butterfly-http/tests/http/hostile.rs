//! Hostile bytes: each gets a clear refusal or a closed connection, and the server stays up.

use crate::support::{TestServer, get, post_json, request};

/// Requests of which two readers could make two different things, with a second request hidden in their bodies.
const SMUGGLED: &str = "GET /demo/hello?str_info=smuggled HTTP/1.1\r\nHost: t\r\n\r\n";

#[test]
fn ambiguous_frames_are_refused_and_what_follows_is_never_read_as_a_request() {
    let server = TestServer::start();
    let length = SMUGGLED.len();
    let pairs = [
        format!("Content-Length: {length}\r\nTransfer-Encoding: chunked"),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {length}"),
        "Content-Length: 0\r\nContent-Length: 5".into(),
        "Content-Length: 5\r\nContent-Length: 5".into(),
        "Content-Length: 0, 5".into(),
        "Content-Length: +5".into(),
        "Content-Length: 0x5".into(),
        "Content-Length: 5 5".into(),
        "Content-Length:".into(),
        "Content-Length : 5".into(),
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity".into(),
        "Transfer-Encoding: gzip, chunked".into(),
        "Transfer-Encoding: xchunked".into(),
        "Transfer-Encoding : chunked".into(),
        "Transfer-Encoding:\x0bchunked".into(),
        " Transfer-Encoding: chunked".into(),
        "X: 1\r\n\tTransfer-Encoding: chunked".into(),
        "X: 1\nTransfer-Encoding: chunked".into(),
        "X: 1\rTransfer-Encoding: chunked".into(),
        "Host: other".into(),
        "X\0: 1".into(),
        "X: \0".into(),
    ];
    for pair in pairs {
        let mut client = server.connect();
        client.send(format!("POST /demo/ping HTTP/1.1\r\nHost: t\r\n{pair}\r\n\r\n0\r\n\r\n{SMUGGLED}"));
        let answer = client.answer();
        assert!(matches!(answer.status, 400 | 501), "{pair:?}: {answer:?}");
        assert_eq!(answer.header("connection"), Some("close"), "{pair:?}");
        client.expect_closed();
    }
    assert!(!server.lines.written.list().iter().any(|line| line.contains("smuggled")));
    server.assert_alive();
}

#[test]
fn broken_request_lines_get_their_status() {
    let server = TestServer::start();
    for (line, status) in [
        ("GET", 400),
        ("GET /demo/ping", 400),
        ("GET  /demo/ping HTTP/1.1", 400),
        ("GET /demo/ping HTTP/1.1 ", 400),
        ("GET /demo/p ing HTTP/1.1", 400),
        ("GET demo/ping HTTP/1.1", 400),
        ("GET /demo/ping#x HTTP/1.1", 400),
        ("GET /demo/ping HTTP/2.0", 505),
        ("GET /demo/ping HTTP/0.9", 505),
        ("GET /demo/ping http/1.1", 400),
        ("CONNECT example.org:443 HTTP/1.1", 405),
        ("G\u{e9}T /demo/ping HTTP/1.1", 400),
        ("\u{16}\u{3}\u{1}\u{2}\0\u{1}", 400),
        ("SSH-2.0-OpenSSH_9.6", 400),
        ("AVERYLONGMETHODNAMETHATNOBODYKNOWS / HTTP/1.1", 501),
    ] {
        let mut client = server.connect();
        let answer = client.ask(format!("{line}\r\nHost: t\r\n\r\n"));
        assert_eq!((answer.status, answer.header("connection")), (status, Some("close")), "{line:?}");
        client.expect_closed();
    }
    let mut client = server.connect();
    client.send("\r\n".repeat(100));
    assert_eq!(client.answer().status, 400);
    server.assert_alive();
}

#[test]
fn expectations_other_than_continue_are_refused() {
    let server = TestServer::start();
    assert_eq!(server.ask(request("GET", "/demo/ping", &[("Expect", "a cake")], b"")).status, 417);
}

#[test]
fn garbage_of_all_kinds_is_survived() {
    let server = TestServer::start();
    let mut seed = 1u64;
    for round in 0..300 {
        let mut bytes = post_json("/demo/types?int=1", r#"{"text":"x"}"#);
        for _ in 0..=round % 5 {
            // A simple generator: the same garbage each time.
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (seed >> 33) as usize % bytes.len();
            bytes[at] = (seed >> 20) as u8;
        }
        let mut client = server.connect();
        let _ = client.try_send(&bytes);
        client.finish();
        client.rest();
    }
    server.assert_alive();
}

#[test]
fn json_bodies_of_all_evils() {
    let server = TestServer::start();
    let nested = |open: &str, close: &str, depth| format!("{}1{}", open.repeat(depth), close.repeat(depth));
    let bodies = [
        nested("[", "]", 100_000),
        nested(r#"{"point":"#, "}", 100_000),
        format!(r#"{{"point":{}}}"#, nested("[", "]", 200_000)),
        format!(r#"{{"text":{}"#, "[".repeat(500_000)),
        format!(r#"{{"int":{}}}"#, "9".repeat(1_000_000)),
        format!(r#"{{"int":1e{}}}"#, "9".repeat(1000)),
        r#"{"int":1e400,"float":1e400}"#.into(),
        r#"{"float":-1e-400}"#.into(),
        r#"{"int":18446744073709551616}"#.into(),
        r#"{"text":"\ud800"}"#.into(),
        r#"{"text":"\u0000"}"#.into(),
        "{\"text\":\"\0\"}".into(),
        "\0".into(),
        "{\"a\":1}\0".into(),
        "\u{feff}{}".into(),
        "{'text':1}".into(),
        "NaN".into(),
        r#"{"__proto__":{},"":1}"#.into(),
    ];
    for body in bodies {
        let shown = &body[..body.floor_char_boundary(40)];
        let answer = server.ask(post_json("/demo/types", &body));
        assert_eq!(answer.status, 200, "{shown}");
        assert!(["OK", "ERR_BAD_PARAMS"].contains(&answer.stat().as_str()), "{shown}: {answer:?}");
        assert!(answer.body.len() < 2000, "{shown}: {} bytes", answer.body.len());
    }
    let whole = server.ask(post_json("/demo/whole?factor=1", &nested("[", "]", 100_000)));
    assert_eq!(whole.stat(), "ERR_BAD_PARAMS");
    server.assert_alive();
}

#[test]
fn query_strings_of_all_evils() {
    let server = TestServer::start();
    let huge = "9".repeat(5000);
    for query in [
        "int=%00",
        "int=%ff%fe",
        "text=%c0%af",
        "text=%ed%a0%80",
        "%=%",
        "=",
        "&=&=&",
        "int=+1",
        "int=-0",
        "int=9223372036854775808",
        "float=nan",
        "float=inf",
        "float=1e999",
        "list=[",
        "list=[[[[[[[[",
        "point={\"x\":1}",
        "point=%7B",
        "flag=maybe",
        "text=%F0%9F%98%80",
        "int=0x10",
        "int=1_000",
        &format!("int={huge}"),
        &format!("float={huge}"),
        &format!("list={}", "[".repeat(5000)),
        &"a&".repeat(3000),
        &"int=1&".repeat(1000),
        &"%00=%00;".repeat(500),
    ] {
        let shown = &query[..query.len().min(40)];
        let answer = server.get(&format!("/demo/types?{query}"));
        assert_eq!(answer.status, 200, "{shown}");
        assert!(["OK", "ERR_BAD_PARAMS"].contains(&answer.stat().as_str()), "{shown}: {answer:?}");
        assert!(answer.body.len() < 20_000, "{shown}: {} bytes", answer.body.len());
    }
    let floats = server.get("/demo/types?float=inf");
    assert!(floats.json()["float"].is_null() || floats.stat() == "ERR_BAD_PARAMS", "{floats:?}");
}

#[test]
fn cookies_and_headers_of_all_evils() {
    let server = TestServer::start();
    for value in
        ["", ";", "=", ";;=;=", "a", "a=\"", "a=\"\"", "\u{fe}=\u{ff}", "a=b=c=d", &"a=b;".repeat(5000)]
    {
        let answer = server.ask(request("GET", "/demo/cookies", &[("Cookie", value)], b""));
        assert_eq!(answer.stat(), "OK", "{value:?}");
    }
    for content_type in [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"",
        ";;;",
        "\u{fe}",
    ] {
        let answer =
            server.ask(request("POST", "/demo/types", &[("Content-Type", content_type)], b"--x\r\n"));
        assert_eq!(answer.stat(), "ERR_BAD_PARAMS", "{content_type:?}");
    }
    assert_eq!(server.ask(get("/demo/ping")).status, 200);
}
