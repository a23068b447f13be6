//! Models: records, indexes, queries, expiry.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use butterfly_model::redis::{Filter, Hash, Json, Models, Redis, RedisError, RedisModel, cmd};
use uuid::Uuid;

use super::proxy::Counting;
use super::{alone, on_both, url};

#[derive(RedisModel, Clone, Debug, PartialEq)]
struct User {
    #[redis(key)]
    id: i64,
    #[redis(index)]
    city: String,
    #[redis(range)]
    age: u8,
    #[redis(range)]
    score: Option<f64>,
    #[redis(index)]
    admin: bool,
    nick: Option<String>,
    visits: u64,
}

fn user(id: i64, city: &str, age: u8) -> User {
    User { id, city: city.into(), age, score: None, admin: false, nick: None, visits: 0 }
}

#[derive(RedisModel, Clone, Debug, PartialEq)]
#[redis(name = "every type")]
struct Every {
    #[redis(key)]
    id: Uuid,
    #[redis(index)]
    bytes: Vec<u8>,
    #[redis(range)]
    at: SystemTime,
    #[redis(index)]
    other: Option<Uuid>,
    data: Json<BTreeMap<String, Vec<i32>>>,
    float: f32,
    #[redis(range)]
    big: i64,
    r#type: String,
}

#[derive(RedisModel, Clone, Debug, PartialEq)]
#[redis(expire = "4s")]
struct Session {
    #[redis(key)]
    token: String,
    #[redis(index)]
    user: u32,
    #[redis(range)]
    level: i32,
}

/// All keys of a handle's prefix. On a cluster the records of a test lie on one node, which is found by a key of it.
async fn keys(redis: &Redis, base: &str) -> Vec<String> {
    let script = butterfly_model::redis::Script::new("return redis.call('KEYS', ARGV[1])");
    let pattern = format!("{}*", redis.options().prefix);
    let answer = redis
        .run(&script, base, |call| {
            call.arg(&pattern);
        })
        .await
        .unwrap();
    let mut reply = butterfly_model::redis::Reply::new(answer).unwrap();
    let mut keys = Vec::new();
    while !reply.is_empty() {
        keys.push(reply.text().unwrap());
    }
    keys.sort();
    keys
}

fn base<M: RedisModel>(redis: &Redis) -> String {
    format!("{}:{{{}}}", redis.options().prefix, M::NAME)
}

#[tokio::test]
async fn records_come_back_with_every_type() {
    on_both(async |redis| {
        let records = Models::<Every>::new(&redis);
        let record = Every {
            id: Uuid::from_u128(7),
            bytes: vec![0, 255, b'}', b'{', b'\n'],
            at: UNIX_EPOCH + Duration::from_millis(1_700_000_000_123),
            other: Some(Uuid::from_u128(8)),
            data: Json(BTreeMap::from([("a}{\n".into(), vec![1, -2])])),
            float: 0.1,
            big: -(1 << 53),
            r#type: String::new(),
        };
        assert_eq!(records.get(&record.id).await.unwrap(), None);
        records.save(&record).await.unwrap();
        assert_eq!(records.get(&record.id).await.unwrap(), Some(record.clone()));
        let f = Every::FIELDS;
        let asked = f.bytes.is(record.bytes.clone()).unwrap() & f.at.is(record.at) & f.big.within(..0);
        assert_eq!(records.query(asked).rows().await.unwrap(), std::slice::from_ref(&record));
        let bare = Every { other: None, ..record.clone() };
        records.save(&bare).await.unwrap();
        assert_eq!(records.get(&record.id).await.unwrap(), Some(bare));
        let asked = f.other.is(Uuid::from_u128(8)).unwrap();
        assert_eq!(records.query(asked).count().await.unwrap(), 0);
        let error = records.save(&Every { big: i64::MAX, ..record.clone() }).await.unwrap_err();
        assert!(
            matches!(&error, RedisError::Invalid(why) if why.contains("field big") && why.contains("2^53"))
        );
        let error = records.save(&Every { float: f32::NAN, ..record }).await.unwrap_err();
        assert!(matches!(&error, RedisError::Invalid(why) if why.contains("field float")), "{error}");
    })
    .await;
}

