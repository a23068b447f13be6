//! `[session]` and `[cache]`.

use insta::assert_snapshot;

use super::{config, error, load};
use crate::config::{CacheStore, Secret, SecureCookie, SessionStore, Span};

const SECRET: &str = "0123456789abcdef";

#[test]
fn stores_are_named_as_the_entries_of_their_tables_are() {
    let entries =
        "redis.default = 'redis://h'\nredis.cache = 'redis://h'\ndatabases.users = 'sqlite://u.db'\n";
    let session =
        |store: &str| config(&format!("{entries}session.store = '{store}'"), &[], &[]).session.store;
    assert_eq!(session("memory"), SessionStore::Memory);
    assert_eq!(session("disk"), SessionStore::Disk);
    assert_eq!(session("redis"), SessionStore::Redis("default".into()));
    assert_eq!(session("redis.cache"), SessionStore::Redis("cache".into()));
    assert_eq!(session("databases"), SessionStore::Database("default".into()));
    assert_eq!(session("databases.users"), SessionStore::Database("users".into()));
    let cache =
        config(entries, &[("BUTTERFLY_CACHE__STORE", "redis.cache")], &[("cache.near", "1MiB")]).cache;
    assert_eq!((cache.store, cache.near.as_u64()), (CacheStore::Redis("cache".into()), 1 << 20));
    for bad in ["", "redis.", "redis.a b", "redisx", "databases.a.b", "sqlite://x"] {
        assert!(error("", &[], &[("session.store", bad)]).contains("expected memory, disk, or"), "{bad}");
    }
    assert!(error("cache.store = 'databases.users'", &[], &[]).contains("an entry of [redis]"));
}

#[test]
fn an_entry_that_is_not_there_is_told_with_those_that_are() {
    assert_snapshot!(error("session.store = 'databases.users'", &[], &[]), @r#"configuration: butterfly.toml:1: `session.store` names the database "users", but [databases] has default; set databases.users = "mysql://…", or session.store = "disk""#);
    let all = error("session.store = 'redis'\ncache.store = 'redis.x'\nqueue.engine = 'y'", &[], &[]);
    for key in ["session.store", "cache.store", "queue.engine"] {
        assert!(all.contains(&format!("`{key}` names the Redis")), "{all}");
    }
}

#[test]
fn sessions_are_set_like_all_else() {
    let toml =
        "[session]\nsecrets = ['new-secret-0123456', 'old-secret-0123456']\nidle = '30m'\nsecure = 'always'";
    let session = config(toml, &[], &[("session.cookie", "__Host-me")]).session;
    let secrets: Vec<&str> = session.secrets.iter().map(Secret::expose).collect();
    assert_eq!(secrets, ["new-secret-0123456", "old-secret-0123456"]);
    assert_eq!((session.idle, session.secure), (Span::secs(1800), SecureCookie::Always));
    assert_eq!(session.cookie.as_str(), "__Host-me");
    assert!(error("", &[], &[("session.cookie", "a;b")]).contains("a name of letters"));
    assert!(error("session.max_bytes = '2MiB'", &[], &[]).contains("must be at most 1MiB"));
}

#[test]
fn no_form_tells_the_secrets_of_sessions() {
    let loaded = load("", &[("BUTTERFLY_SESSION__SECRETS", &format!("{SECRET},{SECRET}x"))], &[]).unwrap();
    assert_eq!(loaded.config.session.secrets.len(), 2);
    for form in [loaded.report(), loaded.report_json().to_string(), format!("{loaded:?}")] {
        assert!(!form.contains(SECRET), "{form}");
    }
    for bad in ["hunter2", "hunter2 is not long enough", "[\"hunter2\"]", "[1]"] {
        let text = error("", &[], &[("session.secrets", bad)]);
        assert!(text.contains("`session.secrets`") && !text.contains("hunter2"), "{text}");
    }
    assert!(!error("session.secrets = ['hunter2']", &[], &[]).contains("hunter2"));
}
