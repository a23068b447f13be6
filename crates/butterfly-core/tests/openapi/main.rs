//! The OpenAPI document: what it says of a few handlers, that it holds together, and that answers keep to it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

extern crate butterfly_core as butterfly;

mod shop;
mod validator;

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use butterfly_core::args::{Input, Payload};
use butterfly_core::reply::Content;
use butterfly_core::{App, Ctx, Door, Handler, Registry, call, openapi};
use serde_json::{Value, json};

use shop::*;
use validator::problem;

fn app(handlers: &[&'static Handler]) -> App {
    let mut app = App::new(Registry::of(handlers.iter().copied()).unwrap());
    app.name = "shop".into();
    app.version = "1.2.3".into();
    app
}

fn all() -> Value {
    openapi::document(&app(HANDLERS))
}

#[test]
fn the_document_is_as_kept_beside_the_test() {
    let few = [&find::HANDLER, &store::HANDLER, &fetch::HANDLER, &probe::HANDLER];
    let document = serde_json::to_string_pretty(&openapi::document(&app(&few))).unwrap() + "\n";
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/openapi/kept.json");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(kept, &document).unwrap();
    }
    let expected = std::fs::read_to_string(kept).unwrap();
    assert!(document == expected, "run the test with BLESS=1 and look at the difference of {kept}");
}

#[test]
fn the_same_app_gives_the_same_document() {
    let text = all().to_string();
    let mut turned = HANDLERS.to_vec();
    turned.reverse();
    assert_eq!(openapi::document(&app(&turned)).to_string(), text);
}

#[test]
fn every_reference_resolves_and_every_id_is_unique() {
    let document = all();
    let mut references = Vec::new();
    gather(&document, "$ref", &mut references);
    assert!(references.len() > 20);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} is not local"));
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    let mut ids = Vec::new();
    gather(&document, "operationId", &mut ids);
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
}

fn gather<'v>(value: &'v Value, key: &str, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get(key).and_then(Value::as_str));
            map.values().for_each(|inner| gather(inner, key, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| gather(inner, key, found)),
        _ => {}
    }
}

#[test]
fn path_parameters_are_those_of_the_path() {
    let document = all();
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            let named: BTreeSet<String> = operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|parameter| parameter["in"] == "path")
                .map(|parameter| format!("{{{}}}", parameter["name"].as_str().unwrap()))
                .collect();
            let written: BTreeSet<String> =
                path.split('/').filter(|part| part.starts_with('{')).map(str::to_owned).collect();
            assert_eq!(named, written, "{path}");
        }
    }
}

