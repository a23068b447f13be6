//! `[queue]`, `[redis]` and `instance`.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;

use super::{config, error, load};
use crate::config::{Durability, Origin, QueueEngine, Span, TopicPattern};

const URL: &str = "redis://me:hunter2@cache.example:6379/1";
const MASKED: &str = "redis://me:***@cache.example:6379/1";

#[test]
fn a_redis_comes_from_every_layer_and_the_queue_may_stand_on_it() {
    let toml = "queue.engine = 'jobs'\n[redis]\ndefault = 'redis://a:1'\njobs = 'redis+cluster://a:1,b:2'\nold = 'redis://a'";
    let env =
        [("BUTTERFLY_REDIS__DEFAULT", URL), ("BUTTERFLY_REDIS__CACHE", "redis+sentinel://s:26379/main")];
    let loaded = load(toml, &env, &[("redis.old", ""), ("redis.extra", "redis://x?proxy=1")]).unwrap();
    let redis = &loaded.config.redis;
    assert_eq!(redis.names().collect::<Vec<_>>(), ["cache", "default", "extra", "jobs"]);
    assert_eq!(redis.get("default").unwrap().expose(), URL);
    assert_eq!(loaded.config.queue.engine, QueueEngine::Redis("jobs".to_owned()));
    assert_eq!(loaded.origins["redis.default"], Origin::Env("BUTTERFLY_REDIS__DEFAULT".to_owned()));
    assert_eq!(loaded.origins["redis.extra"], Origin::CommandLine);
}

#[test]
fn an_address_may_come_from_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("url");
    fs::write(&file, format!("{URL}\n")).unwrap();
    let loaded = load("", &[("BUTTERFLY_REDIS__DEFAULT_FILE", file.to_str().unwrap())], &[]).unwrap();
    assert_eq!(loaded.config.redis.get("default").unwrap().expose(), URL);
    assert!(loaded.report().contains(MASKED));
}

#[test]
fn no_form_of_an_address_tells_its_password() {
    for (url, shown) in [
        (URL, MASKED),
        ("redis://:hunter2@h", "redis://:***@h"),
        ("redis://hunter2@h", "redis://***@h"),
        ("redis://u:hun@ter2/hunter2@h:1/0", "redis://u:***@h:1/0"),
        (
            "redis+sentinel://h/m?sentinel_password=hunter2&db=1",
            "redis+sentinel://h/m?sentinel_password=***&db=1",
        ),
        ("redis://h?proxy", "redis://h?proxy"),
        ("rediss://:hunter2@h:1?ssl_ca_certs=/ca.pem", "rediss://:***@h:1?ssl_ca_certs=/ca.pem"),
        ("valkeys+cluster://:hunter2@a,b", "valkeys+cluster://:***@a,b"),
    ] {
        let loaded = load("", &[], &[("redis.x", url)]).unwrap();
        assert_eq!(loaded.config.redis.get("x").unwrap().to_string(), shown);
        assert_eq!(loaded.report_json()["redis.x"]["value"], shown);
        for form in [loaded.report(), loaded.report_json().to_string(), format!("{loaded:?}")] {
            assert!(form.contains(shown) && !form.contains("hun"), "{form}");
        }
    }
}

#[test]
fn an_address_that_is_none_is_refused_and_not_told() {
    assert_snapshot!(error("redis.x = 'http://u:hunter2@h'", &[], &[]), @"configuration: butterfly.toml:1: `redis.x` cannot be this value (not shown) (its scheme is none of redis, redis+cluster, redis+sentinel); expected a URL such as redis://127.0.0.1:6379, redis://user:password@host:6379/0, redis+cluster://host1:6379,host2:6379 or redis+sentinel://host1:26379,host2:26379/name");
    for (value, why) in [
        ("hunter2", "no scheme"),
        ("redis://u:hunter2@", "no host"),
        ("redis://u:hunter2@/0", "no host"),
        ("redis://u:hunter2@h x", "spaces"),
        (MASKED, "masked"),
        ("redis://h?password=***", "masked"),
    ] {
        let text = error("", &[("BUTTERFLY_REDIS__X", value)], &[]);
        assert!(text.contains(why) && !text.contains("hunter2"), "{text}");
    }
    assert!(error("[redis.x]\nurl = 'redis://u:hunter2@h'", &[], &[]).contains("of type table"));
    assert!(error("", &[], &[("redis.embedded", "redis://h")]).contains("cannot be its name"));
    assert!(error("redis.'a b' = 'redis://h'", &[], &[]).contains("`redis.\"a b\"`"));
    assert_snapshot!(error("redis = 'redis://h'", &[], &[]), @"configuration: butterfly.toml:1: `redis` is a table, not a value; set a key in it, such as `redis.default`");
}

#[test]
fn an_engine_that_is_not_there_names_those_that_are() {
    let toml = "redis.a = 'redis://h'\nredis.b = 'redis://h'\n\nqueue.engine = 'default'";
    assert_snapshot!(error(toml, &[], &[]), @r#"configuration: butterfly.toml:4: `queue.engine` names the Redis "default", but [redis] has a, b; set redis.default = "redis://…", or queue.engine = "embedded""#);
    assert_snapshot!(error("", &[("BUTTERFLY_QUEUE__ENGINE", "default")], &[]), @r#"configuration: environment BUTTERFLY_QUEUE__ENGINE: `queue.engine` names the Redis "default", but [redis] has no entry; set redis.default = "redis://…", or queue.engine = "embedded""#);
    assert!(error("", &[], &[("queue.engine", "redis://h")]).contains("set redis.default to the address"));
}

#[test]
fn the_queue_is_set_like_all_else() {
    let toml = "[queue]\ndurability = 'normal'\ntopics = ['/shop/*', '!/shop/slow']\nresult_ttl = ''\nfile = '/q.db'";
    let config = config(toml, &[("BUTTERFLY_QUEUE__LEASE", "2s")], &[("queue.failure_ttl", "0")]);
    let queue = &config.queue;
    assert_eq!((queue.durability, queue.lease), (Durability::Normal, Span::secs(2)));
    assert_eq!((queue.result_ttl, queue.failure_ttl), (None, Some(Span::secs(0))));
    assert_eq!(queue.topics.iter().map(TopicPattern::as_str).collect::<Vec<_>>(), ["/shop/*", "!/shop/slow"]);
    assert_eq!(config.queue_file(), Path::new("/q.db"));
}

#[test]
fn what_the_queue_cannot_be_is_refused() {
    assert_snapshot!(error("queue.topics = ['shop']", &[], &[]), @r#"configuration: butterfly.toml:1: `queue.topics` cannot be ["shop"] (not "shop": a topic is the path of a handler: it begins with /); expected a list of paths such as /shop/buy or /shop/*, or !/shop/slow to leave topics out"#);
    assert!(error("queue.topics = []", &[], &[]).contains("leave worker out of roles"));
    assert!(error("queue.topics = '/a b'", &[], &[]).contains("a path holds letters"));
    assert!(error("queue.concurrency = 0", &[], &[]).contains("must be at least 1"));
    assert!(error("queue.durability = 'ful'", &[], &[]).contains("did you mean `full`?"));
    assert!(error("queue.retries = -1", &[], &[]).contains("a whole number"));
    for bad in ["", "a b", "a/b", "é", &"x".repeat(65)] {
        assert!(error("", &[], &[("instance", bad)]).contains("a name of letters"), "{bad}");
    }
}
