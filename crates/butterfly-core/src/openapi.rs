//! An app's description for machines: the OpenAPI document, and each handler by itself.
//!
//! All of it is read off the handlers' own descriptions: there is nothing to annotate. Beside what OpenAPI knows,
//! a schema carries `x-type` (the Rust type as written) and `x-checks` (checks that are functions), and an
//! operation carries `x-butterfly`: its kind, the parameters that must be given somewhere, its limits.

mod envelope;
mod operation;
mod param;
mod responses;
mod schemas;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::App;
use crate::handler::{Handler, Param, Place};
use operation::Operations;
use schemas::{Described, described};

/// The OpenAPI 3.1 document of an app: the same app gives the same document, to the byte.
///
/// # Example
///
/// ```
/// use butterfly_core::{App, openapi};
///
/// let document = openapi::document(&App::default());
/// assert_eq!(document["openapi"], "3.1.0");
/// ```
#[must_use]
pub fn document(app: &App) -> Value {
    let (all, definitions) = described(app.registry.handlers(), "/components/schemas");
    let mut operations = Operations::new(definitions, app.later.is_some());
    for one in &all {
        operations.add(one);
    }
    let Operations { paths, mut definitions, .. } = operations;
    definitions.insert(responses::ERROR.into(), responses::error());
    definitions.sort_keys();
    json!({
        "openapi": "3.1.0",
        "info": { "title": app.name, "version": app.version },
        "tags": tags(app),
        "paths": paths,
        "components": {
            "schemas": definitions,
            "responses": responses::shared(),
            "headers": responses::headers(),
            "securitySchemes": {
                "ops": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token `ops.token`; callers on the same machine need none.",
                },
            },
        },
    })
}

fn tags(app: &App) -> Vec<Value> {
    let names: BTreeSet<&str> = app.registry.handlers().iter().map(|handler| handler.app()).collect();
    names.into_iter().map(|name| json!({ "name": name })).collect()
}

/// One handler's description: path, kind, doc, parameters with their schemas, the schema of its answer.
///
/// The schemas refer to `$defs` of the value that is returned.
#[must_use]
pub fn describe(handler: &Handler) -> Value {
    let (all, definitions) = described(&[handler], "/$defs");
    let (params, reply) = match all.into_iter().next() {
        Some(Described { params, reply, .. }) => (params, reply),
        None => Default::default(),
    };
    let reply = reply.map(|value| envelope::success(&value, &definitions));
    json!({
        "path": handler.path,
        "kind": handler.kind.word(),
        "methods": operation::methods(handler),
        "ops": handler.options.ops,
        "timeout_ms": handler.options.timeout.map(|limit| limit.as_millis() as u64),
        "source": format!("{}:{}", handler.source.short(), handler.source.line),
        "doc": handler.doc.trim(),
        "params": params.into_iter().map(|(param, schema)| entry(param, schema)).collect::<Vec<_>>(),
        "reply": reply,
        "$defs": definitions,
    })
}

fn entry(param: &Param, schema: Value) -> Value {
    json!({
        "name": param.name,
        "type": param.ty,
        "place": match param.place {
            Place::Path => "path",
            Place::Body => "body",
            _ => "named",
        },
        "required": param.required,
        "secret": param.secret,
        "doc": param.doc.trim(),
        "schema": schema,
    })
}

/// The JSON schema of one parameter, with its default and its checks; it refers to its own `$defs`.
#[must_use]
pub fn param_schema(param: &Param) -> Value {
    let mut generator = schemas::generator("/$defs");
    let mut schema = param::schema(param, &mut generator);
    let definitions = generator.take_definitions(true);
    if !definitions.is_empty() {
        schema["$defs"] = definitions.into();
    }
    schema
}