#[test]
fn a_handler_is_described_by_the_methods_that_suit_it() {
    let document = all();
    let methods = |path: &str| -> Vec<String> {
        document["paths"][path].as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(methods("/shop/find"), ["get", "post"]);
    assert_eq!(methods("/items/{id}"), ["get", "put"]);
    assert_eq!(methods("/shop/whole"), ["post"]);
    assert_eq!(methods("/shop/store"), ["post"]);
    assert_eq!(methods("/shop/fetch"), ["get"]);
    assert_eq!(document["paths"]["/items/{id}"]["put"]["operationId"], "items_id_put");
    assert_eq!(document["paths"]["/files/{rest}"]["get"]["operationId"], "files_rest");
}

#[test]
fn a_type_that_goes_in_and_out_differently_has_two_names() {
    let document = all();
    let schemas = &document["components"]["schemas"];
    assert_eq!(schemas["Note"]["required"], json!(["text"]));
    assert_eq!(schemas["Note.Reply"]["required"], json!(["text", "stars"]));
    // One that only refers to such a type too; one that is the same both ways not.
    assert_eq!(
        schemas["Board.Reply"]["properties"]["notes"]["items"]["$ref"],
        "#/components/schemas/Note.Reply"
    );
    assert!(schemas.get("Color").is_some() && schemas.get("Color.Reply").is_none());
}

#[test]
fn checks_become_words_of_the_schema() {
    let described = openapi::describe(&checked::HANDLER);
    let schema = |name: &str| {
        let params = described["params"].as_array().unwrap();
        params.iter().find(|param| param["name"] == name).unwrap()["schema"].clone()
    };
    assert_eq!(
        schema("age"),
        json!({ "type": "integer", "format": "uint8", "minimum": 18, "exclusiveMaximum": 100, "maximum": 255,
                "description": "in years", "x-type": "u8" })
    );
    assert_eq!(schema("share")["maximum"], json!(0.5));
    assert_eq!(
        schema("name"),
        json!({ "type": "string", "minLength": 1, "maxLength": 20, "pattern": "^[a-z]+$",
                "x-checks": ["polite"], "x-type": "String" })
    );
    assert_eq!((&schema("tags")["maxItems"], schema("tags").get("maxLength")), (&json!(3), None));
    assert_eq!(schema("maybe")["minItems"], json!(1));
    assert_eq!(schema("blob")["maxLength"], json!(8), "five bytes are eight characters of base64");
    assert_eq!(
        schema("password"),
        json!({ "type": "string", "format": "password", "writeOnly": true,
                "x-type": "String" }),
        "the default of a secret is one too"
    );
}

#[test]
fn one_handler_is_described_by_itself() {
    let described = openapi::describe(&find::HANDLER);
    assert_eq!(described["path"], "/shop/find");
    assert_eq!(described["doc"], "Finds items.\n\nLooks into names first.");
    assert_eq!(described["params"][2]["schema"]["default"], json!(1));
    assert_eq!(described["params"][1]["schema"]["anyOf"][0]["$ref"], "#/$defs/Color");
    assert!(described["$defs"]["Color"].is_object());
    assert!(described["source"].as_str().unwrap().contains("tests/openapi/shop.rs:"));
    let alone = openapi::param_schema(&find::HANDLER.params[1]);
    assert!(alone["$defs"]["Color"].is_object());
}

/// Calls a handler and holds the answer against the schema that is published for it.
fn keeps_to_its_schema(document: &Value, handler: &'static Handler, args: &Value) -> Value {
    let ctx = Ctx::new(Door::Cli);
    let args = args.to_string();
    let input = Input { payload: Payload::Json(args.as_bytes()), ..Input::default() };
    let reply = match pin!(call(handler, &ctx, input)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(reply) => reply.unwrap_or_else(|error| panic!("{}: {error}", handler.path)),
        Poll::Pending => panic!("a handler of this test never waits"),
    };
    let Content::Json(answer) = reply.content else { panic!("{} answers no JSON", handler.path) };
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    let schema = answer_schema(document, handler);
    assert_eq!(problem(document, schema, &answer), None, "{}: {answer}", handler.path);
    answer
}

fn answer_schema<'d>(document: &'d Value, handler: &Handler) -> &'d Value {
    let operation = document["paths"][handler.path].as_object().unwrap().values().next().unwrap();
    operation.pointer("/responses/200/content/application~1json/schema").unwrap()
}

#[test]
fn answers_keep_to_their_schemas() {
    let document = all();
    for case in 0..=8 {
        keeps_to_its_schema(&document, &shapes::HANDLER, &json!({ "case": case }));
    }
    for handler in [&unit::HANDLER, &closed::HANDLER, &counts::HANDLER, &tree::HANDLER, &own_stat::HANDLER] {
        keeps_to_its_schema(&document, handler, &json!({}));
    }
    for some in [true, false] {
        for handler in [&number_or_not::HANDLER, &object_or_not::HANDLER, &flat::HANDLER] {
            keeps_to_its_schema(&document, handler, &json!({ "some": some }));
        }
    }
    let board = json!({ "board": { "notes": [{ "text": "x" }] } });
    keeps_to_its_schema(&document, &pin_board::HANDLER, &board);
    keeps_to_its_schema(&document, &find::HANDLER, &json!({ "words": "x" }));
}

#[test]
fn schemas_refuse_what_is_no_answer() {
    let document = all();
    let refused = |handler: &Handler, answer: Value| {
        let schema = answer_schema(&document, handler);
        assert!(problem(&document, schema, &answer).is_some(), "{}: {answer}", handler.path);
    };
    refused(&find::HANDLER, json!({ "items": [], "total": 0 }));
    refused(&find::HANDLER, json!({ "stat": "OK", "items": [] }));
    refused(&find::HANDLER, json!({ "stat": "OK", "items": [1], "total": 0 }));
    refused(&find::HANDLER, json!({ "stat": "ERR", "params": { "words": 1 } }));
    refused(&number_or_not::HANDLER, json!({ "stat": "OK", "data": "x" }));
    refused(&counts::HANDLER, json!({ "stat": "OK", "a": "x" }));
    refused(&closed::HANDLER, json!({ "stat": 1, "text": "x" }));
}

#[test]
fn errors_keep_to_their_schema() {
    let document = all();
    let schema = answer_schema(&document, &find::HANDLER);
    for answer in [
        json!({ "stat": "ERR_BAD_PARAMS", "params": { "words": "missing" } }),
        json!({ "stat": "ERR_LIMIT", "reason": "at most 3" }),
        json!({ "stat": "ERR_SERVER_EXCEPTION" }),
    ] {
        assert_eq!(problem(&document, schema, &answer), None);
    }
}
