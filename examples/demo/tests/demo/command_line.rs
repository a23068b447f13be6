//! `routes`, `config`, `reqid` and the help.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::folder::{Folder, Ran};
use crate::service::Service;

#[test]
fn help_names_every_command() {
    let folder = Folder::new();
    let help = folder.run(&["--help"]).ok();
    for command in
        ["serve", "start", "stop", "restart", "status", "routes", "call", "config", "queue", "trace", "reqid"]
    {
        assert!(help.lines().any(|line| line.trim_start().starts_with(command)), "{command}: {help}");
        assert!(folder.run(&[command, "--help"]).ok().contains("Usage: demo"), "{command}");
    }
    folder.run(&["sevre"]).fails(2, &["'serve'"]);
    folder.run(&["serve", "--set", "nonsense"]).fails(2, &["KEY=VALUE"]);
}

#[test]
fn routes_shows_each_handler_with_its_parameters_and_its_place() {
    let folder = Folder::new();
    let table = folder.run(&["routes"]).ok();
    let line = |path: &str| {
        let found = table.lines().find(|line| line.split_whitespace().next() == Some(path));
        found.unwrap_or_else(|| panic!("{path} is missing: {table}"))
    };
    let hello = line("/demo_api/hello");
    for part in ["api", "str_info", "Say hello", "src/handlers/demo_api.rs:"] {
        assert!(hello.contains(part), "{part}: {hello}");
    }
    assert!(
        line("/demo_types/all")
            .contains("text small [large=-1] [real=0.5] [yes=false] [color=\"red\"] [maybe]")
    );
    assert!(line("/users/{id}").contains("id [verbose=false]"));
    assert!(line("/demo_upload/raw").contains("upload"));
}

#[test]
fn routes_as_json_are_the_whole_description() {
    let folder = Folder::new();
    let all = folder.json(&["routes", "--json"]);
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), folder.run(&["routes"]).ok().lines().count());
    let user = all.iter().find(|route| route["path"] == "/users/{id}").unwrap();
    assert_eq!((&user["methods"], &user["kind"]), (&json!(["GET"]), &json!("api")));
    assert_eq!(user["params"][0]["place"], "path");
    assert_eq!(user["params"][0]["schema"]["minimum"], 1);
    let ops = all.iter().filter(|route| route["ops"] == true).count();
    assert!(ops >= 4, "the built-in apps are operators'");
}

#[test]
fn config_says_what_holds_and_where_it_came_from() {
    let folder = Folder::new();
    folder.write(
        "butterfly.toml",
        "name = \"shop\"\n\n[http]\nmax_body = \"1MiB\"\nlisten = \"127.0.0.1:1\"\n",
    );
    let mut command = folder.command(&["config", "--set=log.keep=3"]);
    command.env("BUTTERFLY_HTTP__LISTEN", "127.0.0.1:2").env("NO_COLOR", "1");
    let report = Ran::of(&mut command).ok();
    for (key, value, from) in [
        ("name", "\"shop\"", "butterfly.toml:1"),
        ("http.max_body", "\"1MiB\"", "butterfly.toml:4"),
        ("http.listen", "\"127.0.0.1:2\"", "environment BUTTERFLY_HTTP__LISTEN"),
        ("log.keep", "3", "command line"),
        ("log.color", "false", "environment NO_COLOR"),
        ("data_dir", "\"data\"", "default"),
    ] {
        let line = report.lines().find(|line| line.split_whitespace().next() == Some(key)).unwrap();
        let (assignment, origin) = line.split_once("  # ").unwrap();
        assert_eq!(assignment.split_once('=').unwrap().1.trim(), value, "{line}");
        assert_eq!(origin, from, "{line}");
    }
    assert_eq!(
        folder.json(&["config", "--json"])["http.max_body"],
        json!({
            "value": "1MiB", "from": "butterfly.toml:4", "help": "Largest JSON or form body."
        })
    );
}

#[test]
fn config_errors_name_every_wrong_key_and_the_nearest_right_one() {
    let folder = Folder::new();
    folder.write("butterfly.toml", "[http]\nlisen = \"127.0.0.1:1\"\nmax_body = \"much\"\n");
    let wrong = folder.run(&["config"]);
    wrong.fails(2, &["butterfly.toml:2", "`http.listen`", "butterfly.toml:3", "much"]);
    for words in [["routes"], ["status"], ["serve"]] {
        folder.run(&words).fails(2, &["`http.listen`"]);
    }
    folder.run(&["config", "--config", "other.toml"]).fails(2, &["other.toml"]);
}

#[test]
fn the_reference_without_its_comment_marks_is_the_defaults() {
    let folder = Folder::new();
    let reference = folder.run(&["config", "--reference"]).ok();
    let assignments = |line: &&str| {
        let key = line.split(" = ").next().unwrap();
        line.contains(" = ") && key.chars().all(|letter| letter.is_ascii_lowercase() || "._".contains(letter))
    };
    let lines = reference.lines().filter_map(|line| line.strip_prefix("# ")).filter(assignments);
    let text = lines.collect::<Vec<_>>().join("\n");
    assert!(text.parse::<toml::Table>().is_ok(), "{text}");
    let values = |words: &[&str]| {
        let all = folder.json(words);
        all.as_object()
            .unwrap()
            .iter()
            .map(|(key, row)| (key.clone(), row["value"].clone()))
            .collect::<Vec<_>>()
    };
    let mut defaults = values(&["config", "--json"]);
    assert_eq!(text.lines().count(), defaults.len());
    folder.write("reference.toml", &text);
    let mut read = values(&["config", "--json", "--config", "reference.toml"]);
    // The service is called as its crate unless a file says otherwise, and the reference does.
    for all in [&mut defaults, &mut read] {
        all.retain(|(key, _)| key != "name");
    }
    assert_eq!(read, defaults);
}

#[test]
fn reqid_tells_when_an_answer_was_made() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap();
    let before = seconds(SystemTime::now());
    let answer = service.get("/demo_api/ping");
    let said = folder.run(&["reqid", answer.reqid()]).ok();
    let line = said.lines().find_map(|line| line.strip_prefix("timestamp  ")).unwrap();
    let made = Duration::from_secs_f64(line.parse().unwrap());
    assert!(made.abs_diff(before) < Duration::from_secs(1), "{said} is not {before:?}");
    assert!(said.contains("datetime   20") && said.contains("lane ") && said.contains("count "), "{said}");
    for garbage in ["zzz", "", "329A9C02DA32E90", "0b4c9f5e-6f0e-4a61-9d5c-1d5a3d0a7c11", "é"] {
        folder.run(&["reqid", garbage]).fails(2, &["16 hex digits"]);
    }
    assert_eq!(folder.run(&["reqid"]).code, 2);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = Folder::new();
    for words in [&["routes"][..], &["config"], &["call"]] {
        let mut child = folder.command(words);
        let mut child =
            child.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!said.contains("panicked"), "{words:?}: {said}");
        assert_ne!(output.status.code(), Some(101), "{words:?}");
    }
    assert!(
        folder.json(&["routes", "--json"]).as_array().is_some_and(|all| all.iter().all(Value::is_object))
    );
}
