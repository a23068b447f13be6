//! A service that is started while its Redis is out of reach: it needs no hand once the server is there.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::server::Server;
use crate::folder::Folder;
use crate::messages::{ended, later, until};
use crate::service::Service;
use crate::wire::Request;

const PASSWORD: &str = "geheim";

fn start(folder: &Folder, server: &Server, password: &str, more: &[&str]) -> Service {
    let used = server.used(password);
    let words: Vec<&str> = used.iter().map(String::as_str).chain(more.iter().copied()).collect();
    Service::start(folder, &words)
}

#[test]
fn a_service_that_is_there_before_its_redis_works_once_it_is_there() {
    let (folder, mut server) = (Folder::new(), Server::to_come());
    let service = start(&folder, &server, PASSWORD, &[]);
    let away = format!("out of reach: Redis at {}: ", server.address());
    for said in [service.says(&away), service.welcome.clone()] {
        assert!(said.contains(&away) && said.contains("tried again") && !said.contains(PASSWORD), "{said}");
    }
    let mut connection = service.connect();
    assert_eq!(connection.get("/healthz").status, 200);
    assert_eq!(connection.get("/demo_api/add?a=1&b=2").json()["stat"], "OK");
    let not_ready = connection.get("/readyz");
    assert_eq!(not_ready.status, 503, "{not_ready:?}");
    let call = Request::get("/demo_async/brew?tea=green&cups=1&ms=1").header("prefer", "respond-async");
    let refused = connection.call(&call);
    assert_eq!((refused.status, &refused.json()["stat"]), (503, &"ERR_BUSY".into()), "{refused:?}");

    server.start(PASSWORD);
    until("the service to be ready", || (connection.get("/readyz").status == 200).then_some(()));
    service.says("the queue is in reach after");
    let id = later(&mut connection, "/demo_async/brew?tea=green&cups=1&ms=1");
    assert_eq!(ended(&mut connection, &id)["status"], "finished");
    service.stop();
}

#[test]
fn readiness_follows_a_redis_that_goes_away_and_comes_back() {
    let (folder, mut server) = (Folder::new(), Server::to_come());
    server.start(PASSWORD);
    let service = start(&folder, &server, PASSWORD, &[]);
    let mut connection = service.connect();
    until("the service to be ready", || (connection.get("/readyz").status == 200).then_some(()));
    for _ in 0..2 {
        server.stop();
        let not_ready = connection.get("/readyz");
        assert_eq!((not_ready.status, not_ready.text()), (503, "not ready: the queue is out of reach"));
        let said = service.says(&server.address());
        assert!(said.contains("out of reach") && !said.contains(PASSWORD), "{said}");
        assert_eq!(connection.get("/healthz").status, 200);
        assert_eq!(connection.get("/demo_api/add?a=1&b=2").json()["stat"], "OK");

        server.start(PASSWORD);
        until("the service to be ready again", || (connection.get("/readyz").status == 200).then_some(()));
        let id = later(&mut connection, "/demo_async/brew?tea=green&cups=1&ms=1");
        assert_eq!(ended(&mut connection, &id)["status"], "finished");
    }
    service.stop();
}

/// A probe gives up after a second, as a rule.
#[test]
fn readiness_does_not_wait_for_a_redis_that_does_not_answer() {
    let (folder, mut server) = (Folder::new(), Server::to_come());
    server.start(PASSWORD);
    let service = start(&folder, &server, PASSWORD, &["--set=roles=http"]);
    let mut connection = service.connect();
    until("the service to be ready", || (connection.get("/readyz").status == 200).then_some(()));
    server.signal(Signal::STOP);
    let asked = Instant::now();
    assert_eq!(connection.get("/readyz").status, 503);
    // Without a limit of its own it would be Redis's: five seconds.
    assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
    server.signal(Signal::CONT);
    until("the service to be ready again", || (connection.get("/readyz").status == 200).then_some(()));
    service.stop();
}

#[test]
fn a_worker_that_waits_for_its_redis_can_be_told_to_stop() {
    let (folder, server) = (Folder::new(), Server::to_come());
    let service = start(&folder, &server, PASSWORD, &["--set=roles=worker"]);
    service.says("out of reach");
    service.stop();
}

#[test]
fn what_can_never_be_used_ends_the_service_at_once() {
    let (folder, mut server) = (Folder::new(), Server::to_come());
    let waits = start(&folder, &server, "falsch", &[]);
    waits.says("out of reach");
    server.start(PASSWORD);
    let (code, last) = waits.ended();
    assert!(code == 1 && last.contains("Redis does not let us in"), "{code}: {last}");
    assert!(!last.contains("falsch"), "{last}");

    let serve = |settings: [String; 2]| {
        folder.run(&["serve", "--listen", "127.0.0.1:0", settings[0].as_str(), settings[1].as_str()])
    };
    serve(server.used("falsch")).fails(1, &["Redis does not let us in"]);
    let engine = || "--set=queue.engine=default".to_owned();
    let bad = ["--set=redis.default=redis://:falsch@".into(), engine()];
    serve(bad).fails(2, &["redis.default", "names no host"]);
    serve(["--set=redis.other=redis://localhost".into(), engine()]).fails(2, &["redis.default"]);
}

#[test]
fn a_command_does_not_wait_for_a_redis_that_is_out_of_reach() {
    let (folder, server) = (Folder::new(), Server::to_come());
    let [url, engine] = server.used(PASSWORD);
    let ran = folder.run(&["queue", "list", &url, &engine]);
    ran.fails(1, &["out of reach", &server.address()]);
    assert!(!ran.err.contains(PASSWORD), "{ran:?}");
}

#[test]
fn a_service_that_answers_meanwhile_ends_at_the_first_signal() {
    let (folder, server) = (Folder::new(), Server::to_come());
    let service = start(&folder, &server, PASSWORD, &["--set=roles=http"]);
    assert_eq!(service.get("/healthz").status, 200);
    service.signal(Signal::INT);
    let (code, last) = service.ended();
    assert_eq!(code, 0, "{last}");
}
