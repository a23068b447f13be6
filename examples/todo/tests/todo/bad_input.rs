//! What does not fit is named.

use serde_json::json;

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
