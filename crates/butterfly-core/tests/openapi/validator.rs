//! The part of JSON Schema 2020-12 that the document uses, enough to hold answers against it.

use serde_json::{Map, Value};

/// What is wrong with a value by a schema of the document; `None` when it fits.
pub(crate) fn problem(document: &Value, schema: &Value, value: &Value) -> Option<String> {
    let Value::Object(schema) = schema else {
        return (schema == &Value::Bool(false)).then(|| format!("nothing may be here, but {value} is"));
    };
    let inner = |schema: &Value| problem(document, schema, value);
    schema.iter().find_map(|(word, rule)| match word.as_str() {
        "$ref" => inner(document.pointer(&rule.as_str()?[1..]).unwrap()),
        "allOf" => rule.as_array()?.iter().find_map(inner),
        "anyOf" => (fitting(rule, inner) == 0).then(|| format!("{value} fits none of {rule}")),
        "oneOf" => (fitting(rule, inner) != 1).then(|| format!("{value} fits not one of {rule}")),
        "not" => inner(rule).is_none().then(|| format!("{value} must not fit {rule}")),
        "const" => (rule != value).then(|| format!("{value} is not {rule}")),
        "enum" => (!rule.as_array()?.contains(value)).then(|| format!("{value} is not in {rule}")),
        "type" => (!has_type(rule, value)).then(|| format!("{value} is not of type {rule}")),
        "minimum" => (value.as_f64()? < rule.as_f64()?).then(|| format!("{value} is below {rule}")),
        "maximum" => (value.as_f64()? > rule.as_f64()?).then(|| format!("{value} is above {rule}")),
        "items" => value.as_array()?.iter().find_map(|item| problem(document, rule, item)),
        "required" => missing(rule, value.as_object()?),
        "properties" => properties(document, rule.as_object()?, value.as_object()?),
        "additionalProperties" => others(document, schema, rule, value.as_object()?),
        "title" | "description" | "examples" | "format" | "default" => None,
        _ if word.starts_with("x-") => None,
        _ => panic!("this validator does not know the word {word}"),
    })
}

fn fitting(rules: &Value, problem: impl Fn(&Value) -> Option<String>) -> usize {
    rules.as_array().unwrap().iter().filter(|rule| problem(rule).is_none()).count()
}

fn has_type(rule: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type {other}"),
    };
    rule.as_array().map_or_else(|| is(rule), |list| list.iter().any(is))
}

fn missing(names: &Value, object: &Map<String, Value>) -> Option<String> {
    let mut names = names.as_array().unwrap().iter().filter_map(Value::as_str);
    names.find(|name| !object.contains_key(*name)).map(|name| format!("{name} is missing"))
}

fn properties(document: &Value, rules: &Map<String, Value>, object: &Map<String, Value>) -> Option<String> {
    rules.iter().find_map(|(name, rule)| problem(document, rule, object.get(name)?))
}

fn others(
    document: &Value,
    schema: &Map<String, Value>,
    rule: &Value,
    object: &Map<String, Value>,
) -> Option<String> {
    let known = |name: &String| schema.get("properties").is_some_and(|known| known.get(name).is_some());
    object.iter().filter(|(name, _)| !known(name)).find_map(|(_, value)| problem(document, rule, value))
}
