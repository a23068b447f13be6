//! The same table with `http.errors = "rest"`: HTTP's own status codes and RFC 9457 documents.

use butterfly_http::ErrorStyle;
use serde_json::{Value, json};

use crate::errors::small_server;
use crate::support::{TestServer, get, post_json, request};

fn server() -> TestServer {
    small_server(|setup| setup.options.errors = ErrorStyle::Rest)
}

/// Asks, and compares all of the document but the id.
fn check(server: &TestServer, ask: &[u8], status: u16, stat: &str, title: &str, more: Value) {
    let what = String::from_utf8_lossy(ask);
    let answer = server.ask(ask);
    assert_eq!(answer.status, status, "{what}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}");
    let mut expected = json!({
        "type": "about:blank",
        "title": title,
        "status": status,
        "stat": stat,
        "instance": format!("urn:reqid:{}", answer.reqid()),
    });
    expected.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    assert_eq!(answer.json(), expected, "{what}");
    assert_eq!(server.lines.column(answer.reqid(), "stat"), stat, "{what}");
}

const KINDS: [&str; 4] = ["api", "upload", "download", "http"];

#[test]
fn every_kind_fails_in_the_same_form() {
    let server = server();
    for kind in KINDS {
        let check = |query: &str, status, stat, title, more| {
            check(&server, &get(&format!("/errors/{kind}?{query}")), status, stat, title, more);
        };
        check(
            "how=fine&wrong=1&n=x",
            422,
            "ERR_BAD_PARAMS",
            "Param check failed",
            json!({
                "detail": "wrong: unknown, known are how, n; n: expected an integer from 0 to 4294967295, got \"x\"",
                "params": {
                    "wrong": "unknown, known are how, n",
                    "n": "expected an integer from 0 to 4294967295, got \"x\"",
                },
            }),
        );
        let missing = json!({ "detail": "how: missing", "params": { "how": "missing" } });
        check("", 422, "ERR_BAD_PARAMS", "Param check failed", missing);
        for how in ["how=internal", "how=panic"] {
            check(how, 500, "ERR_SERVER_EXCEPTION", "API Processing Exception", json!({}));
        }
        check("how=business", 422, "ERR_EMPTY", "ERR_EMPTY", json!({}));
        let detail = json!({ "detail": "at most 3\r\nx-forged: 1 \u{1b}[31mé" });
        check("how=reason", 422, "ERR_LIMIT", "ERR_LIMIT", detail);
        check("how=busy", 503, "ERR_BUSY", "the topic is full", json!({}));
        let busy = server.get(&format!("/errors/{kind}?how=busy"));
        assert_eq!(busy.header("retry-after"), Some("2"));
        if kind != "upload" {
            check("how=forever", 504, "ERR_TIMEOUT", "No answer within 200ms", json!({}));
        }
    }
    check(&server, &get("/errors/unfit_api"), 500, "ERR_SERVER_EXCEPTION", "Dump json exception", json!({}));
}

#[test]
fn paths_methods_sizes_and_types() {
    let server = server();
    let none = || json!({});
    check(&server, &get("/no/such"), 404, "ERR_NOT_FOUND", "API Not Found", none());
    let deletes = request("DELETE", "/demo/only", &[], b"");
    let title = "Method not allowed, use GET, POST";
    check(&server, &deletes, 405, "ERR_METHOD_NOT_ALLOWED", title, none());
    assert_eq!(server.ask(&deletes).header("allow"), Some("GET, POST, HEAD, OPTIONS"));
    let long = request("POST", "/errors/api?how=x", &[], &[b' '; 101]);
    check(&server, &long, 413, "ERR_BODY_TOO_LARGE", "Body is larger than 100 bytes", none());
    let long = request("POST", "/errors/upload?how=read", &[], &[b' '; 201]);
    check(&server, &long, 413, "ERR_BODY_TOO_LARGE", "Body is larger than 200 bytes", none());
    let xml = request("POST", "/errors/api", &[("Content-Type", "application/xml")], b"<a/>");
    let title = "Unsupported media type, send JSON or a form";
    check(&server, &xml, 415, "ERR_UNSUPPORTED_MEDIA_TYPE", title, none());
    let detail = json!({ "detail": "the body must be a JSON object: invalid type: sequence, expected an object at line 1 column 0" });
    let list = post_json("/errors/api", "[1]");
    check(&server, &list, 400, "ERR_BAD_PARAMS", "Param check exception", detail);
}

#[test]
fn what_is_well_stays_as_it_is() {
    let server = server();
    let answer = server.get("/errors/api?how=fine");
    assert_eq!((answer.status, answer.text()), (200, r#"{"stat":"OK","how":"fine"}"#));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let form = request(
        "POST",
        "/errors/api",
        &[("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")],
        b"how=x",
    );
    assert_eq!(server.ask(form).status, 200);
    let json = request("POST", "/errors/api", &[("Content-Type", "application/ld+json")], br#"{"how":"x"}"#);
    assert_eq!(server.ask(json).status, 200);
}

#[test]
fn a_head_that_cannot_be_read_gets_a_document_too() {
    let server = server();
    let mut client = server.connect();
    let answer = client.ask("GET / HTTP/1.1\r\n\r\n");
    assert_eq!((answer.status, answer.header("connection")), (400, Some("close")));
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let document = answer.json();
    assert_eq!(document["status"], 400);
    assert_eq!(document["title"], "The Host header is missing: HTTP/1.1 requires it");
    let answer = server.connect().ask("GET / HTTP/3.0\r\n\r\n");
    assert_eq!((answer.status, &answer.json()["status"]), (505, &json!(505)));
}
