//! Which layer wins, and what each may say.

use std::fs;

use super::{config, load, pairs};
use crate::config::{
    ByteSize, Config, ErrorStyle, KEYS, Loader, LogFormat, Origin, Problem, ProblemKind, Role, Span,
};

#[test]
fn without_layers_the_defaults_hold() {
    let loaded = Loader::new("butterfly").merge(Ok(None)).unwrap();
    assert_eq!(loaded.config, Config::default());
    assert_eq!(loaded.origins.len(), KEYS.len());
    assert!(loaded.origins.values().all(|origin| *origin == Origin::Default));
}

#[test]
fn the_caller_names_the_service_until_a_layer_does() {
    assert_eq!(config("", &[], &[]).name, "demo");
    assert_eq!(config("name = 'shop'", &[], &[]).name, "shop");
}

#[test]
fn each_layer_goes_over_the_one_before() {
    let toml = "[http]\nmax_body = '1MiB'\nmax_head = '16KiB'\nerrors = 'rest'";
    let env = [("BUTTERFLY_HTTP__MAX_BODY", "3MiB"), ("BUTTERFLY_HTTP__MAX_HEAD", "64KiB")];
    let loaded = load(toml, &env, &[("http.max_body", "4MiB")]).unwrap();
    let http = &loaded.config.http;
    assert_eq!(http.max_body, ByteSize::mib(4));
    assert_eq!(http.max_head, ByteSize::kib(64));
    assert_eq!(http.errors, ErrorStyle::Rest);
    assert_eq!(http.max_upload, ByteSize::mib(1024));
    assert_eq!(loaded.origins["http.max_body"], Origin::CommandLine);
    assert_eq!(loaded.origins["http.max_head"], Origin::Env("BUTTERFLY_HTTP__MAX_HEAD".into()));
    assert_eq!(loaded.origins["http.errors"], Origin::File { path: "butterfly.toml".into(), line: 4 });
    assert_eq!(loaded.origins["http.max_upload"], Origin::Default);
}

#[test]
fn the_last_of_two_flags_holds() {
    let flags = [("log.format", "json"), ("log.format", "text")];
    assert_eq!(config("log.format = 'json'", &[], &flags).log.format, LogFormat::Text);
}

#[test]
fn port_changes_the_port_and_never_the_host() {
    let listen = |toml, env: &[_], flags: &[_]| config(toml, env, flags).http.listen.to_string();
    assert_eq!(listen("", &[("PORT", "9000")], &[]), "127.0.0.1:9000");
    assert_eq!(listen("http.listen = '[::1]:1'", &[("PORT", "9000")], &[]), "[::1]:9000");
    let own = [("PORT", "9000"), ("BUTTERFLY_HTTP__LISTEN", "0.0.0.0:1")];
    assert_eq!(listen("", &own, &[]), "0.0.0.0:1");
    assert_eq!(listen("", &[("PORT", "9000")], &[("http.listen", "127.0.0.1:7")]), "127.0.0.1:7");
}

#[test]
fn what_platforms_set_lies_under_butterflys_own() {
    let level = |env: &[_]| config("log.level = 'error'", env, &[]).log.level.as_str().to_owned();
    assert_eq!(level(&[("RUST_LOG", "warn,shop::db=trace")]), "warn,shop::db=trace");
    assert_eq!(level(&[("RUST_LOG", "warn"), ("BUTTERFLY_LOG__LEVEL", "debug")]), "debug");
    assert_eq!(level(&[("RUST_LOG", "")]), "error");
    assert!(!config("", &[("NO_COLOR", "1")], &[]).log.color);
    assert!(config("", &[("NO_COLOR", "")], &[]).log.color);
    assert!(config("", &[("NO_COLOR", "1"), ("BUTTERFLY_LOG__COLOR", "true")], &[]).log.color);
}

#[test]
fn an_ambient_variable_that_is_overridden_is_not_judged() {
    let env = [("PORT", "many"), ("RUST_LOG", "inof")];
    let flags = [("http.listen", "127.0.0.1:1"), ("log.level", "info")];
    assert!(load("", &env, &[]).is_err());
    assert!(load("", &env, &flags).is_ok());
}

#[test]
fn variables_that_are_not_settings_are_left_alone() {
    let env = [
        ("PATH", "/bin"),
        ("BUTTERFLY", "x"),
        ("BUTTERFLY_CONFIG", ""),
        ("BUTTERFLY_PORT", "tcp://10.0.0.1:8585"),
        ("BUTTERFLY_SERVICE_HOST", "10.0.0.1"),
    ];
    assert_eq!(config("", &env, &[]), config("", &[], &[]));
}

