//! Fields of which no two records have the same value.

use std::time::Duration;

use butterfly_model::redis::{Models, Redis, RedisError, RedisModel};

use super::on_both;

#[derive(RedisModel, Clone, Debug, PartialEq)]
struct Account {
    #[redis(key)]
    id: u32,
    #[redis(unique)]
    mail: String,
    #[redis(unique)]
    seat: Option<i64>,
    #[redis(index)]
    city: String,
}

fn account(id: u32, mail: &str, seat: Option<i64>) -> Account {
    Account { id, mail: mail.into(), seat, city: "Ulm".into() }
}

fn taken<T: std::fmt::Debug>(result: Result<T, RedisError>, name: &str) {
    match result {
        Err(error @ RedisError::Taken { .. }) => {
            assert_eq!(error.to_string(), format!("the field {name}: another record has this value already"));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_second_record_with_the_value_is_refused_by_the_fields_name() {
    on_both(async |redis| {
        let (accounts, f) = (Models::<Account>::new(&redis), Account::FIELDS);
        let long = "x".repeat(500);
        let (one, two) = (account(1, "a}{\r\n", Some(7)), account(2, &long, Some(8)));
        assert!(accounts.create(&one).await.unwrap() && accounts.create(&two).await.unwrap());
        // Its own value is no other's, and no value is no value.
        accounts.save(&one).await.unwrap();
        accounts.save(&account(3, "c", None)).await.unwrap();
        accounts.save(&account(4, "d", None)).await.unwrap();
        taken(accounts.create(&account(5, "a}{\r\n", None)).await, "mail");
        taken(accounts.save(&account(5, &long, None)).await, "mail");
        taken(accounts.save(&account(2, "new", Some(7))).await, "seat");
        taken(
            accounts.update(&2, [f.city.set("Bonn".into()).unwrap(), f.mail.set("c".into()).unwrap()]).await,
            "mail",
        );
        taken(accounts.add(&1, f.seat, 1).await, "seat");
        // Nothing of what was refused is there: no record, no field, no entry of an index.
        assert_eq!(accounts.get(&5).await.unwrap(), None);
        assert_eq!(accounts.get(&2).await.unwrap().as_ref(), Some(&two));
        assert_eq!(accounts.get(&1).await.unwrap(), Some(one));
        assert_eq!(accounts.all().count().await.unwrap(), 4);
        assert_eq!(accounts.query(f.city.is("Bonn".into()).unwrap()).count().await.unwrap(), 0);
        assert_eq!(accounts.query(f.mail.is("new".into()).unwrap()).count().await.unwrap(), 0);
        assert_eq!(accounts.query(f.seat.is(7).unwrap()).keys().await.unwrap(), [1]);
        // What is given up may be taken.
        accounts.update(&1, [f.mail.set("free".into()).unwrap()]).await.unwrap();
        accounts.save(&account(5, "a}{\r\n", None)).await.unwrap();
        assert_eq!(accounts.add(&1, f.seat, 5).await.unwrap(), Some(12));
        accounts.update(&3, [f.seat.set(Some(7)).unwrap()]).await.unwrap();
        assert!(accounts.delete(&2).await.unwrap());
        accounts.save(&account(6, &long, Some(8))).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_want_a_value_at_once_one_has_it() {
    on_both(async |redis| {
        let mut running = tokio::task::JoinSet::new();
        for id in 0..16 {
            let accounts = Models::<Account>::new(&redis);
            running.spawn(async move { accounts.create(&account(id, "one", None)).await });
        }
        let done = running.join_all().await;
        assert_eq!(done.iter().filter(|made| **made == Ok(true)).count(), 1, "{done:?}");
        done.into_iter().filter(Result::is_err).for_each(|refused| taken(refused, "mail"));
        assert_eq!(Models::<Account>::new(&redis).all().count().await.unwrap(), 1);
    })
    .await;
}

#[derive(RedisModel, Clone, Debug, PartialEq)]
#[redis(expire = "300ms")]
struct Ticket {
    #[redis(key)]
    id: u32,
    #[redis(unique)]
    code: String,
}

/// What has expired holds no value, whether its index was cleaned or not.
#[tokio::test]
async fn what_has_expired_gives_its_value_free() {
    async fn gone(redis: &Redis) {
        let tickets = Models::<Ticket>::new(redis);
        tickets.save(&Ticket { id: 1, code: "x".into() }).await.unwrap();
        taken(tickets.save(&Ticket { id: 2, code: "x".into() }).await, "code");
        let began = std::time::Instant::now();
        while tickets.save(&Ticket { id: 2, code: "x".into() }).await.is_err() {
            assert!(began.elapsed() < Duration::from_secs(20), "it does not expire");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(tickets.get(&1).await.unwrap(), None);
    }
    on_both(async |redis| gone(&redis).await).await;
}
