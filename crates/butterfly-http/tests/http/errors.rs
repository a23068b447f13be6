//! The error table of the original's wire, replayed against a running server, with what Butterfly mends.

use std::time::Duration;

use crate::support::{Answer, Client, TestServer, get, post_json, request};

/// One row: what is asked, and everything that comes back.
struct Row {
    ask: Vec<u8>,
    status: u16,
    body: &'static str,
    reason: Option<&'static str>,
    /// The log's stat; its `error_msg` is the reason.
    stat: &'static str,
}

fn row(ask: Vec<u8>, status: u16, body: &'static str, reason: &'static str, stat: &'static str) -> Row {
    Row { ask, status, body, reason: Some(reason).filter(|text| !text.is_empty()), stat }
}

/// The server of the table: small limits, so that each is reached at once.
pub(crate) fn small_server(change: impl FnOnce(&mut crate::support::Setup)) -> TestServer {
    TestServer::with(|setup| {
        setup.options.request_timeout = Duration::from_millis(200);
        setup.options.max_body = 100;
        setup.options.max_upload = 200;
        change(setup);
    })
}

const FAILED: &str = "Param check failed";
const EXCEPTION: &str = "Param check exception";
const PROCESSING: &str = "API Processing Exception";
const DUMP: &str = "Dump json exception";
const BAD: &str = "ERR_BAD_PARAMS";
const SERVER: &str = "ERR_SERVER_EXCEPTION";
const LIMIT_REASON: &str = "at most 3??x-forged: 1 ?[31m?";
const SERVER_BODY: &str = r#"{"stat":"ERR_SERVER_EXCEPTION"}"#;

