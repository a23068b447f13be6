//! Events, as they stand in the files.

use std::fmt;
use std::fs;
use std::io;

use butterfly_log::{AppLog, Format, Levels, Rotation};
use serde_json::Value;
use tracing::level_filters::LevelFilter;
use tracing::{Span, debug, error, info, info_span, warn};

/// Runs `events` and returns the lines of `common.log` and `common.log.wf`.
fn logged(change: impl FnOnce(AppLog) -> AppLog, events: impl FnOnce(&AppLog)) -> [Vec<String>; 2] {
    let folder = tempfile::tempdir().unwrap();
    let log = change(AppLog::open(folder.path(), Rotation::default(), Levels::default()).unwrap());
    tracing::subscriber::with_default(log.clone(), || events(&log));
    log.flush();
    ["common.log", "common.log.wf"].map(|name| {
        let content = fs::read_to_string(folder.path().join(name)).unwrap_or_default();
        content.lines().map(str::to_owned).collect()
    })
}

/// What follows the star.
fn messages(lines: &[String]) -> Vec<&str> {
    lines.iter().map(|line| line.split_once(" * ").unwrap().1).collect()
}

#[test]
fn a_text_line_has_its_parts_in_order() {
    let [common, _] = logged(|log| log, |_| info!(target: "my_app", n = 3, "user came"));
    let parts: Vec<&str> = common[0].split(' ').collect();
    let [level, target, day, time, place, thread, reqid, star, ..] = parts[..] else { panic!("{common:?}") };
    assert_eq!((level, target, reqid, star), ("INFO", "my_app", "@@@@@@@@@@@@@@@@", "*"));
    assert_eq!((day.len(), time.len()), ("11-20".len(), "15:30:00:".len()));
    assert!(place.contains("events.rs:"), "{place}");
    assert!(thread.parse::<u64>().unwrap() > 0);
    assert_eq!(messages(&common), ["user came n=3"]);
}

#[test]
fn warnings_are_in_both_files() {
    let [common, warnings] = logged(
        |log| log,
        |_| {
            info!("i");
            warn!("w");
            error!("e");
        },
    );
    assert_eq!(messages(&common), ["i", "w", "e"]);
    assert_eq!(messages(&warnings), ["w", "e"]);
}

#[test]
fn no_input_makes_a_second_line_or_field() {
    let evil = "bob\nERROR my_app \u{2028}\x1b[2J admin=true";
    let [common, _] = logged(|log| log.reqid(|give| give("00\n")), |_| info!(user = evil, %evil, "{evil}"));
    assert_eq!(common.len(), 1);
    let escaped = r"bob\nERROR my_app \u{2028}\x1b[2J admin=true";
    assert_eq!(messages(&common), [format!("{escaped} user=\"{escaped}\" evil=\"{escaped}\"")]);
    assert!(common[0].contains(r" 00\n * "));
}

#[test]
fn fields_print_as_they_are_given() {
    let [common, _] = logged(
        |log| log,
        |_| info!(a = 1, b = -2.5, c = true, d = "x y", e = ?Some("z"), f = %"plain", g = "", "all"),
    );
    assert_eq!(messages(&common), [r#"all a=1 b=-2.5 c=true d="x y" e="Some(\"z\")" f=plain g="""#]);
}

#[derive(Debug)]
struct Outer(io::Error);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot load")
    }
}

