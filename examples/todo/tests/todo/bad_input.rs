//! What does not fit is named, and SQL in a value is text.

use serde_json::{Value, json};

use crate::service::on_each;

#[test]
fn what_does_not_fit_is_named() {
    on_each(|service| {
        service.get("/todo/create?title=milk");
        let long = "x".repeat(201);
        for (path, body, name, part) in [
            ("/todo/create", json!({}), "title", "missing"),
            ("/todo/create", json!({"title": ""}), "title", "length"),
            ("/todo/create", json!({"title": long}), "title", "has 201"),
            ("/todo/create", json!({"title": null}), "title", "null"),
            ("/todo/create", json!({"title": 7}), "title", "expected a string"),
            ("/todo/create", json!({"title": "x", "done": "maybe"}), "done", "boolean"),
            ("/todo/create", json!({"title": "x", "due": "soon"}), "due", "2026-12-01T08:30:00Z"),
            ("/todo/create", json!({"title": "x", "due": "2026-02-30"}), "due", "got"),
            ("/todo/create", json!({"title": "x", "id": 7}), "id", "unknown"),
            ("/todo/update", json!({"title": "x"}), "id", "missing"),
            ("/todo/update", json!({"id": 1, "title": null}), "title", "null"),
            ("/todo/update", json!({"id": 1, "title": ""}), "title", "length"),
            ("/todo/update", json!({"id": 1, "title": long}), "title", "has 201"),
            ("/todo/update", json!({"id": 1, "done": null}), "done", "null"),
            ("/todo/get", json!({"id": "x"}), "id", "expected"),
            ("/todo/get", json!({"id": 9_300_000_000_000_000_000_u64}), "id", "expected"),
            ("/todo/list", json!({"sort": "title;"}), "sort", "unknown column"),
            ("/todo/list", json!({"page_size": 1001}), "page_size", "1..=1000"),
            ("/todo/list", json!({"page_size": -1}), "page_size", "expected"),
            ("/todo/list", json!({"page_index": 0}), "page_index", "must be in"),
            ("/todo/list", json!({"after": 99}), "after", "no such row"),
            ("/todo/list", json!({"after": 1, "page_index": 2}), "after", "page_index"),
            ("/todo/list", json!({"id__in": (0..501).collect::<Vec<_>>()}), "id__in", "at most 500"),
            ("/todo/list", json!({"id__gt": 1}), "id__gt", "unknown"),
        ] {
            let answer = service.post(path, &body);
            assert_eq!(answer["stat"], "ERR_BAD_PARAMS", "{path} {body}: {answer}");
            let problem = answer["params"][name].as_str().unwrap_or_else(|| panic!("{name}: {answer}"));
            assert!(problem.contains(part), "{path} {body}: {problem}");
        }
        assert_eq!(service.get("/todo/list")["total"], 1);
    });
}

#[test]
fn sql_in_a_value_is_text_and_nowhere_a_server_fault() {
    const TEXTS: [&str; 14] = [
        "' OR '1'='1",
        "'; DROP TABLE todo; --",
        "\" OR \"\"=\"",
        "1 OR 1=1",
        "1; DELETE FROM todo",
        "') UNION SELECT 1,2,3,4 --",
        "\\'; DROP TABLE todo; #",
        "/**/",
        "%",
        "_",
        "a\0b",
        "漢字🦋",
        "$1",
        "?",
    ];
    let fine = ["OK", "ERR_BAD_PARAMS", "ERR_NOT_EXIST"];
    on_each(|service| {
        let mut count = 0;
        for text in TEXTS {
            let made = service.post("/todo/create", &json!({"title": text}));
            if made["stat"] == "OK" {
                count += 1;
                assert_eq!(made["title"], text);
                let found = service.post("/todo/list", &json!({"title": text}));
                assert_eq!(
                    (&found["total"], &found["data"][0]["title"]),
                    (&json!(1), &json!(text)),
                    "{text}"
                );
                let found = service.post("/todo/list", &json!({"title__contains": text, "sort": "-id"}));
                assert_eq!(found["data"][0]["title"], text);
            } else {
                // PostgreSQL's text has no NUL.
                assert!(made["stat"] == "ERR_BAD_PARAMS" && text.contains('\0'), "{text:?}: {made}");
            }
            for (path, names) in [
                ("/todo/create", vec!["done", "due", "title", "id"]),
                ("/todo/get", vec!["id"]),
                ("/todo/delete", vec!["id"]),
                ("/todo/update", vec!["id", "title", "done", "due"]),
                (
                    "/todo/list",
                    vec![
                        "title",
                        "title__ne",
                        "title__in",
                        "title__contains",
                        "title__startswith",
                        "id__in",
                        "done",
                        "due",
                        "due__gt",
                        "due__lte",
                        "due__in",
                        "due__null",
                        "sort",
                        "page_index",
                        "page_size",
                        "after",
                    ],
                ),
            ] {
                for name in names {
                    let mut body = json!({"id": 999_999});
                    if path == "/todo/list" || path == "/todo/create" {
                        body = json!({});
                    }
                    body[name] = if name.ends_with("__in") { json!([text]) } else { json!(text) };
                    let answer = service.post(path, &body);
                    let stat = answer["stat"].as_str().unwrap_or_default();
                    assert!(fine.contains(&stat), "{path} {body}: {answer}");
                    count += u32::from(path == "/todo/create" && stat == "OK");
                }
            }
        }
        let all = service.get("/todo/list?page_size=1000");
        assert_eq!(all["total"], Value::from(count), "rows went or came");
    });
}
