//! What comes from the environment, and who may look at a service from elsewhere.

use std::net::{IpAddr, UdpSocket};

use serde_json::{Value, json};

use crate::folder::{Folder, Ran};
use crate::service::Service;
use crate::wire::{Connection, Request};

const TOKEN: &str = "0123456789abcdef-token";

/// `config --json` under these variables.
fn config(folder: &Folder, vars: &[(&str, &str)]) -> Value {
    let out = Ran::of(folder.command(&["config", "--json"]).envs(vars.iter().copied())).ok();
    serde_json::from_str(&out).unwrap()
}

#[test]
fn variables_of_its_own_and_of_platforms_hold() {
    let folder = Folder::new();
    let all = config(&folder, &[("PORT", "4711"), ("RUST_LOG", "warn,demo=debug"), ("NO_COLOR", "1")]);
    for (key, value, from) in [
        ("http.listen", json!("127.0.0.1:4711"), "environment PORT"),
        ("log.level", json!("warn,demo=debug"), "environment RUST_LOG"),
        ("log.color", json!(false), "environment NO_COLOR"),
    ] {
        assert_eq!((&all[key]["value"], &all[key]["from"]), (&value, &json!(from)));
    }
    let own = config(&folder, &[("PORT", "4711"), ("BUTTERFLY_HTTP__LISTEN", "127.0.0.1:4712")]);
    assert_eq!(own["http.listen"]["value"], "127.0.0.1:4712", "its own variable is meant more");
    let wrong = Ran::of(folder.command(&["config"]).env("BUTTERFLY_HTTP__LISEN", "x"));
    wrong.fails(2, &["BUTTERFLY_HTTP__LISTEN"]);
}

#[test]
fn a_service_listens_where_the_environment_says() {
    let folder = Folder::new();
    let service = Service::spawn(folder.command(&["serve"]).env("BUTTERFLY_HTTP__LISTEN", "127.0.0.2:0"));
    assert_eq!(service.address.ip().to_string(), "127.0.0.2");
    assert!(!service.welcome.contains("ops.token"), "127.0.0.2 is this machine too: {}", service.welcome);
    assert_eq!(service.get("/metrics").status, 200);
    service.stop();
    let service = Service::spawn(folder.command(&["serve"]).env("PORT", "0"));
    assert_eq!(service.address.ip().to_string(), "127.0.0.1");
    assert_ne!(service.address.port(), 8585);
}

#[test]
fn the_log_follows_rust_log() {
    let folder = Folder::new();
    let mut command = folder.command(&["serve", "--listen", "127.0.0.1:0"]);
    let service = Service::spawn(command.env("RUST_LOG", "error,demo=debug"));
    let reqid = service.get("/demo_api/timed").reqid().to_owned();
    service.stop();
    let lines = folder.lines("common.log");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].starts_with("DEBUG demo::handlers::demo_api ") && lines[0].contains(&reqid),
        "{lines:?}"
    );
}

#[test]
fn secrets_come_from_files_and_are_never_shown() {
    let folder = Folder::new();
    folder.write("token", &format!("{TOKEN}\n"));
    let vars = [("BUTTERFLY_OPS__TOKEN_FILE", "token")];
    let all = config(&folder, &vars);
    assert_eq!(all["ops.token"]["value"], "***");
    assert_eq!(all["ops.token"]["from"], "environment BUTTERFLY_OPS__TOKEN_FILE (token)");
    let shown = Ran::of(folder.command(&["config"]).envs(vars)).ok();
    assert!(!shown.contains(TOKEN), "{shown}");
    let missing = Ran::of(folder.command(&["config"]).env("BUTTERFLY_OPS__TOKEN_FILE", "nowhere"));
    missing.fails(2, &["BUTTERFLY_OPS__TOKEN_FILE", "nowhere"]);
    let mut command = folder.command(&["serve", "--listen", "127.0.0.1:0"]);
    let service = Service::spawn(command.envs(vars));
    assert_eq!(from_elsewhere(&mut service.connect(), Some(TOKEN)), 200);
}

/// What a call of `/metrics` that a proxy forwarded is answered with.
fn from_elsewhere(connection: &mut Connection, token: Option<&str>) -> u16 {
    let mut request = Request::get("/metrics").header("x-forwarded-for", "203.0.113.9");
    if let Some(token) = token {
        request = request.header("authorization", &format!("Bearer {token}"));
    }
    connection.call(&request).status
}

#[test]
fn operators_from_elsewhere_bring_the_token() {
    let folder = Folder::new();
    let token = format!("--set=ops.token={TOKEN}");
    let service = Service::start(&folder, &[&token]);
    let mut connection = service.connect();
    assert_eq!(connection.get("/metrics").status, 200);
    for (given, status) in
        [(Some(TOKEN), 200), (None, 403), (Some("0123456789abcdef-tokeN"), 403), (Some(""), 403)]
    {
        assert_eq!(from_elsewhere(&mut connection, given), status, "{given:?}");
    }
    for name in ["x-forwarded-for", "x-real-ip", "forwarded"] {
        let forwarded = Request::get("/demo_log/loglevel_get").header(name, "127.0.0.1");
        let answer = connection.call(&forwarded);
        assert_eq!((answer.status, &answer.json()["stat"]), (403, &json!("ERR_FORBIDDEN")), "{name}");
    }
    assert_eq!(connection.call(&Request::get("/healthz").header("x-real-ip", "203.0.113.9")).status, 200);
}

#[test]
fn a_service_that_others_can_reach_says_who_may_look() {
    let folder = Folder::new();
    let service = Service::spawn(&mut folder.command(&["serve", "--listen", "0.0.0.0:0"]));
    assert!(service.welcome.contains("others need ops.token to be set"), "{}", service.welcome);
    assert_eq!(service.get("/metrics").status, 200);
    if let Some(ip) = outward() {
        let mut connection = Connection::open((ip, service.address.port()).into());
        assert_eq!(connection.get("/metrics").status, 403);
        assert_eq!(connection.get("/demo_api/ping").status, 200);
    }
    service.stop();
    let token = format!("--set=ops.token={TOKEN}");
    let service = Service::spawn(&mut folder.command(&["serve", "--listen", "0.0.0.0:0", &token]));
    assert!(!service.welcome.contains("others need"), "{}", service.welcome);
}

/// This machine's address on a network, where it has one. Nothing is sent.
fn outward() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
}
