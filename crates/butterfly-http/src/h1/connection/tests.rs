use std::time::Duration;

use butterfly_core::App;
use butterfly_core::access_log::LineSink;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::options::Options;

#[derive(Debug)]
struct NoLog;

impl LineSink for NoLog {
    fn line(&self, _: &[u8]) {}

    fn escape(&self, _: &mut Vec<u8>, _: &[u8]) {}

    fn stamp(&self, _: &mut Vec<u8>, _: &Ctx) {}
}

/// Pipelined requests cost one write: only before it waits for more does the connection send what is gathered.
#[tokio::test]
async fn answers_are_gathered_until_no_request_is_left() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, peer) = listener.accept().await.unwrap();
    let door = Door::new(Arc::new(App::default()), Options::default(), Arc::new(NoLog));
    let (ctx, spare) = (door.context(), Some(Box::default()));
    let (quiet, wire) = (ctx.started(), Wire::new(stream, Arc::default()));
    let mut connection = Connection { door: &door, wire, peer, ctx, quiet, spare, line: Vec::new() };

    client.write_all(&b"GET /x HTTP/1.1\r\nHost: t\r\n\r\n".repeat(10)).await.unwrap();
    let mut gathered = 0;
    for _ in 0..10 {
        let Next::Request(request, head) = connection.next().await else { panic!("no request") };
        assert!(connection.exchange(request, head).await.unwrap());
        assert!(connection.wire.out.len() > gathered, "nothing was sent in between");
        gathered = connection.wire.out.len();
    }
    let mut all = vec![0; gathered];
    tokio::select! {
        _ = connection.next() => panic!("there is no eleventh request"),
        read = tokio::time::timeout(Duration::from_secs(20), client.read_exact(&mut all)) => {
            assert_eq!(read.unwrap().unwrap(), gathered);
        }
    }
    assert!(connection.wire.out.is_empty());
    assert_eq!(String::from_utf8(all).unwrap().matches("HTTP/1.1 400 ").count(), 10);
}
