//! Every form of error: it names the key, the place and what is accepted, and tells no secret.

use std::fs;

use insta::assert_snapshot;

use super::{error, load};
use crate::config::{Config, KEYS, ProblemKind};

#[test]
fn an_unknown_key_names_its_place_and_the_nearest_key() {
    assert_snapshot!(error("[http]\n\nlisen = '127.0.0.1:1'", &[], &[]), @"configuration: butterfly.toml:3: unknown key `http.lisen`; did you mean `http.listen`?");
    assert_snapshot!(error("", &[("BUTTERFLY_HTTP_LISTEN", "x")], &[]), @"configuration: environment BUTTERFLY_HTTP_LISTEN: unknown key `http_listen`; did you mean `BUTTERFLY_HTTP__LISTEN`?");
    assert_snapshot!(error("", &[], &[("listen", "x")]), @"configuration: command line: unknown key `listen`; did you mean `http.listen`?");
    assert_snapshot!(error("[htpp]\nlisten = 'x'", &[], &[]), @"configuration: butterfly.toml:1: unknown key `htpp`; did you mean `http`?");
    assert_snapshot!(error("[bananas]\ndefault = 'x'", &[], &[]), @"configuration: butterfly.toml:1: unknown key `bananas`; `butterfly config` lists those there are, and `[app]` is free for your own");
}

#[test]
fn an_address_that_cannot_be_one_is_told_without_its_password() {
    let toml = "databases.default = 'mysql://root:hunter2@db/shop?max_conections=3'";
    let why = error(toml, &[], &[]);
    assert!(why.contains("butterfly.toml:1: `databases.default` cannot be this value (not shown)"), "{why}");
    assert!(why.contains("unknown option \"max_conections\"") && !why.contains("hunter2"), "{why}");
}

