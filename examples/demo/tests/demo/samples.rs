//! Values made from a schema: some that fit, and many to try.

use serde_json::{Map, Value, json};

use crate::openapi::Document;

/// A value that fits a schema: its default, or one that is easy to think of.
pub(crate) fn fitting(document: &Document, schema: &Value) -> Value {
    if let Some(default) = schema.get("default") {
        return default.clone();
    }
    if schema.get("$ref").is_some() {
        return fitting(document, document.resolved(schema));
    }
    if let Some(first) = schema.get("enum").and_then(|list| list.get(0)) {
        return first.clone();
    }
    if let Some(first) = schema.get("anyOf").and_then(|list| list.get(0)) {
        return fitting(document, first);
    }
    match kind(schema) {
        "integer" => schema["minimum"].as_i64().unwrap_or(2).max(2).into(),
        "number" => json!(0.5),
        "boolean" => json!(true),
        "array" => json!([fitting(document, &schema["items"])]),
        "object" => fitting_object(document, schema),
        "string" => text(schema).into(),
        other => panic!("no value of type {other} for {schema}"),
    }
}

/// The type, `null` aside.
fn kind(schema: &Value) -> &str {
    let named = &schema["type"];
    named.as_str().or_else(|| named[0].as_str()).unwrap_or_else(|| panic!("no type in {schema}"))
}

fn text(schema: &Value) -> String {
    if let Some(example) = schema["examples"][0].as_str() {
        return example.to_owned();
    }
    match (schema["format"].as_str(), schema["contentEncoding"].as_str()) {
        (Some("date"), _) => "2026-11-20".into(),
        (Some("date-time"), _) => "2026-11-20T08:30:00Z".into(),
        (_, Some("base64")) => "aGk=".into(),
        _ => "a".repeat(schema["minLength"].as_u64().unwrap_or(2).max(2) as usize),
    }
}

fn fitting_object(document: &Document, schema: &Value) -> Value {
    let properties = schema["properties"].as_object().cloned().unwrap_or_default();
    properties
        .iter()
        .map(|(name, schema)| (name.clone(), fitting(document, schema)))
        .collect::<Map<_, _>>()
        .into()
}

/// Values to try for any parameter: most do not fit.
pub(crate) fn candidates() -> Vec<Value> {
    let long = "a".repeat(300);
    json!([
        null, true, -1, 0, 1, 2, 3, 99, 100, 101, 200, 255, 256, 599, 600, 60_000, 60_001, 1_000_001, 0.5, -0.5, "",
        "x", "ab", "AB", "abcdefghi", long, "true", "red", "2026-11-20", "2026-02-30", "2026-11-20T08:30:00Z",
        "aGk=", "a=b", "é", "\u{0}", [], [1, 2], [-1], ["x"], [null], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], {},
        {"x": 1}, {"x": 1, "y": 2}, {"x": "1", "y": 2}, [{"x": 1, "y": 2}], [{"x": 1}]
    ])
    .as_array()
    .cloned()
    .unwrap_or_default()
}

/// A value as a query string has it.
pub(crate) fn in_query(name: &str, value: &Value) -> String {
    let pair = |value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{name}={}", crate::wire::encoded(&text))
    };
    match value {
        Value::Array(list) if list.iter().all(|item| !item.is_object()) => {
            list.iter().map(pair).collect::<Vec<_>>().join("&")
        }
        value => pair(value),
    }
}
