//! Bodies on their way in: chunks, `Expect`, bodies that nobody wants, bodies that never end.

use std::time::Duration;

use crate::support::{Client, TestServer, get, request};

const LENGTH_5: [(&str, &str); 1] = [("Content-Length", "5")];

#[test]
fn chunks_of_any_size_make_one_body() {
    let server = TestServer::start();
    let body: Vec<u8> = crate::handlers::streams::pattern(0, 100_000);
    for size in [1, 7, 1000, 65_536, 100_000] {
        let mut client = server.connect();
        client.send(request("POST", "/streams/take", &[("Transfer-Encoding", "chunked")], b""));
        let body = if size < 7 { &body[..3000] } else { &body };
        let mut framed = Vec::new();
        for chunk in body.chunks(size) {
            framed.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
            framed.extend_from_slice(chunk);
            framed.extend_from_slice(b"\r\n");
        }
        client.send(framed).send("0\r\n\r\n");
        let json = client.answer().json();
        assert_eq!((&json["bytes"], &json["intact"]), (&body.len().into(), &true.into()), "{size}");
        assert_eq!(client.ask(get("/demo/ping")).status, 200);
    }
}

#[test]
fn pieces_reach_the_handler_as_they_come() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.send(request("POST", "/streams/echo", &[("Transfer-Encoding", "chunked")], b""));
    for piece in ["one", "two", "three"] {
        client.send(format!("{:x}\r\n{piece}\r\n", piece.len()));
        server.events().expect(&format!("piece {piece}"));
    }
    client.send("0\r\n\r\n");
    assert_eq!(client.answer().status, 200);
}

/// Sends a head that waits to hear whether its body is wanted.
fn expecting(server: &TestServer, target: &str, length: u64) -> Client {
    let mut client = server.connect();
    let length = length.to_string();
    client.send(request("POST", target, &[("Content-Length", &length), ("Expect", "100-continue")], b""));
    client
}

#[test]
fn a_wanted_body_is_asked_for() {
    let server = TestServer::start();
    for target in ["/demo/hello", "/streams/take"] {
        let body = br#"{"str_info":"x"}"#;
        let mut client = expecting(&server, target, body.len() as u64);
        assert_eq!(client.answer().status, 100, "{target}");
        let answer = client.ask(body);
        assert_eq!((answer.status, answer.stat()), (200, "OK".into()), "{target}");
        assert_eq!(client.ask(get("/demo/ping")).status, 200);
    }
}

#[test]
fn a_refused_body_is_not_asked_for() {
    let server = TestServer::with(|setup| setup.options.max_body = 100);
    let refusals = [
        ("/no/such", 5, 400),
        ("/demo/hello", 101, 413),
        ("/streams/ignore", 5, 200),
        ("/streams/take?wrong=1", 5, 200),
    ];
    for (target, length, status) in refusals {
        let mut client = expecting(&server, target, length);
        let answer = client.answer();
        assert_eq!((answer.status, answer.header("connection")), (status, Some("close")), "{target}");
        client.expect_closed();
    }
}

#[test]
fn a_body_is_asked_for_when_the_handler_reads_it_and_not_before() {
    let server = TestServer::with(|setup| setup.single = true);
    let mut client = expecting(&server, "/streams/take?wait=true", 5);
    server.events().expect("waits");
    // All connections share a thread: a hasty server would have asked before this is answered.
    server.assert_alive();
    assert!(client.has_nothing());
    server.gate().open(1);
    assert_eq!(client.answer().status, 100);
    assert_eq!(client.ask("abcde").json()["bytes"], 5);
    let mut client = expecting(&server, "/errors/upload?how=business", 5);
    assert_eq!(client.answer().stat(), "ERR_EMPTY", "a handler that answers first never asked");
}

