//! Arguments as messages carry them: whatever way they came, the call made later answers as the call made now.

#![allow(clippy::unwrap_used, clippy::panic, clippy::too_many_arguments, reason = "tests")]

extern crate butterfly_core as butterfly;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use butterfly_core::args::{Blob, DateTime, Input, Json, Payload};
use butterfly_core::reply::Content;
use butterfly_core::{App, Body, Ctx, Door, Handler, Later, TakingIn, bind, call, defer};
use butterfly_macros::{data, handler};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

#[data]
#[serde(rename_all = "lowercase")]
enum Shape {
    Point,
    Circle(u32),
}

#[data]
struct Place {
    x: i32,
    name: String,
}

#[data]
#[serde(untagged)]
enum Either {
    Number(u32),
    Text(String),
}

#[handler]
fn every_type(
    text: Option<String>,
    int: Option<i64>,
    huge: Option<u128>,
    float: Option<f64>,
    flag: Option<bool>,
    letter: Option<char>,
    shape: Option<Shape>,
    place: Option<Place>,
    either: Option<Either>,
    bytes: Option<Blob>,
    at: Option<DateTime>,
    any: Option<serde_json::Value>,
    words: Option<Vec<String>>,
    numbers: Option<Vec<f64>>,
    flags: Option<Vec<bool>>,
    pair: Option<(String, String)>,
) -> String {
    let one =
        format!("{text:?} {int:?} {huge:?} {float:?} {flag:?} {letter:?} {shape:?} {place:?} {either:?}");
    let two = bytes.map(|bytes| bytes.0);
    format!("{one} {two:?} {at:?} {any:?} {words:?} {numbers:?} {flags:?} {pair:?}")
}

#[handler]
fn defaults(
    #[default(7)] number: u32,
    #[default(vec![1])] list: Vec<u32>,
    #[default("x")] text: String,
) -> String {
    format!("{number} {list:?} {text:?}")
}

#[handler(path = "/users/{id}/{*rest}")]
fn user(id: u32, rest: String, #[check(len(1..=3))] name: String) -> String {
    format!("{id} {rest} {name}")
}

#[handler]
fn whole(Json(list): Json<Vec<u32>>, factor: u32) -> Vec<u32> {
    list.into_iter().map(|item| item * factor).collect()
}

fn explodes(_: &u32) -> Result<(), String> {
    panic!("went boom")
}

#[handler]
fn checked(#[check(explodes)] number: u32) -> u32 {
    number
}

#[handler(upload)]
fn streams(body: Body) {
    drop(body);
}

#[handler(ops)]
fn operators() {}

fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a handler of this test never waits"),
    }
}

fn run(handler: &'static Handler, input: Input<'_>) -> String {
    let ctx = Ctx::new(Door::Queue);
    match now(call(handler, &ctx, input)).map(|reply| reply.content) {
        Ok(Content::Json(document)) => String::from_utf8(document).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn query(text: &str) -> Input<'_> {
    Input { query: Some(text), ..Input::default() }
}

fn args(text: &str) -> Input<'_> {
    Input { payload: Payload::Args(text.as_bytes()), ..Input::default() }
}

/// The message's arguments, once it is proved that they answer the same.
fn carried(handler: &'static Handler, input: impl Fn() -> Input<'static>) -> String {
    let message = input().to_json(handler, &Ctx::new(Door::Http)).unwrap();
    assert_eq!(run(handler, args(&message)), run(handler, input()), "{message}");
    message
}

fn failure(handler: &'static Handler, input: &Input<'_>) -> String {
    input.to_json(handler, &Ctx::new(Door::Http)).unwrap_err().to_string()
}

