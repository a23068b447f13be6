//! `#[handler(cache = "30s")]`: what is answered from before, to whom, and what callers are told of it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use butterfly_core::reply::{Cookie, Http, ReplyExt, With};
use butterfly_core::{Ctx, Error, Finding, Keeping, Replies, Result};
use butterfly_macros::handler;
use bytes::Bytes;

use crate::support::{Answer, TestServer, post_json, request};

/// The number of this call: an answer with the number of one before was not made anew.
fn call_number() -> u32 {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    CALLS.fetch_add(1, Ordering::SeqCst)
}

#[handler(path = "/cached/count", cache = "30s")]
fn count(#[default("")] tag: String, #[default(1)] step: u32) -> Result<String> {
    if step == 0 {
        return Err(Error::business(format!("ERR_{}", call_number())));
    }
    Ok(format!("{tag} {}", call_number()))
}

#[handler(path = "/cached/text", http, cache = "1h")]
fn text() -> Http {
    Http::text(call_number().to_string()).header("x-kept", "yes")
}

#[handler(path = "/cached/missing", http, cache = "1h")]
fn missing() -> Http {
    Http::text(call_number().to_string()).status(404)
}

#[handler(path = "/cached/cookie", cache = "1h")]
fn cookie() -> With<u32> {
    call_number().with_cookie(Cookie::new("session", "secret"))
}

#[handler(path = "/cached/own", cache = "1h")]
fn own() -> With<u32> {
    call_number().with_header("cache-control", "no-store")
}

#[handler(path = "/cached/personal", cache = "1h")]
fn personal(ctx: &Ctx) -> u32 {
    ctx.send_header("vary", "cookie");
    call_number()
}

/// Keeps answers, and for how long they were to be kept.
#[derive(Debug, Default, Clone)]
struct Memory(Arc<Mutex<HashMap<String, (Bytes, Duration)>>>);

impl Replies for Memory {
    fn find<'a>(&'a self, key: &'a str) -> Finding<'a> {
        Box::pin(async move { self.0.lock().unwrap().get(key).map(|(answer, _)| answer.clone()) })
    }

    fn keep<'a>(&'a self, key: &'a str, answer: Bytes, time: Duration) -> Keeping<'a> {
        Box::pin(async move {
            self.0.lock().unwrap().insert(key.to_owned(), (answer, time));
        })
    }
}

fn server() -> (TestServer, Memory) {
    let memory = Memory::default();
    let replies = Box::new(memory.clone());
    let server = TestServer::with(|setup| {
        setup.replies = Some(replies);
        setup.options.trusted = Arc::new(|_| true);
    });
    (server, memory)
}

/// Asks twice; the two answers.
fn twice(server: &TestServer, target: &str) -> [Answer; 2] {
    [server.get(target), server.get(target)]
}

#[test]
fn the_same_call_is_answered_from_before() {
    let (server, memory) = server();
    let [first, second] = twice(&server, "/cached/count?tag=a&step=2");
    assert_eq!(first.text(), second.text());
    // In another order they are the same arguments.
    assert_eq!(server.get("/cached/count?step=2&tag=a").text(), first.text());
    assert_ne!(server.get("/cached/count?tag=b&step=2").text(), first.text());
    for answer in [&first, &second] {
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
        let left = answer.header("cache-control").unwrap().strip_prefix("max-age=").unwrap();
        assert!((1..=30).contains(&left.parse::<u32>().unwrap()), "{left}");
        assert!(answer.header("etag").is_some_and(|etag| etag.starts_with('"')));
    }
    assert_ne!(first.reqid(), second.reqid());
    let column = |answer: &Answer, name| server.lines.column(answer.reqid(), name);
    assert_eq!([column(&first, "res"), column(&second, "res")], ["", "cache=hit;"]);
    assert_eq!(column(&second, "params"), "tag=a;step=2");
    assert!(memory.0.lock().unwrap().values().all(|(_, time)| *time == Duration::from_secs(30)));
}

