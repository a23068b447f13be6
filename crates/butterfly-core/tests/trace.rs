//! What a trace prints, told by hand: the calls that `#[handler]` writes into a function in debug builds.

#![allow(clippy::unwrap_used, reason = "tests")]

#[cfg(debug_assertions)]
extern crate butterfly_core as butterfly;

#[path = "trace/instrumented.rs"]
mod instrumented;

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use butterfly_core::trace::{self, Frame, TraceOptions};
use regex_lite::Regex;

/// A sink that can be read.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// There is one recorder in a process, so the tests take turns.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is printed while `run` runs, with times and line numbers masked.
fn traced(options: impl FnOnce(TraceOptions) -> TraceOptions, run: impl FnOnce()) -> String {
    let lines = Lines::default();
    trace::start(options(TraceOptions::new(lines.clone())));
    run();
    trace::stop();
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    masked(&text)
}

fn masked(text: &str) -> String {
    let time = Regex::new(r"\d\d:\d\d:\d\d\.\d{6}").unwrap();
    let line = Regex::new(r"(call|line|return|panic) +\d+").unwrap();
    let folder = Regex::new(r"path:\.\.\. .*tests/").unwrap();
    let text = folder.replace_all(text, "path:... tests/");
    line.replace_all(&time.replace_all(&text, "TIME"), "$1 N").into_owned()
}

fn enter(name: &'static str) -> Frame {
    trace::enter(name, "nowhere.rs", 7, None)
}

/// A function that shows a variable twice, and calls itself `left` times.
fn nested(left: u32) {
    let frame = enter("nested");
    trace::given(&frame, "left", &left, 0);
    trace::call(&frame);
    trace::line(&frame, 8);
    trace::see(&frame, "left", &left, 0);
    if left > 0 {
        nested(left - 1);
    }
    trace::line(&frame, 9);
    trace::see(&frame, "left", &(left + 1), 0);
}

#[test]
fn a_call_is_printed_line_by_line() {
    let _turn = turn();
    let text = traced(
        |options| options,
        || {
            let frame = trace::enter("add", file!(), line!(), Some(env!("CARGO_MANIFEST_DIR")));
            trace::given(&frame, "a", &1, 0);
            trace::call(&frame);
            trace::line(&frame, line!());
            let sum = trace::pass(&frame, "sum", 3, 0);
            trace::returned(&frame, &sum, 0);
        },
    );
    let expected = "\
Source path:... tests/trace.rs
Starting var:.. a = 1
TIME call N             let frame = trace::enter(\"add\", file!(), line!(), Some(env!(\"CARGO_MANIFEST_DIR\")));
TIME line N             trace::line(&frame, line!());
New var:....... sum = 3
TIME return N             trace::line(&frame, line!());
Return value:.. 3
Elapsed time: TIME
";
    assert_eq!(text, expected);
}

#[test]
fn nested_calls_are_indented_down_to_the_depth() {
    let _turn = turn();
    let expected = "\
Source path:... nowhere.rs
Starting var:.. left = 2
TIME call N fn nested
TIME line N
    Starting var:.. left = 1
    TIME call N fn nested
    TIME line N
    TIME line N
    Modified var:.. left = 2
    TIME return N
    Elapsed time: TIME
TIME line N
Modified var:.. left = 3
TIME return N
Elapsed time: TIME
";
    assert_eq!(traced(|options| options.depth(2), || nested(2)), expected);
}

#[test]
fn without_a_trace_nothing_is_recorded() {
    let _turn = turn();
    let before = enter("before");
    let text = traced(|options| options, || trace::line(&before, 8));
    assert_eq!(text, "");
    drop(before);
    let left_over = Mutex::new(None);
    let text = traced(|options| options, || *left_over.lock().unwrap() = Some(enter("left over")));
    assert_eq!(text, "Source path:... nowhere.rs\n");
    // The next trace knows nothing of a call that began in the last one.
    assert_eq!(traced(|options| options, || drop(left_over.lock().unwrap().take())), "");
}

#[test]
fn a_call_that_is_given_up_leaves_no_mark() {
    let _turn = turn();
    let text = traced(
        |options| options.depth(1),
        || {
            let future = async {
                let _frame = enter("waits");
                std::future::pending::<()>().await;
            };
            poll_once(future);
            nested(0);
        },
    );
    assert!(text.starts_with(
        "Source path:... nowhere.rs\nTIME return N\nElapsed time: TIME\nStarting var:.. left = 0\n"
    ));
}

fn poll_once(future: impl Future<Output = ()>) {
    let mut future = Box::pin(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(future.as_mut().poll(&mut context).is_pending());
}

#[test]
fn a_panic_ends_a_call() {
    let _turn = turn();
    let run = || {
        let caught = std::panic::catch_unwind(|| {
            let _frame = enter("fails");
            panic!("on purpose");
        });
        assert!(caught.is_err());
    };
    assert_eq!(
        traced(|options| options, run),
        "Source path:... nowhere.rs\nTIME panic N\nElapsed time: TIME\n"
    );
}

#[test]
fn secrets_are_masked_and_colours_are_codes() {
    let _turn = turn();
    let run = || {
        let frame = enter("login");
        trace::given(&frame, "new_password", "hunter2", 0);
    };
    let text = traced(|options| options.color(true), run);
    assert!(text.contains("\u{1b}[32mStarting var:..\u{1b}[0m new_password = ***\n"), "{text}");
    assert!(!text.contains("hunter2"));
}

#[test]
fn a_closed_sink_does_not_disturb_the_call() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let _turn = turn();
    trace::start(TraceOptions::new(Closed));
    nested(1);
    trace::stop();
}

#[test]
fn what_is_kept_across_an_await_harms_no_future() {
    fn harmless<T: Send + Sync + Unpin + std::panic::UnwindSafe + std::panic::RefUnwindSafe + 'static>() {}
    harmless::<Frame>();
}
