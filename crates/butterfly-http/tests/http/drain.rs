//! The stop: calls that run may end, all else ends at once.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::{DEADLINE, TestServer, get, request};

/// Waits until the server has noticed that it is to stop.
fn until_not_ready(server: &TestServer) {
    let until = Instant::now() + DEADLINE;
    while server.app.ready() {
        assert!(Instant::now() < until, "still ready");
        std::thread::yield_now();
    }
}

#[test]
fn a_call_that_runs_is_answered_and_told_to_close() {
    let mut server = TestServer::start();
    let mut slow = server.connect();
    slow.send(get("/demo/wait?name=slow"));
    server.events().expect("slow");
    assert!(server.app.ready());
    server.begin_stop();
    until_not_ready(&server);
    server.gate().open(1);
    let answer = slow.answer();
    assert_eq!(
        (answer.text(), answer.header("connection")),
        (r#"{"stat":"OK","str_info":"slow"}"#, Some("close"))
    );
    slow.expect_closed();
    drop(slow);
    assert_eq!(server.stopped(), 0);
}

#[test]
fn idle_connections_close_at_once_and_new_ones_are_refused() {
    let mut server = TestServer::start();
    let mut slow = server.connect();
    slow.send(get("/demo/wait?name=slow"));
    server.events().expect("slow");
    let (mut fresh, mut used) = (server.connect(), server.connect());
    used.ask(get("/demo/ping"));
    fresh.ask(get("/demo/ping"));
    server.begin_stop();
    fresh.expect_closed();
    used.expect_closed();
    assert!(!server.app.ready());
    assert!(TcpStream::connect(server.address).is_err(), "the socket listens no more");
    server.gate().open(1);
    slow.answer();
    drop(slow);
    assert_eq!(server.stopped(), 0);
}

#[test]
fn a_request_on_its_way_and_a_stream_are_finished() {
    // One thread, so that what was sent first has been read when a later call is answered.
    let mut server = TestServer::with(|setup| setup.single = true);
    let mut partial = server.connect();
    let ask = get("/demo/ping");
    partial.send(&ask[..10]);
    let mut upload = server.connect();
    upload.send(request("POST", "/streams/take?wait=true", &[("Content-Length", "5")], b"")).send("ab");
    server.events().expect("waits");
    let mut download = server.connect();
    download.send(get("/streams/give?bytes=30000000")).head();
    server.begin_stop();
    until_not_ready(&server);
    server.gate().open(1);
    upload.send(crate::handlers::streams::pattern(0, 3));
    assert_eq!(upload.answer().header("connection"), Some("close"));
    assert_eq!(download.bytes(30_000_000).len(), 30_000_000);
    download.expect_closed();
    let answer = partial.ask(&ask[10..]);
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    drop((partial, upload, download));
    assert_eq!(server.stopped(), 0);
}

#[test]
fn the_limit_is_kept_and_those_left_are_counted() {
    let mut server = TestServer::with(|setup| setup.options.drain_timeout = Duration::from_millis(50));
    let mut slow = [server.connect(), server.connect()];
    for (index, client) in slow.iter_mut().enumerate() {
        client.send(get(&format!("/demo/wait?name=slow{index}")));
        server.events().expect(&format!("slow{index}"));
    }
    let idle = server.connect();
    assert_eq!(server.stopped(), 2);
    drop(idle);
}

#[test]
fn pipelined_requests_after_the_stop_are_left_unanswered() {
    let mut server = TestServer::start();
    let mut client = server.connect();
    client.send([get("/demo/wait"), get("/demo/ping")].concat());
    server.events().expect("in");
    server.begin_stop();
    until_not_ready(&server);
    server.gate().open(1);
    assert_eq!(client.answer().header("connection"), Some("close"));
    client.expect_closed();
    drop(client);
    assert_eq!(server.stopped(), 0);
}