#[test]
fn who_does_not_wait_gets_no_second_answer() {
    let server = TestServer::start();
    let mut client = server.connect();
    let headers = [("Expect", "100-continue")];
    let ask = request("POST", "/no/such", &headers, b"abcde");
    for sent_at_first in [ask.len(), ask.len() - 1] {
        let answer = client.ask(&ask[..sent_at_first]);
        assert_eq!((answer.status, answer.header("connection")), (400, None));
        client.send(&ask[sent_at_first..]);
        assert_eq!(client.ask(get("/demo/ping")).text(), r#"{"stat":"OK"}"#);
    }
}

#[test]
fn an_answer_does_not_wait_for_a_body_that_nobody_reads() {
    let server = TestServer::start();
    for target in ["/no/such", "/streams/ignore", "/streams/take?wrong=1"] {
        let mut client = server.connect();
        let answer = client.ask(request("POST", target, &LENGTH_5, b""));
        assert_eq!(answer.header("connection"), None, "{target}");
        client.send("abcde");
        assert_eq!(client.ask(get("/demo/ping")).status, 200, "{target}: the body was passed over");
        let mut client = server.connect();
        client.ask(request("POST", target, &[("Transfer-Encoding", "chunked")], b""));
        client.send("5\r\nabcde\r\n0\r\n\r\n");
        assert_eq!(client.ask(get("/demo/ping")).status, 200, "{target}: chunks too");
    }
}

#[test]
fn a_large_body_that_nobody_reads_ends_the_connection_and_the_answer_arrives() {
    let server = TestServer::start();
    for target in ["/no/such", "/streams/ignore", "/demo/hello"] {
        let mut client = server.connect();
        client.send(request("POST", target, &[("Content-Length", "100000000")], b""));
        let _ = client.try_send(vec![b'x'; 500_000]);
        let answer = client.answer();
        assert_eq!(answer.header("connection"), Some("close"), "{target}");
        client.expect_closed();
    }
    server.assert_alive();
}

#[test]
fn a_body_that_stands_still_is_given_up() {
    let server = TestServer::with(|setup| setup.options.body_timeout = Duration::from_millis(50));
    for target in ["/demo/hello", "/errors/upload?how=read"] {
        let mut client = server.connect();
        let answer = client.ask(request("POST", target, &LENGTH_5, b""));
        let json = answer.json();
        assert_eq!((answer.status, &json["stat"]), (200, &"ERR_BAD_PARAMS".into()), "{target}");
        assert_eq!(json["reason"], "the body stood still for too long", "{target}");
        assert_eq!(answer.header("connection"), Some("close"));
        client.expect_closed();
    }
}

#[test]
fn a_body_that_drips_is_given_up_with_the_request() {
    let server = TestServer::with(|setup| setup.options.request_timeout = Duration::from_millis(100));
    let mut client = server.connect();
    client.send(request("POST", "/demo/hello", &[("Content-Length", "1000000")], b""));
    let began = std::time::Instant::now();
    // A drop now and then, long enough for the limit to pass.
    let mut other = server.connect();
    while began.elapsed() < Duration::from_millis(300) && client.try_send(" ").is_ok() {
        other.ask(get("/demo/ping"));
    }
    let answer = client.answer();
    assert_eq!((answer.text(), answer.header("connection")), (r#"{"stat":"ERR_TIMEOUT"}"#, Some("close")));
    assert_eq!(answer.header("x-reason"), Some("No answer within 100ms"));
}

#[test]
fn a_body_that_breaks_off_is_no_fault_of_the_server() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.send(request("POST", "/errors/upload?how=read", &LENGTH_5, b"")).send("ab");
    client.finish();
    let answer = client.answer();
    assert_eq!(answer.text(), r#"{"stat":"ERR_BAD_PARAMS","reason":"the body broke off"}"#);
    server.events().expect("read false");
    client.expect_closed();
}

#[test]
fn bad_chunks_are_refused_and_end_the_connection() {
    let server = TestServer::start();
    for body in [
        "x\r\n",
        "5\nabcde\r\n",
        "5\r\nabcdef\r\n",
        "-1\r\n",
        "fffffffffffffffff\r\n",
        "5 \r\nabcde",
        "0\r\n x: 1\r\n\r\n",
    ] {
        for target in ["/demo/hello", "/errors/upload?how=read", "/no/such"] {
            let mut client = server.connect();
            client.send(request("POST", target, &[("Transfer-Encoding", "chunked")], b"")).send(body);
            let answer = client.answer();
            if target != "/no/such" {
                assert_eq!(answer.stat(), "ERR_BAD_PARAMS", "{target} {body:?}");
                assert_eq!(answer.header("connection"), Some("close"), "{target} {body:?}");
            }
            client.expect_closed();
        }
    }
    server.assert_alive();
}

#[test]
fn forms_with_files_go_to_uploads_alone() {
    let server = TestServer::start();
    let form =
        "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"../a.txt\"\r\n\r\nabc\r\n--b--\r\n";
    let headers = [("Content-Type", "multipart/form-data; boundary=b")];
    let answer = server.ask(request("POST", "/streams/form", &headers, form.as_bytes()));
    assert_eq!(answer.json()["data"], serde_json::json!(["f/a.txt=3"]));
    let answer = server.ask(request("POST", "/demo/hello", &headers, form.as_bytes()));
    assert_eq!(answer.json()["reason"], "f is a file: its handler must be #[handler(upload)]");
    for broken in [&form[..form.len() - 4], &form[..40], "nonsense", "--b--\r\n--b"] {
        let answer = server.ask(request("POST", "/streams/form", &headers, broken.as_bytes()));
        let fine = answer.stat() == "ERR_BAD_PARAMS" || answer.json()["data"] == serde_json::json!([]);
        assert!(fine, "{broken:?}: {answer:?}");
    }
}
