//! Servers that do not do what they should.

use std::sync::Arc;
use std::time::{Duration, Instant};

use butterfly_model::ral::{Nshead, Ral, RalError, RalErrorKind, Value, encode};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::host::{Connection, Host, frame, nobody, service, until};

/// One that answers every request with these bytes, and closes.
async fn saying(bytes: Vec<u8>) -> Host {
    Host::start(move |mut connection| {
        let bytes = bytes.clone();
        async move {
            if connection.request().await.is_some() {
                connection.send(&bytes).await;
            }
        }
    })
    .await
}

async fn error_of(host: &Host) -> RalError {
    error_within(host, Duration::from_secs(20)).await
}

async fn error_within(host: &Host, read_timeout: Duration) -> RalError {
    let users = service([host]).read_timeout(read_timeout).build().unwrap();
    let error = users.request().send::<Value>("x").await.unwrap_err();
    assert!(error.to_string().starts_with(&format!("service users at {}: ", host.address)), "{error}");
    assert!(error.possibly_processed());
    assert_eq!(host.requests(), 1, "not sent twice");
    assert_eq!(users.state()[0].idle, 0, "not used again");
    error
}

#[tokio::test]
async fn a_slow_server_is_given_up_and_not_asked_twice() {
    let host = Host::silent().await;
    let began = Instant::now();
    let error = error_within(&host, Duration::from_millis(200)).await;
    assert_eq!(error.kind(), RalErrorKind::Timeout);
    assert!(error.to_string().contains("read_timeout"), "{error}");
    assert!(began.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn a_server_that_drips_is_given_up_as_well() {
    let host = Host::start(|mut connection| async move {
        connection.request().await;
        for byte in frame(Nshead::new("x"), &encode(&Value::Null).unwrap()) {
            connection.send(&[byte]).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    let error = error_within(&host, Duration::from_millis(300)).await;
    assert_eq!(error.kind(), RalErrorKind::Timeout);
}

#[tokio::test]
async fn what_is_idempotent_is_asked_elsewhere() {
    let (silent, closing) = (Host::silent().await, saying(vec![]).await);
    let good = Host::echo().await;
    let users =
        service([&silent, &closing, &good]).retries(2).read_timeout(Duration::from_secs(1)).build().unwrap();
    for _ in 0..3 {
        assert_eq!(users.request().idempotent().send::<String>("x").await.unwrap(), "x");
    }
    assert_eq!((silent.requests(), closing.requests(), good.requests()), (1, 2, 3));
}

#[tokio::test]
async fn a_closing_server_is_an_error() {
    let error = error_of(&saying(vec![]).await).await;
    assert_eq!(error.kind(), RalErrorKind::Closed);
    assert!(error.to_string().ends_with("no answer: the connection was closed"), "{error}");
    let error = error_of(&saying(Nshead::new("x").to_bytes()[..20].to_vec()).await).await;
    assert!(error.to_string().contains("closed after 20 bytes"), "{error}");
}

#[tokio::test]
async fn a_length_that_is_a_lie_is_an_error() {
    let head = |body_len| Nshead { body_len, ..Nshead::new("x") }.to_bytes().to_vec();
    let error = error_of(&saying([head(100), vec![0; 10]].concat()).await).await;
    assert_eq!(error.kind(), RalErrorKind::Closed);
    assert!(error.to_string().contains("closed after 46 bytes"), "{error}");
    let error = error_of(&saying(head(u32::MAX)).await).await;
    assert_eq!(error.kind(), RalErrorKind::Protocol);
    assert!(error.to_string().contains("4294967295 bytes, where 16777216 are allowed"), "{error}");
    // A body shorter than it is: what is left over is never taken for the next answer.
    let body = encode(&Value::from("a long answer")).unwrap();
    let mut short = frame(Nshead::new("x"), &body);
    short[32] -= 3;
    let host = saying(short).await;
    let users = service([&host]).build().unwrap();
    for _ in 0..3 {
        assert_eq!(users.request().send::<Value>("x").await.unwrap_err().kind(), RalErrorKind::Decode);
    }
}

#[tokio::test]
async fn another_protocol_is_an_error() {
    let host = saying(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec()).await;
    let error = error_of(&host).await;
    assert_eq!(error.kind(), RalErrorKind::Protocol);
    assert!(error.to_string().contains("its magic is"), "{error}");
    let host = saying(frame(Nshead::new("x"), b"{}")).await;
    let users = service([&host]).build().unwrap();
    let error = users.request().send::<Value>("x").await.unwrap_err();
    assert_eq!((error.kind(), error.possibly_processed()), (RalErrorKind::Decode, true));
    assert!(error.to_string().contains("no known type: 0x7b"), "{error}");
}

#[tokio::test]
async fn a_connection_that_the_server_closed_meanwhile_is_not_used() {
    let close = Arc::new(Notify::new());
    let closed = Arc::new(Notify::new());
    let host = Host::start({
        let (close, closed) = (close.clone(), closed.clone());
        move |mut connection| {
            let (close, closed) = (close.clone(), closed.clone());
            async move {
                let (head, ask) = connection.request().await.unwrap();
                connection.send(&frame(head, &encode(&ask).unwrap())).await;
                close.notified().await;
                drop(connection);
                closed.notify_one();
            }
        }
    })
    .await;
    let users = service([&host]).retries(0).build().unwrap();
    for call in 1..=5 {
        assert_eq!(users.request().send::<String>("x").await.unwrap(), "x");
        assert_eq!(host.connections(), call);
        close.notify_one();
        closed.notified().await;
    }
}

#[tokio::test]
async fn a_connection_with_something_left_to_say_is_not_used() {
    let host = Host::start(|mut connection| async move {
        while let Some((head, ask)) = connection.request().await {
            let twice = frame(head, &encode(&ask).unwrap()).repeat(2);
            connection.send(&twice).await;
        }
    })
    .await;
    let users = service([&host]).build().unwrap();
    for id in 0..5 {
        assert_eq!(users.request().send::<u32>(&id).await.unwrap(), id);
    }
    assert_eq!(host.connections(), 5);
}

#[tokio::test]
async fn a_request_that_did_not_go_out_is_sent_elsewhere() {
    // Nobody reads there: what the system holds for it is soon full.
    let deaf = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let deaf_address = deaf.local_addr().unwrap().to_string();
    let good = Host::echo().await;
    let users = Ral::service("users").address(&deaf_address).address(&good.address);
    let users = users.write_timeout(Duration::from_millis(100)).build().unwrap();
    let large = Value::Bytes(vec![7; 10_000_000]);
    for _ in 0..2 {
        assert!(users.request().send_value(&large).await.unwrap() == large);
    }
    let lonely =
        Ral::service("users").address(&deaf_address).write_timeout(Duration::from_millis(50)).retries(0);
    let error = lonely.build().unwrap().request().send_value(&large).await.unwrap_err();
    assert_eq!((error.kind(), error.possibly_processed()), (RalErrorKind::Send, false));
}

#[tokio::test]
async fn an_address_that_nobody_listens_on_is_passed_over_then_left_in_peace_then_found_again() {
    let good = Host::echo().await;
    let (gone, socket) = nobody();
    let rest = Duration::from_millis(100);
    let users = service([&good]).address(&gone).breaker(3, rest).build().unwrap();
    for _ in 0..6 {
        assert_eq!(users.request().send::<String>("x").await.unwrap(), "x");
    }
    assert!(users.state()[1].resting && !users.state()[0].resting);
    // It comes back: one call finds out.
    let back = Host::on(socket.listen(16).unwrap(), Connection::echo);
    let began = Instant::now();
    while users.state()[1].resting {
        assert_eq!(users.request().send::<String>("x").await.unwrap(), "x");
        assert!(began.elapsed() < Duration::from_secs(10));
        tokio::task::yield_now().await;
    }
    let before = back.requests();
    assert!(before > 0);
    for _ in 0..10 {
        users.request().send::<String>("x").await.unwrap();
    }
    assert_eq!(back.requests() - before, 5);
}

#[tokio::test]
async fn a_service_that_is_gone_fails_at_once_after_a_while() {
    let (gone, _socket) = nobody();
    let users =
        Ral::service("users").address(&gone).retries(0).breaker(2, Duration::from_secs(60)).build().unwrap();
    for _ in 0..2 {
        let error = users.request().send::<Value>("x").await.unwrap_err();
        assert_eq!((error.kind(), error.possibly_processed()), (RalErrorKind::Connect, false));
        assert!(
            error.to_string().starts_with(&format!("service users at {gone}: cannot connect: ")),
            "{error}"
        );
    }
    let error = users.request().send::<Value>("x").await.unwrap_err();
    assert_eq!((error.kind(), error.service()), (RalErrorKind::Resting, "users"));
}

#[tokio::test]
async fn a_name_that_cannot_be_found_is_an_error() {
    let users = Ral::service("users").address("nobody.invalid:80").retries(1).build().unwrap();
    let error = users.request().send::<Value>("x").await.unwrap_err();
    assert_eq!(error.kind(), RalErrorKind::Connect);
    assert!(
        error.to_string().contains("nobody.invalid:80") && error.to_string().contains("attempt 2"),
        "{error}"
    );
}

#[tokio::test]
async fn calls_that_are_given_up_leave_nothing_behind() {
    let host = Host::start(|mut connection| async move {
        while let Some((head, ask)) = connection.request().await {
            if ask.as_str() == Some("stall") {
                std::future::pending::<()>().await;
            }
            connection.send(&frame(head, &encode(&ask).unwrap())).await;
        }
    })
    .await;
    let users = service([&host]).max_connections(2).read_timeout(Duration::from_secs(60));
    let users = users.breaker(1, Duration::from_millis(1)).build().unwrap();
    let mut asked = 0;
    for _ in 0..20 {
        // Two that are sent, and two that wait for a connection.
        let calls: Vec<_> = (0..4)
            .map(|_| {
                let users = users.clone();
                tokio::spawn(async move { users.request().send::<Value>("stall").await })
            })
            .collect();
        asked += 2;
        until(|| host.requests() == asked && users.state()[0].in_flight == 4).await;
        for call in &calls {
            call.abort();
        }
        for call in calls {
            assert!(call.await.unwrap_err().is_cancelled());
        }
        assert_eq!((users.state()[0].in_flight, users.state()[0].idle), (0, 0));
    }
    let both = tokio::join!(users.request().send::<String>("a"), users.request().send::<String>("b"));
    assert_eq!((both.0.unwrap(), both.1.unwrap()), ("a".into(), "b".into()));
    assert_eq!((users.state()[0].in_flight, users.state()[0].idle), (0, 2));
}
