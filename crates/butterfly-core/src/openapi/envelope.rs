//! The schema of an answer: what `reply` writes around a value, said of schemas.

use serde_json::{Map, Value, json};

use super::schemas::{Definitions, target, types};

/// The schema of the document that carries a value of this schema: an object's fields stand beside `stat`, any
/// other value stands under `data`, nothing where the value is `null`.
pub(super) fn success(value: &Value, definitions: &Definitions) -> Value {
    Envelope { definitions, followed: Vec::new() }.around(value)
}

struct Envelope<'d> {
    definitions: &'d Definitions,
    /// The schemas on the way here: a type that is itself an alternative of itself has no end.
    followed: Vec<&'d Value>,
}

impl<'d> Envelope<'d> {
    fn around(&mut self, schema: &Value) -> Value {
        if let Some(target) = target(schema, self.definitions) {
            return self.around_target(schema, target);
        }
        let alternatives = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(key)?.as_array());
        match alternatives {
            _ if is_object(schema) => beside(schema),
            // With `stat` in each, alternatives that excluded each other may not do so any more: always `anyOf`.
            Some(list) => self.any_of(list),
            None => self.of_types(schema),
        }
    }

    fn around_target(&mut self, reference: &Value, target: &'d Value) -> Value {
        if is_object(target) && !is_closed(target) {
            return json!({ "allOf": [stat_alone(), reference] });
        }
        if self.followed.iter().any(|known| std::ptr::eq(*known, target)) {
            return stat_alone();
        }
        self.followed.push(target);
        let document = self.around(target);
        self.followed.pop();
        document
    }

    fn any_of(&mut self, list: &[Value]) -> Value {
        let all: Vec<Value> = list.iter().map(|one| self.around(one)).collect();
        json!({ "anyOf": all })
    }

    fn of_types(&mut self, schema: &Value) -> Value {
        let all: Vec<&str> = types(schema).collect();
        let values: Vec<&str> = all.iter().copied().filter(|one| *one != "null").collect();
        match *values {
            // Any value at all, or none.
            [] => stat_alone(),
            [_, _, ..] if values.contains(&"object") => {
                let each: Vec<Value> = all.iter().map(|one| narrowed(schema, &[one])).collect();
                self.any_of(&each)
            }
            ["object"] => json!({ "anyOf": [beside(&narrowed(schema, &values)), stat_alone()] }),
            _ => under_data(narrowed(schema, &values), values.len() == all.len()),
        }
    }
}

/// The schema for only some of its types.
fn narrowed(schema: &Value, types: &[&str]) -> Value {
    let mut schema = schema.clone();
    schema["type"] = if let [one] = types { json!(one) } else { json!(types) };
    schema
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