#[tokio::test]
async fn keys_and_values_may_hold_anything_and_are_never_mixed_up() {
    on_both(async |redis| {
        let sessions = Models::<Named>::new(&redis);
        let long = "x".repeat(1_000);
        let nasty = [
            "",
            "a",
            "a:b",
            "{a}",
            "}{",
            "{}",
            "\n",
            "\r\n*1\r\n",
            "\0",
            "*",
            "?",
            "a' or '1'='1",
            "]] return 1 --[[",
            "中文",
            "%7B",
            "=a",
            "#a",
            " ",
            "is",
            "range",
            long.as_str(),
        ];
        for (number, text) in nasty.iter().enumerate() {
            let record = Named { key: (*text).into(), value: (*text).into(), number: number as u32 };
            assert!(sessions.create(&record).await.unwrap(), "{text:?}");
        }
        for (number, text) in nasty.iter().enumerate() {
            let record = sessions.get(&(*text).into()).await.unwrap().unwrap();
            assert_eq!(record.number, number as u32, "{text:?}");
            let asked = Named::FIELDS.value.is((*text).into()).unwrap();
            assert_eq!(sessions.query(asked).rows().await.unwrap(), [record], "{text:?}");
        }
        assert_eq!(sessions.all().count().await.unwrap(), nasty.len() as u64);
        assert_eq!(sessions.all().delete().await.unwrap(), nasty.len() as u64);
        assert_eq!(keys(&redis, &base::<Named>(&redis)).await, [""; 0], "nothing is left behind");
    })
    .await;
}

#[derive(RedisModel, Clone, Debug, PartialEq)]
#[redis(name = "na}me{\n")]
struct Named {
    #[redis(key)]
    key: String,
    #[redis(index)]
    value: String,
    number: u32,
}

