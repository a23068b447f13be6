//! What a call is, when all is well.

use std::time::{Duration, Instant};

use butterfly_core::{Ctx, Door};
use butterfly_model::ral::{Limits, RalErrorKind, Value, encode, log_id};
use serde::{Deserialize, Serialize};

use crate::host::{Host, frame, service};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Ask {
    id: u32,
    names: Vec<String>,
}

#[tokio::test]
async fn a_call_carries_its_reqid_and_its_time_stands_in_the_log() {
    let host = Host::start(|mut connection| async move {
        while let Some((head, ask)) = connection.request().await {
            let said = Value::object([
                ("log_id", Value::from(head.log_id)),
                ("provider", head.provider_text().as_ref().into()),
                ("version", u32::from(head.version).into()),
                ("ask", ask),
            ]);
            connection.send(&frame(head, &encode(&said).unwrap())).await;
        }
    })
    .await;
    let users = service([&host]).provider("shop").build().unwrap();
    let mut ctx = Ctx::new(Door::Cli);
    let ask = Ask { id: 7, names: vec!["蝶".into()] };
    let said: Value = users.call(&ctx, &ask).await.unwrap();
    assert_eq!(said.get("log_id").and_then(Value::as_u64), Some(log_id(ctx.reqid()).into()));
    assert_eq!(said.get("provider").and_then(Value::as_str), Some("shop"));
    let asked: Ask = butterfly_model::ral::from_value(said.get("ask").unwrap().clone()).unwrap();
    assert_eq!(asked, ask);
    let talk = &ctx.notes_mut().talk;
    assert!(matches!(talk[..], [("users", ms)] if ms > 0.0), "{talk:?}");

    let said: Value = users.request().log_id(5).version(2).send(&ask).await.unwrap();
    assert_eq!(said.get("log_id").and_then(Value::as_u64), Some(5));
    assert_eq!(said.get("version").and_then(Value::as_u64), Some(2));
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let host = Host::echo().await;
    let users = service([&host]).build().unwrap();
    for id in 0..50 {
        let ask = Ask { id, names: vec![] };
        assert_eq!(users.request().send::<Ask>(&ask).await.unwrap(), ask);
    }
    assert_eq!((host.connections(), host.requests()), (1, 50));
    assert_eq!((users.state()[0].idle, users.state()[0].in_flight), (1, 0));
}

#[tokio::test]
async fn large_messages_go_both_ways() {
    let host = Host::echo().await;
    let users = service([&host]).read_timeout(Duration::from_secs(5)).build().unwrap();
    let large = Value::object([("bytes", Value::Bytes((0..8_000_000u32).map(|byte| byte as u8).collect()))]);
    assert!(users.request().send_value(&large).await.unwrap() == large);
}

#[tokio::test]
async fn the_deadline_of_the_call_holds() {
    let host = Host::silent().await;
    let users = service([&host]).read_timeout(Duration::from_secs(60)).breaker(1, Duration::from_secs(60));
    let users = users.build().unwrap();
    let mut ctx = Ctx::new(Door::Cli);
    let began = Instant::now();
    ctx.set_deadline(Some(began + Duration::from_millis(50)));
    let error = users.call::<Value>(&ctx, "x").await.unwrap_err();
    assert_eq!(error.kind(), RalErrorKind::Deadline);
    assert!(error.possibly_processed());
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(50) && took < Duration::from_secs(10), "{took:?}");
    let error = users.request().timeout(Duration::from_millis(10)).send::<Value>("x").await.unwrap_err();
    assert_eq!(error.kind(), RalErrorKind::Deadline);
    assert!(!users.state()[0].resting, "that was not the address's fault");
}

#[tokio::test]
async fn stray_zeros_are_taken_where_the_service_sends_them() {
    let host = Host::start(|mut connection| async move {
        while let Some((head, ask)) = connection.request().await {
            let mut body = encode(&ask).unwrap();
            body.extend([0; 4]);
            connection.send(&frame(head, &body)).await;
        }
    })
    .await;
    let strict = service([&host]).build().unwrap();
    let error = strict.request().send::<Value>("x").await.unwrap_err();
    assert_eq!(error.kind(), RalErrorKind::Decode);
    assert!(error.to_string().contains("4 bytes behind the value"), "{error}");
    let lenient = service([&host]).limits(Limits::default().stray_zeros(true)).build().unwrap();
    assert_eq!(lenient.request().send::<String>("x").await.unwrap(), "x");
}

#[tokio::test]
async fn an_answer_of_another_type_is_an_error_that_names_the_place() {
    let host = Host::echo().await;
    let users = service([&host]).build().unwrap();
    let error = users.request().send::<u32>("x").await.unwrap_err();
    assert_eq!((error.kind(), error.address()), (RalErrorKind::Decode, Some(&*host.address)));
    assert!(error.to_string().starts_with(&format!("service users at {}: ", host.address)), "{error}");
    assert!(error.to_string().contains("expected u32"), "{error}");
    let wrong_key = std::collections::BTreeMap::from([(vec![1], 1)]);
    let error = users.request().send::<Value>(&wrong_key).await.unwrap_err();
    assert_eq!(error.kind(), RalErrorKind::Encode);
}
