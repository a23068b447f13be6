//! The answers of an operation, as the HTTP door sends them in Butterfly's own style.

use serde_json::{Map, Value, json};

use super::envelope;
use super::schemas::{Definitions, Described};
use crate::handler::Kind;

/// The name of the error document's schema; a dot stands in no Rust name.
pub(super) const ERROR: &str = "butterfly.Error";

const JSON: &str = "application/json";

/// The error document.
pub(super) fn error() -> Value {
    json!({
        "type": "object",
        "description": "What was wrong; the HTTP status is 200 all the same where a handler answers with `stat`.",
        "properties": {
            "stat": { "type": "string", "not": { "const": "OK" }, "examples": ["ERR_BAD_PARAMS"] },
            "params": {
                "type": "object",
                "description": "Each parameter that does not fit, and why.",
                "additionalProperties": { "type": "string" },
            },
            "reason": { "type": "string" },
        },
        "required": ["stat"],
    })
}

/// The headers that the framework sends.
pub(super) fn headers() -> Value {
    json!({
        "butterfly": header("The framework's version.", "string"),
        "x-reqid": header("The id of the call, the same in every log line that it caused.", "string"),
        "x-cost": header("The time that the call took, in seconds.", "number"),
        "x-reason": header("Why the call failed; not sent with success.", "string"),
    })
}

fn header(description: &str, kind: &str) -> Value {
    json!({ "description": description, "schema": { "type": kind } })
}

fn header_refs() -> Value {
    let names = ["butterfly", "x-reqid", "x-cost", "x-reason"];
    let refs = names.map(|name| (name.to_owned(), json!({ "$ref": format!("#/components/headers/{name}") })));
    Map::from_iter(refs).into()
}

/// The answers that operations share.
pub(super) fn shared() -> Value {
    json!({
        "BadRequest": failure("The parameters do not fit (no body), or a business error.", true),
        "Forbidden": failure("For operators: from this machine, or with the token.", true),
        "FileForbidden": failure("The file cannot be read, or the call is for operators alone.", false),
        "FileNotFound": failure("There is no such file.", false),
        "MethodNotAllowed": failure("The handler does not take this method; see the header `allow`.", true),
        "TooLarge": failure("The body is larger than the limit.", true),
        "RangeNotSatisfiable": failure("The file is shorter than the range that was asked for.", false),
        "ServerError": failure("The handler failed; the error log tells why, under the same `x-reqid`.", false),
        "Timeout": failure("The handler did not answer in time.", false),
        "Accepted": accepted(),
        "Busy": failure("The handler's queue is full: see the header `retry-after`.", true),
    })
}

fn failure(description: &str, says_why: bool) -> Value {
    let mut response = json!({ "description": description, "headers": header_refs() });
    if says_why {
        response["content"] = json!({ JSON: { "schema": error_ref() } });
    }
    response
}

fn error_ref() -> Value {
    json!({ "$ref": format!("#/components/schemas/{ERROR}") })
}

fn accepted() -> Value {
    let document = json!({
        "type": "object",
        "properties": { "stat": { "const": "OK" }, "msg_id": { "type": "string" } },
        "required": ["stat", "msg_id"],
    });
    let mut response = answer(
        "With the header `Prefer: respond-async`: the call is queued, and its answer is found under `msg_id`.",
        json!({ JSON: { "schema": document } }),
    );
    response["headers"]["location"] = header("Where the message is shown.", "string");
    response
}

/// The answers of one operation; `queued` is whether it can be called through a queue.
pub(super) fn of(one: &Described<'_>, has_body: bool, queued: bool, definitions: &Definitions) -> Value {
    let kind = one.handler.kind;
    let mut responses = Map::new();
    responses.insert("200".into(), success(one, definitions));
    let mut add = |status: &str, name: &str| {
        responses.insert(status.into(), json!({ "$ref": format!("#/components/responses/{name}") }));
    };
    if kind == Kind::Download {
        add("403", "FileForbidden");
        add("404", "FileNotFound");
        add("416", "RangeNotSatisfiable");
    } else if one.handler.options.ops {
        add("403", "Forbidden");
    }
    if !one.handler.options.methods.is_empty() {
        add("405", "MethodNotAllowed");
    }
    if has_body {
        add("413", "TooLarge");
    }
    if queued && !one.handler.streams() {
        add("202", "Accepted");
        add("503", "Busy");
    }
    if !kind.answers_stat() {
        add("400", "BadRequest");
        add("500", "ServerError");
        add("504", "Timeout");
    }
    more(kind, &mut responses);
    responses.sort_keys();
    responses.into()
}

/// What only some kinds answer.
fn more(kind: Kind, responses: &mut Map<String, Value>) {
    let mut any = |status: &str, description: &str| {
        responses.insert(status.into(), answer(description, json!({ "*/*": {} })));
    };
    match kind {
        Kind::Http => any("default", "Any other status that the handler chooses."),
        Kind::Download => {
            any("206", "The part of the file that `range` asked for.");
            responses.insert("304".into(), json!({ "description": "The caller's copy is still good." }));
        }
        Kind::Api | Kind::Upload => {}
    }
}

fn success(one: &Described<'_>, definitions: &Definitions) -> Value {
    let Some(value) = &one.reply else {
        return answer("What the handler sends.", json!({ "*/*": {} }));
    };
    let document = envelope::success(value, definitions);
    if !one.handler.kind.answers_stat() {
        return answer("The result beside `stat`.", json!({ JSON: { "schema": document } }));
    }
    let either = json!({ "anyOf": [document, error_ref()] });
    answer("The result beside `stat`, or the error that `stat` names.", json!({ JSON: { "schema": either } }))
}

fn answer(description: &str, content: Value) -> Value {
    json!({ "description": description, "headers": header_refs(), "content": content })
}
