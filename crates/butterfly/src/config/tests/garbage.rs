//! Whatever the layers hold, loading ends in a configuration or in an error that can be printed.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::load;
use crate::config::KEYS;

/// Looks like TOML of ours, often enough.
fn toml() -> impl Strategy<Value = String> {
    let names = vec![
        "http",
        "log",
        "app",
        "ops",
        "name",
        "roles",
        "listen",
        "max_body",
        "'a b'",
        "x",
        "stat_adaptor",
        "queue",
        "engine",
        "redis",
        "default",
    ];
    let key = vec(select(names), 1..4).prop_map(|parts| parts.join("."));
    let line = (key, value()).prop_map(|(key, value)| format!("{key} = {value}"));
    let header =
        select(vec!["[http]", "[app]", "[app.x]", "[[app.list]]", "[", "[nope]", "[http.stat_adaptor]"]);
    let line = prop_oneof![4 => line, 1 => header.prop_map(str::to_owned), 1 => "\\PC{0,20}"];
    vec(line, 0..8).prop_map(|lines| lines.join("\n"))
}

fn value() -> impl Strategy<Value = String> {
    let known = vec![
        "1",
        "-1",
        "'10s'",
        "'2MiB'",
        "true",
        "[]",
        "{}",
        "[1, 'x']",
        "{a = {b = 1}}",
        "nan",
        "1979-05-27",
        "'redis://a'",
    ];
    prop_oneof![select(known).prop_map(str::to_owned), "\\PC{0,12}"]
}

fn key() -> impl Strategy<Value = String> {
    let known: Vec<_> = KEYS
        .iter()
        .map(|key| key.name)
        .chain(["app", "app.x", "app.x.y", "http", "app..", "", "redis", "redis.x", "redis."])
        .collect();
    prop_oneof![4 => select(known).prop_map(str::to_owned), 1 => "\\PC{0,12}"]
}

fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

fn check(toml: &str, env: &[(String, String)], flags: &[(String, String)]) {
    let (env, flags) = (borrowed(env), borrowed(flags));
    match load(toml, &env, &flags) {
        Ok(loaded) => {
            // What was accepted can be shown, and what is shown is TOML.
            toml::from_str::<toml::Table>(&loaded.report()).unwrap();
            loaded.report_json().to_string();
            let _ = loaded.config.app::<std::collections::BTreeMap<String, Vec<u8>>>("x");
            let _ = loaded.config.app::<serde_json::Value>("x");
        }
        Err(error) => {
            assert!(!error.problems().is_empty());
            let extra = usize::from(error.problems().len() > 1);
            assert_eq!(error.to_string().lines().count(), error.problems().len() + extra, "{error}");
        }
    }
}

proptest! {
    #[test]
    fn any_file_is_read_or_refused(text in toml()) {
        check(&text, &[], &[]);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*|(?s).*") {
        check(&text, &[], &[]);
    }

    #[test]
    fn any_flag_is_taken_or_refused(flags in vec((key(), prop_oneof![value(), any::<String>()]), 0..4)) {
        check("", &[], &flags);
    }

    #[test]
    fn any_variable_is_taken_or_refused(vars in vec((key(), prop_oneof![value(), any::<String>()]), 0..4)) {
        let named = |(key, value): (String, String)| (format!("BUTTERFLY_{}", key.replace('.', "__").to_uppercase()), value);
        // Variables that name files would have it read them.
        let vars: Vec<_> = vars.into_iter().map(named).filter(|(var, _)| !var.ends_with("_FILE")).collect();
        check("", &vars, &[]);
    }
}

#[test]
fn nesting_without_end_is_refused() {
    for text in [
        format!("app.x = {}", "[".repeat(100_000)),
        format!("app.x = {}", "{a=".repeat(100_000)),
        format!("app{} = 1", ".a".repeat(100_000)),
        format!("[app{}]", ".a".repeat(100_000)),
    ] {
        assert!(load(&text, &[], &[]).is_err());
        assert!(load("", &[], &[("app.x", &text[8..])]).is_ok());
    }
}
