//! The application's own keys.

use std::collections::BTreeMap;
use std::fs;

use insta::assert_snapshot;
use serde::Deserialize;

use super::{config, load};
use crate::config::{ByteSize, Config, ProblemKind, Span};

#[derive(Debug, Deserialize, PartialEq)]
struct Mail {
    host: String,
    #[serde(default)]
    port: u16,
    #[serde(default)]
    to: Vec<String>,
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    tls: Option<Tls>,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Plain,
    Html,
    Limit(u32),
}

#[derive(Debug, Deserialize, PartialEq)]
struct Tls {
    verify: bool,
    wait: Span,
    size: ByteSize,
}

fn mail(config: &Config) -> Mail {
    config.app("mail").unwrap()
}

fn wrong(toml: &str, env: &[(&str, &str)]) -> String {
    config(toml, env, &[]).app::<Mail>("mail").unwrap_err().to_string()
}

#[test]
fn text_takes_the_type_that_the_field_has() {
    let toml = "[app.mail]\nhost = 'a'\nport = 25\nto = ['x', 'y']\npassword = '123456'\nmode = 'html'\n\
                tls = {verify = true, wait = '1m', size = 1024}";
    let env = [
        ("BUTTERFLY_APP__MAIL__HOST", "a"),
        ("BUTTERFLY_APP__MAIL__PORT", "25"),
        ("BUTTERFLY_APP__MAIL__TO", "x, y"),
        ("BUTTERFLY_APP__MAIL__PASSWORD", "123456"),
        ("BUTTERFLY_APP__MAIL__MODE", "html"),
        ("BUTTERFLY_APP__MAIL__TLS__VERIFY", "true"),
        ("BUTTERFLY_APP__MAIL__TLS__WAIT", "60"),
        ("BUTTERFLY_APP__MAIL__TLS__SIZE", "1KiB"),
    ];
    let typed = mail(&config(toml, &[], &[]));
    assert_eq!(typed, mail(&config("", &env, &[])));
    assert_eq!(typed.password.as_deref(), Some("123456"));
    assert_eq!(typed.tls, Some(Tls { verify: true, wait: Span::secs(60), size: ByteSize::kib(1) }));
}

#[test]
fn layers_meet_key_by_key() {
    let toml = "[app.mail]\nhost = 'a'\nport = 25\npassword = 'x'";
    let env = [("BUTTERFLY_APP__MAIL__PORT", "26"), ("BUTTERFLY_APP__MAIL__PASSWORD", "")];
    let mail = mail(&config(toml, &env, &[("app.mail.host", "b")]));
    assert_eq!((mail.host.as_str(), mail.port, mail.password), ("b", 26, None));
}

#[test]
fn a_whole_table_or_list_may_come_as_text() {
    let flags = [("app.mail", "{host = 'a', port = 1, mode = {limit = 7}}"), ("app.ports", "[1, 2]")];
    let config = config("app.mail.host = 'b'", &[], &flags);
    assert_eq!(mail(&config).mode, Mode::Limit(7));
    assert_eq!(config.app::<Vec<u16>>("ports").unwrap(), [1, 2]);
    assert_eq!(config.app::<(u8, u8)>("ports").unwrap(), (1, 2));
    assert_eq!(config.app::<Vec<String>>("mail.to").unwrap_err().problems().len(), 1);
}

#[test]
fn sections_nest_and_missing_ones_are_empty() {
    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Empty {
        size: u8,
    }
    let config =
        config("[app.a.b]\nsize = 3\n[app.hollow]\n[app.mail]\nhost = 'a'\nmode.limit = 4", &[], &[]);
    assert_eq!(config.app::<Empty>("a.b").unwrap(), Empty { size: 3 });
    assert_eq!(config.app::<Empty>("none").unwrap(), Empty::default());
    assert_eq!(config.app::<Empty>("hollow").unwrap(), Empty::default());
    assert_eq!(config.app::<BTreeMap<String, Empty>>("a").unwrap()["b"].size, 3);
    assert_eq!(mail(&config).mode, Mode::Limit(4));
    assert_eq!(Config::default().app::<Empty>("x").unwrap(), Empty::default());
}