#[test]
fn a_wrong_value_names_key_value_place_and_what_is_accepted() {
    assert_snapshot!(error("http.max_body = '2 potatoes'", &[], &[]), @r#"configuration: butterfly.toml:1: `http.max_body` cannot be "2 potatoes" (unknown unit "potatoes"); expected a size such as 2MiB, 512 KB or 1024"#);
    assert_snapshot!(error("", &[("BUTTERFLY_HTTP__HEAD_TIMEOUT", "0")], &[]), @r#"configuration: environment BUTTERFLY_HTTP__HEAD_TIMEOUT: `http.head_timeout` cannot be "0" (must be at least 1ms); expected a time such as 10s, 1m30s, 500ms, 1d or 60 (seconds), at least 1ms"#);
    assert_snapshot!(error("", &[], &[("http.max_connections", "0")]), @r#"configuration: command line: `http.max_connections` cannot be "0" (must be at least 1); expected a whole number, at least 1"#);
    assert_snapshot!(error("http.listen = 8585", &[], &[]), @"configuration: butterfly.toml:1: `http.listen` cannot be 8585 (wrong type, this is of type integer); expected an IP address and a port such as 127.0.0.1:8585, 0.0.0.0:80 or [::1]:8585");
    assert_snapshot!(error("http.threads = -1", &[], &[]), @"configuration: butterfly.toml:1: `http.threads` cannot be -1; expected a whole number, at most 1024");
    assert_snapshot!(error("log.format = 'jsno'", &[], &[]), @r#"configuration: butterfly.toml:1: `log.format` cannot be "jsno" (did you mean `json`?); expected text or json"#);
    assert_snapshot!(error("log.level = 'inof'", &[], &[]), @r#"configuration: butterfly.toml:1: `log.level` cannot be "inof" (not "inof": did you mean `info`?); expected a level (off, error, warn, info, debug, trace) or a list such as info,my_app::db=debug"#);
    assert_snapshot!(error("", &[("RUST_LOG", "info,shop::db=loud")], &[]), @r#"configuration: environment RUST_LOG: `log.level` cannot be "info,shop::db=loud" (not "shop::db=loud"); expected a level (off, error, warn, info, debug, trace) or a list such as info,my_app::db=debug"#);
    assert_snapshot!(error("roles = ['http', 'wroker']", &[], &[]), @r#"configuration: butterfly.toml:1: `roles` cannot be ["http", "wroker"] (not "wroker": did you mean `worker`?); expected a list of one or more of http, worker and scheduler"#);
    assert_snapshot!(error("roles = []", &[], &[]), @"configuration: butterfly.toml:1: `roles` cannot be [] (a process without a role does nothing); expected a list of one or more of http, worker and scheduler");
    assert_snapshot!(error("http.trusted_proxies = '10.0.0.0/40'", &[], &[]), @r#"configuration: butterfly.toml:1: `http.trusted_proxies` cannot be "10.0.0.0/40" (not "10.0.0.0/40": the prefix is not 0 to 32); expected a list of addresses or networks such as 10.0.0.0/8, 192.0.2.7 or fd00::/8"#);
    assert_snapshot!(error("", &[("PORT", "http")], &[]), @r#"configuration: environment PORT: the port of `http.listen` cannot be "http"; expected 0 to 65535"#);
}

#[test]
fn a_long_or_strange_value_stays_short_and_on_one_line() {
    let text = error("", &[], &[("log.stderr", &format!("\n\u{1b}[2J{}", "é".repeat(1000)))]);
    assert!(text.lines().count() == 1 && text.len() < 300, "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
    let text = error("", &[("BUTTERFLY_\n\u{1b}[2J", "x")], &[]);
    assert!(text.lines().count() == 1 && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn the_status_adaptor_says_which_part_is_wrong() {
    let wrong = |table: &str| {
        let text = error(&format!("http.stat_adaptor = {table}"), &[], &[]);
        text.split_once(" (").unwrap().1.split_once("); ").unwrap().0.to_owned()
    };
    assert_snapshot!(wrong("{}"), @r#""status_name" must be the name of a field"#);
    assert_snapshot!(wrong("{name = 1}"), @r#""name" is no part of it"#);
    assert_snapshot!(wrong("{status_name = 's', message_name = 'm'}"), @r#""status_map" must be a table"#);
    assert_snapshot!(wrong("{status_name = 's', message_name = 'm', status_map = {OK = 1}}"), @r#""status_map" must say what `default` is"#);
    assert_snapshot!(wrong("{status_name = 's', message_name = 'm', status_map = {default = []}}"), @r#"the status of "default" must be a text, a number, true or false"#);
}

#[test]
fn a_table_where_a_value_belongs_and_the_other_way_round() {
    assert_snapshot!(error("http = 1\napp = 2", &[], &[]), @"
    configuration: 2 problems
      butterfly.toml:1: `http` is a table, not a value; set a key in it, such as `http.listen`
      butterfly.toml:2: `app` is a table, not a value; set a key in it, such as `app.mail.host`
    ");
    assert_snapshot!(error("[http.listen]\nport = 1", &[], &[]), @"configuration: butterfly.toml:1: `http.listen` cannot be {port = 1} (wrong type, this is of type table); expected an IP address and a port such as 127.0.0.1:8585, 0.0.0.0:80 or [::1]:8585");
}

#[test]
fn all_problems_of_all_layers_come_at_once_in_their_order() {
    let toml = "zeta = 1\nname = 5\n[log]\nkeep = 99999999999999999999\nkepe = 1";
    let env = [("BUTTERFLY_LOG__STDERR", "maybe")];
    assert_snapshot!(error(toml, &env, &[("nmae", "x"), ("log.keep", "-1")]), @r#"
    configuration: 7 problems
      butterfly.toml:1: unknown key `zeta`; `butterfly config` lists those there are, and `[app]` is free for your own
      butterfly.toml:2: `name` cannot be 5 (wrong type, this is of type integer); expected some text on one line
      butterfly.toml:4: `log.keep` has a number that fits no 64 bits
      butterfly.toml:5: unknown key `log.kepe`; did you mean `log.keep`?
      environment BUTTERFLY_LOG__STDERR: `log.stderr` cannot be "maybe"; expected true or false
      command line: unknown key `nmae`; did you mean `name`?
      command line: `log.keep` cannot be "-1"; expected a whole number
    "#);
}

#[test]
fn a_file_that_is_not_toml_says_where_but_does_not_quote_it() {
    let text = error("name = 'x'\nops.token = \"hunter2hunter2hunter2\nx = = 1", &[], &[]);
    assert!(text.contains("butterfly.toml:2: ") && text.contains("butterfly.toml:3: "), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    let twice = load("name = 'a'\nname = 'b'", &[], &[]).unwrap_err();
    assert_eq!(twice.problems()[0].kind(), ProblemKind::Syntax);
    assert_snapshot!(twice, @"configuration: butterfly.toml:2: duplicate key");
}

#[test]
fn no_error_tells_a_secret() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    fs::write(&file, "hunter2 hunter2").unwrap();
    let short = error("", &[], &[("ops.token", "hunter2")]);
    assert_snapshot!(short, @"configuration: command line: `ops.token` cannot be this value (not shown) (it has only 7); expected 16 or more characters that fit an HTTP header: ASCII, no spaces");
    for text in [
        short,
        error("ops.token = 'hunter2 hunter2 hunter2'", &[], &[]),
        error("ops.token = ['hunter2']", &[], &[]),
        error("ops.token.hunter = 'hunter2'", &[], &[]),
        error("", &[("BUTTERFLY_OPS__TOKEN", "hunter2")], &[]),
        error("", &[("BUTTERFLY_OPS__TOKEN_FILE", file.to_str().unwrap())], &[]),
        error("", &[("BUTTERFLY_HTTP__LISTEN_FILE", file.to_str().unwrap())], &[]),
        error("ops.tokn = 'hunter2'", &[], &[]),
    ] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn a_secret_file_that_is_missing_or_endless_is_an_error() {
    assert_snapshot!(error("", &[("BUTTERFLY_OPS__TOKEN_FILE", "no/such/file")], &[]), @r#"configuration: environment BUTTERFLY_OPS__TOKEN_FILE: cannot read "no/such/file": No such file or directory (os error 2)"#);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    fs::write(&file, "x".repeat(64 * 1024 + 1)).unwrap();
    assert!(error("", &[("BUTTERFLY_OPS__TOKEN_FILE", file.to_str().unwrap())], &[]).contains("64KiB"));
}

#[test]
fn a_value_and_a_file_for_one_key_contradict_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    fs::write(&file, "0123456789abcdef").unwrap();
    let env =
        [("BUTTERFLY_OPS__TOKEN", "fedcba9876543210"), ("BUTTERFLY_OPS__TOKEN_FILE", file.to_str().unwrap())];
    let error = load("", &env, &[]).unwrap_err();
    assert_eq!(error.problems()[0].kind(), ProblemKind::Conflict);
    assert_eq!(error.problems()[0].key(), Some("ops.token"));
}

#[test]
fn every_key_accepts_its_own_default_and_names_what_it_accepts() {
    for key in KEYS {
        assert!(key.help.ends_with('.') && !key.help.starts_with(' '), "{}", key.name);
        assert!(!key.accepts().is_empty(), "{}", key.name);
        let config = super::config(&format!("{} = {}", key.name, key.default()), &[], &[]);
        assert_eq!(Config { name: Config::default().name, ..config }, Config::default(), "{}", key.name);
    }
}
