//! What answers look like: headers, methods that ask for less, status codes that carry less.

use butterfly_core::reply::Cookie;
use butterfly_core::{Ctx, Error, Result};
use butterfly_macros::handler;

use crate::support::{TestServer, get, request};

#[handler(path = "/answers/sent")]
fn sent(ctx: &Ctx, #[default(false)] fail: bool) -> Result<u32> {
    ctx.send_header("x-call", "1");
    ctx.send_cookie(&Cookie::new("one", "old"));
    ctx.send_cookie(&Cookie::new("one", "new").max_age(5));
    ctx.send_cookie(&Cookie::new("one2", "too"));
    ctx.send_header("no header", "\n");
    if fail { Err(Error::business("ERR_FAILED")) } else { Ok(7) }
}

#[test]
fn what_a_call_sends_goes_with_its_answer_and_its_error_and_with_no_other() {
    let server = TestServer::start();
    for target in ["/answers/sent", "/answers/sent?fail=true"] {
        let answer = server.get(target);
        assert_eq!(answer.header("x-call"), Some("1"), "{target}");
        let cookies = [
            "one=new; Path=/; SameSite=Lax; Max-Age=5; HttpOnly",
            "one2=too; Path=/; SameSite=Lax; HttpOnly",
        ];
        assert_eq!(answer.all("set-cookie"), cookies, "{target}");
    }
    // A connection uses its memory again for the next call.
    let mut client = server.connect();
    client.ask(get("/answers/sent"));
    let next = client.ask(get("/demo/with_headers"));
    assert_eq!((next.header("x-call"), next.all("set-cookie").len()), (None, 2));
}

#[test]
fn handlers_add_headers_cookies_and_a_stat() {
    let server = TestServer::start();
    let answer = server.get("/demo/with_headers");
    assert_eq!(answer.text(), r#"{"stat":"OK_PART","a":1}"#);
    assert_eq!(answer.header("demo"), Some("1.0.1"));
    let one = "one=1; Path=/; SameSite=Lax; Max-Age=60; HttpOnly";
    assert_eq!(answer.all("set-cookie"), [one, "two=a%3Bb; Path=/; SameSite=Lax; HttpOnly"]);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(server.lines.column(answer.reqid(), "stat"), "OK_PART");
}

#[test]
fn content_types_come_once() {
    let server = TestServer::start();
    assert_eq!(server.get("/demo/page").header("content-type"), Some("text/html"));
    assert_eq!(server.get("/demo/json").header("content-type"), Some("application/json"));
    assert_eq!(server.get("/demo/status?code=200").header("content-type"), Some("text/plain; charset=utf-8"));
}

#[test]
fn no_header_of_a_handler_breaks_the_frame() {
    let server = TestServer::start();
    let mut client = server.connect();
    let answer = client.ask(get("/demo/sneaky"));
    assert_eq!(answer.text(), "body");
    assert_eq!(answer.header("content-length"), Some("4"));
    assert_eq!((answer.header("x-two"), answer.header("x-three")), (None, Some("c")));
    assert_eq!(client.ask(get("/demo/ping")).status, 200);
}

#[test]
fn redirects_name_their_target() {
    let server = TestServer::start();
    let answer = server.get("/demo/away");
    assert_eq!((answer.status, answer.header("location")), (303, Some("/demo/ping")));
    assert_eq!(server.lines.column(answer.reqid(), "stat"), "303");
}

#[test]
fn head_is_get_without_the_body() {
    let server = TestServer::start();
    std::fs::write(server.folder.join("some.txt"), "content").unwrap();
    let targets = [
        "/demo/hello?str_info=x",
        "/demo/only",
        "/demo/page",
        "/demo/status?code=404",
        "/demo/status?code=204",
        "/errors/download?how=some.txt",
        "/errors/download?how=none",
        "/streams/chunks?bytes=100",
        "/no/such",
    ];
    let mut client = server.connect();
    for target in targets {
        let get = client.ask(get(target));
        let head = client.send(request("HEAD", target, &[], b"")).head();
        assert_eq!(head.status, get.status, "{target}");
        let constant = |answer: &crate::support::Answer| {
            let changing = ["x-reqid", "x-cost", "date"];
            let kept = answer.headers.iter().filter(|(name, _)| !changing.contains(&name.as_str()));
            kept.cloned().collect::<Vec<_>>()
        };
        assert_eq!(constant(&head), constant(&get), "{target}");
    }
    assert_eq!(client.ask(get("/demo/ping")).text(), r#"{"stat":"OK"}"#, "no body of a HEAD was left over");
}

#[test]
fn options_names_the_methods() {
    let server = TestServer::start();
    let mut client = server.connect();
    let mut allow = |target: &str| {
        let answer = client.ask(request("OPTIONS", target, &[], b""));
        (answer.status, answer.header("allow").map(str::to_owned))
    };
    assert_eq!(allow("/demo/only"), (204, Some("GET, POST, HEAD, OPTIONS".into())));
    let all = "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS";
    assert_eq!(allow("/demo/ping"), (204, Some(all.into())));
    assert_eq!(allow("*"), (204, Some(all.into())));
    assert_eq!(allow("/no/such"), (400, None));
}

#[test]
fn what_has_no_body_says_no_length() {
    let server = TestServer::start();
    let mut client = server.connect();
    for target in ["/demo/status?code=204", "/demo/bare?code=204", "/demo/bare?code=304"] {
        let answer = client.ask(get(target));
        assert_eq!(answer.header("content-length"), None, "{target}");
        assert_eq!(answer.header("transfer-encoding"), None, "{target}");
    }
    assert_eq!(client.ask(get("/demo/ping")).status, 200, "nothing came after the heads");
}

#[test]
fn a_file_that_did_not_change_says_no_length() {
    let server = TestServer::start();
    std::fs::write(server.folder.join("some.txt"), "content").unwrap();
    let mut client = server.connect();
    let first = client.ask(get("/errors/download?how=some.txt"));
    let etag = first.header("etag").unwrap();
    let again = request("GET", "/errors/download?how=some.txt", &[("If-None-Match", etag)], b"");
    let second = client.ask(again);
    assert_eq!((second.status, second.header("content-length")), (304, None));
    assert_eq!(client.ask(get("/demo/ping")).status, 200);
}

#[test]
fn status_codes_pass_through() {
    let server = TestServer::start();
    let mut client = server.connect();
    for (code, phrase) in [(200, "OK"), (404, "Not Found"), (418, "I'm a teapot"), (777, ""), (999, "")] {
        let answer = client.ask(get(&format!("/demo/status?code={code}")));
        assert_eq!((answer.status, answer.phrase.as_str(), answer.text()), (code, phrase, "some text"));
        assert_eq!(server.lines.column(answer.reqid(), "stat"), code.to_string());
    }
    for code in [0, 99, 1000, 100, 101, 199] {
        let answer = client.ask(get(&format!("/demo/status?code={code}")));
        assert_eq!((answer.status, answer.header("x-reason")), (500, Some("Invalid ret format")), "{code}");
    }
}

#[test]
fn reqids_are_ids() {
    let server = TestServer::start();
    let mut client = server.connect();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..100 {
        let answer = client.ask(get("/demo/whoami"));
        let reqid = answer.reqid().to_owned();
        assert!(reqid.len() == 16 && reqid.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()));
        assert_eq!(answer.json()["reqid"], reqid.as_str(), "the handler knows the same id");
        assert!(seen.insert(reqid));
    }
}
