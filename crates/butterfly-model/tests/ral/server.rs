//! The server half, and clients that do not do what they should.

use std::time::Duration;

use butterfly_model::ral::{Nshead, Ral, RalErrorKind, Server, Value, encode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::host::frame;

/// A server of ours that echoes, but for what makes it panic.
async fn start(server: Server) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(server.serve(listener, async |_, ask: Value| {
        assert_ne!(ask, Value::from("panic"), "as the test wants it");
        ask
    }));
    address
}

#[tokio::test]
async fn hostile_clients_are_put_out_and_the_others_stay() {
    let address = start(Server::default().max_body(1000).idle_timeout(Duration::from_secs(20))).await;
    let users = Ral::service("users").address(&address).retries(0).build().unwrap();
    let head = |body_len| Nshead { body_len, ..Nshead::new("x") }.to_bytes().to_vec();
    let hostile = [
        b"GET / HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n".to_vec(),
        head(u32::MAX),
        head(1001),
        frame(Nshead::new("x"), b"no mcpack"),
        frame(Nshead::new("x"), &[]),
        frame(Nshead::new("x"), &encode(&Value::from("panic")).unwrap()),
    ];
    for bytes in hostile {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(&bytes).await.unwrap();
        let mut answer = Vec::new();
        // Closed, or reset where it was sent more than was read.
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.is_empty(), "{bytes:x?}");
        assert_eq!(users.request().send::<String>("x").await.unwrap(), "x");
    }
    let error = users.request().send::<Value>("panic").await.unwrap_err();
    assert_eq!(error.kind(), RalErrorKind::Closed);
}

#[tokio::test]
async fn requests_on_one_connection_are_answered_in_turn_with_their_ids() {
    let address = start(Server::default()).await;
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let asks: Vec<Vec<u8>> = (0..20u32)
        .map(|log_id| frame(Nshead { log_id, id: 3, ..Nshead::new("x") }, &encode(&log_id.into()).unwrap()))
        .collect();
    stream.write_all(&asks.concat()).await.unwrap();
    let mut answers = vec![0; asks.concat().len()];
    stream.read_exact(&mut answers).await.unwrap();
    assert_eq!(answers, asks.concat());
}

#[tokio::test]
async fn a_client_that_says_nothing_makes_room_for_others() {
    let address = start(Server::default().max_connections(1).idle_timeout(Duration::from_millis(50))).await;
    let _quiet = TcpStream::connect(&address).await.unwrap();
    let users = Ral::service("users").address(&address).build().unwrap();
    assert_eq!(users.request().send::<String>("x").await.unwrap(), "x");
}
