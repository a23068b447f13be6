//! Odd but valid handlers: they compile without a warning, whatever lints the user's crate turns on, and they work.
#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    unused_results,
    single_use_lifetimes,
    unused_lifetimes,
    let_underscore_drop,
    trivial_casts,
    unit_bindings,
    clippy::all,
    clippy::pedantic
)]
#![allow(dead_code, reason = "most handlers here are called through their description alone")]
#![allow(clippy::needless_pass_by_value, clippy::missing_const_for_fn, reason = "so are handlers")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]
#![allow(clippy::missing_errors_doc, clippy::must_use_candidate, clippy::unused_async, reason = "brevity")]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use butterfly::args::{Input, Json, Payload};
use butterfly::reply::Content;
use butterfly::{Body, Ctx, Door, Handler, call};
use butterfly_macros::{Stat, data, handler};

/// Everything that the queue can be told.
#[handler(
    retries = 0,
    backoff = "1h",
    rate = "1/250ms",
    limit_by = "type",
    batch("in", max = 1, wait = "1ms",)
)]
fn queued(r#type: u8, r#in: Vec<u8>) -> usize {
    r#in.len() + usize::from(r#type)
}

mod names {
    //! Names that generated code, or Rust itself, could want for itself.
    use super::handler;

    /// A keyword as a name, for the function and for a parameter.
    #[handler]
    pub(super) fn r#type(r#match: String, #[default(1)] r#loop: u32) -> String {
        r#match + " " + &r#loop.to_string()
    }

    /// Every local of the generated code.
    #[handler]
    pub(super) fn locals(
        binder: u8,
        input: u8,
        ctx: u8,
        bf: u8,
        generator: u8,
        #[check(range(0..9))] value: Option<u8>,
        arg_input: u8,
    ) -> u32 {
        u32::from(binder + input + ctx + bf + generator + arg_input) + value.map_or(0, u32::from)
    }

    /// The names of what stands beside the function, and its own.
    #[handler]
    #[allow(non_snake_case, reason = "the point of this handler")]
    pub(super) fn items(PATH: u8, HANDLER: u8, PARAMS: u8, run: u8, job: u8, items: u8) -> u8 {
        PATH + HANDLER + PARAMS + run + job + items
    }

    #[handler]
    pub(super) fn job(id: u8) -> u8 {
        id
    }

    #[handler]
    pub(super) fn handler_(handler: u8) -> u8 {
        handler
    }
}

mod scope {
    //! Items that are called as what stands beside a handler.
    use super::handler;

    const PATH: &str = "mine";
    const PARAMS: usize = 3;

    fn run(value: &str) -> Result<(), String> {
        if value == "bad" { Err("must not be bad".into()) } else { Ok(()) }
    }

    /// Defaults and checks mean what the user's module says, not what the generated code does.
    #[handler]
    pub(super) fn scope(
        #[default(PATH.to_owned())]
        #[check(run)]
        run: String,
        #[default(PARAMS)]
        #[check(range(..=PARAMS))]
        value: usize,
    ) -> String {
        format!("{run} {value}")
    }
}

mod runner {
    //! A handler may be called as the methods beside it are.
    use super::handler;

    #[handler]
    pub(super) fn run(run: u8) -> u8 {
        run
    }

    #[handler]
    #[deprecated = "for the test"]
    pub(super) fn old(id: u8) -> u8 {
        id
    }

    #[handler]
    #[must_use]
    pub(super) fn kept(id: u8) -> u8 {
        id
    }
}

mod outer {
    //! Paths that go up, and visibilities that reach there.
    use std::borrow::Cow;

    pub(super) const LIMIT: u32 = 3;

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "as checks are")]
    pub(super) fn small(value: &u32) -> Result<(), String> {
        if *value < 10 { Ok(()) } else { Err("must be small".into()) }
    }

    #[super::data]
    pub(super) struct Point {
        pub(super) x: u32,
    }

    pub(super) mod inner {
        pub(super) mod innermost {
            use super::super::super::handler;

            #[handler]
            #[allow(unused_qualifications, reason = "a path with `self` is the point")]
            pub(in crate::odd) fn up(
                #[default(super::super::LIMIT)]
                #[check(super::super::small)]
                limit: u32,
                point: super::super::Point,
                #[default(vec![one()])]
                #[check(self::few)]
                list: Vec<u32>,
            ) -> super::super::Point {
                super::super::Point { x: point.x + limit + list.iter().sum::<u32>() }
            }

            fn one() -> u32 {
                1
            }

            fn few(list: &[u32]) -> Result<(), String> {
                if list.len() < 3 { Ok(()) } else { Err("must be few".into()) }
            }
        }

        pub(in crate::odd) use innermost::up;
    }

    #[super::handler]
    pub(super) fn borrowed() -> Cow<'static, str> {
        "always".into()
    }
}

