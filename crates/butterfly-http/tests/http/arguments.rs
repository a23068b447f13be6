//! Where arguments come from, and which of them wins.

use crate::support::{TestServer, get, post_json, request};

const FORM: &str = "application/x-www-form-urlencoded";

/// Asks `/demo/hello` and gives its text, or the whole answer when it is an error.
fn hello(server: &TestServer, ask: Vec<u8>) -> String {
    let answer = server.ask(ask);
    let json = answer.json();
    json["str_info"].as_str().map_or_else(|| answer.text().to_owned(), str::to_owned)
}

#[test]
fn the_body_overrides_the_query_and_both_add_up() {
    let server = TestServer::start();
    let target = "/demo/hello?str_info=query&times=2";
    assert_eq!(hello(&server, get(target)), "queryquery");
    assert_eq!(hello(&server, post_json(target, r#"{"str_info":"json"}"#)), "jsonjson");
    assert_eq!(hello(&server, post_json(target, r#"{"str_info":"json","times":1}"#)), "json");
    assert_eq!(
        hello(&server, request("POST", target, &[("Content-Type", FORM)], b"str_info=f+o%20rm")),
        "f o rmf o rm"
    );
    let form = "--b\r\nContent-Disposition: form-data; name=\"str_info\"\r\n\r\nmulti\r\n--b--\r\n";
    let multipart = [("Content-Type", "multipart/form-data; boundary=b")];
    assert_eq!(hello(&server, request("POST", target, &multipart, form.as_bytes())), "multimulti");
}

#[test]
fn every_method_may_bring_a_body() {
    let server = TestServer::start();
    for method in ["POST", "PUT", "PATCH", "DELETE", "GET"] {
        let ask = request(method, "/demo/hello", &[], br#"{"str_info":"x"}"#);
        assert_eq!(hello(&server, ask), "x", "{method}");
    }
}

#[test]
fn json_is_json_whatever_curl_calls_it() {
    let server = TestServer::start();
    for media_type in [FORM, "text/plain", "", "application/json; charset=utf-8"] {
        let ask = request("POST", "/demo/hello", &[("Content-Type", media_type)], b" {\"str_info\":\"x\"}\n");
        assert_eq!(hello(&server, ask), "x", "{media_type}");
    }
}

#[test]
fn blanks_repeats_and_semicolons() {
    let server = TestServer::start();
    let types = |query: &str| {
        let mut json = server.get(&format!("/demo/types?{query}")).json();
        json.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        json.to_string()
    };
    assert_eq!(types("int=-7;float=1.5;flag=on"), r#"{"stat":"OK","int":-7,"float":1.5,"flag":true}"#);
    assert_eq!(types("list=1&list=2;list=3"), r#"{"stat":"OK","list":[1,2,3]}"#);
    assert_eq!(types("list=[4,5]"), r#"{"stat":"OK","list":[4,5]}"#);
    assert_eq!(types("list=6"), r#"{"stat":"OK","list":[6]}"#);
    assert_eq!(types("int=&float=&color=&flag="), r#"{"stat":"OK"}"#);
    assert_eq!(types("text="), r#"{"stat":"OK","text":""}"#);
    assert_eq!(types("&&;text=a%3Bb%26c"), r#"{"stat":"OK","text":"a;b&c"}"#);
    assert_eq!(
        types("color=red&point=%7B%22x%22:1,%22y%22:-2%7D"),
        r#"{"stat":"OK","color":"red","point":{"x":1,"y":-2}}"#
    );
    assert_eq!(types("text=%E4%BD%A0+%C3%A9"), r#"{"stat":"OK","text":"你 é"}"#);
    assert_eq!(types("int"), r#"{"stat":"OK"}"#);
    let problem = |query: &str, name: &str| {
        let answer = server.get(&format!("/demo/types?{query}"));
        assert_eq!(answer.stat(), "ERR_BAD_PARAMS", "{query}");
        answer.json()["params"][name].as_str().unwrap().to_owned()
    };
    assert_eq!(problem("int=1&int=2", "int"), "was given 2 times, give it once");
    assert_eq!(problem("text=%ff", "text"), "is not valid UTF-8");
    assert_eq!(problem("text=%4", "text"), "has a broken percent escape");
    assert_eq!(problem("color=green", "color"), "expected one of red, blue, got \"green\"");
    assert_eq!(problem("a%00b=1", "a\\0b"), "unknown, known are int, float, flag, color, list, point, text");
}

#[test]
fn a_missing_blank_is_missing() {
    let server = TestServer::start();
    let answer = server.get("/demo/whole?factor=");
    assert_eq!(answer.json()["params"]["factor"], "missing");
}

#[test]
fn the_whole_body_is_one_value() {
    let server = TestServer::start();
    let answer = server.ask(post_json("/demo/whole?factor=3", "[1,2]"));
    assert_eq!(answer.text(), r#"{"stat":"OK","data":[3,6]}"#);
}

#[test]
fn checks_speak_for_themselves() {
    let server = TestServer::start();
    let answer = server.get("/demo/hello?str_info=x&times=500");
    assert_eq!(
        answer.text(),
        r#"{"stat":"ERR_BAD_PARAMS","params":{"times":"must be in 1..=100, got 500"}}"#
    );
}

#[test]
fn slashes_and_letters_of_the_path_do_not_matter() {
    let server = TestServer::start();
    for path in ["/demo/ping", "/demo/ping/", "/Demo/PING", "/DEMO/Ping/"] {
        assert_eq!(server.get(path).text(), r#"{"stat":"OK"}"#, "{path}");
    }
    for path in ["/demo/ping//", "//demo/ping", "/demo//ping", "/demo", "/demo/", "/demo/pin", "/demo/ping/x"]
    {
        assert_eq!(server.get(path).header("x-reason"), Some("API Not Found"), "{path}");
    }
}

#[test]
fn dynamic_segments_are_typed_and_unescaped() {
    let server = TestServer::start();
    let data = |path: &str| server.get(path).json()["data"].as_str().map(str::to_owned);
    assert_eq!(data("/users/7"), Some("7:".into()));
    assert_eq!(data("/users/7/?tag=a"), Some("7:a".into()));
    assert_eq!(data("/users/a%20b%2Fc+d"), Some("a b/c+d:".into()));
    assert_eq!(data("/users/%E4%BD%A0"), Some("你:".into()));
    assert_eq!(data("/users/7?id=8"), Some("7:".into()), "the path wins");
    assert_eq!(data("/Users/Me/POSTS/5"), Some("Me/5".into()), "letters count in values alone");
    let answer = server.get("/users/7/posts/x");
    assert_eq!(answer.json()["params"]["number"], "expected an integer from 0 to 4294967295, got \"x\"");
    for path in ["/users/%ff", "/users/%4", "/users/", "/users"] {
        assert_eq!(server.get(path).status, 400, "{path}");
    }
}

#[test]
fn a_path_beyond_ascii_must_be_escaped() {
    let server = TestServer::start();
    let answer = server.get("/demo/\u{4f60}");
    assert_eq!((answer.status, answer.text()), (400, ""));
    assert_eq!(server.get("/demo/%E4%BD%A0").header("x-reason"), Some("API Not Found"));
}

#[test]
fn an_absolute_target_is_its_path() {
    let server = TestServer::start();
    assert_eq!(hello(&server, get("http://example.org/demo/hello?str_info=x")), "x");
}

#[test]
fn cookies_are_read_whole() {
    let server = TestServer::start();
    let cookies = [("Cookie", "a=1; token=abc==; junk; quoted=\"x y\""), ("cookie", "b=2")];
    let answer = server.ask(request("GET", "/demo/cookies", &cookies, b""));
    assert_eq!(answer.text(), r#"{"stat":"OK","data":["1","abc==","x y",null]}"#);
}

#[test]
fn many_unknown_names_do_not_make_a_large_answer() {
    let server = TestServer::start();
    let entries: Vec<String> = (0..100_000).map(|index| format!("\"n{index}\":1")).collect();
    let answer = server.ask(post_json("/demo/types", &format!("{{{}}}", entries.join(","))));
    assert_eq!(answer.stat(), "ERR_BAD_PARAMS");
    assert!(answer.body.len() < 64 * 1024, "{} bytes", answer.body.len());
    assert!(server.lines.with(answer.reqid()).len() < 64 * 1024);
}
