//! The line of the access log: its columns in the original's order, and nothing that a caller sends can forge one.

use crate::support::{Lines, TestServer, get, post_json, request};

#[test]
fn the_columns_stand_in_their_order() {
    let server = TestServer::start();
    let answer = server.get("/demo/hello?str_info=a%3Db&times=2");
    let columns = server.lines.columns(answer.reqid());
    let [time, pid, source, ip, reqid, method, function, rest @ ..] = &columns[..] else {
        panic!("{columns:?}")
    };
    assert_eq!(time.len(), "2026-01-01 00:00:00".len());
    assert_eq!(*pid, std::process::id().to_string());
    assert!(source.contains("tests/http/handlers/demo.rs:"), "{source}");
    assert_eq!(
        [ip, reqid, method, function].map(String::as_str),
        ["127.0.0.1", answer.reqid(), "GET", "/demo/hello"]
    );
    let [cost, stat, user, talk, params, error_msg, res] = rest else { panic!("{rest:?}") };
    assert_eq!(cost.strip_prefix("cost:"), answer.header("x-cost"));
    assert_eq!([stat.as_str(), user], ["stat:OK", "user:-"]);
    let mark = talk.strip_prefix("talk:think=").unwrap().strip_suffix(';').unwrap();
    assert_eq!(mark.split_once('.').unwrap().1.len(), 3, "{mark}");
    assert!(mark.parse::<f64>().unwrap() >= 0.0);
    assert_eq!([params.as_str(), error_msg], ["params:str_info=a=b;times=2", "error_msg:"]);
    assert_eq!(res, r"res:said;hello\tworld;");
}

#[test]
fn a_handlers_path_is_logged_as_the_handler_has_it() {
    let server = TestServer::start();
    let function = |target: &str| server.lines.columns(server.get(target).reqid())[6].clone();
    assert_eq!(function("/Demo/PING/"), "/demo/ping");
    assert_eq!(function("/users/7"), "/users/{id}");
    assert_eq!(function("/no/such?a=1"), "/no/such");
}

#[test]
fn parameters_are_logged_from_every_source_and_when_they_do_not_fit() {
    let server = TestServer::start();
    let params = |ask: Vec<u8>| server.lines.column(server.ask(ask).reqid(), "params");
    assert_eq!(params(post_json("/demo/hello?times=3", r#"{"str_info": "x y"}"#)), "str_info=x y;times=3");
    assert_eq!(params(get("/demo/hello?times=many&wrong=w&wrong=v")), "times=many;wrong=w;wrong=v");
    assert_eq!(params(get("/demo/types?list=1&list=2&int=x")), "int=x;list=1,2");
    assert_eq!(params(post_json("/demo/ping", r#"{"extra":{"a":[1]}}"#)), r#"extra={"a":[1]}"#);
    assert_eq!(params(post_json("/demo/whole?factor=2", "[1,2,3]")), "list=<7 bytes>;factor=2");
    assert_eq!(params(get("/users/seven")), "id=seven");
}

#[test]
fn secrets_are_masked_also_under_a_misspelt_name() {
    let server = TestServer::start();
    let line = |ask: Vec<u8>| server.lines.with(server.ask(ask).reqid());
    for ask in [
        get("/demo/login?name=n&password=hunter2"),
        get("/demo/login?name=n&password=hunter2&password=hunter2"),
        post_json("/demo/login", r#"{"name":"n","password":"hunter2"}"#),
        post_json("/demo/login", r#"{"name":"n","password":{"is":"hunter2"}}"#),
        get("/demo/login?name=n&pasword=hunter2"),
    ] {
        let line = line(ask);
        assert!(line.contains("name=n;") && line.contains("=***") && !line.contains("hunter2"), "{line}");
    }
}

/// Bytes that would end a line, open a column, or play with a terminal.
const HOSTILE: &str = "x%0A2026-01-01%2000:00:00%091%09a.rs:1%09127.0.0.1%09%1B[2J%0D%00%C2%85%E2%80%AE";

#[test]
fn no_input_forges_a_line_or_a_column() {
    let server = TestServer::with(|setup| setup.options.trusted = std::sync::Arc::new(|_| true));
    let user = ("X-Username", "me\t\u{1b}[31m\u{2028}\u{fe}");
    let asks = [
        get(&format!("/demo/hello?str_info={HOSTILE}")),
        get(&format!("/demo/hello?str_info=x&{HOSTILE}=1")),
        get(&format!("/demo/hello?{HOSTILE}={HOSTILE}")),
        get(&format!("/users/{HOSTILE}")),
        get(&format!("/no/{HOSTILE}")),
        post_json("/demo/hello", "{\"str_info\" \n:\t{\"a\":\n\t1} , \"b\\nc\\t\" : \"\\u001b\\n\"}"),
        get("/errors/api?how=reason"),
        request("GET", "/demo/ping", &[user], b""),
    ];
    let count = asks.len();
    let ids: Vec<_> = asks.into_iter().map(|ask| server.ask(ask).reqid().to_owned()).collect();
    for id in &ids {
        let line = server.lines.with(id);
        assert_eq!(line.split('\t').count(), 14, "{line:?}");
        let harmless = |c: char| c == '\t' || (!c.is_control() && !('\u{2028}'..='\u{202e}').contains(&c));
        assert!(line.chars().all(harmless), "{line:?}");
    }
    assert_eq!(server.lines.written.list().len(), count, "one line for each request");
    assert_eq!(server.lines.column(&ids[0], "params").split(r"\n").count(), 2);
}

#[test]
fn long_values_are_cut() {
    let server = TestServer::start();
    let long = "é".repeat(3000);
    let params = |ask: Vec<u8>| server.lines.column(server.ask(ask).reqid(), "params");
    let cut = params(post_json("/demo/hello", &format!(r#"{{"str_info":"{long}"}}"#)));
    assert!(cut.len() < 600 && cut.ends_with('…'), "{cut}");
    assert!(params(post_json("/demo/hello", &format!(r#"{{"{long}":"{long}"}}"#))).len() < 200);
}

#[test]
fn a_head_that_cannot_be_read_is_logged() {
    let server = TestServer::start();
    let answer = server.ask("BAD\r\n\r\n");
    let columns = server.lines.columns(answer.reqid());
    assert_eq!(&columns[5..7], ["-", "-"]);
    assert_eq!(server.lines.column(answer.reqid(), "stat"), "400");
    assert_eq!(server.lines.column(answer.reqid(), "error_msg"), answer.header("x-reason").unwrap());
}

#[test]
fn json_lines_say_the_same() {
    let server = TestServer::with(|setup| setup.lines = Lines { json: true, ..Lines::default() });
    let answer = server.get(&format!("/demo/hello?str_info={HOSTILE}&times=2"));
    let line = server.lines.with(answer.reqid());
    assert!(!line.chars().any(char::is_control), "{line:?}");
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    let object = line.as_object().unwrap();
    let names: Vec<_> = object.keys().map(String::as_str).collect();
    let expected = "time pid source ip reqid method function cost stat user talk params error_msg res";
    assert_eq!(names, expected.split(' ').collect::<Vec<_>>());
    assert_eq!(line["reqid"], answer.reqid());
    assert_eq!(line["function"], "/demo/hello");
    assert_eq!(line["stat"], "OK");
    assert!(line["talk"]["think"].as_f64().unwrap() >= 0.0 && line["cost"].as_f64().unwrap() > 0.0);
    assert_eq!(line["res"], serde_json::json!(["said", "hello\tworld"]));
    assert!(line["params"].as_str().unwrap().starts_with("str_info=x\n2026"));
}