#[test]
fn who_has_the_answer_is_told_so() {
    let (server, _) = server();
    let first = server.get("/cached/count?tag=c");
    let etag = first.header("etag").unwrap();
    for known in [etag, &format!("W/{etag}"), &format!("\"x\", {etag}"), "*"] {
        let answer = server.ask(request("GET", "/cached/count?tag=c", &[("If-None-Match", known)], b""));
        assert_eq!((answer.status, answer.header("etag")), (304, Some(etag)), "{known}");
        assert!(answer.header("cache-control").is_some() && answer.header("content-type").is_none());
    }
    let answer = server.ask(request("GET", "/cached/count?tag=c", &[("If-None-Match", "\"x\"")], b""));
    assert_eq!((answer.status, answer.text()), (200, first.text()));
    // Also by one who has it from elsewhere, when it is made anew.
    let other = server.ask(request("GET", "/cached/text", &[("If-None-Match", "*")], b""));
    assert_eq!(other.status, 304);
}

#[test]
fn another_caller_gets_another_answer() {
    let (server, _) = server();
    let ask = |user: &str| server.ask(request("GET", "/cached/count?tag=d", &[("X-Username", user)], b""));
    let (alice, bob, nobody) = (ask("alice"), ask("bob"), ask(""));
    assert_eq!(ask("alice").text(), alice.text());
    assert!(alice.text() != bob.text() && alice.text() != nobody.text() && bob.text() != nobody.text());
    assert!(alice.header("cache-control").unwrap().starts_with("private, max-age="));
    assert!(nobody.header("cache-control").unwrap().starts_with("max-age="));
}

#[test]
fn headers_and_types_are_kept_with_the_answer() {
    let (server, _) = server();
    let [first, second] = twice(&server, "/cached/text");
    assert_eq!(first.text(), second.text());
    for answer in [first, second] {
        assert_eq!(answer.header("x-kept"), Some("yes"));
        assert!(answer.header("content-type").unwrap().starts_with("text/plain"));
    }
}

#[test]
fn head_and_get_share_an_answer() {
    let (server, memory) = server();
    let mut client = server.connect();
    client.send(request("HEAD", "/cached/count?tag=e", &[], b""));
    let head = client.head();
    let get = server.get("/cached/count?tag=e");
    assert_eq!(head.header("etag"), get.header("etag"));
    assert_eq!(head.header("content-length").unwrap(), get.body.len().to_string());
    assert_eq!(memory.0.lock().unwrap().len(), 1);
}

#[test]
fn what_is_no_plain_success_is_not_kept() {
    let (server, memory) = server();
    let targets =
        ["/cached/count?step=0", "/cached/missing", "/cached/cookie", "/cached/own", "/cached/personal"];
    for target in targets {
        let [first, second] = twice(&server, target);
        assert_ne!(first.text(), second.text(), "{target}");
        assert_eq!(first.header("etag"), None, "{target}");
    }
    let refused = server.get("/cached/count?step=x");
    assert_eq!((refused.stat().as_str(), refused.header("cache-control")), ("ERR_BAD_PARAMS", None));
    let long = format!("/cached/count?tag={}", "a".repeat(5000));
    let [first, second] = twice(&server, &long);
    assert_ne!(first.text(), second.text());
    let post = || server.ask(post_json("/cached/count", r#"{"tag":"f"}"#));
    assert_ne!(post().text(), post().text());
    assert!(memory.0.lock().unwrap().is_empty());
}

#[test]
fn what_another_version_kept_is_made_anew() {
    let (server, memory) = server();
    let first = server.get("/cached/count?tag=g");
    for (answer, _) in memory.0.lock().unwrap().values_mut() {
        *answer = Bytes::from_static(b"something else\nbody");
    }
    assert_ne!(server.get("/cached/count?tag=g").text(), first.text());
}

#[test]
fn without_a_place_to_keep_answers_each_call_is_made() {
    let server = TestServer::start();
    let [first, second] = twice(&server, "/cached/count?tag=h");
    assert_ne!(first.text(), second.text());
}
