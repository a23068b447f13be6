//! Rows made, read, changed and taken away.

use serde_json::{Value, json};

use crate::service::{Service, on_each};

#[test]
fn a_row_is_made_read_changed_and_taken_away() {
    on_each(|service| {
        let made = service.get("/todo/create?title=milk&due=2026-12-01");
        assert_eq!(
            made,
            json!({"stat": "OK", "id": 1, "title": "milk", "done": false, "due": "2026-12-01T00:00:00Z"})
        );
        assert_eq!(service.get("/todo/get?id=1"), made);
        // What is not given stays; null is null.
        let changed = service.post("/todo/update", &json!({"id": 1, "done": true}));
        assert_eq!(changed["due"], "2026-12-01T00:00:00Z");
        let changed = service.post("/todo/update", &json!({"id": 1, "due": null}));
        assert_eq!(changed, json!({"stat": "OK", "id": 1, "title": "milk", "done": true, "due": null}));
        assert_eq!(service.post("/todo/update", &json!({"id": 1})), changed);
        assert_eq!(service.get("/todo/delete?id=1"), json!({"stat": "OK"}));
        for gone in ["/todo/get?id=1", "/todo/delete?id=1", "/todo/update?id=1&title=x", "/todo/get?id=-9"] {
            assert_eq!(service.get(gone), json!({"stat": "ERR_NOT_EXIST"}), "{gone}");
        }
    });
}

fn titles(answer: &Value) -> String {
    let rows = answer["data"].as_array().unwrap_or_else(|| panic!("{answer}"));
    rows.iter().map(|row| row["title"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
}

fn fill(service: &Service) {
    for (title, done, due) in [
        ("a1", false, json!("2026-12-03T00:00:00Z")),
        ("b1", true, Value::Null),
        ("a2", true, json!("2026-12-01T02:00:00+02:00")),
        ("B%", false, json!("2026-12-02T00:00:00Z")),
        ("a3", false, Value::Null),
    ] {
        let made = service.post("/todo/create", &json!({"title": title, "done": done, "due": due}));
        assert_eq!(made["stat"], "OK", "{made}");
    }
}

#[test]
fn lists_are_filtered_and_sorted() {
    on_each(|service| {
        fill(service);
        for (query, expected) in [
            ("", "a1 b1 a2 B% a3"),
            ("done=true", "b1 a2"),
            ("done=false&title__contains=3", "a3"),
            ("title__startswith=b", "b1 B%"),
            ("title__contains=%25", "B%"),
            ("title=a2", "a2"),
            ("title__ne=a2&title__startswith=a", "a1 a3"),
            ("title__in=a3&title__in=b1&title__in=none", "b1 a3"),
            ("id__in=[2,5]", "b1 a3"),
            ("due__null=true", "b1 a3"),
            ("due__gte=2026-12-02", "a1 B%"),
            ("due__lt=2026-12-02T00:00:00Z", "a2"),
            ("due=2026-12-01", "a2"),
            ("sort=due", "a2 B% a1 b1 a3"),
            ("sort=-due,-id", "a1 B% a2 a3 b1"),
            ("sort=-id", "a3 B% a2 b1 a1"),
            ("sort=done,-id", "a3 B% a1 a2 b1"),
        ] {
            assert_eq!(titles(&service.get(&format!("/todo/list?{query}"))), expected, "{query}");
        }
        assert_eq!(service.get("/todo/list?done=true")["total"], 2);
    });
}

#[test]
fn pages_by_number_and_by_place() {
    on_each(|service| {
        fill(service);
        let page = service.get("/todo/list?sort=due&page_index=2&page_size=2");
        assert_eq!(
            (titles(&page).as_str(), &page["total"], &page["page_index"]),
            ("a1 b1", &json!(5), &json!(2))
        );
        let beyond = service.get("/todo/list?page_index=9");
        assert_eq!(
            (&beyond["data"], &beyond["total"], &beyond["next"]),
            (&json!([]), &json!(5), &json!(null))
        );
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let page = service.get(&format!("/todo/list?sort=due&page_size=2{after}"));
            all.push(titles(&page));
            let Some(next) = page["next"].as_i64() else { break };
            after = format!("&after={next}");
        }
        assert_eq!(all, ["a2 B%", "a1 b1", "a3"]);
    });
}

#[test]
fn the_description_shows_every_parameter() {
    on_each(|service| {
        let document = service.get("/openapi.json");
        let list = document["paths"]["/todo/list"]["get"]["parameters"].as_array().unwrap().clone();
        let names: Vec<&str> = list.iter().filter_map(|parameter| parameter["name"].as_str()).collect();
        for name in ["title", "title__contains", "done", "due__gte", "id__in", "sort", "page_index", "after"]
        {
            assert!(names.contains(&name), "{name} is not among {names:?}");
        }
        let due = list.iter().find(|parameter| parameter["name"] == "due__gte").unwrap();
        assert!(due["schema"].to_string().contains("date-time"), "{due}");
    });
}
