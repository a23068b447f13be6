//! A database of MariaDB's that has no other letters than Latin ones: what it cannot keep is refused by name.

use butterfly::model::sql::sea_orm::ConnectionTrait;
use serde_json::json;

use crate::entities::{note, tag};
use crate::place::{Place, without_tables};

#[tokio::test]
async fn letters_that_a_column_cannot_keep_are_refused_by_its_name() {
    let url = std::env::var("SQL_TEST_MYSQL").expect("bash .ci/sql COMMAND sets it");
    let admin = without_tables(&url).await;
    let name = format!("latin_{}", std::process::id());
    admin.db().execute_unprepared(&format!("CREATE DATABASE {name} CHARACTER SET latin1")).await.unwrap();
    let place = Place::open(&format!("{}/{name}", url.rsplit_once('/').unwrap().0)).await;
    for text in ["漢字", "🦋", "\u{200b}"] {
        let made = place.call("ann", &tag::create::HANDLER, json!({"name": text, "count": 1})).await;
        assert!(made["params"]["name"].as_str().unwrap_or_default().contains("characters"), "{made}");
        for handler in [&tag::get::HANDLER, &tag::delete::HANDLER, &tag::history::HANDLER] {
            let answer = place.call("ann", handler, json!({"name": text})).await;
            assert_eq!(answer["stat"], "ERR_NOT_EXIST", "{answer}");
        }
        for filter in ["title", "title__ne", "title__in", "title__contains", "title__startswith"] {
            let value = if filter == "title__in" { json!([text]) } else { json!(text) };
            let list = place.call("root", &note::list::HANDLER, json!({filter: value})).await;
            let refused = list["params"][filter].as_str().is_some_and(|why| why.contains("characters"));
            assert!(refused || list["stat"] == "OK" && list["total"] == 0, "{filter}: {list}");
        }
    }
    let made = place.call("ann", &tag::create::HANDLER, json!({"name": "ärger", "count": 1})).await;
    assert_eq!(made["name"], "ärger", "{made}");
    assert_eq!((place.count("tag").await, place.count("butterfly_history").await), (1, 1));
    admin.db().execute_unprepared(&format!("DROP DATABASE {name}")).await.unwrap();
}
