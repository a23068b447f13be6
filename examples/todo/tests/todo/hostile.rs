//! Every hostile value in every parameter, by every form that HTTP has: it is stored as it is, or refused by the parameter's
//! name. No row but its own is touched, and nothing of it is a server's fault.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::hostile_values::{NO_TEXT, texts};
use crate::service::{Line, Service, on_each};

/// What may be answered.
const FINE: [&str; 3] = ["OK", "ERR_BAD_PARAMS", "ERR_NOT_EXIST"];
/// A request line takes no more.
const QUERY_MAX: usize = 6_000;
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

const LIST: [&str; 20] = [
    "title",
    "title__ne",
    "title__in",
    "title__contains",
    "title__startswith",
    "id__in",
    "done",
    "due",
    "due__ne",
    "due__gt",
    "due__gte",
    "due__lt",
    "due__lte",
    "due__in",
    "due__null",
    "sort",
    "page_index",
    "page_size",
    "after",
    "nothing of this name",
];
const ALL: [(&str, &[&str]); 5] = [
    ("/todo/create", &["title", "done", "due", "id"]),
    ("/todo/get", &["id"]),
    ("/todo/delete", &["id"]),
    ("/todo/update", &["id", "title", "done", "due"]),
    ("/todo/list", &LIST),
];

/// The bytes as a query string and a form write them.
fn percent(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "%{byte:02X}");
        out
    })
}

/// What else a call needs to get as far as the database.
fn others(path: &str, name: &str) -> Value {
    let mut args = match path {
        "/todo/create" => json!({"title": "made"}),
        "/todo/update" => json!({"id": 999_999, "title": "changed"}),
        _ => json!({}),
    };
    args.as_object_mut().unwrap().remove(name);
    args
}

/// Rows that nobody may touch.
struct Kept(Vec<Value>);

impl Kept {
    fn make(line: &mut Line) -> Self {
        // No hostile number is a key of theirs.
        for number in 0..20 {
            let made = post(line, "/todo/create", &json!({"title": format!("early {number}")}));
            post(line, "/todo/delete", &json!({"id": made["id"]}));
        }
        let kept = (0..3).map(|number| {
            let due = format!("2026-12-0{}", number + 1);
            post(
                line,
                "/todo/create",
                &json!({"title": format!("kept {number}"), "done": number == 1, "due": due}),
            )
        });
        Self(kept.collect())
    }

    fn check(&self, line: &mut Line, why: &str) {
        let list = post(line, "/todo/list", &json!({"page_size": 1000, "sort": "id"}));
        let mut rows = self.0.clone();
        rows.iter_mut().for_each(|row| drop(row.as_object_mut().unwrap().remove("stat")));
        assert_eq!(list["data"], Value::Array(rows), "{why:?}");
    }
}

fn post(line: &mut Line, path: &str, args: &Value) -> Value {
    line.call(path, JSON, args.to_string().as_bytes())
}

/// Judges an answer, and takes away again what was made.
fn judge(line: &mut Line, path: &str, name: &str, text: &str, answer: &Value) {
    let shown: String = text.chars().take(60).collect();
    let stat = answer["stat"].as_str().unwrap_or_default();
    assert!(FINE.contains(&stat), "{path} {name}={shown:?}: {answer}");
    if stat == "ERR_BAD_PARAMS" {
        assert!(answer["params"][name].is_string(), "{path} {name}={shown:?}: {answer}");
    }
    if path == "/todo/create" && stat == "OK" {
        if name == "title" {
            assert_eq!(answer["title"], text);
            let id = &answer["id"];
            assert_eq!(post(line, "/todo/get", &json!({"id": id}))["title"], text);
            for filter in ["title", "title__in", "title__contains", "title__startswith"] {
                let found = post(
                    line,
                    "/todo/list",
                    &json!({filter: if filter == "title__in" { json!([text]) } else { json!(text) }, "page_size": 1000}),
                );
                let found_it =
                    found["data"].as_array().is_some_and(|rows| rows.iter().any(|row| &row["id"] == id));
                assert!(found_it || found["params"][filter].is_string(), "{filter}={shown:?}: {found}");
            }
            let changed = post(line, "/todo/update", &json!({"id": id, "title": "x"}));
            assert_eq!(changed["title"], "x");
            let changed = post(line, "/todo/update", &json!({"id": id, "title": text}));
            assert_eq!(changed["title"], text);
        }
        assert_eq!(post(line, "/todo/delete", &json!({"id": answer["id"]}))["stat"], "OK");
    }
}

