//! Limits: heads, targets, lengths, connections.

use butterfly_http::h1::parse::HeadLimits;

use crate::support::{Client, TestServer, get, request};

/// Sends what may be refused before it is all there; the answer must say that the connection ends.
fn refused(server: &TestServer, bytes: &[u8]) -> u16 {
    let mut client = server.connect();
    let _ = client.try_send(bytes);
    let answer = client.answer();
    assert_eq!(answer.header("connection"), Some("close"));
    assert!(answer.header("x-reason").is_some() && answer.header("x-reqid").is_some());
    client.expect_closed();
    answer.status
}

#[test]
fn heads_have_an_end() {
    let server = TestServer::start();
    let limits = HeadLimits::default();
    let header = |bytes: usize| request("GET", "/demo/ping", &[("X-Long", &"x".repeat(bytes))], b"");
    assert_eq!(server.ask(header(limits.max_bytes - 100)).status, 200);
    assert_eq!(refused(&server, &header(limits.max_bytes)), 431);
    assert_eq!(refused(&server, &header(10 << 20)), 431);
    let many = |count: usize| request("GET", "/demo/ping", &vec![("X", "1"); count], b"");
    assert_eq!(server.ask(many(limits.max_headers - 1)).status, 200);
    assert_eq!(refused(&server, &many(limits.max_headers)), 431);
    assert_eq!(refused(&server, &many(100_000)), 431);
    server.assert_alive();
}

#[test]
fn targets_have_an_end() {
    let server = TestServer::start();
    let target = |bytes: usize| get(&format!("/{}", "x".repeat(bytes)));
    let limits = HeadLimits::default();
    assert_eq!(server.ask(target(limits.max_target - 1)).header("x-reason"), Some("API Not Found"));
    assert_eq!(refused(&server, &target(limits.max_target)), 414);
    assert_eq!(refused(&server, &target(5 << 20)), 414);
    assert_eq!(refused(&server, &vec![b'G'; 1 << 20]), 414);
}

#[test]
fn a_length_that_is_too_large_is_refused_unread() {
    let server = TestServer::start();
    for length in ["2097153", "99999999999", "9223372036854775807", "18446744073709551615"] {
        for target in ["/demo/hello", "/errors/upload?how=read"] {
            if target.contains("upload") && length == "2097153" {
                continue;
            }
            let mut client = server.connect();
            let answer = client.ask(request("POST", target, &[("Content-Length", length)], b""));
            assert_eq!((answer.status, answer.header("connection")), (413, Some("close")), "{length}");
            assert_eq!(answer.stat(), "ERR_BODY_TOO_LARGE");
            client.expect_closed();
        }
    }
    assert_eq!(
        refused(&server, &request("POST", "/demo/hello", &[("Content-Length", "18446744073709551616")], b"")),
        400
    );
}

#[test]
fn chunks_count_towards_the_limit() {
    let server = TestServer::with(|setup| setup.options.max_body = 1000);
    let mut client = server.connect();
    client.send(request("POST", "/demo/hello", &[("Transfer-Encoding", "chunked")], b""));
    let answer = client.send("3e9\r\n").send([b' '; 1001]).answer();
    assert_eq!(answer.status, 413);
    let mut client = server.connect();
    client.send(request("POST", "/demo/hello", &[("Transfer-Encoding", "chunked")], b""));
    let _ = client.try_send("ffffffffffffffff\r\n").and_then(|()| client.try_send(vec![b' '; 1 << 20]));
    assert_eq!(client.answer().status, 413);
    server.assert_alive();
}

#[test]
fn the_limit_itself_is_allowed() {
    let server = TestServer::with(|setup| setup.options.max_body = 16);
    let answer = server.ask(request("POST", "/demo/hello", &[], br#"{"str_info":"x"}"#));
    assert_eq!(answer.stat(), "OK");
}

#[test]
fn too_many_connections_are_turned_away() {
    let server = TestServer::with(|setup| setup.options.max_connections = 2);
    let mut open: Vec<Client> = (0..2).map(|_| server.connect()).collect();
    for client in &mut open {
        assert_eq!(client.ask(get("/demo/ping")).status, 200);
    }
    let mut third = server.connect();
    let answer = third.answer();
    assert_eq!((answer.status, answer.header("connection")), (503, Some("close")));
    third.expect_closed();
    drop(open.pop());
    let until = std::time::Instant::now() + crate::support::DEADLINE;
    loop {
        let mut next = server.connect();
        let _ = next.try_send(get("/demo/ping"));
        match next.answer().status {
            200 => return,
            status => assert_eq!(status, 503),
        }
        assert!(std::time::Instant::now() < until, "the place of a closed connection stays taken");
    }
}

/// Room for sockets: both ends of each connection are in this process.
fn connections_possible() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // As much as this process may have; what is refused is left as it was.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let allowed = getrlimit(Resource::Nofile).current.map_or(usize::MAX, |limit| limit as usize);
    (allowed.saturating_sub(1000) / 2).min(10_000)
}

#[test]
fn ten_thousand_idle_connections_hold_nobody_up() {
    let count = connections_possible();
    println!("{count} idle connections, as many as the limit of open files allows up to 10000");
    let server = TestServer::with(|setup| setup.options.max_connections = 20_000);
    let mut idle = Vec::new();
    while idle.len() < count {
        idle.push(server.connect());
        // Not more at once than the socket's queue holds, which would cost seconds.
        if idle.len() % 500 == 0 {
            server.assert_alive();
        }
    }
    assert_eq!(idle[0].ask(get("/demo/ping")).status, 200);
    assert_eq!(idle[count - 1].ask(get("/demo/ping")).status, 200);
    server.assert_alive();
    let open = server.app.metrics.connections.load(std::sync::atomic::Ordering::SeqCst);
    assert!(open >= count, "{open} of {count}");
}
