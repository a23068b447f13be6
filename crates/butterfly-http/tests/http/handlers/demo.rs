//! Arguments in, answers out.

use std::collections::BTreeMap;

use butterfly_core::args::Json;
use butterfly_core::reply::{Cookie, Http, Redirect, ReplyExt, With};
use butterfly_core::{Ctx, Result};
use butterfly_macros::{data, handler};

use crate::support::{Events, Gate};

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

#[data]
struct Point {
    x: i32,
    y: i32,
}

#[handler]
fn ping() {}

#[handler]
fn hello(
    ctx: &Ctx,
    str_info: String,
    #[default(1)]
    #[check(range(1..=100))]
    times: u32,
) -> Hello {
    ctx.mark("think");
    ctx.note("said");
    ctx.note("hello\tworld");
    Hello { str_info: str_info.repeat(times as usize) }
}

#[handler]
fn types(
    int: Option<i64>,
    float: Option<f64>,
    flag: Option<bool>,
    color: Option<Color>,
    list: Option<Vec<u32>>,
    point: Option<Point>,
    text: Option<String>,
) -> serde_json::Value {
    serde_json::json!({
        "int": int, "float": float, "flag": flag, "color": color, "list": list, "point": point, "text": text,
    })
}

#[handler]
fn login(name: String, password: String) -> usize {
    name.len() + password.len()
}

#[handler]
fn whole(Json(list): Json<Vec<u32>>, factor: u32) -> Vec<u32> {
    list.into_iter().map(|item| item * factor).collect()
}

#[handler(path = "/users/{id}")]
fn user(id: String, tag: Option<String>) -> String {
    format!("{id}:{}", tag.unwrap_or_default())
}

#[handler(path = "/users/{id}/posts/{number}")]
fn post(id: String, number: u32) -> String {
    format!("{id}/{number}")
}

#[handler(methods(GET, POST))]
fn only() {}

#[handler]
fn with_headers() -> With<BTreeMap<String, u8>> {
    BTreeMap::from([("a".to_owned(), 1)])
        .with_header("demo", "1.0.1")
        .with_cookie(Cookie::new("one", "1").max_age(60))
        .with_cookie(Cookie::new("two", "a;b"))
        .with_stat("OK_PART")
}

#[handler(http)]
fn status(code: u16) -> Http {
    Http::text("some text").status(code)
}

#[handler(http)]
fn bare(code: u16) -> Http {
    Http::new(code)
}

#[handler(http)]
fn json() -> Result<Http> {
    Http::json(&serde_json::json!({ "a": [1, "é"] }))
}

#[handler(http)]
fn page() -> Http {
    Http::html("<p>hi</p>").header("content-type", "text/html").cookie(Cookie::new("seen", "yes"))
}

#[handler(http)]
fn sneaky() -> Http {
    Http::text("body")
        .header("x-one", "a\r\nx-two: b")
        .header("content-length", "9999")
        .header("x-three", "c")
}

#[handler(http)]
fn away() -> Redirect {
    Redirect::to("/demo/ping")
}

#[handler]
fn cookies(ctx: &Ctx) -> Vec<Option<String>> {
    ["a", "token", "quoted", "missing"].map(|name| ctx.cookie(name).map(str::to_owned)).to_vec()
}

#[data]
struct Caller {
    ip: String,
    user: String,
    reqid: String,
}

#[handler]
fn whoami(ctx: &Ctx) -> Caller {
    Caller {
        ip: ctx.ip().map(|ip| ip.to_string()).unwrap_or_default(),
        user: ctx.username().to_owned(),
        reqid: ctx.reqid().to_string(),
    }
}

/// Tells the test that it runs, then waits until the test lets it go.
#[handler]
async fn wait(ctx: &Ctx, #[default("in")] name: String) -> Result<Hello> {
    let _gone = Gone(ctx, name.clone());
    ctx.state::<Events>()?.push(&*name);
    ctx.state::<Gate>()?.pass().await;
    Ok(Hello { str_info: name })
}

/// Tells the test when a call is over, also when it was given up.
struct Gone<'c>(&'c Ctx, String);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        if let Ok(events) = self.0.state::<Events>() {
            events.push(format!("{} gone", self.1));
        }
    }
}

#[handler(timeout = "50ms")]
async fn hurried(ctx: &Ctx) -> Result<()> {
    ctx.state::<Gate>()?.pass().await;
    Ok(())
}
