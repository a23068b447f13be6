//! What `butterfly config` prints.

use insta::assert_snapshot;
use proptest::prelude::*;
use proptest::sample::select;

use super::{config, load};
use crate::config::{KEYS, Loader, reference};

const TOKEN: &str = "0123456789abcdef";

#[test]
fn it_lists_every_key_with_its_value_and_origin() {
    let toml = "[http]\nmax_body = '1MiB'\n\n[app.mail]\nhost = 'a'\npassword = 'hunter2'\n'a b' = ['x', 1]\n\
                url = 'db://me:hunter2@db'\nlist = [{token = 'hunter2', n = 1}]";
    let env = [("BUTTERFLY_OPS__TOKEN", TOKEN), ("PORT", "80"), ("BUTTERFLY_APP__MAIL__PORT", "25")];
    let loaded =
        load(toml, &env, &[("roles", "http"), ("redis.cache", "redis://:hunter2@10.1.1.1")]).unwrap();
    assert_snapshot!(loaded.report(), @r#"
    name                  = "demo"                        # default
    data_dir              = "data"                        # default
    roles                 = ["http"]                      # command line
    instance              = "main"                        # default
    http.listen           = "127.0.0.1:80"                # environment PORT
    http.errors           = "butterfly"                   # default
    http.stat_adaptor     = ""                            # default
    http.max_connections  = 10000                         # default
    http.max_head         = "32KiB"                       # default
    http.max_body         = "1MiB"                        # butterfly.toml:2
    http.max_upload       = "1GiB"                        # default
    http.head_timeout     = "10s"                         # default
    http.body_timeout     = "30s"                         # default
    http.request_timeout  = "1m"                          # default
    http.idle_timeout     = "1m15s"                       # default
    http.drain_timeout    = "10s"                         # default
    http.trusted_proxies  = []                            # default
    http.user_header      = "x-username"                  # default
    http.static_dir       = "static"                      # default
    http.static_prefix    = "static"                      # default
    http.threads          = 0                             # default
    log.dir               = "logs"                        # default
    log.level             = "info"                        # default
    log.format            = "text"                        # default
    log.rotate_bytes      = "100MiB"                      # default
    log.rotate_age        = "1d"                          # default
    log.keep              = 7                             # default
    log.stderr            = false                         # default
    log.color             = true                          # default
    queue.engine          = "embedded"                    # default
    queue.file            = ""                            # default
    queue.durability      = "full"                        # default
    queue.concurrency     = 10                            # default
    queue.topics          = ["*"]                         # default
    queue.lease           = "15s"                         # default
    queue.retries         = 0                             # default
    queue.timeout         = "3m"                          # default
    queue.result_ttl      = "365d"                        # default
    queue.failure_ttl     = "365d"                        # default
    queue.max_depth       = 1000000                       # default
    queue.max_args        = "1MiB"                        # default
    queue.allow_unknown   = false                         # default
    sql.create_tables     = true                          # default
    sql.migrate           = false                         # default
    sql.migrations        = "migrations"                  # default
    sql.slow              = "200ms"                       # default
    session.store         = "disk"                        # default
    session.secrets       = []                            # default
    session.cookie        = "sid"                         # default
    session.secure        = "auto"                        # default
    session.idle          = "7d"                          # default
    session.ttl           = "30d"                         # default
    session.max_bytes     = "16KiB"                       # default
    session.max_per_user  = 100                           # default
    session.max_anonymous = 10000                         # default
    cache.store           = "memory"                      # default
    cache.size            = "64MiB"                       # default
    cache.near            = "0B"                          # default
    ops.token             = "***"                         # environment BUTTERFLY_OPS__TOKEN
    ops.enabled           = true                          # default
    redis.cache           = "redis://:***@10.1.1.1"       # command line
    redis.default         = ""                            # default
    databases.default     = "sqlite://{data_dir}/app.db"  # default
    app.mail."a b"        = ["x", 1]                      # butterfly.toml:7
    app.mail.host         = "a"                           # butterfly.toml:5
    app.mail.list         = [{n = 1, token = "***"}]      # butterfly.toml:9
    app.mail.password     = "***"                         # butterfly.toml:6
    app.mail.port         = 25                            # environment BUTTERFLY_APP__MAIL__PORT
    app.mail.url          = "***"                         # butterfly.toml:8
    "#);
}

#[test]
fn it_is_there_for_programs_too() {
    let loaded = load("app.mail.password = 'hunter2'", &[("BUTTERFLY_OPS__TOKEN", TOKEN)], &[]).unwrap();
    let json = loaded.report_json();
    assert_eq!(json.as_object().unwrap().len(), KEYS.len() + 3);
    assert_eq!(json["http.max_connections"]["value"], 10_000);
    assert_eq!(json["http.max_connections"]["from"], "default");
    assert_eq!(json["ops.token"]["value"], "***");
    assert_eq!(json["ops.token"]["from"], "environment BUTTERFLY_OPS__TOKEN");
    assert_eq!(json["app.mail.password"]["value"], "***");
    assert_eq!(json["data_dir"]["help"], "The folder of embedded files, secrets, sockets and the pid file.");
}

#[test]
fn no_form_of_it_tells_a_secret() {
    let loaded =
        load("app.x.secret = 'hunter2'", &[], &[("ops.token", TOKEN), ("app.x.y_token", "hunter2")]).unwrap();
    let forms = [loaded.report(), loaded.report_json().to_string(), format!("{loaded:?}")];
    for form in forms {
        assert!(!form.contains(TOKEN) && !form.contains("hunter2"), "{form}");
    }
    let loader = Loader::new("x").flags(super::pairs(&[("ops.token", TOKEN)]));
    assert!(!format!("{loader:?}").contains(TOKEN));
}

#[test]
fn a_masked_secret_is_not_taken_for_the_secret() {
    let report = load("", &[], &[("ops.token", TOKEN)]).unwrap().report();
    assert!(super::error(&report, &[], &[]).contains("`ops.token`"));
}

#[test]
fn the_reference_with_its_comments_taken_off_holds_the_defaults() {
    let text = reference();
    let names = || KEYS.iter().map(|key| key.name).chain(["redis.default"]);
    let keys: String = text
        .lines()
        .filter(|line| names().any(|name| line.starts_with(&format!("# {name} ="))))
        .map(|line| format!("{}\n", &line[2..]))
        .collect();
    assert_eq!(keys.lines().count(), names().count());
    assert_eq!(config(&keys, &[], &[("name", "demo")]), config("", &[], &[]));
    assert!(config(&text, &[], &[]) == config("", &[], &[]), "all of it is commented out");
}

/// A value that the key accepts, as text.
fn value(key: &'static str) -> BoxedStrategy<String> {
    let number = |range: std::ops::RangeInclusive<u64>, unit: &'static str| {
        range.prop_map(move |n| format!("{n}{unit}")).boxed()
    };
    match key {
        "name" => "[^\\pC\\s]([^\\pC]{0,8}[^\\pC\\s])?".boxed(),
        "data_dir" | "http.static_dir" | "log.dir" | "sql.migrations" => "[^\\x00]{1,8}".boxed(),
        "roles" => select(vec!["http", "worker,http", "scheduler"]).prop_map(str::to_owned).boxed(),
        "http.listen" => any::<std::net::SocketAddrV4>().prop_map(|at| at.to_string()).boxed(),
        "http.errors" => select(vec!["butterfly", "rest"]).prop_map(str::to_owned).boxed(),
        "http.stat_adaptor" => any::<(bool, i32, i8)>()
            .prop_map(|(a, b, c)| {
                let c = f64::from(c) / 8.0;
                format!("{{status_name='a', status_map={{default={a}, 'x y'={b}, f={c:?}, s='\\u'}}, message_name='b'}}")
            })
            .boxed(),
        "http.trusted_proxies" => select(vec!["", "10.1.1.1", "fd00::/8,10.0.0.0/9"]).prop_map(str::to_owned).boxed(),
        "http.user_header" => "[a-zA-Z0-9-]{1,9}".boxed(),
        "http.static_prefix" => "(/?[a-z0-9_~-]{1,5}){0,3}".boxed(),
        "http.max_connections" => number(1..=u64::from(u32::MAX), ""),
        "http.threads" => number(0..=1024, ""),
        "log.keep" => number(0..=1000, ""),
        "http.max_head" => number(8192..=1 << 24, "B"),
        "http.max_body" | "http.max_upload" | "log.rotate_bytes" => number(4..=1 << 40, "KiB"),
        "log.level" => select(vec!["warn", "info,a::b=debug", "off"]).prop_map(str::to_owned).boxed(),
        "log.format" => select(vec!["text", "json"]).prop_map(str::to_owned).boxed(),
        "instance" => "[a-zA-Z0-9_-]{1,64}".boxed(),
        "session.store" => select(vec!["disk", "memory", "databases"]).prop_map(str::to_owned).boxed(),
        "session.cookie" => "[a-zA-Z0-9_-]{1,64}".boxed(),
        "session.secure" => select(vec!["auto", "always", "never"]).prop_map(str::to_owned).boxed(),
        "session.max_bytes" => number(0..=1024, "KiB"),
        "session.max_per_user" => number(1..=10_000, ""),
        "session.max_anonymous" => number(1..=10_000_000, ""),
        "cache.store" => select(vec!["disk", "memory"]).prop_map(str::to_owned).boxed(),
        "cache.size" | "cache.near" => number(1..=1 << 20, "MiB"),
        "queue.engine" => Just("embedded".to_owned()).boxed(),
        "queue.file" => "([^\\x00]{1,8})?".boxed(),
        "queue.durability" => select(vec!["full", "normal"]).prop_map(str::to_owned).boxed(),
        "queue.topics" => select(vec!["*", "/a/*,!/a/b", "!/users/{id}"]).prop_map(str::to_owned).boxed(),
        "queue.concurrency" => number(1..=100_000, ""),
        "queue.retries" => number(0..=u64::from(u32::MAX), ""),
        "queue.max_depth" => number(1..=i64::MAX as u64, ""),
        "queue.max_args" => number(1..=1 << 19, "KiB"),
        "queue.result_ttl" | "queue.failure_ttl" => "(|[0-9]{1,4}d)".prop_filter("ten years", |text| {
            text.strip_suffix('d').is_none_or(|days| days.parse::<u32>().is_ok_and(|days| days <= 3650))
        }).boxed(),
        "log.stderr" | "log.color" | "ops.enabled" | "queue.allow_unknown" | "sql.create_tables" | "sql.migrate" => any::<bool>().prop_map(|yes| yes.to_string()).boxed(),
        _ => number(60_000..=86_400_000, "ms"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_it_prints_reads_back_as_the_same_configuration(
        values in KEYS.iter().filter(|key| !key.secret).map(|key| value(key.name)).collect::<Vec<_>>(),
    ) {
        let names = KEYS.iter().filter(|key| !key.secret).map(|key| key.name);
        let flags: Vec<_> = names.zip(values.iter().map(String::as_str)).collect();
        let loaded = load("", &[], &flags).unwrap();
        prop_assert_eq!(config(&loaded.report(), &[], &[]), loaded.config);
    }
}
