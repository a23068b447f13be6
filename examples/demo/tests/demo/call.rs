//! `call`: a handler on the command line.

use serde_json::json;

use crate::folder::Folder;

#[test]
fn arguments_by_name_by_place_and_as_json() {
    let folder = Folder::new();
    let add = |words: &[&str]| {
        let mut all = vec!["call", "/demo_api/add", "--json"];
        all.extend(words);
        folder.json(&all)
    };
    for words in
        [&["a=5", "b=-7"][..], &["b=-7", "a=5"], &["5", "-7"], &["b=-7", "5"], &["{\"a\": 5, \"b\": -7}"]]
    {
        assert_eq!(add(words), json!({"stat": "OK", "data": -2}), "{words:?}");
    }
    // An equals sign that names no parameter belongs to the value.
    let hello = folder.json(&["call", "demo_api/hello", "x=y", "--json"]);
    assert_eq!(hello, json!({"stat": "OK", "str_info": "x=y"}));
}

#[test]
fn none_leaves_an_argument_out() {
    let folder = Folder::new();
    let all = folder.json(&["call", "/demo_types/all", "--json", "hi", "1", "none", "NONE", "yes=None"]);
    assert_eq!((&all["large"], &all["real"], &all["yes"]), (&json!(-1), &json!(0.5), &json!(false)));
    folder.run(&["call", "/demo_api/hello", "none"]).fails(1, &["str_info"]);
}

#[test]
fn every_wrong_argument_is_named_at_once() {
    let folder = Folder::new();
    let wrong = folder.run(&["call", "/demo_types/checked", "percent=0", "word=A", "pairs=3"]);
    wrong.fails(1, &["percent", "word", "pairs", "usage: call /demo_types/checked percent word pairs"]);
    let answer = folder.json(&["call", "/demo_types/checked", "percent=x", "--json"]);
    assert_eq!(answer["stat"], "ERR_BAD_PARAMS");
    let named: Vec<&String> = answer["params"].as_object().unwrap().keys().collect();
    assert_eq!(named, ["percent", "word", "pairs"]);
    folder
        .run(&["call", "/demo_api/hello", "a", "b"])
        .fails(2, &["\"b\" is one argument too many", "str_info"]);
    let unknown = folder.json(&["call", "/demo_api/add", "{\"a\":1,\"b\":2,\"c\":3}", "--json"]);
    assert!(unknown["params"]["c"].is_string(), "{unknown}");
}

#[test]
fn paths_are_found_as_over_http_or_not_at_all() {
    let folder = Folder::new();
    let user = json!({"stat": "OK", "id": 7, "verbose": true});
    assert_eq!(folder.json(&["call", "/users/7", "verbose=on", "--json"]), user);
    assert_eq!(folder.json(&["call", "/users/{id}", "7", "yes", "--json"]), user);
    folder.run(&["call", "/Demo_API/Ping/"]).ok();
    folder.run(&["call", "/demo_api/nothing"]).fails(2, &["/demo_api/nothing", "`routes`"]);
    let list = folder.run(&["call"]);
    assert_eq!(list.code, 2);
    assert!(list.out.starts_with("Usage: call PATH") && list.out.contains("/demo_types/login"), "{list:?}");
}

#[test]
fn the_answer_goes_to_stdout_and_the_rest_to_stderr() {
    let folder = Folder::new();
    let ran = folder.run(&["call", "/demo_api/hello", "meetbill"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&ran.out).unwrap()["str_info"], "meetbill");
    assert!(ran.err.starts_with("DEV_") && ran.err.trim_end().ends_with(" OK"), "{ran:?}");
    let page = folder.run(&["call", "/demo_httpapi/page", "name=you"]).ok();
    assert!(page.ends_with("Hello, you!</h1>"), "{page}");
    assert_eq!(folder.run(&["call", "/demo_download/zeros", "5"]).ok(), "\0\0\0\0\0");
    assert!(folder.run(&["call", "/demo_download/manifest"]).ok().trim_end().ends_with("Cargo.toml"));
}

#[test]
fn failures_have_an_exit_code_and_their_whole_story() {
    let folder = Folder::new();
    folder.run(&["call", "/demo_api/fail"]).fails(1, &["ERR_SERVER_EXCEPTION", "No such file or directory"]);
    folder.run(&["call", "/demo_api/crash"]).fails(1, &["ERR_SERVER_EXCEPTION", "as asked"]);
    assert_eq!(folder.run(&["call", "/demo_httpapi/status", "404"]).code, 1);
    let overflow = ["call", "/demo_api/add", "9223372036854775807", "1", "--json"];
    let reason = "the sum does not fit into 64 bits";
    assert_eq!(folder.json(&overflow), json!({"stat": "ERR_OVERFLOW", "reason": reason}));
    let broken = folder.json(&["call", "/demo_api/add", "{\"a\":", "--json"]);
    assert_eq!(broken["stat"], "ERR_BAD_PARAMS");
    assert!(broken["reason"].is_string(), "{broken}");
}
