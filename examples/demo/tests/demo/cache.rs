//! `#[handler(cache = "30s")]` in a real program: what is made once, and what is said of it.

use std::collections::BTreeSet;

use serde_json::json;

use crate::exposition::Exposition;
use crate::folder::Folder;
use crate::service::Service;
use crate::wire::Request;

fn report(service: &Service, of: &str) -> u64 {
    let answer = service.get(&format!("/demo_api/report?of={of}"));
    answer.json()["number"].as_u64().unwrap()
}

#[test]
fn the_second_call_does_not_run_the_function() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let mut connection = service.connect();
    let first = connection.get("/demo_api/report?of=may");
    assert_eq!(first.json(), json!({"stat": "OK", "of": "may", "number": 1}));
    let etag = first.header("etag").unwrap().to_owned();
    let second = connection.get("/demo_api/report?of=may");
    assert_eq!((second.json(), second.header("etag")), (first.json(), Some(etag.as_str())));
    let known = connection.call(&Request::get("/demo_api/report?of=may").header("if-none-match", &etag));
    assert_eq!((known.status, known.body.len()), (304, 0));
    assert_eq!(report(&service, "june"), 2, "another report is made");

    let figures = Exposition::parse(connection.get("/metrics").text());
    let count = |event| figures.value("butterfly_cache_total", &[("cache", "main"), ("event", event)]);
    assert_eq!(["hit", "miss", "load", "error"].map(count), [2.0, 2.0, 2.0, 0.0].map(Some));
}

#[test]
fn a_report_that_all_want_at_once_is_made_once() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let mut connections: Vec<_> = (0..200).map(|_| service.connect()).collect();
    let request = Request::get("/demo_api/report").bytes();
    connections.iter_mut().for_each(|connection| connection.send(&request));
    let numbers: BTreeSet<u64> = connections
        .iter_mut()
        .map(|connection| connection.receive(false).json()["number"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, BTreeSet::from([1]));
    assert_eq!(report(&service, "other"), 2, "the function ran once");
}

#[test]
fn answers_on_disk_survive_a_restart() {
    let folder = Folder::new();
    for near in ["0", "1MiB"] {
        let words = ["--set=cache.store=disk", &format!("--set=cache.near={near}")];
        let service = Service::start(&folder, &words);
        let number = report(&service, near);
        // A report that only this process has made.
        let ahead = (0..3).map(|of| report(&service, &format!("{near}{of}"))).max();
        service.stop();
        let service = Service::start(&folder, &words);
        assert_eq!(report(&service, near), number);
        assert!(ahead > Some(report(&service, "new")), "numbers begin anew with the process");
        service.stop();
    }
}
