//! The connection: errors, scripts, limits.

use std::time::Duration;

use butterfly_model::redis::{Counter, List, Redis, RedisError, Script, Single, cmd, text};

use super::{alone, key, on_both, url};

#[tokio::test]
async fn a_script_is_sent_once_and_then_named() {
    on_both(async |redis| {
        let key = key(&redis, "a");
        // A text that no server has seen.
        let script = Script::new(format!("return KEYS[1] .. ARGV[1] -- {key}"));
        for _ in 0..2 {
            let answer = redis
                .run(&script, &key, |call| {
                    call.arg("!");
                })
                .await
                .unwrap();
            assert_eq!(text(answer).unwrap(), format!("{key}!"));
        }
        let failing = Script::new("return redis.error_reply('MYCODE what it is')");
        let error = redis.run(&failing, &key, |_| {}).await.unwrap_err();
        assert_eq!(error, RedisError::Script { code: "MYCODE".into(), detail: "what it is".into() });
    })
    .await;
}

#[tokio::test]
async fn errors_say_what_to_do() {
    on_both(async |redis| {
        let single = Single::<String>::new(&redis, key(&redis, "a"));
        single.set(&"text".into()).await.unwrap();
        let error = List::<String>::new(&redis, single.key()).pop_first().await.unwrap_err();
        assert!(matches!(error, RedisError::WrongType(_)), "{error}");
        let error = Counter::new(&redis, single.key()).add(1).await.unwrap_err();
        assert!(matches!(error, RedisError::Invalid(_)), "{error}");
        let error = Counter::new(&redis, single.key()).get().await.unwrap_err();
        assert!(matches!(&error, RedisError::Unreadable(why) if why.contains("text")), "{error}");
    })
    .await;
    let error = Redis::open("redis://127.0.0.1:1").unwrap().command(&cmd("PING")).await.unwrap_err();
    assert!(matches!(&error, RedisError::Unavailable(why) if why.contains("127.0.0.1:1")), "{error}");
}

#[tokio::test]
async fn keys_of_several_slots_are_refused_on_a_cluster_before_anything_is_sent() {
    let redis = Redis::open(&alone("_CLUSTER")).unwrap();
    let (a, b) = (List::<u8>::new(&redis, "{a}1"), List::<u8>::new(&redis, "{b}1"));
    let error = a.move_last_to(&b).await.unwrap_err();
    assert!(matches!(&error, RedisError::CrossSlot(why) if why.contains("{a}1") && why.contains("{b}1")));
    let script = Script::new("return 1");
    let error = redis.run_on(&script, &["{a}1", "{b}1"], |_| {}).await.unwrap_err();
    assert!(matches!(error, RedisError::CrossSlot(_)), "{error}");
}

#[tokio::test]
async fn connections_are_limited_where_that_is_wanted() {
    let redis = Redis::open(&format!("{}&max_connections=2", alone(""))).unwrap();
    let first = redis.waiting().await.unwrap();
    let error = redis.waiting().await.unwrap_err();
    assert!(error.to_string().contains("max_connections"), "{error}");
    drop(first);
    redis.waiting().await.unwrap();
}

#[tokio::test]
async fn a_connection_that_was_cut_while_it_rested_is_found_out_before_it_is_used() {
    let redis = Redis::open(&format!("{}&health_check_interval=0.001", alone(""))).unwrap();
    let other = Redis::open(&url("")).unwrap();
    for _ in 0..20 {
        let id: i64 = redis.query(cmd("CLIENT").arg("ID")).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
        let _: i64 = other.query(cmd("CLIENT").arg("KILL").arg("ID").arg(id)).await.unwrap();
        let next: i64 = redis.query(cmd("CLIENT").arg("ID")).await.unwrap();
        assert_ne!(id, next);
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_an_error() {
    let redis = Redis::open(&format!("{}&socket_timeout=0.1", alone(""))).unwrap();
    let slow = cmd("BLPOP").arg(key(&redis, "none")).arg(5).to_owned();
    let error = redis.command(&slow).await.unwrap_err();
    assert!(matches!(error, RedisError::Unavailable(_)), "{error}");
}
