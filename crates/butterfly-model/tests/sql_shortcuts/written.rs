//! Rows written: many at once, from JSON, deleted softly; and what they may not hold.

use butterfly_model::sql::prelude::*;
use butterfly_model::sql::{ToJson, apply_json, conflict, limits, soft_delete, upsert};
use serde_json::json;

use crate::database::on_each;
use crate::item::{ActiveModel, Column, Entity, named, ranked};

#[tokio::test]
async fn many_rows_go_in_or_are_changed() {
    on_each(async |db| {
        let rows = |rank| (0..2500).map(move |number| ranked(&format!("n{number}"), Some(rank)));
        upsert(db, rows(1), &[Column::Name], &[Column::Rank]).await.unwrap();
        upsert(db, rows(2).take(1200), &[Column::Name], &[Column::Rank]).await.unwrap();
        let count = async |rank| Entity::find().filter(Column::Rank.eq(rank)).count(db).await.unwrap();
        assert_eq!((count(1).await, count(2).await), (1300, 1200));
        // Without columns to change, what is there stays.
        upsert(db, rows(3).take(5), &[Column::Name], &[]).await.unwrap();
        assert_eq!((count(3).await, Entity::find().count(db).await.unwrap()), (0, 2500));
        upsert(db, Vec::<ActiveModel>::new(), &[Column::Name], &[]).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn of_many_rows_with_a_wrong_one_none_goes_in() {
    on_each(async |db| {
        let long = "x".repeat(21);
        let rows = (0..1500).map(|number| named(&format!("n{number}"))).chain([named(&long)]);
        let error = upsert(db, rows, &[Column::Name], &[Column::Rank]).await.unwrap_err();
        assert!(error.to_string().contains("name: must have at most 20 characters, has 21"), "{error}");
        // This one only the database sees: a key that another row of the second statement takes.
        let taken = |number: i64| ActiveModel { id: Set(1 + number / 1499), ..named(&format!("n{number}")) };
        if db.get_database_backend() != sea_orm::DbBackend::MySql {
            let error = upsert(db, (0..1500).map(taken), &[Column::Name], &[Column::Rank]).await.unwrap_err();
            assert!(error.to_string().contains("ERR_EXISTS: another row has this id already"), "{error}");
        }
        assert_eq!(Entity::find().count(db).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn json_goes_in_and_comes_out_the_same() {
    on_each(async |db| {
        let given = json!({"name": "ä", "rank": null, "at": "2026-12-01T10:30:00+02:00", "deleted_at": "2026-12-01 08:30:00"});
        let all = [Column::Name, Column::Rank, Column::At, Column::DeletedAt];
        let mut row: ActiveModel = Default::default();
        apply_json(&mut row, given.as_object().unwrap(), &all).unwrap();
        let row = row.insert(db).await.unwrap();
        let stored = Entity::find_by_id(row.id).one(db).await.unwrap().unwrap();
        let json = stored.to_json().exclude(&[Column::Id]).build();
        assert_eq!(
            serde_json::Value::Object(json),
            json!({"name": "ä", "rank": null, "at": "2026-12-01T08:30:00Z", "deleted_at": "2026-12-01T08:30:00"})
        );
        let only = stored.to_json().only(&[Column::Name]).extra("name", 7).build();
        assert_eq!(serde_json::Value::Object(only), json!({"name": 7}));
    })
    .await;
}

#[test]
fn json_that_does_not_fit_is_named_and_sets_nothing() {
    let wrong =
        json!({"name": null, "rank": 3_000_000_000_u64, "at": "soon", "id": 1, "x'; DROP TABLE item": 1});
    let mut row = named("before");
    let error = apply_json(&mut row, wrong.as_object().unwrap(), &[Column::Name, Column::Rank, Column::At]);
    let error = error.unwrap_err().to_string();
    for part in [
        "name: must not be null",
        "rank: ",
        "at: expected a time such as 2026-12-01T08:30:00Z, got \"soon\"",
        "id: unknown, known are name, rank, at",
        "x'; DROP TABLE item: unknown",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert_eq!(row, named("before"));
}

#[tokio::test]
async fn what_another_row_has_already_is_named() {
    on_each(async |db| {
        named("ä.name 'x' for key").insert(db).await.unwrap();
        let error = named("ä.name 'x' for key").insert(db).await.unwrap_err();
        assert!(conflict::is_unique_violation(&error));
        let told = conflict::explain::<Entity>(error).to_string();
        assert_eq!(told, "ERR_EXISTS: another row has this name already");
        let row = Entity::find().one(db).await.unwrap().unwrap();
        let error = ActiveModel { id: Set(row.id), ..named("other") }.insert(db).await.unwrap_err();
        assert_eq!(
            conflict::explain::<Entity>(error).to_string(),
            "ERR_EXISTS: another row has this id already"
        );
    })
    .await;
}

#[tokio::test]
async fn what_a_column_does_not_take_never_reaches_the_database() {
    on_each(async |db| {
        let backend = db.get_database_backend();
        // Characters count, not bytes: what passes here goes in.
        let widest = named(&"漢".repeat(20));
        limits::check(backend, &widest).unwrap();
        widest.insert(db).await.unwrap();
        let error = limits::check(backend, &named(&"漢".repeat(21))).unwrap_err().to_string();
        assert!(error.contains("name: must have at most 20 characters, has 21"), "{error}");
        let nul = limits::check(backend, &named("a\0b"));
        assert_eq!(nul.is_err(), backend == sea_orm::DbBackend::Postgres);
        let mut far = named("far");
        let at = json!({"at": "2040-01-01T00:00:00Z"});
        apply_json(&mut far, at.as_object().unwrap(), &[Column::At]).unwrap();
        match limits::check(backend, &far) {
            Ok(()) => drop(far.insert(db).await.unwrap()),
            Err(error) => {
                assert!(
                    backend == sea_orm::DbBackend::MySql && error.to_string().contains("2038"),
                    "{error}"
                );
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_deleted_softly_comes_back() {
    on_each(async |db| {
        let row = named("a").insert(db).await.unwrap();
        named("b").insert(db).await.unwrap();
        let mut gone = row.into_active_model();
        soft_delete::mark(&mut gone, Column::DeletedAt).unwrap();
        let row = gone.update(db).await.unwrap();
        assert_eq!(Entity::find().alive(Column::DeletedAt).count(db).await.unwrap(), 1);
        assert_eq!(Entity::find().deleted(Column::DeletedAt).one(db).await.unwrap().unwrap().name, "a");
        let mut back = row.into_active_model();
        soft_delete::unmark(&mut back, Column::DeletedAt).unwrap();
        back.update(db).await.unwrap();
        assert_eq!(Entity::find().alive(Column::DeletedAt).count(db).await.unwrap(), 2);
        assert!(
            soft_delete::mark(&mut named("c"), Column::Name).unwrap_err().chain().contains("the column name")
        );
    })
    .await;
}
