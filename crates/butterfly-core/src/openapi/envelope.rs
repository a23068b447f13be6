//! The schema of an answer: what `reply` writes around a value, said of schemas.

use serde_json::{Map, Value, json};

use super::schemas::{DEEP, Definitions, target, types};

/// The schema of the document that carries a value of this schema: an object's fields stand beside `stat`, any
/// other value stands under `data`, nothing where the value is `null`.
pub(super) fn success(value: &Value, definitions: &Definitions) -> Value {
    around(value, definitions, DEEP)
}

fn around(schema: &Value, definitions: &Definitions, deep: usize) -> Value {
    let Some(deeper) = deep.checked_sub(1) else { return stat_alone() };
    if let Some(target) = target(schema, definitions) {
        if is_object(target) && !is_closed(target) {
            return json!({ "allOf": [stat_alone(), schema] });
        }
        return around(target, definitions, deeper);
    }
    let alternatives = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(key)?.as_array());
    match alternatives {
        _ if is_object(schema) => beside(schema),
        // With `stat` in each, alternatives that excluded each other may not do so any more: always `anyOf`.
        Some(list) => {
            let all: Vec<Value> = list.iter().map(|one| around(one, definitions, deeper)).collect();
            json!({ "anyOf": all })
        }
        None => of_types(schema, definitions, deeper),
    }
}

fn of_types(schema: &Value, definitions: &Definitions, deep: usize) -> Value {
    let all: Vec<&str> = types(schema).collect();
    let only = |types: &[&str]| {
        let mut schema = schema.clone();
        schema["type"] = if let [one] = types { json!(one) } else { json!(types) };
        schema
    };
    let values: Vec<&str> = all.iter().copied().filter(|one| *one != "null").collect();
    match *all {
        [] => stat_alone(),
        _ if values.is_empty() => stat_alone(),
        [_, ..] if values.contains(&"object") => {
            let each: Vec<Value> =
                all.iter().map(|one| around(&only(&[one]), definitions, deep)).collect();
            json!({ "anyOf": each })
        }
        _ => under_data(only(&values), values.len() == all.len()),
    }
}

fn is_object(schema: &Value) -> bool {
    schema.get("type").is_some_and(|one| one == "object")
}

/// True when the schema refuses a `stat` beside its own fields, or has a `stat` that the framework's replaces.
fn is_closed(schema: &Value) -> bool {
    ["additionalProperties", "unevaluatedProperties"].iter().any(|key| schema.get(key).is_some())
        || schema.pointer("/properties/stat").is_some()
}

fn stat() -> Value {
    json!({ "type": "string", "examples": ["OK"] })
}

fn stat_alone() -> Value {
    json!({ "type": "object", "properties": { "stat": stat() }, "required": ["stat"] })
}

fn under_data(schema: Value, always: bool) -> Value {
    let mut document = stat_alone();
    document["properties"]["data"] = schema;
    if always {
        document["required"] = json!(["stat", "data"]);
    }
    document
}

/// The object with `stat` as one of its own properties, so that it may refuse all others.
fn beside(schema: &Value) -> Value {
    let mut object = schema.clone();
    let mut properties = Map::from_iter([("stat".to_owned(), stat())]);
    if let Some(own) = schema.get("properties").and_then(Value::as_object) {
        let others = own.iter().filter(|(name, _)| *name != "stat");
        properties.extend(others.map(|(name, schema)| (name.clone(), schema.clone())));
    }
    let mut required = vec![json!("stat")];
    if let Some(own) = schema.get("required").and_then(Value::as_array) {
        required.extend(own.iter().filter(|name| *name != "stat").cloned());
    }
    object["properties"] = properties.into();
    object["required"] = required.into();
    object
}