#[tokio::test]
async fn records_are_made_changed_counted_and_deleted_with_their_indexes() {
    on_both(async |redis| {
        let users = Models::<User>::new(&redis);
        let f = User::FIELDS;
        let in_city = async |city: &str| users.query(f.city.is(city.into()).unwrap()).keys().await.unwrap();
        assert!(users.create(&user(1, "Ulm", 30)).await.unwrap());
        assert!(!users.create(&user(1, "Bonn", 31)).await.unwrap());
        assert_eq!((in_city("Ulm").await, in_city("Bonn").await), (vec![1], vec![]));
        users.save(&user(1, "Bonn", 31)).await.unwrap();
        assert_eq!((in_city("Ulm").await, in_city("Bonn").await), (vec![], vec![1]));

        let changes = [
            f.city.set("Trier".into()).unwrap(),
            f.nick.set(Some("nick".into())).unwrap(),
            f.score.set(Some(1.5)).unwrap(),
        ];
        assert!(users.update(&1, changes).await.unwrap());
        assert!(!users.update(&2, [f.age.set(7).unwrap()]).await.unwrap());
        let now = users.get(&1).await.unwrap().unwrap();
        let right = User { nick: Some("nick".into()), score: Some(1.5), ..user(1, "Trier", 31) };
        assert_eq!(now, right);
        assert_eq!(in_city("Trier").await, [1]);
        assert!(users.update(&1, [f.score.set(None).unwrap()]).await.unwrap());
        assert_eq!(users.query(f.score.within(..)).count().await.unwrap(), 0);

        assert_eq!(users.add(&1, f.age, 9).await.unwrap(), Some(40));
        assert_eq!(users.query(f.age.is(40)).keys().await.unwrap(), [1]);
        assert_eq!(users.query(f.age.is(31)).count().await.unwrap(), 0);
        assert_eq!(users.add(&1, f.score, 0.25).await.unwrap(), Some(0.25));
        assert_eq!(users.add(&1, f.score, -1.0).await.unwrap(), Some(-0.75));
        assert_eq!(users.query(f.score.within(..0.0)).count().await.unwrap(), 1);
        assert_eq!(users.add(&2, f.age, 1).await.unwrap(), None);
        for (by, sum) in [(216, "256"), (-41, "-1")] {
            let error = users.add(&1, f.age, by).await.unwrap_err();
            assert!(matches!(&error, RedisError::Invalid(why) if why.contains("age") && why.contains(sum)));
        }
        assert!(users.add(&1, f.visits, -1).await.is_err());
        assert_eq!(users.get(&1).await.unwrap().unwrap().age, 40);
        assert_eq!(users.query(f.age.is(40)).count().await.unwrap(), 1);

        let many = users.get_many(&[2, 1, 1]).await.unwrap();
        assert!(many[0].is_none() && many[1].is_some() && many[1] == many[2]);
        assert!(users.delete(&1).await.unwrap() && !users.delete(&1).await.unwrap());
        assert_eq!(keys(&redis, &base::<User>(&redis)).await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn queries_combine_order_and_page() {
    on_both(async |redis| {
        let users = Models::<User>::new(&redis);
        let f = User::FIELDS;
        for (id, city, age) in
            [(10, "Ulm", 30), (9, "Ulm", 20), (-3, "Bonn", 30), (100, "Bonn", 40), (2, "Trier", 50)]
        {
            users.save(&User { admin: id > 9, ..user(id, city, age) }).await.unwrap();
        }
        users.update(&2, [f.score.set(Some(1.0)).unwrap()]).await.unwrap();
        users.update(&9, [f.score.set(Some(2.0)).unwrap()]).await.unwrap();
        let city = |name: &str| f.city.is(name.into()).unwrap();
        let ask = async |filter| users.query(filter).keys().await.unwrap();

        assert_eq!(users.all().keys().await.unwrap(), [-3, 2, 9, 10, 100], "numbers by their size");
        assert_eq!(users.all().reversed().skip(1).limit(2).keys().await.unwrap(), [10, 9]);
        assert_eq!(ask(city("Ulm") | city("Bonn")).await, [-3, 9, 10, 100]);
        assert_eq!(ask((city("Ulm") | city("Bonn")) & f.age.is(30)).await, [-3, 10]);
        assert_eq!(ask(!city("Ulm") & !f.admin.is(true).unwrap()).await, [-3, 2]);
        assert_eq!(ask(f.city.is_one_of(["Ulm".into(), "Trier".into()]).unwrap()).await, [2, 9, 10]);
        assert_eq!(ask(f.city.is_one_of([]).unwrap()).await, [0; 0]);
        assert_eq!(ask(f.age.within(30..50)).await, [-3, 10, 100]);
        assert_eq!(ask(f.age.within(..30) | f.age.within(41..)).await, [2, 9]);
        assert_eq!(ask(Filter::none()).await, [0; 0]);

        let by_age = users.query(f.age.within(30..)).order(f.age.falling()).skip(1).limit(2);
        let page = by_age.page().await.unwrap();
        assert_eq!(page.total, 4);
        assert_eq!(page.rows.iter().map(|user| user.id).collect::<Vec<_>>(), [100, 10]);
        // The same, on the way that looks at every key.
        let slow = users.query(f.age.within(30..) & Filter::all()).order(f.age.falling()).skip(1).limit(2);
        assert_eq!(slow.page().await.unwrap(), page);
        assert_eq!(by_age.count().await.unwrap(), 4);
        let rising = users.query(f.age.within(..)).order(f.age.rising()).keys().await.unwrap();
        assert_eq!(rising, [9, -3, 10, 100, 2]);
        let scored = users.all().order(f.score.falling()).keys().await.unwrap();
        assert_eq!(scored[..2], [9, 2], "those without a value come last");
        let scored = users.all().order(f.score.rising()).keys().await.unwrap();
        assert_eq!(scored[..2], [2, 9]);
        assert_eq!(users.query(city("Ulm")).order(f.age.rising()).first().await.unwrap().unwrap().id, 9);
        assert_eq!(users.query(city("nowhere")).first().await.unwrap(), None);
        assert_eq!(users.all().limit(0).page().await.unwrap().total, 5);
        assert_eq!(users.query(city("Ulm")).order(f.age.rising()).limit(1).delete().await.unwrap(), 1);
        assert_eq!(users.all().keys().await.unwrap(), [-3, 2, 10, 100]);
    })
    .await;
}

#[tokio::test]
async fn queries_answer_as_a_plain_search_does() {
    on_both(async |redis| {
        let users = Models::<User>::new(&redis);
        let f = User::FIELDS;
        let cities = ["Ulm", "Bonn", "Trier"];
        let mut plain = HashMap::new();
        let mut state = 1_u64;
        let mut draw = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for _ in 0..300 {
            let id = draw(40) as i64;
            let it = user(id, cities[draw(3) as usize], draw(10) as u8);
            match draw(5) {
                0 => {
                    assert_eq!(users.delete(&id).await.unwrap(), plain.remove(&id).is_some());
                }
                1 => {
                    let there = users.update(&id, [f.age.set(it.age).unwrap()]).await.unwrap();
                    assert_eq!(there, plain.get_mut(&id).map(|user: &mut User| user.age = it.age).is_some());
                }
                _ => {
                    users.save(&it).await.unwrap();
                    plain.insert(id, it);
                }
            }
            let (city, age) = (cities[draw(3) as usize], draw(10) as u8);
            let filter = (f.city.is(city.into()).unwrap() | f.age.within(age..)) & !f.age.is(5);
            let found = users.query(filter).order(f.age.falling()).rows().await.unwrap();
            let mut right: Vec<User> = plain.values().cloned().collect();
            right.retain(|user| (user.city == city || user.age >= age) && user.age != 5);
            right.sort_by_key(|user| (user.age, user.id.to_string()));
            right.reverse();
            assert_eq!(found, right);
        }
    })
    .await;
}

#[tokio::test]
async fn records_expire_and_leave_no_index_behind() {
    on_both(async |redis| {
        let sessions = Models::<Session>::new(&redis);
        let f = Session::FIELDS;
        let of = |token: &str, user| Session { token: token.into(), user, level: 1 };
        sessions.save(&of("old", 7)).await.unwrap();
        assert!(sessions.update(&"old".into(), [f.user.set(8).unwrap()]).await.unwrap());
        assert_eq!(sessions.add(&"old".into(), f.level, 4).await.unwrap(), Some(5));
        assert_eq!(sessions.query(f.user.is(8).unwrap() & f.level.is(5)).count().await.unwrap(), 1);
        while sessions.get(&"old".into()).await.unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(sessions.query(f.user.is(8).unwrap()).page().await.unwrap().total, 0);
        assert_eq!(sessions.query(f.level.within(..)).order(f.level.rising()).count().await.unwrap(), 0);
        assert_eq!(keys(&redis, &base::<Session>(&redis)).await, [""; 0]);

        sessions.save(&of("old", 7)).await.unwrap();
        while sessions.get(&"old".into()).await.unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        sessions.save(&of("new", 7)).await.unwrap();
        assert_eq!(sessions.query(f.user.is(7).unwrap()).keys().await.unwrap(), ["new"]);
        assert!(sessions.delete(&"new".into()).await.unwrap());
        assert_eq!(keys(&redis, &base::<Session>(&redis)).await, [""; 0]);
    })
    .await;
}

#[derive(RedisModel, Clone, Debug, PartialEq)]
#[redis(expire = "4s")]
struct Note {
    #[redis(key)]
    id: u32,
    #[redis(text)]
    title: Option<String>,
    #[redis(text)]
    body: String,
    #[redis(index)]
    author: String,
}

#[tokio::test]
async fn texts_of_records_are_searched() {
    on_both(async |redis| {
        let notes = Models::<Note>::new(&redis);
        let f = Note::FIELDS;
        let note = |id, title: &str, body: &str| Note {
            id,
            title: (!title.is_empty()).then(|| title.to_owned()),
            body: body.into(),
            author: if id < 3 { "ann" } else { "bob" }.into(),
        };
        let began = std::time::Instant::now();
        notes.save(&note(1, "Queues", "running on running engines")).await.unwrap();
        notes.save(&note(2, "", "a run of luck, and many other words beside it")).await.unwrap();
        notes.save(&note(3, "", "中文全文检索 runs")).await.unwrap();
        let ask = async |filter| notes.query(filter).best().keys().await.unwrap();
        let found = ask(f.body.matches("run")).await;
        assert_eq!(found[0], 1, "the word twice in a short text fits best: {found:?}");
        assert_eq!(found.len(), 3);
        assert_eq!(ask(f.body.matches("run") & f.author.is("bob".into()).unwrap()).await, [3]);
        assert_eq!(ask(f.body.matches("全文 OR luck") & !f.title.matches("queue")).await.len(), 2);
        assert_eq!(ask(f.body.matches("run NOT (luck OR engine)")).await, [3]);
        assert_eq!(ask(f.title.matches("queue") | f.body.matches("检索")).await.len(), 2);
        assert_eq!(ask(f.body.matches("the")).await, [0; 0]);
        assert!(notes.update(&1, [f.body.set("walking".into()).unwrap()]).await.unwrap());
        assert_eq!(ask(f.body.matches("engines")).await, [0; 0]);
        assert_eq!(ask(f.body.matches("walk")).await, [1]);
        assert!(notes.update(&1, [f.title.set(None).unwrap()]).await.unwrap());
        assert_eq!(ask(f.title.matches("queue")).await, [0; 0]);
        assert!(notes.delete(&2).await.unwrap());
        assert!(began.elapsed() < Duration::from_secs(4), "the records expired meanwhile");
        while notes.get(&3).await.unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(ask(f.body.matches("检索")).await, [0; 0]);
        assert_eq!(keys(&redis, &base::<Note>(&redis)).await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn what_others_wrote_wrongly_is_told_with_key_and_field() {
    on_both(async |redis| {
        let users = Models::<User>::new(&redis);
        users.save(&user(1, "Ulm", 30)).await.unwrap();
        let record = Hash::<String>::new(&redis, format!("{}:id:1", base::<User>(&redis)));
        record.set("age", &"old".into()).await.unwrap();
        let error = users.get(&1).await.unwrap_err().to_string();
        assert!(
            error.contains("user \"1\"") && error.contains("field age") && error.contains("\"old\""),
            "{error}"
        );
        record.remove(&["age"]).await.unwrap();
        let error = users.get(&1).await.unwrap_err().to_string();
        assert!(error.contains("field age") && error.contains("no value"), "{error}");
        redis.command(cmd("DEL").arg(record.key())).await.unwrap();
        redis.command(cmd("SET").arg(record.key()).arg("text")).await.unwrap();
        assert!(matches!(users.get(&1).await, Err(RedisError::WrongType(_))));
        assert!(matches!(users.save(&user(1, "Ulm", 1)).await, Err(RedisError::WrongType(_))));
    })
    .await;
}

#[tokio::test]
async fn each_operation_is_one_round_trip() {
    let counting = Counting::before(&url("")).await;
    let redis = Redis::open(&format!("{}?prefix=t{}", counting.url, Uuid::new_v4())).unwrap();
    let (users, f) = (Models::<User>::new(&redis), User::FIELDS);
    let it = user(1, "Ulm", 30);
    // The first of each brings the script where the server does not have it yet.
    for first in [true, false] {
        macro_rules! once {
            ($call:expr) => {
                counting.take();
                let _ = $call.await.unwrap();
                assert!(counting.take() == 1 || first, "{}", stringify!($call));
            };
        }
        once!(users.save(&it));
        once!(users.create(&it));
        once!(users.get(&1));
        once!(users.get_many(&[1, 2]));
        once!(users.update(&1, [f.city.set("Bonn".into()).unwrap()]));
        once!(users.add(&1, f.age, 1));
        once!(
            users.query(f.city.is("Bonn".into()).unwrap() & f.age.within(1..)).order(f.age.rising()).page()
        );
        once!(users.query(f.age.within(1..)).count());
        once!(users.all().keys());
        once!(users.delete(&1));
        once!(users.all().delete());
    }
}

#[tokio::test]
async fn sentinel_and_a_proxy_have_models_too() {
    for form in ["_SENTINEL", "_PROXY"] {
        let redis = Redis::open(&alone(form)).unwrap();
        let (users, f) = (Models::<User>::new(&redis), User::FIELDS);
        users.save(&user(1, "Ulm", 30)).await.unwrap();
        users.save(&user(2, "Ulm", 20)).await.unwrap();
        assert_eq!(users.get(&1).await.unwrap(), Some(user(1, "Ulm", 30)));
        let asked = users.query(f.city.is("Ulm".into()).unwrap()).order(f.age.rising());
        assert_eq!(asked.keys().await.unwrap(), [2, 1]);
        assert_eq!(users.all().delete().await.unwrap(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_and_indexes_agree_when_many_change_them_at_once() {
    on_both(async |redis| {
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..8_u8 {
            let users = Models::<User>::new(&redis);
            tasks.spawn(async move {
                for round in 0..40_u8 {
                    let id = i64::from(round % 5);
                    users
                        .save(&user(id, ["Ulm", "Bonn"][usize::from((task + round) % 2)], task))
                        .await
                        .unwrap();
                    users.add(&id, User::FIELDS.visits, 1).await.unwrap();
                    if round % 7 == task % 7 {
                        users.delete(&id).await.unwrap();
                    }
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        let (users, f) = (Models::<User>::new(&redis), User::FIELDS);
        let all = users.all().rows().await.unwrap();
        for city in ["Ulm", "Bonn"] {
            let right: Vec<User> = all.iter().filter(|user| user.city == city).cloned().collect();
            assert_eq!(users.query(f.city.is(city.into()).unwrap()).rows().await.unwrap(), right);
        }
        for age in 0..8 {
            let right: Vec<User> = all.iter().filter(|user| user.age == age).cloned().collect();
            assert_eq!(users.query(f.age.is(age)).rows().await.unwrap(), right);
        }
        users.all().delete().await.unwrap();
        assert_eq!(keys(&redis, &base::<User>(&redis)).await, [""; 0]);
    })
    .await;
}
