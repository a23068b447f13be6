//! One connection, many requests: kept, closed, pipelined, cut into pieces.

use std::time::Duration;

use crate::support::{TestServer, get, post_json, request};

const OK: &str = r#"{"stat":"OK"}"#;

#[test]
fn a_connection_is_kept_until_the_client_says_close() {
    let server = TestServer::start();
    let mut client = server.connect();
    for _ in 0..10 {
        assert_eq!(client.ask(get("/demo/ping")).header("connection"), None);
    }
    let answer = client.ask(request("GET", "/demo/ping", &[("Connection", "close")], b""));
    assert_eq!((answer.text(), answer.header("connection")), (OK, Some("close")));
    client.expect_closed();
}

#[test]
fn http_1_0_closes_unless_asked_to_keep() {
    let server = TestServer::start();
    let mut client = server.connect();
    let kept = client.ask("GET /demo/ping HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_eq!(kept.header("connection"), Some("keep-alive"));
    let closed = client.ask("GET /demo/ping HTTP/1.0\r\n\r\n");
    assert_eq!((closed.text(), closed.header("connection")), (OK, Some("close")));
    client.expect_closed();
}

#[test]
fn http_1_0_gets_a_stream_of_unknown_length_until_the_close() {
    let server = TestServer::start();
    let mut client = server.connect();
    let answer = client.ask("GET /streams/chunks?bytes=100000 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_eq!((answer.header("transfer-encoding"), answer.header("content-length")), (None, None));
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(answer.body, crate::handlers::streams::pattern(0, 100_000));
}

#[test]
fn a_hundred_requests_at_once_are_answered_in_order() {
    let server = TestServer::start();
    let mut client = server.connect();
    let asks: Vec<u8> = (0..100).flat_map(|index| get(&format!("/demo/hello?str_info=n{index}"))).collect();
    client.send(&asks);
    for index in 0..100 {
        assert_eq!(client.answer().text(), format!(r#"{{"stat":"OK","str_info":"n{index}"}}"#));
    }
}

#[test]
fn an_answer_does_not_wait_for_the_request_after_it() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.send([get("/demo/ping"), get("/demo/wait"), get("/demo/ping")].concat());
    assert_eq!(client.answer().text(), OK);
    server.gate().open(1);
    assert_eq!(client.answer().text(), r#"{"stat":"OK","str_info":"in"}"#);
    assert_eq!(client.answer().text(), OK);
    let ask = post_json("/demo/hello", r#"{"str_info":"x"}"#);
    client.send([get("/demo/ping"), ask[..ask.len() - 1].to_vec()].concat());
    assert_eq!(client.answer().text(), OK, "also when the body of the next is still to come");
    client.send(&ask[ask.len() - 1..]);
    assert_eq!(client.answer().text(), r#"{"stat":"OK","str_info":"x"}"#);
    let upload = request("POST", "/streams/take?wait=true", &[("Content-Length", "3")], b"");
    client.send([get("/demo/ping"), upload].concat());
    assert_eq!(client.answer().text(), OK, "also when it streams");
    server.events().expect("waits");
    server.gate().open(1);
    client.send("abc");
    assert_eq!(client.answer().json()["bytes"], 3);
}

/// A request in each form, with its answer.
fn samples() -> Vec<(Vec<u8>, &'static str)> {
    let chunked = b"POST /demo/hello HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n\
        6;x=1\r\n{\"str_\r\nb\r\ninfo\":\"xy\"}\r\n0\r\nTrailer: 1\r\n\r\n";
    vec![
        (get("/demo/hello?str_info=xy"), r#"{"stat":"OK","str_info":"xy"}"#),
        (post_json("/demo/hello", r#"{"str_info":"xy"}"#), r#"{"stat":"OK","str_info":"xy"}"#),
        (chunked.to_vec(), r#"{"stat":"OK","str_info":"xy"}"#),
    ]
}

#[test]
fn requests_may_come_byte_by_byte() {
    let server = TestServer::start();
    let mut client = server.connect();
    for (ask, answer) in samples() {
        for byte in &ask {
            client.send([*byte]);
        }
        assert_eq!(client.answer().text(), answer);
    }
}

#[test]
fn requests_may_be_cut_anywhere() {
    let server = TestServer::with(|setup| setup.single = true);
    let (mut client, mut other) = (server.connect(), server.connect());
    for (ask, answer) in samples() {
        for cut in 1..ask.len() {
            client.send(&ask[..cut]);
            // All connections share a thread: when this is answered, the first piece has been read.
            other.ask(get("/demo/ping"));
            client.send(&ask[cut..]);
            assert_eq!(client.answer().text(), answer, "cut at {cut}");
        }
    }
}

#[test]
fn blank_lines_between_requests_are_forgiven() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.send([get("/demo/ping"), b"\r\n".to_vec(), get("/demo/ping")].concat());
    assert_eq!((client.answer().text(), client.answer().text()), (OK, OK));
}

#[test]
fn a_slow_head_is_given_up() {
    let server = TestServer::with(|setup| setup.options.head_timeout = Duration::from_millis(50));
    let mut client = server.connect();
    let answer = client.ask("GET /demo/ping HT");
    assert_eq!((answer.status, answer.header("connection")), (408, Some("close")));
    client.expect_closed();
    let mut client = server.connect();
    client.send(&get("/demo/ping")[..20]);
    assert_eq!(client.answer().status, 408);
    server.assert_alive();
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let server = TestServer::with(|setup| setup.options.idle_timeout = Duration::from_millis(50));
    let mut fresh = server.connect();
    fresh.expect_closed();
    let mut used = server.connect();
    used.ask(get("/demo/ping"));
    used.expect_closed();
}

#[test]
fn a_long_call_leaves_the_connection_its_idle_time() {
    let server = TestServer::with(|setup| setup.options.idle_timeout = Duration::from_millis(1500));
    let mut client = server.connect();
    client.send(get("/demo/wait"));
    server.events().expect("in");
    let began = std::time::Instant::now();
    let mut other = server.connect();
    while began.elapsed() < Duration::from_millis(1600) {
        other.ask(get("/demo/ping"));
    }
    server.gate().open(1);
    client.answer();
    assert_eq!(client.ask(get("/demo/ping")).text(), OK);
}

#[test]
fn a_client_that_goes_away_harms_nobody() {
    let server = TestServer::start();
    server.connect().send(b"GET /demo/pi");
    server.connect().send(request("POST", "/demo/hello", &[("Content-Length", "100")], b""));
    let mut waiting = server.connect();
    waiting.send(get("/demo/wait"));
    server.events().expect("in");
    drop(waiting);
    server.gate().open(1);
    server.events().expect("in gone");
    server.assert_alive();
    server.lines.written.wait("the line of the broken body", |line| line.contains("stat:ERR_BAD_PARAMS"));
}
