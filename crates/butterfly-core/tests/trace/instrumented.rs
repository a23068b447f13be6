//! The trace that `#[handler]` writes into functions: what it prints, and that it changes nothing else.

use butterfly_macros::__traced as traced;

use super::{traced as trace_of, turn};

#[path = "bodies.rs"]
mod bodies;

#[derive(Debug)]
struct Row {
    id: u32,
    name: String,
}

#[traced]
fn total(list: &[u32], mut factor: u32) -> Result<u32, String> {
    let mut sum = 0;
    for each in list {
        sum += each * factor;
        factor += 1;
    }
    if sum > 10 {
        return Err(format!("{sum} is too much"));
    }
    Ok(sum)
}

#[traced]
async fn load(id: u32, token: &str) -> Option<Row> {
    let rows = vec![Row { id, name: token.len().to_string() }];
    let Some(row) = rows.into_iter().next() else { return None };
    bodies::pause().await;
    Some(row)
}

#[traced]
async fn show(id: u32) -> String {
    let row = load(id, "t0p").await;
    match row {
        Some(mut row) => {
            row.name.push('!');
            row.id += 1;
            let Row { id, name } = row;
            format!("{id}{name}")
        }
        None => String::new(),
    }
}

/// Runs a future to its end; it is woken by being polled again.
fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}

/// The expected trace, which in a release build is none.
fn in_debug(text: &'static str) -> &'static str {
    if cfg!(debug_assertions) { text } else { "" }
}

#[test]
fn a_loop_and_its_variables() {
    let _turn = turn();
    let text = trace_of(|options| options, || assert_eq!(total(&[1, 2], 2), Ok(8)));
    let expected = "\
Source path:... tests/trace/instrumented.rs
Starting var:.. list = [1, 2]
Starting var:.. factor = 2
TIME call N fn total(list: &[u32], mut factor: u32) -> Result<u32, String> {
TIME line N     let mut sum = 0;
New var:....... sum = 0
TIME line N     for each in list {
New var:....... each = 1
TIME line N         sum += each * factor;
Modified var:.. sum = 2
TIME line N         factor += 1;
Modified var:.. factor = 3
Modified var:.. each = 2
TIME line N         sum += each * factor;
Modified var:.. sum = 8
TIME line N         factor += 1;
Modified var:.. factor = 4
TIME line N     if sum > 10 {
TIME line N     Ok(sum)
TIME return N     Ok(sum)
Return value:.. Ok(8)
Elapsed time: TIME
";
    assert_eq!(text, in_debug(expected));
}

#[test]
fn an_early_return() {
    let _turn = turn();
    let text = trace_of(|options| options, || assert!(total(&[20], 1).is_err()));
    let expected = "\
TIME line N     if sum > 10 {
TIME line N         return Err(format!(\"{sum} is too much\"));
TIME return N         return Err(format!(\"{sum} is too much\"));
Return value:.. Err(\"20 is too much\")
Elapsed time: TIME
";
    assert!(text.ends_with(in_debug(expected)), "{text}");
}

#[test]
fn a_handler_that_calls_another() {
    let _turn = turn();
    let text = trace_of(|options| options, || assert_eq!(wait(show(1)), "23!"));
    let expected = "\
Source path:... tests/trace/instrumented.rs
Starting var:.. id = 1
TIME call N async fn show(id: u32) -> String {
TIME line N     let row = load(id, \"t0p\").await;
    Starting var:.. id = 1
    Starting var:.. token = ***
    TIME call N async fn load(id: u32, token: &str) -> Option<Row> {
    TIME line N     let rows = vec![Row { id, name: token.len().to_string() }];
    New var:....... rows = [Row { id: 1, name: \"3\" }]
    TIME line N     let Some(row) = rows.into_iter().next() else { return None };
    New var:....... row = Row { id: 1, name: \"3\" }
    TIME line N     bodies::pause().await;
    TIME line N     Some(row)
    TIME return N     Some(row)
    Return value:.. Some(Row { id: 1, name: \"3\" })
    Elapsed time: TIME
New var:....... row = Some(Row { id: 1, name: \"3\" })
TIME line N     match row {
Modified var:.. row = Row { id: 1, name: \"3\" }
TIME line N             row.name.push('!');
TIME line N             row.id += 1;
New var:....... row.id = 2
TIME line N             let Row { id, name } = row;
Modified var:.. id = 2
New var:....... name = \"3!\"
TIME line N             format!(\"{id}{name}\")
TIME return N             format!(\"{id}{name}\")
Elapsed time: TIME
";
    assert_eq!(text, in_debug(expected));
}

#[test]
fn a_call_given_up_half_way_ends_in_the_trace() {
    let _turn = turn();
    let text = trace_of(
        |options| options.depth(1),
        || {
            super::poll_once(async {
                load(1, "t").await;
            });
            assert!(total(&[], 1).is_ok());
        },
    );
    let expected =
        "TIME return N     bodies::pause().await;\nElapsed time: TIME\nStarting var:.. list = []\n";
    assert!(text.contains(in_debug(expected)), "{text}");
}

/// Traced or not, in silence or on record, the functions give what they gave when nothing was written into them.
#[test]
fn nothing_else_changes() {
    let _turn = turn();
    let run = || {
        assert_eq!(bodies::results(), bodies::PLAIN);
        assert_eq!(wait(bodies::async_results()), bodies::ASYNC_PLAIN);
    };
    run();
    let text = trace_of(|options| options.depth(usize::MAX), run);
    assert_eq!(text.is_empty(), !cfg!(debug_assertions));
}
