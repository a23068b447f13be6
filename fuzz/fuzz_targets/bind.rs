//! A whole call with whatever arguments: it answers, or names what is wrong with them. It is never the server's fault.
//! Made later, from a message that carries its arguments, it answers the same.
//!
//! Input: a choice (which handler, which form of body), the query string up to the end of the line, the body.

#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use butterfly::description::Handler;
use butterfly::prelude::*;
use butterfly::{Door, Fault, Registry, call};
use butterfly_core::args::{Input, Payload};
use butterfly_core::reply::Content;
use butterfly_fuzz::{choice, finish, line};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

#[data]
#[serde(rename_all = "lowercase")]
enum Color {
    Red,
    Mixed { red: u8, blue: f32 },
}

#[data]
#[serde(deny_unknown_fields)]
struct Node {
    name: String,
    children: Vec<Node>,
}

fn even(value: &i32) -> Result<(), String> {
    if value % 2 == 0 { Ok(()) } else { Err(format!("must be even, got {value}")) }
}

#[handler]
#[expect(clippy::too_many_arguments, reason = "one of each kind")]
fn many(
    ctx: &Ctx,
    text: String,
    #[default(1)]
    #[check(range(1..=100))]
    small: u8,
    #[default(0)]
    #[check(even)]
    number: i32,
    #[default(0)] large: i128,
    ratio: Option<f64>,
    #[default(false)] flag: bool,
    letter: Option<char>,
    color: Option<Color>,
    #[check(len(..=3))]
    #[default(vec![])]
    tags: Vec<String>,
    #[default(vec![])] sizes: Vec<u32>,
    tree: Option<Node>,
    map: Option<BTreeMap<String, Value>>,
    bytes: Option<Blob>,
    date: Option<butterfly::jiff::civil::Date>,
    at: Option<butterfly::jiff::Timestamp>,
    #[check(regex("^[a-z]+$"))]
    #[default("abc")]
    word: String,
    #[default("")] password: String,
) -> (String, String) {
    let _ = ctx.reqid();
    let shown = format!(
        "{text}{small}{number}{large}{ratio:?}{flag}{letter:?}{color:?}{tags:?}{sizes:?}{tree:?}{map:?}{bytes:?}\
         {date:?}{at:?}{password}"
    );
    (shown, word)
}

#[handler]
fn whole(Json(tree): Json<Node>, #[default(1)] factor: u32) -> usize {
    tree.children.len().wrapping_mul(factor as usize)
}

#[handler]
fn nothing() {}

static HANDLERS: LazyLock<[&'static Handler; 3]> = LazyLock::new(|| {
    let registry = Registry::collect().unwrap();
    let of = |path| registry.get(path).unwrap();
    [of(many::PATH), of(whole::PATH), of(nothing::PATH)]
});

fuzz_target!(|data: &[u8]| {
    let (number, data) = choice(data);
    let (query, body) = line(data);
    let Ok(query) = std::str::from_utf8(query) else { return };
    let pairs: Vec<_> = std::str::from_utf8(body).unwrap_or_default().lines().filter_map(pair).collect();
    let payload = match number % 4 {
        0 => Payload::None,
        1 => Payload::Json(body),
        2 => Payload::Form(body),
        _ => Payload::Pairs(&pairs),
    };
    let query = Some(query).filter(|query| !query.is_empty());
    let mut ctx = Ctx::new(Door::Http);
    let input = || Input { query, payload, ..Input::default() };
    let handler = HANDLERS[number / 4 % 3];
    match finish(call(handler, &ctx, input())) {
        Ok(reply) => {
            let Content::Json(document) = reply.content else { panic!("no JSON") };
            let answer: Value = serde_json::from_slice(&document).unwrap();
            assert_eq!(answer["stat"], "OK");
            later(handler, input(), &document);
        }
        Err(error) => refused(&error),
    }
    assert!(String::from_utf8(std::mem::take(&mut ctx.notes_mut().params)).is_ok());
});

/// What a message carries answers as the call did; a number that is none cannot be carried.
fn later(handler: &'static Handler, input: Input<'_>, document: &[u8]) {
    match input.to_json(handler, &Ctx::new(Door::Http)) {
        Ok(args) => {
            let input = Input { payload: Payload::Args(args.as_bytes()), ..Input::default() };
            let ctx = Ctx::new(Door::Queue);
            let Content::Json(again) = finish(call(handler, &ctx, input)).unwrap().content else {
                panic!("no JSON")
            };
            assert_eq!(again, document, "{args}");
        }
        Err(error) => refused(&error),
    }
}

fn pair(line: &str) -> Option<(String, String)> {
    line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))
}

/// A refusal names parameters that can be found, and problems that can be read.
fn refused(error: &Error) {
    match error.fault() {
        Fault::BadParams(bad) => {
            assert!(!bad.is_empty());
            for (name, problem) in bad.iter() {
                assert!(!problem.is_empty(), "{name}");
            }
        }
        Fault::BadBody(why) => assert!(!why.is_empty()),
        other => panic!("{other:?}"),
    }
}
