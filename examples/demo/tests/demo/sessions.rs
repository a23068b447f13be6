//! Sessions as a browser meets them: in several processes, through their ends, and under hostile cookies.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::folder::Folder;
use crate::service::Service;
use crate::wire::{Answer, Request};

/// Whoever calls, with the cookie that it was sent.
#[derive(Clone, Default)]
struct Browser {
    cookie: Option<String>,
}

impl Browser {
    fn send(&mut self, service: &Service, mut request: Request) -> Answer {
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let answer = service.connect().call(&request);
        if let Some(set) = answer.header("set-cookie") {
            let pair = set.split(';').next().unwrap().to_owned();
            self.cookie = Some(pair).filter(|_| !set.contains("Max-Age=0"));
        }
        answer
    }

    fn get(&mut self, service: &Service, target: &str) -> Value {
        self.send(service, Request::get(target)).json()
    }

    fn post(&mut self, service: &Service, target: &str, body: &Value) -> Value {
        self.send(service, Request::json(target, body)).json()
    }

    fn login(&mut self, service: &Service, name: &str) {
        assert_eq!(self.post(service, "/demo_session/login", &json!({"name": name})), json!({"stat": "OK"}));
    }

    fn user(&mut self, service: &Service) -> Value {
        self.get(service, "/demo_session/whoami")["user"].clone()
    }
}

#[test]
fn a_session_is_one_in_two_processes() {
    let folder = Folder::new();
    for store in ["disk", "databases.default"] {
        let set = format!("--set=session.store={store}");
        let (one, two) =
            (Service::start(&folder, &[&set]), Service::start(&folder, &[&set, "--set=instance=w2"]));
        two_processes(&one, &two);
        one.stop();
        two.stop();
    }
}

/// What holds for two processes that share sessions.
pub(crate) fn two_processes(one: &Service, two: &Service) {
    let (mut phone, mut laptop) = (Browser::default(), Browser::default());
    assert_eq!(phone.get(one, "/demo_session/whoami"), json!({"stat": "OK", "user": null, "visits": 1}));
    let before = phone.clone();
    phone.login(one, "ada");
    laptop.login(two, "ada");
    assert_eq!(phone.get(two, "/demo_session/whoami"), json!({"stat": "OK", "user": "ada", "visits": 2}));
    assert_eq!(phone.get(one, "/demo_session/whoami"), json!({"stat": "OK", "user": "ada", "visits": 3}));
    assert_eq!(before.clone().user(two), Value::Null, "the id from before the login opens nothing");

    let mine = |browser: &mut Browser| {
        let list = browser.get(one, "/demo_session/list")["data"].clone();
        list.as_array().unwrap().iter().map(|row| row["id"].clone()).collect::<Vec<_>>()
    };
    let ids = mine(&mut phone);
    assert_eq!(ids.len(), 2);
    let mut mallory = Browser::default();
    mallory.login(one, "mallory");
    let stolen = mallory.post(one, "/demo_session/revoke", &json!({"id": ids[0]}));
    assert_eq!(stolen["stat"], "ERR_NO_SESSION");

    // Revoked in one process, gone in the other. The one used last comes first: it is the phone.
    assert_eq!(phone.post(one, "/demo_session/revoke", &json!({"id": ids[1]})), json!({"stat": "OK"}));
    assert_eq!((phone.user(two), laptop.user(two)), (json!("ada"), Value::Null));
    assert_eq!(phone.post(one, "/demo_session/revoke", &json!({})), json!({"stat": "OK"}));
    assert_eq!(phone.user(two), Value::Null);
    assert_eq!(phone.get(two, "/demo_session/list")["stat"], "ERR_NO_LOGIN");
    assert_eq!(mallory.user(two), "mallory");
    let logout = mallory.send(one, Request::new("POST", "/demo_session/logout"));
    assert!(logout.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(mallory.cookie, None);
}

#[test]
fn the_access_log_says_who_is_logged_in() {
    let folder = Folder::new();
    let service = Service::start(&folder, &["--set=session.store=memory"]);
    let mut browser = Browser::default();
    for target in ["/demo_session/whoami", "/demo_api/ping"] {
        browser.get(&service, target);
    }
    browser.login(&service, "ada\tuser:root\n");
    for target in ["/demo_session/whoami", "/demo_api/ping"] {
        browser.get(&service, target);
    }
    browser.send(&service, Request::new("POST", "/demo_session/logout"));
    browser.get(&service, "/demo_session/whoami");
    service.stop();
    // Lines of different threads may change places.
    let mut seen: Vec<(String, String)> = folder
        .lines("acc.log")
        .iter()
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let user = columns.iter().find_map(|column| column.strip_prefix("user:")).unwrap();
            let path = columns.iter().find(|column| column.starts_with("/demo_")).unwrap();
            ((*path).to_owned(), user.to_owned())
        })
        .collect();
    seen.sort_unstable();
    // Nobody asked for the session of a ping.
    let ada = "ada\\tuser:root\\n";
    let expected = [
        ("/demo_api/ping", "-"),
        ("/demo_api/ping", "-"),
        ("/demo_session/login", ada),
        ("/demo_session/logout", ada),
        ("/demo_session/whoami", "-"),
        ("/demo_session/whoami", "-"),
        ("/demo_session/whoami", ada),
    ];
    assert_eq!(seen, expected.map(|(path, user)| (path.to_owned(), user.to_owned())));
}

