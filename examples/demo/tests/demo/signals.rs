//! SIGTERM, a second one, and SIGKILL.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::folder::Folder;
use crate::service::{PATIENCE, Service};
use crate::wire::{Connection, Request};

/// An upload that has begun: its handler runs and waits for the body.
fn held_upload(service: &Service) -> Connection {
    let mut connection = service.connect();
    connection.send(
        b"POST /demo_upload/raw HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 6\r\n\r\n",
    );
    assert_eq!(connection.receive(false).status, 100);
    connection.send(b"abc");
    connection
}

/// The listener closes soon after the signal, and what is not yet closed is not accepted.
fn wait_until_refused(service: &Service) {
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(service.address).is_ok() {
        assert!(Instant::now() < deadline, "it still listens");
        std::thread::yield_now();
    }
}

#[test]
fn calls_that_run_end_and_nothing_is_lost() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let mut idle = service.connect();
    assert_eq!(idle.get("/demo_api/ping").status, 200);
    let mut asking = service.connect();
    assert_eq!(asking.get("/readyz").status, 200);
    let mut upload = held_upload(&service);
    asking.send(b"GET /readyz HTTP/1.1\r\n");
    service.signal(Signal::TERM);
    service.says("told to stop");
    wait_until_refused(&service);
    assert!(idle.is_closed(), "idle connections are not waited for");
    asking.send(b"host: x\r\n\r\n");
    let not_ready = asking.receive(false);
    assert_eq!((not_ready.status, not_ready.text()), (503, "not ready: it starts or ends"));
    assert!(asking.is_closed());
    upload.send(b"def");
    assert_eq!(upload.receive(false).text(), r#"{"stat":"OK","bytes":6}"#);
    assert!(upload.is_closed());
    let (code, last) = service.ended();
    assert_eq!(code, 0, "{last}");
    let functions: Vec<String> =
        folder.lines("acc.log").iter().map(|line| line.split('\t').nth(6).unwrap().to_owned()).collect();
    for (function, count) in [("/demo_api/ping", 1), ("/readyz", 2), ("/demo_upload/raw", 1)] {
        assert_eq!(functions.iter().filter(|known| *known == function).count(), count, "{functions:?}");
    }
    assert!(folder.lines("common.log").iter().any(|line| line.ends_with("stopped open=0")));
}

#[test]
fn the_interrupt_key_stops_it_as_well() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    service.signal(Signal::INT);
    let (code, last) = service.ended();
    assert_eq!(code, 0, "{last}");
}

#[test]
fn calls_that_outlive_the_drain_are_given_up() {
    let folder = Folder::new();
    let service = Service::start(&folder, &["--set=http.drain_timeout=50ms"]);
    let _upload = held_upload(&service);
    service.signal(Signal::TERM);
    let (code, last) = service.ended();
    assert_eq!(code, 1);
    assert!(last.contains("error: 1 connections did not end within http.drain_timeout"), "{last}");
}

#[test]
fn a_second_signal_ends_it_now_and_keeps_the_log() {
    let folder = Folder::new();
    let service = Service::start(&folder, &["--set=http.drain_timeout=1m"]);
    let _upload = held_upload(&service);
    let reqid = service.get("/demo_api/ping").reqid().to_owned();
    service.signal(Signal::TERM);
    service.says("told to stop");
    let asked = Instant::now();
    service.signal(Signal::TERM);
    let (code, _) = service.ended();
    assert_eq!(code, 1);
    assert!(asked.elapsed() < Duration::from_secs(5));
    assert!(folder.lines("acc.log").iter().any(|line| line.contains(&reqid)), "the last lines are written");
}

/// A call that holds its thread, by now.
fn held_thread(service: &Service) -> Connection {
    let mut connection = service.connect();
    connection.send(&Request::get("/demo_api/slow?ms=60000").bytes());
    service.says("holds a thread");
    connection
}

#[test]
fn handlers_that_block_a_thread_are_not_waited_for() {
    let folder = Folder::new();
    let service = Service::start(&folder, &["--set=http.drain_timeout=50ms", "--set=http.threads=2"]);
    let _held = held_thread(&service);
    service.signal(Signal::TERM);
    assert_eq!(service.ended().0, 1);
}

#[test]
fn handlers_that_block_every_thread_cannot_prevent_the_end() {
    let folder = Folder::new();
    let service = Service::start(&folder, &["--set=http.drain_timeout=50ms", "--set=http.threads=1"]);
    let _held = held_thread(&service);
    service.signal(Signal::TERM);
    let (code, last) = service.ended();
    assert_eq!(code, 1, "{last}");
}

#[test]
fn handlers_that_block_every_thread_do_not_hold_up_the_second_signal() {
    let folder = Folder::new();
    let service = Service::start(&folder, &["--set=http.drain_timeout=1m", "--set=http.threads=1"]);
    let _held = held_thread(&service);
    service.signal(Signal::TERM);
    service.says("told to stop");
    service.signal(Signal::TERM);
    assert_eq!(service.ended().0, 1);
}

#[test]
fn a_killed_service_starts_again_on_the_same_folder() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    service.get("/demo_api/ping");
    service.signal(Signal::KILL);
    service.ended();
    let service = Service::start(&folder, &[]);
    let reqid = service.get("/demo_api/ping").reqid().to_owned();
    service.stop();
    assert!(folder.lines("acc.log").iter().any(|line| line.contains(&reqid)));
}
