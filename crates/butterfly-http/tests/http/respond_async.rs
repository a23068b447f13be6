//! `Prefer: respond-async`: the call is taken in, its answer comes later.

use std::time::Duration;

use butterfly_core::{Ctx, Fault, Handler, Later, TakingIn};
use serde_json::json;

use crate::support::{Answer, Events, TestServer, get, request};

/// Takes in calls under the id `m-1`, and tells which; of one path it has enough.
#[derive(Debug)]
struct Kept;

impl Later for Kept {
    fn take_in<'a>(&'a self, ctx: &'a Ctx, handler: &'static Handler, args: String) -> TakingIn<'a> {
        Box::pin(async move {
            if handler.path == "/demo/ping" {
                let reason = "the topic /demo/ping is full".into();
                return Err(Fault::Busy { reason, retry_after: Duration::from_millis(1500) }.into());
            }
            ctx.state::<Events>()?.push(format!("{} {args}", handler.path));
            Ok("m-1".into())
        })
    }
}

fn server() -> TestServer {
    TestServer::with(|setup| setup.later = Some(Box::new(Kept)))
}

const ASYNC: (&str, &str) = ("Prefer", "wait=5, Respond-Async");

fn ask(server: &TestServer, target: &str) -> Answer {
    server.ask(request("GET", target, &[ASYNC], b""))
}

#[test]
fn a_call_is_taken_in_and_said_where_its_answer_will_be() {
    let server = server();
    let answer = ask(&server, "/demo/hello?str_info=7&times=2");
    assert_eq!((answer.status, answer.text()), (202, r#"{"stat":"OK","msg_id":"m-1"}"#));
    assert_eq!(answer.header("preference-applied"), Some("respond-async"));
    assert_eq!(answer.header("location"), Some("/baichuan/msg_info?msg_id=m-1"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    server.events().wait("the call", |event| event == r#"/demo/hello {"str_info":"7","times":2}"#);
    let column = |name| server.lines.column(answer.reqid(), name);
    assert_eq!([column("stat"), column("res")], ["OK", "enqueued=m-1;"]);
    assert_eq!(column("params"), "str_info=7;times=2");
}

#[test]
fn kinds_with_a_status_of_their_own_are_taken_in_too() {
    let server = server();
    let answer = ask(&server, "/demo/status?code=404");
    assert_eq!((answer.status, answer.text()), (202, r#"{"stat":"OK","msg_id":"m-1"}"#));
}

#[test]
fn what_does_not_fit_is_refused_at_once() {
    let server = server();
    let answer = ask(&server, "/demo/hello?times=500");
    let problems = json!({ "str_info": "missing", "times": "must be in 1..=100, got 500" });
    assert_eq!(answer.json(), json!({ "stat": "ERR_BAD_PARAMS", "params": problems }));
    assert_eq!((answer.status, answer.header("preference-applied")), (200, None));
    assert!(server.events().list().is_empty());
}

#[test]
fn without_the_preference_or_a_queue_the_call_is_made_now() {
    let hello = "/demo/hello?str_info=hi";
    let made = r#"{"stat":"OK","str_info":"hi"}"#;
    let server = server();
    for headers in [&[][..], &[("Prefer", "return=minimal")], &[("Prefers", "respond-async")]] {
        assert_eq!(server.ask(request("GET", hello, headers, b"")).text(), made, "{headers:?}");
    }
    assert_eq!(ask(&TestServer::start(), hello).text(), made);
}

#[test]
fn a_handler_that_reads_its_body_is_called_now() {
    let answer = server().ask(request("POST", "/errors/upload?how=fine", &[ASYNC], b"abc"));
    assert_eq!((answer.status, answer.text()), (200, r#"{"stat":"OK","how":"fine"}"#));
}

#[test]
fn a_full_queue_says_when_to_come_again() {
    let answer = ask(&server(), "/demo/ping");
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("2")));
    assert_eq!(answer.json(), json!({ "stat": "ERR_BUSY", "reason": "the topic /demo/ping is full" }));
    assert_eq!(answer.header("x-reason"), Some("the topic /demo/ping is full"));
}

#[test]
fn layers_see_the_same() {
    let server = TestServer::with(|setup| {
        setup.later = Some(Box::new(Kept));
        setup.layer = Some(Box::new(|door| butterfly_http::chain(butterfly_http::DoorService(door))));
    });
    assert_eq!(ask(&server, "/demo/hello?str_info=hi").status, 202);
    assert_eq!(server.ask(get("/demo/hello?str_info=hi")).status, 200);
}
