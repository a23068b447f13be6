//! What every user of the original knows, and every other handler of the demo.

use serde_json::{Value, json};

use crate::folder::Folder;
use crate::service::Service;
use crate::wire::{Connection, Request};

#[test]
fn the_two_calls_that_everyone_knows() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let ping = service.get("/demo_api/ping");
    assert_eq!(ping.status, 200);
    assert_eq!(ping.text(), format!(r#"{{"stat":"OK","randstr":"{}"}}"#, ping.reqid()));
    assert_ne!(service.get("/demo_api/ping").text(), ping.text());
    let hello = service.get("/demo_api/hello?str_info=meetbill");
    assert_eq!(hello.status, 200);
    assert_eq!(hello.text(), r#"{"stat":"OK","str_info":"meetbill"}"#);
    assert_eq!(hello.header("content-type"), Some("application/json"));
    assert!(hello.header("x-cost").unwrap().parse::<f64>().unwrap() > 0.0);
    assert_eq!(hello.header("x-reason"), None);
}

#[test]
fn the_start_says_where_to_click() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let address = service.address;
    let lines: Vec<&str> = service.welcome.lines().map(str::trim).collect();
    assert!(lines[0].starts_with("demo 0.1.0 serves "), "{}", service.welcome);
    for (name, path) in [("docs     ", "/docs"), ("openapi  ", "/openapi.json"), ("metrics  ", "/metrics")] {
        assert!(lines.contains(&format!("{name} http://{address}{path}").as_str()), "{}", service.welcome);
        assert_eq!(service.get(path).status, 200);
    }
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("apps") && line.contains("demo_api, demo_async, demo_download"))
    );
}

fn document(connection: &mut Connection, request: &Request) -> Value {
    let answer = connection.call(request);
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/json")),
        "{request:?}"
    );
    answer.json()
}

#[test]
fn handlers_that_answer_json() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let mut connection = service.connect();
    for (target, expected) in [
        ("/demo_api/add?a=1&b=-3", json!({"stat": "OK", "data": -2})),
        (
            "/demo_api/add?a=9223372036854775807&b=1",
            json!({"stat": "ERR_OVERFLOW", "reason": "the sum does not fit into 64 bits"}),
        ),
        ("/demo_api/withdraw?amount=1", json!({"stat": "OK", "data": 9999})),
        ("/demo_api/withdraw?amount=10000", json!({"stat": "ERR_ACCOUNT_EMPTY"})),
        ("/demo_api/withdraw?amount=5&balance=4", json!({"stat": "ERR_INSUFFICIENT", "reason": "4"})),
        ("/demo_api/headers", json!({"stat": "OK", "data": ["visit 1"]})),
        ("/demo_api/slow?ms=0", json!({"stat": "OK"})),
        ("/demo_types/checked?percent=7&word=abc&pairs=4", json!({"stat": "OK", "data": "7% abc 4"})),
        (
            "/demo_types/login?user=bob&password=short",
            json!({"stat": "ERR_TOO_SHORT", "reason": "at least 8 characters"}),
        ),
        ("/demo_types/login?user=bob&password=long-enough", json!({"stat": "OK", "data": "bob"})),
        ("/users/7?verbose=yes", json!({"stat": "OK", "id": 7, "verbose": true})),
    ] {
        assert_eq!(document(&mut connection, &Request::get(target)), expected, "{target}");
    }
    assert!(document(&mut connection, &Request::get("/demo_api/timed"))["data"].is_u64());
    let points = Request::json("/demo_types/body?factor=3", &json!([{"x": 1, "y": -2}]));
    assert_eq!(document(&mut connection, &points), json!({"stat": "OK", "data": [{"x": 3, "y": -6}]}));
    for failing in ["/demo_api/fail", "/demo_api/crash"] {
        assert_eq!(
            document(&mut connection, &Request::get(failing)),
            json!({"stat": "ERR_SERVER_EXCEPTION"})
        );
    }
}

