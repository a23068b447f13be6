//! Who the caller is: what a trusted peer says counts, what others say does not.

use std::net::IpAddr;
use std::sync::Arc;

use crate::support::{TestServer, request};

const SAID: [(&str, &str); 3] =
    [("X-Real-IP", "203.0.113.7"), ("X-Username", "alice"), ("X-Reqid", "DEV_my-id.1")];

fn whoami(server: &TestServer, headers: &[(&str, &str)]) -> (String, String, String) {
    let answer = server.ask(request("GET", "/demo/whoami", headers, b""));
    let json = answer.json();
    let field = |name: &str| json[name].as_str().unwrap().to_owned();
    assert_eq!(answer.reqid(), field("reqid"));
    let columns = server.lines.columns(answer.reqid());
    assert_eq!(columns[3], field("ip"));
    assert_eq!(server.lines.column(answer.reqid(), "user"), field("user"));
    (field("ip"), field("user"), field("reqid"))
}

#[test]
fn strangers_are_who_they_are() {
    let server = TestServer::start();
    let (ip, user, reqid) = whoami(&server, &SAID);
    assert_eq!((ip.as_str(), user.as_str()), ("127.0.0.1", "-"));
    assert_ne!(reqid, "DEV_my-id.1");
}

#[test]
fn trusted_peers_speak_for_others() {
    let server = TestServer::with(|setup| {
        setup.options.trusted = Arc::new(|peer| peer == "127.0.0.1".parse::<IpAddr>().unwrap());
    });
    let expected = ("203.0.113.7".to_owned(), "alice".to_owned(), "DEV_my-id.1".to_owned());
    assert_eq!(whoami(&server, &SAID), expected);
    let (ip, user, _) = whoami(&server, &[("x-real-ip", " 2001:db8::1 "), ("x-username", "")]);
    assert_eq!((ip.as_str(), user.as_str()), ("2001:db8::1", "-"));
    let nonsense = [("X-Real-IP", "not an ip"), ("X-Reqid", "a b\tc")];
    let (ip, user, reqid) = whoami(&server, &nonsense);
    assert_eq!((ip.as_str(), user.as_str(), reqid.len()), ("127.0.0.1", "-", 16));
    let long = "A".repeat(41);
    assert_eq!(whoami(&server, &[("X-Reqid", &long)]).2.len(), 16);
}

#[test]
fn nothing_of_one_request_is_left_for_the_next() {
    let server = TestServer::with(|setup| setup.options.trusted = Arc::new(|_| true));
    let mut client = server.connect();
    client.ask(request("GET", "/demo/whoami", &SAID, b""));
    let json = client.ask(request("GET", "/demo/whoami", &[], b"")).json();
    assert_eq!((&json["ip"], &json["user"]), (&"127.0.0.1".into(), &"-".into()));
    assert_ne!(json["reqid"], "DEV_my-id.1");
}

#[test]
fn the_users_header_has_the_name_that_is_configured() {
    let server = TestServer::with(|setup| {
        setup.options.trusted = Arc::new(|_| true);
        setup.options.user_header = "x-who".into();
    });
    assert_eq!(whoami(&server, &[("X-Who", "bob"), ("X-Username", "alice")]).1, "bob");
}
