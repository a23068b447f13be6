//! Keys that are no numbers.

use serde_json::json;

use crate::entities::{asset, tag};
use crate::place::on_each;

#[tokio::test]
async fn a_key_of_text_is_taken_as_it_is() {
    on_each(async |place| {
        for name in ["b", "a'; DROP TABLE tag; --", "漢字🦋 %_", "7"] {
            let made = place.call("ann", &tag::create::HANDLER, json!({"name": name, "count": 1})).await;
            assert_eq!(made["name"], name, "{made}");
            let changed = place.call("ann", &tag::update::HANDLER, json!({"name": name, "count": 2})).await;
            assert_eq!(changed["count"], 2);
            assert_eq!(place.call("ann", &tag::get::HANDLER, json!({"name": name})).await, changed);
            let told = place.call("ann", &tag::history::HANDLER, json!({"name": name})).await;
            assert_eq!(told["total"], 2, "{told}");
        }
        let behind = place.call("ann", &tag::list::HANDLER, json!({"after": "b"})).await;
        assert_eq!(behind["stat"], "OK", "{behind}");
        for name in ["b", "7"] {
            assert_eq!(place.call("ann", &tag::delete::HANDLER, json!({"name": name})).await["stat"], "OK");
        }
        assert_eq!(place.count("tag").await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_uuid_is_a_key() {
    const IDS: [&str; 3] = [
        "0192f0c1-2a3b-7c4d-8e5f-60718293a4b5",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "00000000-0000-0000-0000-000000000001",
    ];
    on_each(async |place| {
        for (size, id) in IDS.iter().enumerate() {
            let made = place.call("ann", &asset::create::HANDLER, json!({"id": id, "size": size})).await;
            assert_eq!(made, json!({"stat": "OK", "id": id, "size": size}));
        }
        let again = place.call("ann", &asset::create::HANDLER, json!({"id": IDS[0], "size": 9})).await;
        assert_eq!(again["reason"], "another row has this id already", "{again}");
        let changed =
            place.call("ann", &asset::update::HANDLER, json!({"id": IDS[1].to_uppercase(), "size": 9})).await;
        assert_eq!(changed["size"], 9);
        let page = place.call("ann", &asset::list::HANDLER, json!({"page_size": 1})).await;
        assert_eq!((&page["data"][0]["id"], &page["next"]), (&json!(IDS[0]), &json!(IDS[0])));
        let behind = place.call("ann", &asset::list::HANDLER, json!({"after": page["next"]})).await;
        assert_eq!((&behind["data"][0]["id"], &behind["data"][1]["id"]), (&json!(IDS[2]), &json!(IDS[1])));
        let wrong = place.call("ann", &asset::get::HANDLER, json!({"id": "7"})).await;
        assert!(wrong["params"]["id"].as_str().unwrap_or_default().contains("a UUID"), "{wrong}");
        assert_eq!(place.call("ann", &asset::delete::HANDLER, json!({"id": IDS[0]})).await["stat"], "OK");
        assert_eq!(
            place.call("ann", &asset::get::HANDLER, json!({"id": IDS[0]})).await["stat"],
            "ERR_NOT_EXIST"
        );
        // Of this entity no history is kept.
        assert_eq!(place.count("butterfly_history").await, 0);
    })
    .await;
}