mod aliases {
    //! Types under other names.
    use super::{Stat, data, handler};

    type Result<T> = std::result::Result<T, Trouble>;
    type Answer = std::result::Result<Vec<Id>, butterfly::Error>;
    type Id = u32;
    type Maybe<T> = Option<T>;

    #[derive(Debug, Stat)]
    pub(super) enum Trouble {
        Empty,
    }

    #[data]
    #[derive(Default, PartialEq, Eq)]
    pub(super) struct Nothing {}

    #[handler]
    pub(super) fn answer(id: Id) -> Answer {
        Ok(vec![id.checked_add(0).ok_or(Trouble::Empty)?])
    }

    #[handler]
    pub(super) fn own_error(#[default(None)] id: Maybe<Id>) -> Result<Id> {
        id.ok_or(Trouble::Empty)
    }

    #[handler]
    pub(super) fn unit() {}

    #[handler]
    pub(super) fn nothing() -> Nothing {
        Nothing::default()
    }

    #[handler]
    pub(super) fn pair(id: (u8, bool)) -> (u8, bool) {
        id
    }

    #[handler]
    pub(super) fn never_says(id: u8) -> std::result::Result<(), std::num::TryFromIntError> {
        i8::try_from(id).map(|_| ())
    }
}

mod conditions {
    //! Handlers that may or may not be there.
    use super::handler;

    #[cfg(not(all()))]
    #[handler]
    fn absent(id: NoSuchType) -> NoSuchType {
        id
    }

    #[handler]
    #[cfg(not(all()))]
    fn absent_too(id: NoSuchType) -> NoSuchType {
        id
    }

    #[handler]
    #[cfg(any(test, unix))]
    pub(super) fn present(id: u8) -> u8 {
        id
    }

    #[handler]
    #[cfg_attr(all(), doc = "Documented under a condition.")]
    pub(super) fn described() {}
}

/// Says "hello", with a \ and a `"quoted"` word.
///
/// # More
///
/// {braces} and `r#"raw"#`
#[handler]
async fn documented(
    _unused: &Ctx,
    /// a "quoted" \ word
    text: String,
) -> String {
    text
}

#[handler(upload)]
async fn upload(mut input: Body, _ctx: &Ctx, name: String) -> butterfly::Result<String> {
    let mut size = 0;
    while let Some(piece) = input.next().await {
        size += piece?.len();
    }
    Ok(format!("{name} {size}"))
}

#[handler]
async fn whole(mut ctx: Json<Vec<u32>>, #[default(2)] mut binder: u32) -> Vec<u32> {
    binder += 1;
    ctx.0.push(binder);
    ctx.0
}

#[handler]
#[allow(clippy::needless_lifetimes, reason = "a named lifetime is the point")]
fn lifetimes<'a>(ctx: &'a Ctx) -> Vec<&'a str> {
    vec![ctx.username()]
}

#[handler]
async fn elided(ctx: &Ctx, #[default(true)] give: bool) -> butterfly::Result<&str> {
    if give { Ok(ctx.username()) } else { Err(butterfly::Error::business("ERR_NOT_GIVEN")) }
}

fn run(handler: &'static Handler, input: Input<'_>) -> String {
    let ctx = Ctx::new(Door::Cli);
    let mut running = pin!(call(handler, &ctx, input));
    let Poll::Ready(answer) = running.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("a handler of this test never waits");
    };
    match answer.map(|reply| reply.content) {
        Ok(Content::Json(document)) => String::from_utf8(document).unwrap(),
        Ok(other) => format!("{other:?}"),
        Err(error) => error.chain(),
    }
}

fn json(text: &str) -> Input<'_> {
    Input { payload: Payload::Json(text.as_bytes()), ..Input::default() }
}