#[test]
fn lists_choices_and_times_are_the_same_from_text_and_toml() {
    let toml = "roles = ['http', 'worker']\nhttp.trusted_proxies = ['10.1.2.3/8', '::1']\n\
                http.idle_timeout = 90\nhttp.threads = 2\nlog.stderr = true";
    let flags = [
        ("roles", "http, worker,http"),
        ("http.trusted_proxies", "10.0.0.0/8,::1"),
        ("http.idle_timeout", "1m30s"),
        ("http.threads", "2"),
        ("log.stderr", "yes"),
    ];
    let typed = config(toml, &[], &[]);
    assert_eq!(typed, config("", &[], &flags));
    assert_eq!(typed.roles, [Role::Http, Role::Worker]);
    assert_eq!(typed.http.idle_timeout, Span::secs(90));
    assert_eq!(config("", &[], &[("roles", "['scheduler']")]).roles, [Role::Scheduler]);
}

#[test]
fn empty_text_takes_back_an_optional_value() {
    let toml = "ops.token = '0123456789abcdef'";
    assert_eq!(config(toml, &[], &[]).ops.token.unwrap().expose(), "0123456789abcdef");
    assert_eq!(config(toml, &[("BUTTERFLY_OPS__TOKEN", "")], &[]).ops.token, None);
    assert_eq!(config("http.static_prefix = '/'", &[], &[]).http.static_prefix.get(), None);
    assert_eq!(config("http.static_prefix = '/a/b/'", &[], &[]).http.static_prefix.get(), Some("a/b"));
}

#[test]
fn the_status_adaptor_is_the_same_from_a_table_and_from_text() {
    let toml = "[http.stat_adaptor]\nstatus_name = 'success'\nmessage_name = 'message'\n\
                status_map = {OK = true, default = 0}";
    let flag = "{status_name = 'success', status_map = {OK = true, default = 0}, message_name = 'message'}";
    let adaptor = config(toml, &[], &[]).http.stat_adaptor.unwrap();
    assert_eq!(adaptor.status_map["default"], 0);
    assert_eq!(adaptor.status_map["OK"], true);
    assert_eq!(config("", &[], &[("http.stat_adaptor", flag)]).http.stat_adaptor, Some(adaptor));
}

#[test]
fn a_secret_comes_from_a_file_without_its_last_newline() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    for (text, token) in
        [("0123456789abcdef\n", "0123456789abcdef"), ("0123456789abcdefg\r\n", "0123456789abcdefg")]
    {
        fs::write(&file, text).unwrap();
        let env = [("BUTTERFLY_OPS__TOKEN_FILE", file.to_str().unwrap())];
        let loaded = load("", &env, &[]).unwrap();
        assert_eq!(loaded.config.ops.token.as_ref().unwrap().expose(), token);
        assert!(matches!(loaded.origins["ops.token"], Origin::EnvFile { .. }));
    }
}

#[test]
fn the_file_is_the_flags_then_the_variables_then_the_folders() {
    let dir = tempfile::tempdir().unwrap();
    let write = |file: &str, name: &str| {
        let path = dir.path().join(file);
        fs::write(&path, format!("name = '{name}'")).unwrap();
        path
    };
    let loader = Loader::new("demo").dir(dir.path());
    let name = |loader: Loader| loader.load().unwrap().config.name;

    assert_eq!(name(loader.clone()), "demo");
    write("butterfly.toml", "folder");
    assert_eq!(name(loader.clone()), "folder");
    let by_env = write("env.toml", "variable");
    let loader = loader.env(pairs(&[("BUTTERFLY_CONFIG", by_env.to_str().unwrap())]));
    assert_eq!(name(loader.clone()), "variable");
    let by_flag = write("flag.toml", "flag");
    let loaded = loader.file(Some(by_flag.clone())).load().unwrap();
    assert_eq!((loaded.config.name.as_str(), loaded.file()), ("flag", Some(by_flag.as_path())));
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("none.toml");
    let by_flag = Loader::new("demo").dir(dir.path()).file(Some(missing.clone()));
    let by_env =
        Loader::new("demo").dir(dir.path()).env(pairs(&[("BUTTERFLY_CONFIG", missing.to_str().unwrap())]));
    for (loader, named_by) in [(by_flag, "command line"), (by_env, "environment BUTTERFLY_CONFIG")] {
        let error = loader.load().unwrap_err();
        assert_eq!(error.problems()[0].kind(), ProblemKind::Unreadable);
        assert_eq!(error.problems()[0].origin().to_string(), named_by);
        assert!(error.to_string().contains("none.toml"), "{error}");
    }
}

#[test]
fn a_file_that_cannot_be_read_hides_no_other_problem() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("butterfly.toml")).unwrap();
    let loader = Loader::new("demo").dir(dir.path()).flags(pairs(&[("nmae", "x")]));
    let kinds: Vec<_> = loader.load().unwrap_err().problems().iter().map(Problem::kind).collect();
    assert_eq!(kinds, [ProblemKind::Unreadable, ProblemKind::UnknownKey]);
}