#[test]
fn text_takes_the_form_that_its_parameter_takes() {
    for (text, message) in [
        ("", "{}"),
        ("text=7", r#"{"text":"7"}"#),
        ("text=", r#"{"text":""}"#),
        ("text=null", r#"{"text":"null"}"#),
        ("text=%22a%22%0A", r#"{"text":"\"a\"\n"}"#),
        ("int=-7", r#"{"int":-7}"#),
        ("int=%2B7", r#"{"int":7}"#),
        ("int=007", r#"{"int":7}"#),
        ("int=+7+", r#"{"int":7}"#),
        ("int=", "{}"),
        (
            "huge=340282366920938463463374607431768211455",
            r#"{"huge":340282366920938463463374607431768211455}"#,
        ),
        ("float=1e3", r#"{"float":1e3}"#),
        ("float=.5", r#"{"float":0.5}"#),
        ("flag=ON", r#"{"flag":true}"#),
        ("flag=0", r#"{"flag":false}"#),
        ("letter=7", r#"{"letter":"7"}"#),
        ("shape=point", r#"{"shape":"point"}"#),
        ("shape=%22point%22", r#"{"shape":"point"}"#),
        (r#"shape={"circle":3}"#, r#"{"shape":{"circle":3}}"#),
        (r#"place={"x":1,"name":"n"}"#, r#"{"place":{"x":1,"name":"n"}}"#),
        ("either=7", r#"{"either":"7"}"#),
        ("bytes=aGk%3D", r#"{"bytes":"aGk="}"#),
        ("at=2026-11-20T08:30:00", r#"{"at":"2026-11-20T08:30:00"}"#),
        ("any=7", r#"{"any":"7"}"#),
        ("words=7", r#"{"words":["7"]}"#),
        ("words=", r#"{"words":[""]}"#),
        (r#"words=["a","b"]"#, r#"{"words":["a","b"]}"#),
        ("words=a&words=7", r#"{"words":["a","7"]}"#),
        ("numbers=7", r#"{"numbers":[7]}"#),
        ("numbers=1&numbers=.5&numbers=%2B2", r#"{"numbers":[1,0.5,2]}"#),
        ("numbers=", "{}"),
        ("flags=1&flags=no", r#"{"flags":[true,false]}"#),
        ("pair=a&pair=1", r#"{"pair":["a","1"]}"#),
        ("int=1&text=1&flag=1&numbers=1", r#"{"text":"1","int":1,"flag":true,"numbers":[1]}"#),
    ] {
        assert_eq!(carried(&every_type::HANDLER, || query(text)), message, "{text}");
    }
}

#[test]
fn a_blank_that_counts_as_not_given_leaves_the_default_in_force() {
    assert_eq!(carried(&defaults::HANDLER, || query("number=&list=&text=")), r#"{"text":""}"#);
    assert_eq!(carried(&defaults::HANDLER, || query("list=2")), r#"{"list":[2]}"#);
}

#[test]
fn every_source_is_carried_and_the_later_one_wins() {
    let captures: &'static [_] = vec![("id".into(), "3".into()), ("rest".into(), "a/4".into())].leak();
    let input = || Input {
        query: Some("id=9&name=no"),
        payload: Payload::Form(b"name=7"),
        captures,
        ..Input::default()
    };
    assert_eq!(carried(&user::HANDLER, input), r#"{"id":3,"rest":"a/4","name":"7"}"#);
    let body = || Input { query: Some("factor=2"), payload: Payload::Json(b"[1, 2]"), ..Input::default() };
    assert_eq!(carried(&whole::HANDLER, body), r#"{"list":[1, 2],"factor":2}"#);
    let entries = br#"{"either": 7, "int": null, "any": {"a": [1]}, "place":{"x":1,"name":"\u00e9"}}"#;
    let json = || Input { query: Some("int=1&text=t"), payload: Payload::Json(entries), ..Input::default() };
    let expected = r#"{"text":"t","int":null,"place":{"x":1,"name":"\u00e9"},"either":7,"any":{"a": [1]}}"#;
    assert_eq!(carried(&every_type::HANDLER, json), expected);
}

#[test]
fn what_does_not_fit_is_refused_as_by_the_call_itself() {
    let problem =
        "ERR_BAD_PARAMS: Param check failed (number: expected an integer from 0 to 4294967295, got \"x\")";
    assert_eq!(failure(&defaults::HANDLER, &query("number=x")), problem);
    assert!(failure(&user::HANDLER, &query("id=1&rest=r")).contains("name: missing"));
    assert!(failure(&defaults::HANDLER, &query("wrong=1")).contains("wrong: unknown"));
    let broken = Input { payload: Payload::Json(b"[1"), ..Input::default() };
    assert!(failure(&defaults::HANDLER, &broken).contains("Param check exception"));
    assert!(failure(&streams::HANDLER, &Input::default()).contains("no message carries"));
    let nan = "ERR_BAD_PARAMS: Param check failed (float: cannot be carried by a message: ";
    assert!(failure(&every_type::HANDLER, &query("float=NaN&int=1")).starts_with(nan));
}

#[test]
fn a_check_that_panics_takes_nothing_down() {
    let input = query("number=1");
    let error = input.to_json(&checked::HANDLER, &Ctx::new(Door::Http)).unwrap_err();
    assert!(error.chain().contains("went boom"), "{error:?}");
    assert!(bind(&checked::HANDLER, &Ctx::new(Door::Http), query("number=1")).is_err());
}

#[test]
fn the_calls_log_line_shows_what_was_given() {
    let mut ctx = Ctx::new(Door::Http);
    query("int=+7&flag=on").to_json(&every_type::HANDLER, &ctx).unwrap();
    assert_eq!(String::from_utf8_lossy(&ctx.notes_mut().params), "int= 7;flag=on");
}

proptest! {
    #[test]
    fn whatever_binds_is_carried(
        pairs in vec((select(NAMES.to_vec()), prop_oneof![select(VALUES.to_vec()).prop_map(str::to_owned), number()]), 0..6),
    ) {
        let text = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
        let text: &'static str = text.leak();
        let ctx = Ctx::new(Door::Http);
        if bind(&every_type::HANDLER, &ctx, query(text)).is_ok() {
            carried(&every_type::HANDLER, || query(text));
        }
    }
}

const NAMES: [&str; 16] = [
    "text", "int", "huge", "float", "flag", "letter", "shape", "place", "either", "bytes", "at", "any",
    "words", "numbers", "flags", "pair",
];

const VALUES: [&str; 26] = [
    "",
    "0",
    "1",
    "7",
    "-7",
    "%2B7",
    "007",
    "+7+",
    "null",
    "true",
    "NO",
    "on",
    "a",
    "%22a%22",
    "point",
    "[]",
    "[1]",
    "[%22a%22,null]",
    "{}",
    "{%22circle%22:1}",
    "{%22x%22:1,%22name%22:%22%22}",
    "aGk%3D",
    "2026-11-20+08:30:00",
    "%C3%A9",
    "%00",
    "[true]",
];

/// Numbers in all the forms that text has for them, none of them infinite.
fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<u128>().prop_map(|number| number.to_string()),
        "-?[0-9]{1,20}(\\.[0-9]{0,20})?([eE]-?[0-9]{1,2})?",
        "\\.[0-9]{1,20}",
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(|number| number.to_string()),
    ]
}

/// Takes in every call under the id of its arguments.
#[derive(Debug)]
struct Echo;

impl Later for Echo {
    fn take_in<'a>(&'a self, _: &'a Ctx, handler: &'static Handler, args: String) -> TakingIn<'a> {
        Box::pin(async move { Ok(format!("{}#{args}", handler.path)) })
    }
}

#[test]
fn a_call_for_later_is_permitted_and_checked_first() {
    let mut app = App::default();
    app.later = Some(Box::new(Echo));
    let mut ctx = Ctx::within(app.into(), Door::Http);
    assert_eq!(now(defer(&defaults::HANDLER, &ctx, query("number=1"))).unwrap(), r#"/defaults#{"number":1}"#);
    assert_eq!(ctx.notes_mut().res, [r#"enqueued=/defaults#{"number":1}"#]);
    let refused = |handler| now(defer(handler, &ctx, Input::default())).unwrap_err().stat();
    assert_eq!(refused(&operators::HANDLER).as_str(), "ERR_FORBIDDEN");
    assert_eq!(refused(&checked::HANDLER).as_str(), "ERR_BAD_PARAMS");
    let bare = Ctx::new(Door::Http);
    let none = now(defer(&defaults::HANDLER, &bare, Input::default())).unwrap_err();
    assert!(none.chain().contains("it has no queue"), "{none:?}");
}