#[test]
fn raw_names_are_plain_on_the_wire() {
    assert_eq!(names::r#type::PATH, "/odd/names/type");
    assert_eq!(run(&names::r#type::HANDLER, json(r#"{"match":"a"}"#)), r#"{"stat":"OK","data":"a 1"}"#);
    assert_eq!(names::r#type::job("x", 2).args().unwrap(), r#"{"match":"x","loop":2}"#);
}

#[test]
fn names_of_parameters_meet_none_of_the_macros() {
    let all = r#"{"binder":1,"input":1,"ctx":1,"bf":1,"generator":1,"value":1,"arg_input":1}"#;
    assert_eq!(run(&names::locals::HANDLER, json(all)), r#"{"stat":"OK","data":7}"#);
    let all = r#"{"PATH":1,"HANDLER":1,"PARAMS":1,"run":1,"job":1,"items":1}"#;
    assert_eq!(run(&names::items::HANDLER, json(all)), r#"{"stat":"OK","data":6}"#);
    assert_eq!(names::items::job(1, 2, 3, 4, 5, 6).path(), "/odd/names/items");
    for (handler, name) in [
        (&names::job::HANDLER, "id"),
        (&names::handler_::HANDLER, "handler"),
        (&runner::run::HANDLER, "run"),
        (&runner::old::HANDLER, "id"),
        (&runner::kept::HANDLER, "id"),
    ] {
        assert_eq!(run(handler, json(&format!(r#"{{"{name}":5}}"#))), r#"{"stat":"OK","data":5}"#);
    }
}

#[test]
fn defaults_and_checks_keep_the_scope_they_were_written_in() {
    assert_eq!(run(&scope::scope::HANDLER, json("{}")), r#"{"stat":"OK","data":"mine 3"}"#);
    assert!(run(&scope::scope::HANDLER, json(r#"{"run":"bad"}"#)).contains("run: must not be bad"));
    assert_eq!(run(&outer::inner::up::HANDLER, json(r#"{"point":{"x":1}}"#)), r#"{"stat":"OK","x":5}"#);
    assert!(
        run(&outer::inner::up::HANDLER, json(r#"{"point":{"x":1},"limit":10}"#)).contains("must be small")
    );
    assert_eq!(run(&outer::borrowed::HANDLER, json("{}")), r#"{"stat":"OK","data":"always"}"#);
}

#[test]
fn types_under_other_names_work_as_their_own() {
    assert_eq!(run(&aliases::answer::HANDLER, json(r#"{"id":1}"#)), r#"{"stat":"OK","data":[1]}"#);
    assert_eq!(run(&aliases::own_error::HANDLER, json("{}")), "ERR_EMPTY");
    assert_eq!(run(&aliases::unit::HANDLER, json("{}")), r#"{"stat":"OK"}"#);
    assert_eq!(run(&aliases::nothing::HANDLER, json("{}")), r#"{"stat":"OK"}"#);
    assert_eq!(run(&aliases::pair::HANDLER, json(r#"{"id":[1,true]}"#)), r#"{"stat":"OK","data":[1,true]}"#);
    assert_eq!(run(&aliases::never_says::HANDLER, json(r#"{"id":1}"#)), r#"{"stat":"OK"}"#);
    assert!(run(&aliases::never_says::HANDLER, json(r#"{"id":200}"#)).contains("out of range"));
}

#[test]
fn conditions_hold_for_the_description_too() {
    assert_eq!(run(&conditions::present::HANDLER, json(r#"{"id":1}"#)), r#"{"stat":"OK","data":1}"#);
    assert_eq!(conditions::described::HANDLER.doc, "Documented under a condition.");
}

#[test]
fn documentation_is_kept_as_written() {
    assert_eq!(documented::HANDLER.summary(), r#"Says "hello", with a \ and a `"quoted"` word."#);
    assert_eq!(documented::HANDLER.params[1].doc, r#"a "quoted" \ word"#);
}

#[test]
fn bodies_come_under_any_name() {
    let input = Input { query: Some("name=a"), stream: Some(Body::from("four".to_owned())), ..json("") };
    let input = Input { payload: Payload::None, ..input };
    assert_eq!(run(&upload::HANDLER, input), r#"{"stat":"OK","data":"a 4"}"#);
    assert_eq!(run(&whole::HANDLER, json("[1]")), r#"{"stat":"OK","data":[1,3]}"#);
    assert_eq!(run(&lifetimes::HANDLER, json("{}")), r#"{"stat":"OK","data":["-"]}"#);
    assert_eq!(run(&elided::HANDLER, json("{}")), r#"{"stat":"OK","data":"-"}"#);
}

#[test]
fn a_function_body_may_hold_handlers() {
    const START: u32 = 4;

    /// A type that only this function knows.
    #[data]
    struct Local {
        id: u32,
    }

    #[handler]
    fn inside(local: Local, #[default(START)] add: u32) -> Local {
        Local { id: local.id + add }
    }

    assert_eq!(run(&inside::HANDLER, json(r#"{"local":{"id":1}}"#)), r#"{"stat":"OK","id":5}"#);
    assert_eq!(inside::PATH, "/odd/inside");
}