#[test]
fn every_form_of_parameter_comes_by_query_form_and_json_alike() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let mut connection = service.connect();
    let query = "text=a%20b&small=255&large=-5&real=1e3&yes=on&color=blue&maybe=3&list=1&list=2&day=2026-11-20\
                 &at=2026-11-20T08:30:00Z&when=2026-11-20%2008:30:00&point=%7B%22x%22%3A1%2C%22y%22%3A2%7D&blob=aGk%3D";
    let args = json!({
        "text": "a b", "small": 255, "large": -5, "real": 1000.0, "yes": true, "color": "blue", "maybe": 3,
        "list": [1, 2], "day": "2026-11-20", "at": "2026-11-20T08:30:00Z", "when": "2026-11-20 08:30:00", "point": {"x": 1, "y": 2}, "blob": "aGk=",
    });
    let mut expected = args.clone();
    expected["stat"] = "OK".into();
    for request in [
        Request::get(&format!("/demo_types/all?{query}")),
        Request::post("/demo_types/all", "application/x-www-form-urlencoded", query),
        Request::json("/demo_types/all", &args),
        Request::json("/demo_types/all?text=from+the+query", &args),
    ] {
        assert_eq!(document(&mut connection, &request), expected, "{request:?}");
    }
    let defaults = document(&mut connection, &Request::get("/demo_types/all?text=x&small=1"));
    let given =
        [&defaults["large"], &defaults["real"], &defaults["color"], &defaults["list"], &defaults["day"]];
    assert_eq!(given, [&json!(-1), &json!(0.5), &json!("red"), &json!([]), &Value::Null]);
}

#[test]
fn handlers_with_statuses_of_their_own() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let mut connection = service.connect();
    let page = connection.get("/demo_httpapi/page?name=%3Cb%3E");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.text().contains("Hello, &lt;b&gt;!"), "{page:?}");
    let teapot = connection.get("/demo_httpapi/status?code=418");
    assert_eq!((teapot.status, teapot.text()), (418, "status 418\n"));
    let redirect = connection.get("/demo_httpapi/redirect");
    assert_eq!((redirect.status, redirect.header("location")), (303, Some("/demo_api/ping")));
    let visits = connection.call(&Request::get("/demo_api/headers").header("cookie", "visits=4"));
    assert_eq!(visits.json(), json!({"stat": "OK", "data": ["visit 5"]}));
    assert_eq!(visits.header("demo"), Some("1.0.1"));
    let cookie = visits.header("set-cookie").unwrap();
    assert!(cookie.starts_with("visits=5; ") && cookie.contains("HttpOnly"), "{cookie}");
}

#[test]
fn handlers_that_stream() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let mut connection = service.connect();
    let manifest = connection.get("/demo_download/manifest");
    assert_eq!(manifest.text(), include_str!("../../Cargo.toml"));
    assert!(manifest.header("content-disposition").unwrap().contains("demo.toml"));
    let part = connection.call(&Request::get("/demo_download/manifest").header("range", "bytes=1-7"));
    assert_eq!((part.status, part.text()), (206, &manifest.text()[1..8]));
    assert!(connection.get("/demo_download/zeros?size=100000").body == vec![0; 100_000]);
    let raw = Request::post("/demo_upload/raw", "application/octet-stream", vec![7; 70_000]);
    assert_eq!(connection.call(&raw).json(), json!({"stat": "OK", "bytes": 70_000}));
    let form = "--x\r\ncontent-disposition: form-data; name=\"f\"; filename=\"../../etc/passwd\"\r\n\r\nabc\r\n--x--\r\n";
    let form = Request::post("/demo_upload/form", "multipart/form-data; boundary=x", form);
    let parts = json!([{"name": "f", "file_name": "passwd", "bytes": 3}]);
    assert_eq!(connection.call(&form).json(), json!({"stat": "OK", "data": parts}));
}

#[test]
fn health_and_documents_are_there() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let mut connection = service.connect();
    for path in ["/healthz", "/readyz"] {
        let answer = connection.get(path);
        assert_eq!((answer.status, answer.text()), (200, "ok"), "{path}");
    }
    let document = connection.get("/openapi.json");
    assert_eq!(document.header("content-type"), Some("application/json"));
    assert_eq!(document.json()["openapi"], "3.1.0");
    let docs = connection.get("/docs");
    assert_eq!((docs.status, docs.header("content-type")), (200, Some("text/html; charset=utf-8")));
}

#[test]
fn without_ops_there_is_nothing_to_look_at() {
    let folder = Folder::new();
    let service = Service::start(&folder, &["--set=ops.enabled=false"]);
    assert!(!service.welcome.contains("/metrics"), "{}", service.welcome);
    for (path, status) in [("/metrics", 400), ("/openapi.json", 400), ("/docs", 400), ("/healthz", 200)] {
        assert_eq!(service.get(path).status, status, "{path}");
    }
}
