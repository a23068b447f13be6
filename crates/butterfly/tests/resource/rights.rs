//! Who may do what, who sees what, and what nobody sees.

use butterfly::model::sql::sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::entities::note;
use crate::place::{Place, on_each};

async fn create(place: &Place, user: &str, owner: &str, title: &str) -> Value {
    place
        .call(user, &note::create::HANDLER, json!({"owner": owner, "title": title, "secret": "s3cret"}))
        .await
}

async fn titles(place: &Place, user: &str) -> Vec<String> {
    let list = place.call(user, &note::list::HANDLER, json!({"sort": "title"})).await;
    let rows = list["data"].as_array().unwrap_or_else(|| panic!("{list}"));
    rows.iter().map(|row| row["title"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn rows_of_others_are_not_there() {
    on_each(async |place| {
        let anns = create(place, "ann", "ann", "a").await["id"].clone();
        create(place, "bob", "bob", "b").await;
        create(place, "root", "ann", "c").await;
        assert_eq!(titles(place, "ann").await, ["a", "c"]);
        assert_eq!(titles(place, "bob").await, ["b"]);
        assert_eq!(titles(place, "root").await, ["a", "b", "c"]);
        for (handler, args) in [
            (&note::get::HANDLER, json!({"id": anns})),
            (&note::update::HANDLER, json!({"id": anns, "title": "x"})),
            (&note::delete::HANDLER, json!({"id": anns})),
            (&note::history::HANDLER, json!({"id": anns})),
        ] {
            let answer = place.call("bob", handler, args).await;
            assert_eq!(answer["stat"], "ERR_NOT_EXIST", "{answer}");
        }
        let behind = place.call("bob", &note::list::HANDLER, json!({"after": anns})).await;
        assert_eq!(behind["params"]["after"], "there is no such row");
        assert_eq!(titles(place, "ann").await, ["a", "c"]);
    })
    .await;
}

#[tokio::test]
async fn nobody_makes_or_moves_a_row_where_he_would_not_see_it() {
    on_each(async |place| {
        let refused = create(place, "ann", "bob", "gift").await;
        assert_eq!(refused["stat"], "ERR_FORBIDDEN", "{refused}");
        let id = create(place, "ann", "ann", "mine").await["id"].clone();
        let moved =
            place.call("ann", &note::update::HANDLER, json!({"id": id, "owner": "bob", "title": "x"})).await;
        assert_eq!(moved["stat"], "ERR_FORBIDDEN", "{moved}");
        let all = note::Entity::find().all(place.db()).await.unwrap();
        let kept: Vec<_> = all.iter().map(|row| (row.owner.as_str(), row.title.as_str())).collect();
        assert_eq!(kept, [("ann", "mine")]);
        assert_eq!(place.count("butterfly_history").await, 1);
        // Who sees all may.
        let moved = place.call("root", &note::update::HANDLER, json!({"id": id, "owner": "bob"})).await;
        assert_eq!(moved["owner"], "bob");
        assert_eq!(titles(place, "bob").await, ["mine"]);
    })
    .await;
}

#[tokio::test]
async fn the_guard_stands_before_every_action() {
    on_each(async |place| {
        let id = create(place, "root", "reader", "a").await["id"].clone();
        assert_eq!(create(place, "reader", "reader", "b").await["reason"], "no create for you");
        for (handler, action, args) in [
            (&note::update::HANDLER, "update", json!({"id": id, "title": "x"})),
            (&note::delete::HANDLER, "delete", json!({"id": id})),
            (&note::history::HANDLER, "history", json!({"id": id})),
        ] {
            let answer = place.call("reader", handler, args).await;
            assert_eq!(
                (&answer["stat"], &answer["reason"]),
                (&json!("ERR_READ_ONLY"), &json!(format!("no {action} for you")))
            );
        }
        assert_eq!(titles(place, "reader").await, ["a"]);
        assert_eq!(place.call("reader", &note::get::HANDLER, json!({"id": id})).await["title"], "a");
    })
    .await;
}

#[tokio::test]
async fn hidden_columns_go_in_and_never_out() {
    on_each(async |place| {
        let made = create(place, "ann", "ann", "a").await;
        let id = made["id"].clone();
        let changed = place.call("ann", &note::update::HANDLER, json!({"id": id, "secret": "n3w"})).await;
        let stored = note::Entity::find().one(place.db()).await.unwrap().unwrap();
        assert_eq!(stored.secret.as_deref(), Some("n3w"));
        let got = place.call("ann", &note::get::HANDLER, json!({"id": id})).await;
        let list = place.call("ann", &note::list::HANDLER, json!({})).await;
        let told = place.call("ann", &note::history::HANDLER, json!({"id": id})).await;
        for answer in [made, changed, got, list] {
            assert!(!answer.to_string().contains("secret"), "{answer}");
        }
        assert!(!told.to_string().contains("n3w") && !told.to_string().contains("s3cret"), "{told}");
        let by_it = place.call("ann", &note::list::HANDLER, json!({"sort": "secret"})).await;
        assert!(by_it["params"]["sort"].as_str().unwrap_or_default().contains("unknown column"), "{by_it}");
    })
    .await;
}

#[tokio::test]
async fn what_is_deleted_softly_is_there_for_no_handler() {
    on_each(async |place| {
        let mut ids = Vec::new();
        for title in ["a", "b", "c"] {
            ids.push(create(place, "ann", "ann", title).await["id"].clone());
        }
        let gone = &ids[1];
        assert_eq!(
            place.call("ann", &note::delete::HANDLER, json!({"id": gone})).await,
            json!({"stat": "OK"})
        );
        for (handler, args) in [
            (&note::get::HANDLER, json!({"id": gone})),
            (&note::update::HANDLER, json!({"id": gone, "title": "x"})),
            (&note::delete::HANDLER, json!({"id": gone})),
        ] {
            assert_eq!(place.call("ann", handler, args).await["stat"], "ERR_NOT_EXIST");
        }
        assert_eq!(titles(place, "ann").await, ["a", "c"]);
        // The place of a row outlives it, and so does what became of it.
        let behind = place.call("ann", &note::list::HANDLER, json!({"after": gone})).await;
        assert_eq!(behind["data"][0]["title"], "c");
        let told = place.call("ann", &note::history::HANDLER, json!({"id": gone})).await;
        assert_eq!((&told["total"], &told["data"][0]["action"]), (&json!(2), &json!("delete")));
        assert_eq!(place.count("note").await, 3);
        // Nobody but the handler says when.
        let set = place.call("ann", &note::update::HANDLER, json!({"id": ids[0], "deleted_at": null})).await;
        assert!(set["params"]["deleted_at"].is_string(), "{set}");
    })
    .await;
}

#[tokio::test]
async fn a_value_that_must_be_unique_is_named() {
    on_each(async |place| {
        create(place, "ann", "ann", "a").await;
        let id = create(place, "ann", "ann", "b").await["id"].clone();
        let again = create(place, "ann", "ann", "a").await;
        let changed = place.call("ann", &note::update::HANDLER, json!({"id": id, "title": "a"})).await;
        for answer in [again, changed] {
            assert_eq!(answer["stat"], "ERR_EXISTS");
            assert_eq!(answer["reason"], "another row has this title already");
        }
        assert_eq!(titles(place, "ann").await, ["a", "b"]);
    })
    .await;
}
