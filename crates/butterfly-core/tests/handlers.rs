//! Handlers as a user writes them, called by the one path.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

extern crate butterfly_core as butterfly;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use butterfly_core::args::{Input, Json, Payload};
use butterfly_core::handler::{Batch, QueueOptions};
use butterfly_core::reply::Content;
use butterfly_core::{Ctx, Door, Handler, Result, call, ensure};
use butterfly_macros::{Stat, data, handler};

#[data]
struct Hello {
    str_info: String,
}

#[data]
#[serde(rename_all = "lowercase")]
enum Color {
    Red,
    Blue,
}

/// Say hello.
#[handler]
async fn hello(
    ctx: &Ctx,
    /// text to echo
    str_info: String,
    #[default(1)]
    #[check(range(1..=100))]
    times: u32,
) -> Result<Hello> {
    ctx.mark("think");
    ensure!(!str_info.is_empty(), "ERR_EMPTY");
    Ok(Hello { str_info: str_info.repeat(times as usize) })
}

#[handler]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[derive(Stat)]
enum Trouble {
    NotFound,
    #[stat("ERR_LIMIT")]
    TooMany(u32),
}

#[handler(
    retries = 3,
    backoff = "1s",
    rate = "100/m",
    concurrency = 4,
    limit_by = "account_id",
    key_rate = "5/10s",
    key_concurrency = 1,
    batch("items", max = 100, wait = "50ms")
)]
fn bill(account_id: u64, items: Vec<String>) -> usize {
    items.len() + account_id as usize
}

#[test]
fn what_the_queue_keeps_to_stands_in_the_description() {
    let expected = QueueOptions {
        retries: Some(3),
        backoff: Some(Duration::from_secs(1)),
        rate: Some((100, 60_000)),
        concurrency: Some(4),
        limit_by: Some("account_id"),
        key_rate: Some((5, 10_000)),
        key_concurrency: Some(1),
        batch: Some(Batch { param: "items", max: 100, wait: Duration::from_millis(50) }),
    };
    assert_eq!(bill::HANDLER.options.queue, expected);
    assert_eq!(add::HANDLER.options.queue, QueueOptions::NONE);
}

fn even(value: &u32) -> Result<(), String> {
    if value.is_multiple_of(2) { Ok(()) } else { Err(format!("must be even, got {value}")) }
}

#[handler(path = "/users/{id}", methods(GET, POST), timeout = "5s")]
fn user(
    #[check(even)] id: u32,
    color: Option<Color>,
    #[check(len(..=2))]
    #[default(vec![])]
    tags: Vec<String>,
    #[check(regex("^a"))]
    #[default("abc")]
    name: String,
) -> Result<String, Trouble> {
    match id {
        0 => Err(Trouble::NotFound),
        id if id > 100 => Err(Trouble::TooMany(id)),
        _ => Ok(format!("{id} {color:?} {tags:?} {name}")),
    }
}

#[handler]
async fn whole(Json(list): Json<Vec<u32>>, factor: u32) -> Vec<u32> {
    list.into_iter().map(|item| item * factor).collect()
}

#[handler]
fn broken() -> Result<()> {
    Ok(std::fs::read_to_string("/no/such/file").map(|_| ())?)
}

#[handler]
fn panics(text: String) -> String {
    assert!(text != "boom", "went boom");
    text
}

fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a handler of this test never waits"),
    }
}

fn run(handler: &'static Handler, input: Input<'_>) -> String {
    let ctx = Ctx::new(Door::Cli);
    match now(call(handler, &ctx, input)) {
        Ok(reply) => match reply.content {
            Content::Json(document) => String::from_utf8(document).unwrap(),
            other => format!("{other:?}"),
        },
        Err(error) => error.chain(),
    }
}

fn query(text: &str) -> Input<'_> {
    Input { query: Some(text), ..Input::default() }
}

