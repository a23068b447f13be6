//! Large bodies both ways: intact, with bounded memory, and with clean ends when something breaks.

use std::sync::atomic::Ordering;

use crate::handlers::streams::{Given, byte_at, pattern};
use crate::support::{Client, TestServer, get, request};

const LARGE: u64 = 64 << 20;

/// What kernel buffers of both ends and one piece on its way may hold together.
const ON_ITS_WAY: u64 = 24 << 20;

fn given(server: &TestServer) -> u64 {
    server.app.state.get::<Given>().unwrap().0.load(Ordering::SeqCst)
}

/// Reads so many bytes and compares them.
fn read_pattern(client: &mut Client, from: u64, to: u64, mut each: impl FnMut(u64)) {
    let mut at = from;
    while at < to {
        let piece = client.bytes((to - at).min(64 << 10) as usize);
        assert!(piece.iter().zip(at..).all(|(byte, at)| *byte == byte_at(at)), "differs after {at}");
        at += piece.len() as u64;
        each(at);
    }
}

#[test]
fn a_download_goes_no_faster_than_its_reader() {
    let server = TestServer::start();
    let mut client = server.connect();
    let answer = client.send(get(&format!("/streams/give?bytes={LARGE}"))).head();
    assert_eq!(answer.header("content-length"), Some(LARGE.to_string().as_str()));
    for _ in 0..100 {
        server.assert_alive();
    }
    read_pattern(&mut client, 0, LARGE, |read| {
        let ahead = given(&server) - read;
        assert!(ahead < ON_ITS_WAY, "{ahead} bytes were made before anybody wanted them");
    });
    assert_eq!(client.ask(get("/demo/ping")).status, 200);
}

#[test]
fn an_upload_goes_no_faster_than_its_handler() {
    let server = TestServer::start();
    let mut client = server.connect();
    let length = LARGE.to_string();
    client.send(request("POST", "/streams/take?wait=true", &[("Content-Length", &length)], b""));
    server.events().expect("waits");
    let (all, mut sent) = (pattern(0, LARGE as usize), 0);
    // The handler does not read: at some time nobody takes more, though other calls go on.
    let mut refused = 0;
    while refused < 20 {
        let more = client.send_some(&all[sent..]);
        sent += more;
        refused = if more == 0 { refused + 1 } else { 0 };
        server.assert_alive();
    }
    assert!((sent as u64) < ON_ITS_WAY, "{sent} bytes were taken though nobody read them");
    server.gate().open(1);
    client.send(&all[sent..]);
    let json = client.answer().json();
    assert_eq!((&json["bytes"], &json["intact"]), (&LARGE.into(), &true.into()));
    assert!(json["pieces"].as_u64().unwrap() <= LARGE / 1024, "pieces are not tiny: {json}");
}

#[test]
fn a_stream_of_unknown_length_comes_in_chunks() {
    let server = TestServer::start();
    let mut client = server.connect();
    for bytes in [0, 1, 100_000, 3_000_000] {
        let answer = client.ask(get(&format!("/streams/chunks?bytes={bytes}")));
        assert_eq!(answer.header("transfer-encoding"), Some("chunked"));
        assert_eq!(answer.header("content-length"), None);
        assert!(answer.body == pattern(0, bytes), "{bytes}");
    }
}

#[test]
fn large_files_arrive_whole_and_in_ranges() {
    let server = TestServer::start();
    let content = pattern(0, 3 << 20);
    std::fs::write(server.folder.join("large.bin"), &content).unwrap();
    let mut client = server.connect();
    let target = "/errors/download?how=large.bin";
    assert!(client.ask(get(target)).body == content);
    let part = client.ask(request("GET", target, &[("Range", "bytes=1000000-2000000")], b""));
    assert_eq!(part.status, 206);
    assert_eq!(part.header("content-range"), Some("bytes 1000000-2000000/3145728"));
    assert!(part.body == content[1_000_000..=2_000_000]);
    let beyond = client.ask(request("GET", target, &[("Range", "bytes=9999999-")], b""));
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some("bytes */3145728")));
}

#[test]
fn a_stream_that_breaks_off_closes_the_connection() {
    let server = TestServer::start();
    for (target, whole) in [
        ("/streams/give?bytes=100000&say=200000", false),
        ("/streams/give?bytes=100000&how=breaks&say=200000", false),
        ("/streams/chunks?bytes=100000&how=breaks", false),
        ("/streams/chunks?bytes=100000&how=panics", false),
        ("/streams/give?bytes=100000&say=50000", true),
    ] {
        let mut client = server.connect();
        let answer = client.send(get(target)).head();
        assert_eq!(answer.status, 200, "{target}");
        if whole {
            assert_eq!(client.bytes(50_000), pattern(0, 50_000));
            assert_eq!(client.ask(get("/demo/ping")).status, 200);
            continue;
        }
        let rest = client.rest();
        assert!(!rest.ends_with(b"0\r\n\r\n"), "{target}: what is cut must not look whole");
        assert!(rest.len() < 150_000, "{target}");
    }
    server.assert_alive();
}

#[test]
fn a_reader_that_goes_away_ends_the_stream() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.send(get(&format!("/streams/give?bytes={LARGE}"))).head();
    client.bytes(100_000);
    drop(client);
    server.events().expect("stream dropped");
    assert!(given(&server) < LARGE);
}

#[test]
fn a_reader_that_stands_still_ends_the_stream() {
    let server = TestServer::with(|setup| {
        setup.options.body_timeout = std::time::Duration::from_millis(50);
    });
    let mut client = server.connect();
    client.send(get(&format!("/streams/give?bytes={LARGE}")));
    server.events().expect("stream dropped");
    let rest = client.rest();
    assert!((rest.len() as u64) < LARGE);
    server.assert_alive();
}

#[test]
fn the_gauge_of_connections_goes_back_after_every_end() {
    let server = TestServer::start();
    let mut keep = server.connect();
    for target in ["/streams/chunks?bytes=10&how=panics", "/streams/chunks?bytes=10&how=breaks", "/demo/ping"]
    {
        let mut client = server.connect();
        client.send(request("GET", target, &[("Connection", "close")], b"")).rest();
    }
    let until = std::time::Instant::now() + crate::support::DEADLINE;
    loop {
        keep.ask(get("/demo/ping"));
        let open = server.app.metrics.connections.load(Ordering::SeqCst);
        if open == 1 {
            return;
        }
        assert!(std::time::Instant::now() < until, "{open} connections are counted, one is open");
    }
}