fn try_text(line: &mut Line, turn: usize, path: &str, name: &str, text: &str) {
    let mut args = others(path, name);
    let rest: String = args.as_object().unwrap().iter().fold(String::new(), |mut out, (name, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let _ = write!(out, "&{}={}", percent(name.as_bytes()), percent(value.as_bytes()));
        out
    });
    let pair = format!("{}={}{rest}", percent(name.as_bytes()), percent(text.as_bytes()));
    args[name] = if name.ends_with("__in") { json!([text]) } else { json!(text) };
    let answer = post(line, path, &args);
    judge(line, path, name, text, &answer);
    // A form and a query string are read by the same code: each takes its turn.
    let target = format!("{path}?{pair}");
    let answer = match turn % 2 {
        0 if pair.len() <= QUERY_MAX => line.call(&target, FORM, b""),
        _ => line.call(path, FORM, pair.as_bytes()),
    };
    judge(line, path, name, text, &answer);
}

#[test]
fn every_value_in_every_parameter() {
    on_each(|service| {
        let mut line = service.line();
        let kept = Kept::make(&mut line);
        for (number, text) in texts().iter().enumerate() {
            for (path, names) in ALL {
                for (place, name) in names.iter().enumerate() {
                    try_text(&mut line, number + place, path, name, text);
                }
            }
            let shown: String = text.chars().take(60).collect();
            kept.check(&mut line, &shown);
        }
    });
}

#[test]
fn every_value_as_the_name_of_a_parameter() {
    on_each(|service| {
        let mut line = service.line();
        let kept = Kept::make(&mut line);
        for text in texts().iter().filter(|text| *text != "title") {
            for (path, _) in ALL {
                let answer = post(&mut line, path, &json!({text: 1, "id": 999_999}));
                assert_eq!(answer["stat"], "ERR_BAD_PARAMS", "{path} {text:?}: {answer}");
                let form = format!("{}=1", percent(text.as_bytes()));
                let answer = line.call(path, FORM, form.as_bytes());
                assert!(FINE.contains(&answer["stat"].as_str().unwrap()), "{path} {text:?}: {answer}");
            }
        }
        kept.check(&mut line, "names");
    });
}

/// Refused, by the parameter's name wherever the body can be read that far.
#[test]
fn bytes_that_are_no_text() {
    fn refused(service: &Service, path: &str, name: &str, bytes: &[u8]) {
        let mut line = service.line();
        let pair = format!("{name}={}", percent(bytes));
        for answer in
            [line.call(path, FORM, pair.as_bytes()), line.call(&format!("{path}?{pair}"), FORM, b"")]
        {
            assert_eq!(answer["stat"], "ERR_BAD_PARAMS", "{path} {name}={bytes:?}: {answer}");
            assert!(answer["params"][name].is_string(), "{path} {name}={bytes:?}: {answer}");
        }
        let json = [format!("{{\"{name}\":\"").as_bytes(), bytes, b"\"}"].concat();
        let answer = line.call(path, JSON, &json);
        assert_eq!(answer["stat"], "ERR_BAD_PARAMS", "{path} {name}={bytes:?}: {answer}");
    }
    on_each(|service| {
        let kept = Kept::make(&mut service.line());
        for bytes in NO_TEXT {
            for (path, names) in ALL {
                for name in names.iter().filter(|name| !name.contains(' ')) {
                    refused(service, path, name, bytes);
                }
            }
        }
        kept.check(&mut service.line(), "no text");
    });
}

/// Bodies that are to break a parser.
#[test]
fn json_that_is_a_trap() {
    let deep =
        |open: &str, close: &str| format!("{{\"title\":{}1{}}}", open.repeat(20_000), close.repeat(20_000));
    let bodies = [
        deep("[", "]"),
        deep("{\"a\":", "}"),
        "[".repeat(100_000),
        "{\"title\":\"\\ud800\"}".into(),
        "{\"title\":\"\\udc00\\ud800\"}".into(),
        "{\"title\":\"a\",\"title\":{\"$gt\":\"\"}}".into(),
        "{\"title\":1e400}".into(),
        "{\"title\":-0}".into(),
        "{\"title\":NaN}".into(),
        "{\"title\":\"a\",}".into(),
        "{\"title\":[\"a\"]}".into(),
        "{\"title\":{\"length\":1}}".into(),
        "{\"title\":true}".into(),
        "{\"done\":\"\\u0000\",\"title\":\"a\"}".into(),
        "{\"due\":{},\"title\":\"a\"}".into(),
        "{\"due\":1e308,\"title\":\"a\"}".into(),
        "\u{feff}{\"title\":7}".into(),
        "null".into(),
        "7".into(),
        "\"title\"".into(),
    ];
    on_each(|service| {
        let kept = Kept::make(&mut service.line());
        for body in &bodies {
            let mut line = service.line();
            let answer = line.call("/todo/create", JSON, body.as_bytes());
            let shown: String = body.chars().take(60).collect();
            assert_eq!(answer["stat"], "ERR_BAD_PARAMS", "{shown}: {answer}");
        }
        kept.check(&mut service.line(), "traps");
    });
}