fn json(text: &str) -> Input<'_> {
    Input { payload: Payload::Json(text.as_bytes()), ..Input::default() }
}

#[test]
fn arguments_come_typed_and_answers_go_beside_stat() {
    assert_eq!(run(&hello::HANDLER, query("str_info=hi&times=2")), r#"{"stat":"OK","str_info":"hihi"}"#);
    assert_eq!(run(&hello::HANDLER, json(r#"{"str_info":"h\u00e9"}"#)), r#"{"stat":"OK","str_info":"hé"}"#);
    assert_eq!(run(&add::HANDLER, query("a=1&b=-2")), r#"{"stat":"OK","data":-1}"#);
    assert_eq!(
        run(&whole::HANDLER, Input { query: Some("factor=3"), ..json("[1,2]") }),
        r#"{"stat":"OK","data":[3,6]}"#
    );
}

#[test]
fn the_function_stays_a_function() {
    assert_eq!(add(2, 3), 5);
    assert_eq!(now(hello(&Ctx::new(Door::Cli), "x".into(), 2)).unwrap().str_info, "xx");
}

#[test]
fn every_problem_is_named_at_once() {
    assert_eq!(
        run(&hello::HANDLER, query("times=500&wrong=1")),
        "ERR_BAD_PARAMS: Param check failed (wrong: unknown, known are str_info, times; str_info: missing; \
         times: must be in 1..=100, got 500)"
    );
    assert_eq!(
        run(&user::HANDLER, query("id=3&color=green&tags=1&tags=2&tags=3&name=b")),
        "ERR_BAD_PARAMS: Param check failed (id: must be even, got 3; color: expected one of red, blue, got \"green\"; \
         tags: must have a length in ..=2, has 3; name: must match ^a, got \"b\")"
    );
    assert_eq!(
        run(&add::HANDLER, json(r#"{"a":"x","b":1}"#)),
        "ERR_BAD_PARAMS: Param check failed (a: invalid type: string \"x\", expected i64)"
    );
    assert_eq!(
        run(&hello::HANDLER, query("str_info=%zz")),
        "ERR_BAD_PARAMS: Param check failed (str_info: has a broken percent escape)"
    );
    assert!(run(&add::HANDLER, json("[1]")).starts_with("ERR_BAD_PARAMS: Param check exception"));
}

#[test]
fn later_sources_override_earlier_ones() {
    let both = Input { query: Some("a=1&b=1"), payload: Payload::Form(b"b=%35"), ..Input::default() };
    assert_eq!(run(&add::HANDLER, both), r#"{"stat":"OK","data":6}"#);
    let captures = [("id".to_owned(), "2".to_owned())];
    let path = Input { query: Some("id=4"), captures: &captures, ..Input::default() };
    assert_eq!(run(&user::HANDLER, path), r#"{"stat":"OK","data":"2 None [] abc"}"#);
}

#[test]
fn errors_keep_inside_what_is_inside() {
    assert_eq!(run(&user::HANDLER, query("id=0")), "ERR_NOT_FOUND");
    assert_eq!(run(&user::HANDLER, query("id=200")), "ERR_LIMIT: 200");
    assert!(run(&broken::HANDLER, query("")).contains("No such file"));
    assert_eq!(
        run(&panics::HANDLER, query("text=boom")),
        "ERR_SERVER_EXCEPTION: API Processing Exception: panicked: went boom"
    );
}

#[test]
fn paths_come_from_modules_and_jobs_carry_typed_arguments() {
    assert_eq!(hello::PATH, "/hello");
    assert_eq!(user::PATH, "/users/{id}");
    let job = hello::job("hi", 2);
    assert_eq!(job.args().unwrap(), r#"{"str_info":"hi","times":2}"#);
    assert_eq!(hello::HANDLER.params[1].doc, "text to echo");
    assert_eq!(hello::HANDLER.params[2].default.and_then(|value| value()), Some(1.into()));
}
