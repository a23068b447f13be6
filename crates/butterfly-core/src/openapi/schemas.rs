//! The types of an app as JSON schemas.
//!
//! One Rust type may be two on the wire: what a caller may leave out, an answer always has. So types are asked
//! twice, and one that differs goes by two names.

use std::borrow::Cow;
use std::collections::BTreeSet;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::param;
use crate::args::decode;
use crate::handler::{Handler, Param};

/// Schemas by name.
pub(super) type Definitions = Map<String, Value>;

/// A handler with its schemas.
pub(super) struct Described<'h> {
    pub(super) handler: &'h Handler,
    /// The parameters that a caller can give.
    pub(super) params: Vec<(&'static Param, Value)>,
    /// What is answered beside `stat`; `None` where the answer is no JSON.
    pub(super) reply: Option<Value>,
}

/// Marks the outgoing form of a type that has two; a dot stands in no Rust name.
const OUTGOING: &str = ".Reply";

/// Describes parameters, as they come in.
pub(super) fn generator(path: &'static str) -> SchemaGenerator {
    settings(path).into_generator()
}

fn settings(path: &'static str) -> SchemaSettings {
    SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = path.into();
        settings.meta_schema = None;
    })
}

/// The handlers with their schemas, and the named schemas that those refer to below `path`.
pub(super) fn described<'h>(
    handlers: &[&'h Handler],
    path: &'static str,
) -> (Vec<Described<'h>>, Definitions) {
    let mut incoming = generator(path);
    let mut outgoing = settings(path).for_serialize().into_generator();
    let mut all: Vec<Described<'h>> =
        handlers.iter().map(|handler| one(handler, &mut incoming, &mut outgoing)).collect();
    let mut definitions = incoming.take_definitions(true);
    let mut replies = outgoing.take_definitions(true);
    let differing = differing(&definitions, &replies);
    let schemas = replies.values_mut().chain(all.iter_mut().filter_map(|one| one.reply.as_mut()));
    schemas.for_each(|schema| rename(schema, &differing));
    for (name, schema) in replies {
        let name = if differing.contains(&name) { name + OUTGOING } else { name };
        definitions.insert(name, schema);
    }
    definitions.sort_keys();
    (all, definitions)
}

fn one<'h>(
    handler: &'h Handler,
    incoming: &mut SchemaGenerator,
    outgoing: &mut SchemaGenerator,
) -> Described<'h> {
    Described {
        handler,
        params: handler.visible().map(|param| (param, param::schema(param, incoming))).collect(),
        reply: (handler.reply)(outgoing).map(schemars::Schema::to_value),
    }
}

/// The names that mean one thing coming in and another going out, be it through what they refer to.
fn differing(incoming: &Definitions, outgoing: &Definitions) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    loop {
        let more: Vec<String> = outgoing
            .iter()
            .filter(|(name, _)| !names.contains(*name))
            .filter(|(name, schema)| {
                incoming.get(*name).is_some_and(|twin| twin != *schema || refers(schema, &names))
            })
            .map(|(name, _)| name.clone())
            .collect();
        if more.is_empty() {
            return names;
        }
        names.extend(more);
    }
}

fn refers(schema: &Value, names: &BTreeSet<String>) -> bool {
    match schema {
        Value::Object(map) => {
            let here = map.get("$ref").and_then(Value::as_str);
            here.is_some_and(|here| names.contains(name(here).as_ref()))
                || map.values().any(|inner| refers(inner, names))
        }
        Value::Array(list) => list.iter().any(|inner| refers(inner, names)),
        _ => false,
    }
}

fn rename(schema: &mut Value, names: &BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::String(here)) = map.get_mut("$ref")
                && names.contains(name(here).as_ref())
            {
                here.push_str(OUTGOING);
            }
            map.values_mut().for_each(|inner| rename(inner, names));
        }
        Value::Array(list) => list.iter_mut().for_each(|inner| rename(inner, names)),
        _ => {}
    }
}

/// The name at the end of a reference.
fn name(reference: &str) -> Cow<'_, str> {
    let last = reference.rsplit('/').next().unwrap_or_default();
    let unescaped = last.replace('+', "%2B").replace("~1", "/").replace("~0", "~");
    decode(&unescaped).map_or(Cow::Borrowed(last), |name| Cow::Owned(name.into_owned()))
}

/// What a schema refers to, when it is a reference.
pub(super) fn target<'d>(schema: &Value, definitions: &'d Definitions) -> Option<&'d Value> {
    let reference = schema.get("$ref")?.as_str()?;
    definitions.get(name(reference).as_ref())
}

/// No sensible type hides its form behind more references and alternatives than this; it ends endless ones.
const DEEP: usize = 8;

/// True when a schema takes values of a JSON type.
pub(super) fn takes(schema: &Value, kind: &str, definitions: &Definitions) -> bool {
    takes_within(schema, kind, definitions, DEEP)
}

fn takes_within(schema: &Value, kind: &str, definitions: &Definitions, deep: usize) -> bool {
    let Some(deeper) = deep.checked_sub(1) else { return false };
    let inner = |schema: &Value| takes_within(schema, kind, definitions, deeper);
    types(schema).any(|one| one == kind)
        || target(schema, definitions).is_some_and(inner)
        || ["anyOf", "oneOf", "allOf"]
            .iter()
            .filter_map(|key| schema.get(key)?.as_array())
            .any(|list| list.iter().any(inner))
}

/// The JSON types that a schema names.
pub(super) fn types(schema: &Value) -> impl Iterator<Item = &str> {
    let named = schema.get("type");
    let list = named.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().chain(named).filter_map(Value::as_str)
}