#[test]
fn the_table_of_api_and_upload() {
    let server = small_server(|_| ());
    for kind in ["api", "upload"] {
        let at = |query: &str| get(&format!("/errors/{kind}?{query}"));
        check(
            &server,
            kind,
            &[
                row(at("how=fine"), 200, r#"{"stat":"OK","how":"fine"}"#, "", "OK"),
                row(
                    at("how=fine&wrong=1&n=x"),
                    200,
                    r#"{"stat":"ERR_BAD_PARAMS","params":{"wrong":"unknown, known are how, n","n":"expected an integer from 0 to 4294967295, got \"x\""}}"#,
                    FAILED,
                    BAD,
                ),
                row(at(""), 200, r#"{"stat":"ERR_BAD_PARAMS","params":{"how":"missing"}}"#, FAILED, BAD),
                row(at("how=internal"), 200, SERVER_BODY, PROCESSING, SERVER),
                row(at("how=panic"), 200, SERVER_BODY, PROCESSING, SERVER),
                row(at("how=business"), 200, r#"{"stat":"ERR_EMPTY"}"#, "", "ERR_EMPTY"),
                row(
                    at("how=reason"),
                    200,
                    r#"{"stat":"ERR_LIMIT","reason":"at most 3\r\nx-forged: 1 \u001b[31mé"}"#,
                    LIMIT_REASON,
                    "ERR_LIMIT",
                ),
                row(at("how=derived"), 200, r#"{"stat":"ERR_TOO_MANY","reason":"7"}"#, "7", "ERR_TOO_MANY"),
                row(get(&format!("/errors/unfit_{kind}")), 200, SERVER_BODY, DUMP, SERVER),
            ],
        );
    }
    // An upload may take as long as its body moves.
    let forever = get("/errors/api?how=forever");
    let late = r#"{"stat":"ERR_TIMEOUT"}"#;
    check(&server, "api", &[row(forever, 200, late, "No answer within 200ms", "ERR_TIMEOUT")]);
}

#[test]
fn the_table_of_http_and_download() {
    let server = small_server(|_| ());
    for kind in ["http", "download"] {
        let at = |query: &str| get(&format!("/errors/{kind}?{query}"));
        check(
            &server,
            kind,
            &[
                row(at("how=fine&wrong=1"), 400, "", FAILED, BAD),
                row(at(""), 400, "", FAILED, BAD),
                row(at("how=internal"), 500, "", PROCESSING, SERVER),
                row(at("how=panic"), 500, "", PROCESSING, SERVER),
                row(at("how=business"), 400, r#"{"stat":"ERR_EMPTY"}"#, "", "ERR_EMPTY"),
                row(at("how=forever"), 504, "", "No answer within 200ms", "ERR_TIMEOUT"),
                row(post_json(&format!("/errors/{kind}"), "[1]"), 400, "", EXCEPTION, BAD),
                row(post_json(&format!("/errors/{kind}"), "{"), 400, "", EXCEPTION, BAD),
            ],
        );
    }
    check(
        &server,
        "http",
        &[
            row(get("/errors/http?how=unfit"), 500, "", DUMP, SERVER),
            row(get("/errors/http?how=shape"), 500, "", "Invalid ret format", SERVER),
        ],
    );
    std::fs::create_dir(server.folder.join("folder")).unwrap();
    check(
        &server,
        "download",
        &[
            row(get("/errors/download?how=none.txt"), 404, "", "File does not exist", "404"),
            row(get("/errors/download?how=folder"), 404, "", "File does not exist", "404"),
        ],
    );
}

#[test]
fn bodies_that_cannot_be_read() {
    let server = small_server(|_| ());
    let text = |body: &str| post_json("/errors/api", body);
    let bad = |body: &str, why: &str| {
        let answer = server.ask(text(body));
        expect(&server, body, &answer, &row(vec![], 200, "", EXCEPTION, BAD));
        let reason = answer.json()["reason"].as_str().unwrap().to_owned();
        assert!(reason.starts_with(why), "{body}: {reason}");
    };
    bad("nonsense", "the body is not JSON");
    bad(r#"{"how":"fine""#, "the body is not JSON");
    bad("[1]", "the body must be a JSON object");
    bad("null", "the body must be a JSON object");
    let answer = server.ask(request("POST", "/errors/api", &[], b"{\"how\":\"\xff\"}"));
    assert_eq!(answer.text(), r#"{"stat":"ERR_BAD_PARAMS","reason":"the body is not valid UTF-8"}"#);
}

#[test]
fn refusals_that_every_kind_shares() {
    let server = small_server(|_| ());
    let long = |path: &str, bytes: usize| request("POST", path, &[], &vec![b' '; bytes]);
    const NOT: &str = "Method not allowed, use GET, POST";
    check(
        &server,
        "any",
        &[
            row(get("/no/such"), 400, "", "API Not Found", "ERR_NOT_FOUND"),
            row(get("/"), 400, "", "API Not Found", "ERR_NOT_FOUND"),
            row(post_json("/no/such", "{}"), 400, "", "API Not Found", "ERR_NOT_FOUND"),
            row(
                request("DELETE", "/demo/only", &[], b""),
                405,
                r#"{"stat":"ERR_METHOD_NOT_ALLOWED","reason":"Method not allowed, use GET, POST"}"#,
                NOT,
                "ERR_METHOD_NOT_ALLOWED",
            ),
            row(
                long("/errors/api?how=fine", 101),
                413,
                r#"{"stat":"ERR_BODY_TOO_LARGE","reason":"Body is larger than 100 bytes"}"#,
                "Body is larger than 100 bytes",
                "ERR_BODY_TOO_LARGE",
            ),
            row(
                long("/errors/upload?how=read", 201),
                413,
                r#"{"stat":"ERR_BODY_TOO_LARGE","reason":"Body is larger than 200 bytes"}"#,
                "Body is larger than 200 bytes",
                "ERR_BODY_TOO_LARGE",
            ),
        ],
    );
    let answer = server.ask(request("DELETE", "/demo/only", &[], b""));
    assert_eq!(answer.header("allow"), Some("GET, POST, HEAD, OPTIONS"));
}

#[test]
fn a_busy_server_says_so_in_every_kind() {
    let server = small_server(|_| ());
    for kind in ["api", "upload", "download", "http"] {
        let ask = get(&format!("/errors/{kind}?how=busy"));
        let body = r#"{"stat":"ERR_BUSY","reason":"the topic is full"}"#;
        assert_eq!(server.ask(&ask).header("retry-after"), Some("2"), "{kind}");
        check(&server, kind, &[row(ask, 503, body, "the topic is full", "ERR_BUSY")]);
    }
}

/// Asks each row on one connection where that is kept open, on a new one where it is not.
fn check(server: &TestServer, kind: &str, rows: &[Row]) {
    for row in rows {
        let what = format!("{kind}: {}", String::from_utf8_lossy(&row.ask));
        let mut client: Client = server.connect();
        let answer = client.ask(&row.ask);
        expect(server, &what, &answer, row);
        if !row.body.is_empty() || answer.header("content-length") == Some("0") {
            assert_eq!(answer.text(), row.body, "{what}");
        }
        if answer.header("connection").is_none() {
            assert_eq!(client.ask(get("/demo/ping")).status, 200, "{what}: the connection is of use again");
        }
    }
}

/// Everything but the body: the headers of the framework, and the line of the log.
fn expect(server: &TestServer, what: &str, answer: &Answer, row: &Row) {
    assert_eq!(answer.status, row.status, "{what}: {answer:?}");
    assert_eq!(answer.header("x-reason"), row.reason, "{what}");
    assert!(answer.header("butterfly").is_some(), "{what}");
    assert!(answer.header("date").is_some(), "{what}");
    assert!(answer.header("x-forged").is_none(), "{what}");
    let (seconds, micros) = answer.header("x-cost").unwrap().split_once('.').unwrap();
    assert!(seconds.parse::<u64>().is_ok() && micros.len() == 6, "{what}");
    if answer.body.first() == Some(&b'{') {
        assert_eq!(answer.header("content-type"), Some("application/json"), "{what}");
    } else {
        assert!(answer.status == 200 || answer.header("content-type").is_none(), "{what}: {answer:?}");
    }
    assert!(!answer.text().contains("secret"), "{what}: something internal leaks: {answer:?}");
    let column = |name| server.lines.column(answer.reqid(), name);
    assert_eq!(column("stat"), row.stat, "{what}");
    let logged = match row.reason {
        Some(LIMIT_REASON) => r"at most 3\r\nx-forged: 1 \x1b[31mé",
        reason => reason.unwrap_or_default(),
    };
    assert_eq!(column("error_msg"), logged, "{what}");
}

#[test]
fn a_handlers_panic_or_timeout_leaves_the_connection_usable() {
    let server = small_server(|_| ());
    let mut client = server.connect();
    for how in ["panic", "forever", "internal", "fine"] {
        let answer = client.ask(get(&format!("/errors/api?how={how}")));
        assert_eq!(answer.header("connection"), None, "{how}");
    }
}

#[test]
fn a_handlers_own_timeout_is_shorter_than_the_servers() {
    let server = TestServer::start();
    let answer = server.get("/demo/hurried");
    assert_eq!(answer.text(), r#"{"stat":"ERR_TIMEOUT"}"#);
    assert_eq!(answer.header("x-reason"), Some("No answer within 50ms"));
}

#[test]
fn the_stat_adaptor_adds_its_keys_to_answers_and_errors() {
    let server = small_server(|setup| {
        let map = [("OK", "true"), ("ERR_EMPTY", "\"empty\""), ("default", "false")];
        setup.options.stat_adaptor = Some(butterfly_http::StatAdaptor {
            status_name: "success".into(),
            status_map: map.map(|(stat, value)| (stat.to_owned(), value.to_owned())).into(),
            message_name: "message".into(),
        });
    });
    let text = |target: &str| server.get(target).text().to_owned();
    assert_eq!(text("/demo/ping"), r#"{"stat":"OK","success":true,"message":"OK"}"#);
    assert_eq!(
        text("/errors/api?how=business"),
        r#"{"stat":"ERR_EMPTY","success":"empty","message":"ERR_EMPTY"}"#
    );
    assert_eq!(
        text("/errors/api"),
        r#"{"stat":"ERR_BAD_PARAMS","params":{"how":"missing"},"success":false,"message":"ERR_BAD_PARAMS"}"#
    );
    assert_eq!(
        text("/errors/upload?how=panic"),
        r#"{"stat":"ERR_SERVER_EXCEPTION","success":false,"message":"ERR_SERVER_EXCEPTION"}"#
    );
    assert_eq!(text("/demo/json"), r#"{"a":[1,"é"]}"#);
    assert_eq!(text("/demo/bare?code=200"), "");
}
