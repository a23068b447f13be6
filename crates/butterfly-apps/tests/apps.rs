//! The built-in apps, called as the doors call them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use butterfly_core::args::{Input, Payload};
use butterfly_core::levels::LogLevels;
use butterfly_core::reply::Content;
use butterfly_core::{App, Ctx, Door, Error, Registry, Reply, call};
use serde_json::{Value, json};

#[derive(Default)]
struct Levels(Mutex<Vec<(String, String)>>);

impl LogLevels for Levels {
    fn list(&self) -> Vec<(String, String)> {
        self.0.lock().unwrap().clone()
    }

    fn set(&self, target: &str, level: &str) -> Result<(), String> {
        if target.contains(' ') {
            return Err("a target has no spaces".into());
        }
        let mut all = self.0.lock().unwrap();
        all.retain(|(known, _)| known != target);
        all.push((target.into(), level.into()));
        Ok(())
    }
}

fn app() -> Arc<App> {
    butterfly_apps::link();
    let mut app = App::new(Registry::collect().unwrap());
    let levels = Levels(Mutex::new(vec![(String::new(), "INFO".into())]));
    app.state.insert::<Arc<dyn LogLevels>>(Arc::new(levels));
    Arc::new(app)
}

fn call_from(app: &Arc<App>, ip: &str, path: &str, input: Input<'_>) -> Result<Reply, Error> {
    let mut ctx = Ctx::within(app.clone(), Door::Http);
    ctx.set_ip(ip.parse::<IpAddr>().ok());
    let handler = app.registry.find("GET", path).unwrap().handler;
    match pin!(call(handler, &ctx, input)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("a built-in app never waits"),
    }
}

fn get(app: &Arc<App>, path: &str) -> Reply {
    let captures = app.registry.find("GET", path).unwrap().captures;
    let input = Input { captures: &captures, ..Input::default() };
    call_from(app, "127.0.0.1", path, input).unwrap()
}

fn text(reply: &Reply) -> String {
    match &reply.content {
        Content::Bytes(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        Content::Json(document) => String::from_utf8(document.clone()).unwrap(),
        other => panic!("no text: {other:?}"),
    }
}

fn header<'r>(reply: &'r Reply, name: &str) -> &'r str {
    let found = reply.headers.iter().find(|(known, _)| known == name);
    found.map_or("", |(_, value)| value.to_str().unwrap())
}

#[test]
fn health_answers_everyone_and_readiness_follows_the_app() {
    let app = app();
    let asked = |path| call_from(&app, "203.0.113.9", path, Input::default()).unwrap();
    assert_eq!((asked("/healthz").status, text(&asked("/healthz")).as_str()), (Some(200), "ok"));
    assert_eq!(asked("/readyz").status, Some(503));
    app.set_ready(true);
    assert_eq!(asked("/readyz").status, Some(200));
    app.set_ready(false);
    assert_eq!(asked("/readyz").status, Some(503));
}

#[test]
fn all_else_is_for_operators() {
    let app = app();
    let open = ["/healthz", "/readyz"];
    for handler in app.registry.handlers().iter().filter(|handler| !open.contains(&handler.path)) {
        let input = Input { query: Some("name=root&level=10"), ..Input::default() };
        let refused = call_from(&app, "203.0.113.9", handler.path, input).unwrap_err();
        assert_eq!(refused.stat().as_str(), "ERR_FORBIDDEN", "{}", handler.path);
    }
}

#[test]
fn metrics_are_in_the_text_format() {
    let reply = get(&app(), "/metrics");
    assert!(header(&reply, "content-type").starts_with("text/plain; version=0.0.4"));
    assert!(text(&reply).contains("butterfly_uptime_seconds "));
}

#[test]
fn the_document_describes_every_handler() {
    let app = app();
    let reply = get(&app, "/openapi.json");
    assert_eq!(header(&reply, "content-type"), "application/json");
    let document: Value = serde_json::from_str(&text(&reply)).unwrap();
    for handler in app.registry.handlers() {
        let item = document["paths"][handler.path].as_object().unwrap();
        for operation in item.values() {
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{} has no doc", handler.path);
        }
    }
}

