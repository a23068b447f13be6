//! Each change has its line, and each line its change.

use butterfly::model::sql::history;
use butterfly::model::sql::sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::{Value, json};

use crate::entities::{note, tag};
use crate::place::{Place, on_each};

async fn lines(place: &Place, user: &str, id: i64) -> Vec<Value> {
    let answer = place.call(user, &note::history::HANDLER, json!({"id": id})).await;
    answer["data"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
}

#[tokio::test]
async fn who_when_by_which_call_and_what() {
    on_each(async |place| {
        let ctx = place.ctx("ann");
        let made = place
            .call_in(&ctx, &note::create::HANDLER, json!({"owner": "ann", "title": "a", "stars": 1, "secret": "s3cret"}))
            .await;
        let id = made["id"].as_i64().unwrap_or_else(|| panic!("{made}"));
        place.call("ann", &note::update::HANDLER, json!({"id": id, "title": "b", "stars": null, "secret": "t0p"})).await;
        place.call("root", &note::delete::HANDLER, json!({"id": id})).await;
        let lines = lines(place, "root", id).await;
        let shown: Vec<(&str, &str)> =
            lines.iter().map(|line| (line["action"].as_str().unwrap(), line["author"].as_str().unwrap())).collect();
        assert_eq!(shown, [("delete", "root"), ("update", "ann"), ("create", "ann")]);
        let first = &lines[2];
        assert_eq!(
            (&first["reqid"], &first["door"], &first["address"]),
            (&json!(ctx.reqid().as_str()), &json!("http"), &json!("203.0.113.9"))
        );
        let year = first["at"].as_str().unwrap()[..4].parse::<i32>().unwrap();
        assert!(year >= 2026, "{first}");
        assert_eq!(
            first["changes"],
            json!({
                "id": {"new": id}, "owner": {"new": "ann"}, "title": {"new": "a"}, "stars": {"new": 1},
                "secret": {"hidden": true}, "deleted_at": {"new": null},
            })
        );
        assert_eq!(
            lines[1]["changes"],
            json!({"title": {"old": "a", "new": "b"}, "stars": {"old": 1, "new": null}, "secret": {"hidden": true}})
        );
        let deleted = &lines[0]["changes"];
        assert!(deleted["deleted_at"]["old"].is_null() && deleted["deleted_at"]["new"].is_string(), "{deleted}");
        // Nowhere in the table, not only not in the answer.
        for line in history::Entity::find().all(place.db()).await.unwrap() {
            let kept = line.changes.to_string();
            assert!(!kept.contains("s3cret") && !kept.contains("t0p"), "{kept}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_deleted_for_good_is_told_of() {
    on_each(async |place| {
        place.call("ann", &tag::create::HANDLER, json!({"name": "rust", "count": 1})).await;
        place.call("ann", &tag::delete::HANDLER, json!({"name": "rust"})).await;
        let told = place.call("bob", &tag::history::HANDLER, json!({"name": "rust"})).await;
        assert_eq!(
            (&told["total"], &told["data"][0]["changes"]),
            (&json!(2), &json!({"name": {"old": "rust"}, "count": {"old": 1}}))
        );
        let never = place.call("bob", &tag::history::HANDLER, json!({"name": "go"})).await;
        assert_eq!(never["stat"], "ERR_NOT_EXIST");
    })
    .await;
}

#[tokio::test]
async fn lines_come_in_pages() {
    on_each(async |place| {
        place.call("ann", &tag::create::HANDLER, json!({"name": "x", "count": 0})).await;
        for count in 1..5 {
            place.call("ann", &tag::update::HANDLER, json!({"name": "x", "count": count})).await;
        }
        // Another row's, between.
        place.call("ann", &tag::create::HANDLER, json!({"name": "y", "count": 7})).await;
        let (mut seen, mut after) = (Vec::new(), Value::Null);
        loop {
            let page = place
                .call("ann", &tag::history::HANDLER, json!({"name": "x", "page_size": 2, "after": after}))
                .await;
            let all = page["data"].as_array().unwrap_or_else(|| panic!("{page}"));
            seen.extend(all.iter().map(|line| line["changes"]["count"]["new"].as_i64().unwrap()));
            after = page["next"].clone();
            if after.is_null() {
                break;
            }
        }
        assert_eq!(seen, [4, 3, 2, 1, 0]);
        let second =
            place.call("ann", &tag::history::HANDLER, json!({"name": "x", "page_size": 2, "page_index": 2}));
        assert_eq!(second.await["data"][0]["changes"]["count"], json!({"old": 1, "new": 2}));
        for (args, name) in [
            (json!({"name": "x", "after": 999_999}), "after"),
            (json!({"name": "x", "page_index": 0}), "page_index"),
            (json!({"name": "x", "page_size": 1001}), "page_size"),
            (json!({}), "name"),
        ] {
            let answer = place.call("ann", &tag::history::HANDLER, args).await;
            assert!(answer["params"][name].is_string(), "{name}: {answer}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_changes_nothing_leaves_no_line() {
    on_each(async |place| {
        place.call("ann", &tag::create::HANDLER, json!({"name": "x", "count": 1})).await;
        place.call("ann", &tag::update::HANDLER, json!({"name": "x", "count": 1})).await;
        place.call("ann", &tag::update::HANDLER, json!({"name": "x"})).await;
        assert_eq!(place.count("butterfly_history").await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_fails_leaves_no_line_and_what_leaves_no_line_fails() {
    on_each(async |place| {
        let create = async |name: &str| {
            place.call("ann", &tag::create::HANDLER, json!({"name": name, "count": 1})).await
        };
        assert_eq!(create("x").await["stat"], "OK");
        assert_eq!(create("x").await["stat"], "ERR_EXISTS");
        assert_eq!((place.count("tag").await, place.count("butterfly_history").await), (1, 1));
        let long = create(&"k".repeat(256)).await;
        assert!(long["params"]["name"].as_str().unwrap_or_default().contains("255"), "{long}");
        // The line cannot be written: what it would tell of is taken back.
        place.db().execute_unprepared("ALTER TABLE butterfly_history RENAME TO elsewhere").await.unwrap();
        assert_eq!(create("y").await["stat"], "ERR_SERVER_EXCEPTION");
        for (handler, args) in [
            (&tag::update::HANDLER, json!({"name": "x", "count": 2})),
            (&tag::delete::HANDLER, json!({"name": "x"})),
        ] {
            assert_eq!(place.call("ann", handler, args).await["stat"], "ERR_SERVER_EXCEPTION");
        }
        let all = tag::Entity::find().all(place.db()).await.unwrap();
        assert_eq!(all, [tag::Model { name: "x".into(), count: 1 }]);
        assert_eq!(place.count("elsewhere").await, 1);
    })
    .await;
}

/// Each line begins where the one before it ended, however many write at once.
#[tokio::test(flavor = "multi_thread")]
async fn lines_of_writers_at_once_form_a_chain() {
    on_each(async |place| {
        place.call("ann", &tag::create::HANDLER, json!({"name": "x", "count": 0})).await;
        let mut running = tokio::task::JoinSet::new();
        for count in 1..=16 {
            let place = place.clone();
            running.spawn(async move {
                place.call("ann", &tag::update::HANDLER, json!({"name": "x", "count": count})).await
            });
        }
        for answer in running.join_all().await {
            assert_eq!(answer["stat"], "OK", "{answer}");
        }
        let told = place.call("ann", &tag::history::HANDLER, json!({"name": "x"})).await;
        let all = told["data"].as_array().unwrap();
        assert_eq!(all.len(), 17);
        for pair in all.windows(2) {
            assert_eq!(pair[0]["changes"]["count"]["old"], pair[1]["changes"]["count"]["new"], "{told}");
        }
    })
    .await;
}
