//! What the error log says of a database that fails: which one it is, and what to do.

use butterfly::model::sql::DbExt;
use butterfly::model::sql::sea_orm::{ConnectionTrait, DbBackend};
use serde_json::json;

use crate::entities::asset;
use crate::place::{Place, on_each, without_tables};

async fn log_of(place: &Place) -> String {
    let answer = place.call("ann", &asset::list::HANDLER, json!({})).await;
    assert_eq!(
        (&answer["stat"], &answer["reason"]),
        (&json!("ERR_SERVER_EXCEPTION"), &json!("API Processing Exception"))
    );
    answer["log"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_table_that_is_missing_or_older_than_its_entity() {
    on_each(async |place| {
        let url = place.url().to_string();
        // SQLite alone keeps what a column's type does not say.
        if place.db().get_database_backend() == DbBackend::Sqlite {
            let text = "INSERT INTO asset (id, size) VALUES (x'0192f0c12a3b7c4d8e5f60718293a4b5', 'big')";
            place.db().execute_unprepared(text).await.unwrap();
            let log = log_of(place).await;
            assert!(log.contains("a column holds what its entity's type does not take"), "{log}");
        }
        place.db().execute_unprepared("ALTER TABLE asset DROP COLUMN size").await.unwrap();
        let log = log_of(place).await;
        let told = format!("databases.default ({url}): a table lacks a column of its entity");
        assert!(log.contains(&told) && log.contains("size"), "{log}");
        place.db().execute_unprepared("DROP TABLE asset").await.unwrap();
        let log = log_of(place).await;
        assert!(
            log.contains(&format!(
                "databases.default ({url}): a table is missing: run the program with `migrate up`"
            )),
            "{log}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_not_there() {
    for scheme in ["mysql", "postgres"] {
        let place = without_tables(&format!("{scheme}://ann:s3cret@127.0.0.1:1/shop?timeout=1")).await;
        let log = log_of(&place).await;
        assert!(
            log.contains(&format!(
                "databases.default ({scheme}://ann:***@127.0.0.1:1/shop?timeout=1): no connection"
            )),
            "{log}"
        );
        assert!(!log.contains("s3cret"), "{log}");
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.db");
    std::fs::write(&file, "not a database, but long enough to be read as the head of one").unwrap();
    let place = without_tables(&format!("sqlite:///{}", file.display())).await;
    let log = log_of(&place).await;
    assert!(log.contains("app.db): the file is damaged, or none of SQLite's"), "{log}");
    let place = without_tables(&format!("sqlite:///{}", folder.path().display())).await;
    let log = log_of(&place).await;
    assert!(log.contains("the file cannot be opened"), "{log}");
}

#[tokio::test]
async fn of_several_databases_the_one_that_failed_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let place = without_tables(&format!("sqlite:///{}/app.db", folder.path().display())).await;
    let place = place.and("old", "mysql://ann:s3cret@127.0.0.1:1/shop?timeout=1").await;
    let ctx = place.ctx("ann");
    ctx.db_named("old").unwrap();
    let answer = place.call_in(&ctx, &asset::list::HANDLER, json!({})).await;
    let log = answer["log"].as_str().unwrap();
    assert!(log.contains("databases.default (") && !log.contains("databases.old"), "{log}");
    // A call that did not ask for a database has nothing to say of it.
    let other = place.ctx("ann");
    let error = butterfly::Error::from(butterfly::model::sql::sea_orm::DbErr::Custom("x".into()));
    assert!(other.advice(&error).is_empty());
    assert_eq!(ctx.advice(&error).len(), 2);
}

#[cfg(feature = "live")]
#[tokio::test]
async fn credentials_that_are_refused_and_databases_that_are_not_there() {
    for variable in ["SQL_TEST_MYSQL", "SQL_TEST_POSTGRES"] {
        let url =
            std::env::var(variable).unwrap_or_else(|_| panic!("{variable}: bash .ci/sql COMMAND sets it"));
        let server = url.rsplit_once('/').unwrap().0;
        let place = without_tables(&format!("{server}/no_such_shop")).await;
        let log = log_of(&place).await;
        assert!(log.contains("/no_such_shop): there is no such database: create it"), "{log}");
        let place = without_tables(&url.replace("//root@", "//stranger:s3cret@")).await;
        let log = log_of(&place).await;
        assert!(
            log.contains("//stranger:***@") && log.contains("it refuses the user or the password"),
            "{log}"
        );
        assert!(!log.contains("s3cret"), "{log}");
    }
}