#[test]
fn an_error_names_the_key_and_its_place() {
    assert_snapshot!(wrong("", &[]), @"configuration: `app.mail`: missing field `host`");
    assert_snapshot!(wrong("\n[app.mail]\nhost = 5", &[]), @"configuration: butterfly.toml:3: `app.mail.host`: invalid type: integer `5`, expected a string");
    assert_snapshot!(wrong("app.mail.host = 'x'", &[("BUTTERFLY_APP__MAIL__PORT", "70000")]), @r#"configuration: environment BUTTERFLY_APP__MAIL__PORT: `app.mail.port`: invalid type: string "70000", expected u16"#);
    assert_snapshot!(wrong("app.mail.to = ['x', 5]\napp.mail.host = 'x'", &[]), @"configuration: butterfly.toml:1: `app.mail.to[1]`: invalid type: integer `5`, expected a string");
    assert_snapshot!(wrong("[app.mail]\nhost = 'x'\ntls = {verify = 1}", &[]), @"configuration: butterfly.toml:3: `app.mail.tls.verify`: invalid type: integer `1`, expected a boolean");
    assert_snapshot!(wrong("[app.mail]\nhost = 'x'\nmode = 'htm'", &[]), @"configuration: butterfly.toml:3: `app.mail.mode`: unknown variant `htm`, expected one of `plain`, `html`, `limit`");
}

#[test]
fn a_key_that_nothing_reads_is_an_error() {
    let toml = "[app.mail]\nhost = 'a'\nprot = 25\ntls = {verify = true, wait = 1, size = 1, deep = 2}";
    let error = config(toml, &[], &[]).app::<Mail>("mail").unwrap_err();
    assert!(error.problems().iter().all(|problem| problem.kind() == ProblemKind::UnknownKey));
    assert_snapshot!(error, @"
    configuration: 2 problems
      butterfly.toml:3: unknown key `app.mail.prot`; nothing reads it
      butterfly.toml:4: unknown key `app.mail.tls.deep`; nothing reads it
    ");
}

#[test]
fn no_error_tells_a_secret() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only its errors matter")]
    struct Numbers {
        host: u16,
        password: u16,
        #[serde(default)]
        keys: Vec<u16>,
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only its errors matter")]
    struct Flat {
        #[serde(flatten)]
        numbers: Numbers,
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("host");
    fs::write(&file, "hunter2\n").unwrap();
    let from_file = [("BUTTERFLY_APP__X__HOST_FILE", file.to_str().unwrap())];
    for (toml, env) in [
        ("app.x.host = 1\napp.x.password = 'hunter2'", [].as_slice()),
        ("app.x.host = 'db://root:hunter2@db/x'\napp.x.password = 1", &[]),
        ("app.x.password = 1", &from_file),
        ("app.x.password = 1\napp.x.host = 1", &[("BUTTERFLY_APP__X__KEYS", "1,hunter2")]),
    ] {
        let config = config(toml, env, &[]);
        let strict = config.app::<Numbers>("x").unwrap_err().to_string();
        let flat = config.app::<Flat>("x").unwrap_err().to_string();
        assert!(!strict.contains("hunter2") && strict.contains("not shown"), "{strict}");
        assert!(!flat.contains("hunter2"), "{flat}");
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}

#[test]
fn a_missing_field_is_named_though_a_secret_stands_beside_it() {
    assert_snapshot!(wrong("app.mail.password = 'x1'", &[]), @"configuration: butterfly.toml:1: `app.mail`: missing field `host`");
}

#[test]
fn keys_have_a_depth() {
    let deep = format!("app{}", ".a".repeat(100_000));
    let error = load("", &[], &[(&deep, "1")]).unwrap_err();
    assert_snapshot!(error, @"configuration: command line: a key has at most 32 levels");
}
