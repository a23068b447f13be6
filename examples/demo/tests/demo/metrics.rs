//! `/metrics`: the documented names, and counts that are right.

use crate::exposition::Exposition;
use crate::folder::Folder;
use crate::messages::{ended, later};
use crate::service::Service;
use crate::wire::Connection;

const FAMILIES: [(&str, &str); 19] = [
    ("butterfly_cache_total", "counter"),
    ("butterfly_connections", "gauge"),
    ("butterfly_queue_failed_total", "counter"),
    ("butterfly_queue_finished_total", "counter"),
    ("butterfly_queue_lease_losses_total", "counter"),
    ("butterfly_queue_messages", "gauge"),
    ("butterfly_queue_oldest_seconds", "gauge"),
    ("butterfly_queue_paused", "gauge"),
    ("butterfly_queue_reaped_total", "counter"),
    ("butterfly_queue_released_total", "counter"),
    ("butterfly_queue_retried_total", "counter"),
    ("butterfly_queue_run_seconds", "histogram"),
    ("butterfly_queue_up", "gauge"),
    ("butterfly_queue_wait_seconds_total", "counter"),
    ("butterfly_request_seconds", "histogram"),
    ("butterfly_requests_total", "counter"),
    ("butterfly_talk_seconds_total", "counter"),
    ("butterfly_talk_total", "counter"),
    ("butterfly_uptime_seconds", "gauge"),
];

fn scrape(connection: &mut Connection) -> Exposition {
    let answer = connection.get("/metrics");
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    Exposition::parse(answer.text())
}

#[test]
fn calls_are_counted_by_handler_and_stat() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let mut connection = service.connect();
    for target in [
        "/demo_api/hello?str_info=x",
        "/Demo_API/Hello/?str_info=y",
        "/demo_api/hello",
        "/demo_api/fail",
        "/demo_api/crash",
        "/demo_api/timed?rounds=7",
        "/demo_api/timed?rounds=8",
        "/users/3",
        "/no/such/path",
        "/demo_httpapi/status?code=418",
    ] {
        connection.get(target);
    }
    let figures = scrape(&mut connection);
    let found: Vec<_> = figures.families.iter().map(|(name, kind)| (name.as_str(), kind.as_str())).collect();
    assert_eq!(found, FAMILIES);
    let calls = |handler, stat| {
        figures.value("butterfly_requests_total", &[("handler", handler), ("stat", stat)]).unwrap_or(0.0)
    };
    for (handler, stat, count) in [
        ("/demo_api/hello", "OK", 2.0),
        ("/demo_api/hello", "ERR_BAD_PARAMS", 1.0),
        ("/demo_api/fail", "ERR_SERVER_EXCEPTION", 1.0),
        ("/demo_api/crash", "ERR_SERVER_EXCEPTION", 1.0),
        ("/demo_api/timed", "OK", 2.0),
        ("/users/{id}", "OK", 1.0),
        ("-", "ERR_NOT_FOUND", 1.0),
        ("/demo_httpapi/status", "418", 1.0),
    ] {
        assert_eq!(calls(handler, stat), count, "{handler} {stat}");
    }
    assert_eq!(figures.sum("butterfly_requests_total"), 10.0);
    assert_eq!(figures.sum("butterfly_request_seconds_count"), 10.0);
    let hello = [("handler", "/demo_api/hello")];
    assert_eq!(figures.value("butterfly_request_seconds_count", &hello), Some(3.0));
    let think = [("handler", "/demo_api/timed"), ("mark", "think")];
    assert_eq!(figures.value("butterfly_talk_total", &think), Some(2.0));
    assert!(figures.value("butterfly_talk_seconds_total", &think).unwrap() > 0.0);
    assert!(figures.value("butterfly_uptime_seconds", &[]).unwrap() > 0.0);
}

#[test]
fn connections_and_scrapes_are_counted_too() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let (mut one, mut two) = (service.connect(), service.connect());
    two.get("/healthz");
    assert_eq!(scrape(&mut one).value("butterfly_connections", &[]), Some(2.0));
    let scrapes = [("handler", "/metrics"), ("stat", "200")];
    assert_eq!(scrape(&mut one).value("butterfly_requests_total", &scrapes), Some(1.0));
}

#[test]
fn messages_are_counted_by_topic_and_state() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let mut connection = service.connect();
    let ids =
        ["str_info=x", "str_info=y"].map(|query| later(&mut connection, &format!("/demo_api/hello?{query}")));
    let failing = later(&mut connection, "/demo_api/fail");
    connection.get("/baichuan/pause?queue_name=/demo_api/add");
    later(&mut connection, "/demo_api/add?a=1&b=2");
    for id in ids.iter().chain([&failing]) {
        ended(&mut connection, id);
    }
    let figures = scrape(&mut connection);
    let messages =
        |topic, state| figures.value("butterfly_queue_messages", &[("topic", topic), ("state", state)]);
    assert_eq!(messages("/demo_api/hello", "finished"), Some(2.0));
    assert_eq!(messages("/demo_api/fail", "failed"), Some(1.0));
    assert_eq!(messages("/demo_api/add", "queued"), Some(1.0));
    let hello = [("topic", "/demo_api/hello")];
    for name in ["butterfly_queue_finished_total", "butterfly_queue_run_seconds_count"] {
        assert_eq!(figures.value(name, &hello), Some(2.0), "{name}");
    }
    let add = [("topic", "/demo_api/add")];
    assert_eq!(figures.value("butterfly_queue_paused", &add), Some(1.0));
    assert!(figures.value("butterfly_queue_oldest_seconds", &add).unwrap() > 0.0);
    assert_eq!(figures.value("butterfly_queue_up", &[]), Some(1.0));
}