#[test]
fn the_page_is_whole_and_its_policy_lets_nothing_else_in() {
    let app = app();
    let page = get(&app, "/docs");
    let html = text(&page);
    assert!(
        !html.contains("<style") && !html.contains("style=") && !html.contains("onclick"),
        "no inline code"
    );
    let mut files = vec!["/docs".to_owned()];
    files.extend(linked(&html));
    let own = |path: &&String| path.starts_with("/docs/");
    for path in files.clone().iter().filter(own) {
        let modules = text(&get(&app, path));
        let imports = modules.lines().filter_map(|line| line.split_once(" from \"./")?.1.split('"').next());
        files.extend(imports.map(|name| format!("/docs/{name}")));
    }
    assert!(files.iter().any(|path| path == "/docs/trial.js"), "{files:?}");
    for path in &files {
        let reply = get(&app, path);
        assert_eq!(reply.status, Some(200), "{path}");
        if path.starts_with("/docs") {
            assert!(header(&reply, "content-security-policy").starts_with("default-src 'self';"), "{path}");
            assert_eq!(header(&reply, "x-content-type-options"), "nosniff");
        }
    }
}

#[test]
fn the_page_has_no_other_files() {
    assert_eq!(get(&app(), "/docs/other.js").status, Some(404));
    assert_eq!(get(&app(), "/docs/..%2Fdocs.js").status, Some(404));
}

/// The local files that a page names.
fn linked(html: &str) -> Vec<String> {
    let after = |mark: &'static str| html.split(mark).skip(1).filter_map(|rest| rest.split('"').next());
    let all = after("src=\"").chain(after("href=\"")).filter(|target| !target.starts_with('#'));
    all.map(|target| {
        assert!(target.starts_with('/') && !target.starts_with("//"), "{target} is not this server's");
        target.to_owned()
    })
    .collect()
}

#[test]
fn scripts_never_write_markup() {
    let app = app();
    for path in ["/docs/docs.js", "/docs/schema.js", "/docs/trial.js", "/docs/dom.js"] {
        let script = text(&get(&app, path));
        for way in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"]
        {
            assert!(!script.contains(way), "{path} has {way}");
        }
    }
}

fn set(app: &Arc<App>, args: Value) -> Result<Reply, Error> {
    let args = args.to_string();
    let input = Input { payload: Payload::Json(args.as_bytes()), ..Input::default() };
    call_from(app, "127.0.0.1", "/demo_log/loglevel_set", input)
}

#[test]
fn levels_are_shown_and_set_by_number_or_name() {
    let app = app();
    let levels = || text(&get(&app, "/demo_log/loglevel_get"));
    assert_eq!(levels(), r#"{"stat":"OK","data":{"butterfly":20,"root":20}}"#);
    assert_eq!(text(&set(&app, json!({ "name": "root", "level": 10 })).unwrap()), r#"{"stat":"OK"}"#);
    set(&app, json!({ "name": "butterfly", "level": "Warning" })).unwrap();
    set(&app, json!({ "name": "my_app::db", "level": 50 })).unwrap();
    assert_eq!(levels(), r#"{"stat":"OK","data":{"butterfly":30,"my_app::db":40,"root":10}}"#);
    let query = Input { query: Some("name=root&level=40"), ..Input::default() };
    call_from(&app, "127.0.0.1", "/demo_log/loglevel_set", query).unwrap();
    assert!(levels().contains(r#""root":40"#));
}

#[test]
fn wrong_levels_and_names_are_refused() {
    let app = app();
    let stat = |args| set(&app, args).unwrap_err().stat().to_string();
    for level in [json!("loud"), json!(15), json!("15"), json!("")] {
        assert_eq!(stat(json!({ "name": "root", "level": level })), "ERR_LEVEL_INVALID");
    }
    assert_eq!(stat(json!({ "name": "my app", "level": 10 })), "ERR_NAME_INVALID");
    assert_eq!(stat(json!({ "name": "root", "level": true })), "ERR_BAD_PARAMS");
    assert_eq!(stat(json!({ "name": "", "level": 10 })), "ERR_BAD_PARAMS");
}

#[test]
fn without_a_log_the_fault_is_the_programs() {
    butterfly_apps::link();
    let app = Arc::new(App::new(Registry::collect().unwrap()));
    let failed = call_from(&app, "127.0.0.1", "/demo_log/loglevel_get", Input::default()).unwrap_err();
    assert_eq!(failed.stat().as_str(), "ERR_SERVER_EXCEPTION");
}