impl std::error::Error for Outer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn errors_come_with_their_causes() {
    let error = Outer(io::Error::other("no such thing"));
    let error = &error as &(dyn std::error::Error + 'static);
    let [common, _] = logged(|log| log, |_| error!(error, "failed"));
    assert_eq!(messages(&common), [r#"failed error="cannot load: no such thing""#]);
}

#[test]
fn levels_change_while_running() {
    let [common, _] = logged(
        |log| log,
        |log| {
            for on in [false, true, false] {
                let level = if on { LevelFilter::DEBUG } else { LevelFilter::INFO };
                log.levels().set("my_app", level);
                debug!(target: "my_app::db", "debug while {on}");
                debug!(target: "other", "never");
            }
        },
    );
    assert_eq!(messages(&common), ["debug while true"]);
}

#[test]
fn spans_stand_before_the_message() {
    let [common, _] = logged(
        |log| log,
        |_| {
            let outer = info_span!("order", id = 7, state = tracing::field::Empty);
            outer.in_scope(|| {
                info!("one");
                outer.record("state", "paid twice");
                let inner = info_span!("pay");
                drop(inner.enter());
                inner.in_scope(|| info!("two"));
                assert_eq!(Span::current().id(), outer.id());
            });
            let parent = outer.id();
            info!(parent: parent, "three");
            drop(outer);
            info!("four");
        },
    );
    let paid = r#"order{id=7 state="paid twice"}:"#;
    let expected = [
        "order{id=7}: one".to_owned(),
        format!("{paid} pay: two"),
        format!("{paid} three"),
        "four".to_owned(),
    ];
    assert_eq!(messages(&common), expected);
}

#[test]
fn scopes_that_do_not_nest_and_handles_that_outlive_do_no_harm() {
    let [common, _] = logged(
        |log| log,
        |_| {
            let (a, b) = (info_span!("a"), info_span!("b"));
            let entered_a = a.clone().entered();
            let entered_b = b.clone().entered();
            drop(entered_a);
            info!("in b");
            drop((entered_b, b));
            info!("in none");
            let child = info_span!(parent: &a, "child");
            drop(a);
            child.in_scope(|| info!("in child"));
        },
    );
    assert_eq!(messages(&common), ["b: in b", "in none", "a: child: in child"]);
}

/// A value that logs while it is printed.
struct Chatty;

impl fmt::Display for Chatty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        warn!("inside");
        f.write_str("outside")
    }
}

#[test]
fn an_event_within_an_event_is_a_line_of_its_own() {
    // `tracing` may hold such events back while one is under way; what matters is that neither harms the other.
    let [common, _] = logged(|log| log, |_| info!("{Chatty}"));
    assert_eq!(
        messages(&common).into_iter().filter(|message| *message != "inside").collect::<Vec<_>>(),
        ["outside"]
    );
}

#[test]
fn json_lines_are_json() {
    let evil = "q\"\\\n\u{2028}\u{1b}蝴";
    let [common, warnings] = logged(
        |log| log.format(Format::Json).reqid(|give| give("00c9d3a1b2e4f567")),
        |_| {
            let span = info_span!("order", name = evil);
            span.in_scope(
                || warn!(target: "my_app", evil, n = -1, x = 0.5, nan = f64::NAN, ok = true, "m {evil}"),
            );
        },
    );
    assert_eq!(common, warnings);
    assert!(!common[0].chars().any(|c| c.is_control() || c == '\u{2028}'));
    let line: Value = serde_json::from_str(&common[0]).unwrap();
    assert_eq!((&line["level"], &line["target"]), (&"WARN".into(), &"my_app".into()));
    assert_eq!(line["reqid"], "00c9d3a1b2e4f567");
    assert_eq!(line["message"], format!("m {evil}"));
    assert_eq!(line["fields"], serde_json::json!({"evil": evil, "n": -1, "x": 0.5, "nan": null, "ok": true}));
    assert_eq!(line["spans"], r#"order{name="q\"\\\n\u{2028}\x1b蝴"}"#);
    let time = line["time"].as_str().unwrap();
    assert_eq!(time.len(), "2026-11-20T15:30:00.123+08:00".len(), "{time}");
}

#[test]
fn json_outside_of_requests_has_no_reqid() {
    let [common, _] = logged(|log| log.format(Format::Json), |_| info!("m"));
    let line: Value = serde_json::from_str(&common[0]).unwrap();
    assert_eq!((&line["reqid"], &line["fields"]), (&Value::Null, &serde_json::json!({})));
    assert!(line.get("spans").is_none());
}
