//! The schema of one parameter: its type, what its checks ask, its default.

use schemars::SchemaGenerator;
use serde_json::{Map, Value};

use super::schemas::{Definitions, takes};
use crate::handler::{Check, Param};

pub(super) fn schema(param: &Param, generator: &mut SchemaGenerator) -> Value {
    let plain = (param.schema)(generator).to_value();
    let length = Length::of(&plain, generator.definitions());
    let mut schema = match plain {
        Value::Object(map) => map,
        // `true`: any value.
        _ => Map::new(),
    };
    for check in param.checks {
        put(&mut schema, check, &length);
    }
    if !param.doc.trim().is_empty() {
        schema.insert("description".into(), param.doc.trim().into());
    }
    if param.secret {
        schema.insert("format".into(), "password".into());
        schema.insert("writeOnly".into(), true.into());
    } else if let Some(default) = param.default.and_then(|value| value()) {
        schema.insert("default".into(), default);
    }
    schema.insert("x-type".into(), param.ty.into());
    schema.into()
}

fn put(schema: &mut Map<String, Value>, check: &Check, length: &Length) {
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            schema.insert(key.into(), value);
        }
    };
    match *check {
        Check::Range(low, high, open) => {
            set("minimum", low.map(number));
            set(if open { "exclusiveMaximum" } else { "maximum" }, high.map(number));
        }
        Check::Len(low, high) => length.put(low, high, set),
        Check::Regex(pattern) => set("pattern", Some(pattern.into())),
        Check::Custom(name) => match schema.entry("x-checks").or_insert_with(|| Value::Array(Vec::new())) {
            Value::Array(names) => names.push(name.into()),
            other => *other = name.into(),
        },
    }
}

/// Whole numbers without a point: `100`, not `100.0`.
fn number(value: f64) -> Value {
    const EXACT: f64 = (1_u64 << f64::MANTISSA_DIGITS) as f64;
    if value.fract() == 0.0 && value.abs() <= EXACT { (value as i64).into() } else { value.into() }
}

/// What a length counts: a schema says it by another keyword for each type.
struct Length {
    text: bool,
    list: bool,
    base64: bool,
}

impl Length {
    fn of(schema: &Value, definitions: &Definitions) -> Self {
        Self {
            text: takes(schema, "string", definitions),
            list: takes(schema, "array", definitions),
            base64: schema.get("contentEncoding").is_some_and(|encoding| encoding == "base64"),
        }
    }

    fn put(&self, low: Option<usize>, high: Option<usize>, mut set: impl FnMut(&str, Option<Value>)) {
        // Three bytes are four characters of base64, padding included.
        let letters = |bytes: usize| if self.base64 { bytes.div_ceil(3).saturating_mul(4) } else { bytes };
        if self.text {
            set("minLength", low.map(|low| letters(low).into()));
            set("maxLength", high.map(|high| letters(high).into()));
        }
        if self.list {
            set("minItems", low.map(Into::into));
            set("maxItems", high.map(Into::into));
        }
    }
}
