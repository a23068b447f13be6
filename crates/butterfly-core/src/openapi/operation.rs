//! Paths and their operations: what a caller sends, and how.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::responses;
use super::schemas::{Definitions, Described, takes};
use crate::handler::{Handler, Kind, Param, Place};

/// The operations of an app, gathered handler by handler.
pub(super) struct Operations {
    pub(super) paths: Map<String, Value>,
    pub(super) definitions: Definitions,
    queued: bool,
    ids: BTreeSet<String>,
}

/// The methods that a handler is described with. One that takes any is described with those that people use.
pub(super) fn methods(handler: &Handler) -> Vec<&'static str> {
    let has_body = handler.streams() || handler.params.iter().any(|param| param.place == Place::Body);
    match handler.kind {
        _ if !handler.options.methods.is_empty() => handler.options.methods.to_vec(),
        Kind::Download => vec!["GET"],
        Kind::Upload => vec!["POST"],
        _ if has_body => vec!["POST"],
        _ => vec!["GET", "POST"],
    }
}

impl Operations {
    /// `queued` is whether the app takes in calls for later.
    pub(super) fn new(definitions: Definitions, queued: bool) -> Self {
        Self { paths: Map::new(), definitions, queued, ids: BTreeSet::new() }
    }

    pub(super) fn add(&mut self, one: &Described<'_>) {
        let path = one.handler.path.replace("{*", "{");
        for method in methods(one.handler) {
            let operation = self.operation(one, method);
            let item = self.paths.entry(path.clone()).or_insert_with(|| json!({}));
            item[method.to_ascii_lowercase()] = operation;
        }
    }

    fn operation(&mut self, one: &Described<'_>, method: &str) -> Value {
        let handler = one.handler;
        let id = self.id(handler, method);
        let body = if matches!(method, "POST" | "PUT" | "PATCH") { self.body(one, &id) } else { None };
        let mut operation = json!({ "operationId": id, "tags": [handler.app()] });
        put_doc(&mut operation, handler);
        let parameters = parameters(one, body.is_some(), &self.definitions);
        if !parameters.is_empty() {
            operation["parameters"] = parameters.into();
        }
        operation["responses"] = responses::of(one, body.is_some(), self.queued, &self.definitions);
        if let Some(body) = body {
            operation["requestBody"] = body;
        }
        if handler.options.ops {
            // Either the token, or a call from this machine.
            operation["security"] = json!([{ "ops": [] }, {}]);
        }
        operation["x-butterfly"] = extension(one);
        operation
    }

    /// A name for the operation, made of the path; the method tells two of one path apart.
    fn id(&mut self, handler: &Handler, method: &str) -> String {
        let words = handler.path.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        let plain = if words.is_empty() { "root".into() } else { words.join("_") };
        let with_method = format!("{plain}_{}", method.to_ascii_lowercase());
        let numbered = (2..).map(|number| format!("{with_method}_{number}"));
        let mut names = [plain.clone(), with_method.clone()].into_iter().chain(numbered);
        let free = names.find(|name| !self.ids.contains(name)).unwrap_or(plain);
        self.ids.insert(free.clone());
        free
    }

    fn body(&mut self, one: &Described<'_>, id: &str) -> Option<Value> {
        if let Some(stream) = one.handler.params.iter().find(|param| param.place == Place::Stream) {
            return Some(json!({ "content": upload(stream) }));
        }
        if let Some((param, schema)) = one.params.iter().find(|(param, _)| param.place == Place::Body) {
            let content = json!({ "application/json": { "schema": schema } });
            return Some(json!({ "required": param.required, "content": content }));
        }
        let named = one.params.iter().filter(|(param, _)| param.place == Place::Named);
        let properties: Map<String, Value> =
            named.map(|(param, schema)| (param.name.to_owned(), schema.clone())).collect();
        if properties.is_empty() {
            return None;
        }
        // None is required here, because each may come by the query string as well.
        let object = json!({ "type": "object", "properties": properties, "additionalProperties": false });
        let name = format!("{id}.Args");
        let reference = json!({ "schema": { "$ref": format!("#/components/schemas/{name}") } });
        self.definitions.insert(name, object);
        Some(json!({ "content": {
            "application/json": reference,
            "application/x-www-form-urlencoded": reference,
        } }))
    }
}

fn put_doc(operation: &mut Value, handler: &Handler) {
    let doc = handler.doc.trim();
    if !doc.is_empty() {
        operation["summary"] = handler.summary().into();
    }
    if doc != handler.summary() {
        operation["description"] = doc.into();
    }
}

fn upload(param: &Param) -> Value {
    if !param.ty.ends_with("Multipart") {
        return json!({ "application/octet-stream": {} });
    }
    let file = json!({ "type": "string", "contentMediaType": "application/octet-stream" });
    json!({ "multipart/form-data": {
        "schema": { "type": "object", "properties": { "file": file }, "additionalProperties": true },
    } })
}

fn parameters(one: &Described<'_>, has_body: bool, definitions: &Definitions) -> Vec<Value> {
    let whole = one.params.iter().any(|(param, _)| param.place == Place::Body) || one.handler.streams();
    let all = one.params.iter().filter(|(param, _)| param.place != Place::Body);
    all.map(|(param, schema)| {
        let elsewhere = has_body && !whole;
        parameter(param, schema, elsewhere, definitions)
    })
    .collect()
}

/// A parameter of query or path; one that may come by the body instead is not required here.
fn parameter(param: &Param, schema: &Value, elsewhere: bool, definitions: &Definitions) -> Value {
    let in_path = param.place == Place::Path;
    let mut parameter = json!({
        "name": param.name,
        "in": if in_path { "path" } else { "query" },
        "required": in_path || (param.required && !elsewhere),
    });
    if !param.doc.trim().is_empty() {
        parameter["description"] = param.doc.trim().into();
    }
    if is_json(schema, definitions) {
        parameter["content"] = json!({ "application/json": { "schema": schema } });
        return parameter;
    }
    if !in_path && takes(schema, "array", definitions) {
        parameter["style"] = "form".into();
        parameter["explode"] = true.into();
    }
    parameter["schema"] = schema.clone();
    parameter
}

/// True when a value is written as JSON in the query string: an object, or a list of what is no plain text.
fn is_json(schema: &Value, definitions: &Definitions) -> bool {
    let nested = |items: &Value| ["object", "array"].iter().any(|kind| takes(items, kind, definitions));
    takes(schema, "object", definitions) || schema.get("items").is_some_and(nested)
}

/// What OpenAPI has no word for.
fn extension(one: &Described<'_>) -> Value {
    let options = &one.handler.options;
    let required: Vec<&str> =
        one.params.iter().filter(|(param, _)| param.required).map(|(param, _)| param.name).collect();
    let mut extension = json!({ "kind": one.handler.kind.word(), "required": required });
    if options.ops {
        extension["ops"] = true.into();
    }
    if let Some(limit) = options.timeout {
        extension["timeout_ms"] = (limit.as_millis() as u64).into();
    }
    extension
}