#[test]
fn sessions_survive_a_kill() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let mut browsers: Vec<(String, Browser)> =
        (0..20).map(|number| (format!("user{number}"), Browser::default())).collect();
    for (name, browser) in &mut browsers {
        browser.login(&service, name);
    }
    // Answered is kept.
    service.signal(Signal::KILL);
    service.ended();
    let service = Service::start(&folder, &[]);
    for (name, browser) in &mut browsers {
        assert_eq!(browser.user(&service), name.as_str());
    }
    let key = std::fs::metadata(folder.path("data/session.key")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o777, 0o600);
}

#[test]
fn a_cookie_is_for_browsers_alone_and_a_bad_one_is_none() {
    let folder = Folder::new();
    let service = Service::start(&folder, &["--set=session.cookie=me", "--set=session.secure=always"]);
    let mut browser = Browser::default();
    let answer = browser.send(&service, Request::json("/demo_session/login", &json!({"name": "ada"})));
    let line = answer.header("set-cookie").unwrap();
    for part in ["me=", "; HttpOnly", "; SameSite=Lax", "; Path=/", "; Secure", "; Max-Age=2592000"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert_eq!(answer.header("vary"), Some("cookie"));
    let good = browser.cookie.clone().unwrap();
    for bad in [
        "me=".to_owned(),
        "me=.".to_owned(),
        good[..good.len() - 1].to_owned(),
        good.replace("me=", "me=A"),
        good.replace('.', ""),
        format!("{good}; me=other"),
        format!("me={}", "x.".repeat(10_000)),
        "me=\u{1F98B}.\u{1F98B}".to_owned(),
    ] {
        let mut bearer = Browser { cookie: Some(bad.clone()) };
        assert_eq!(bearer.user(&service), Value::Null, "{bad}");
    }
    assert_eq!(Browser { cookie: Some(good) }.user(&service), "ada");
    // A call that does not ask for its session is sent none.
    let plain = browser.send(&service, Request::get("/demo_api/ping"));
    assert_eq!((plain.header("set-cookie"), plain.header("vary")), (None, None));
}

#[test]
fn a_program_whose_store_is_not_there_says_which_key_is_wrong() {
    let folder = Folder::new();
    let ran = folder.run(&["serve", "--set=session.store=redis.cache"]);
    ran.fails(2, &["`session.store` names the Redis \"cache\"", "session.store = \"disk\""]);
    folder.run(&["serve", "--set=session.store=databases.users"]).fails(2, &["set databases.users"]);
    folder.run(&["serve", "--set=session.secrets=hunter2"]).fails(2, &["session.secrets"]);
}
