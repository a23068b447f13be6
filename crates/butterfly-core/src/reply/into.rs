//! From a function's result to an answer.

use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use super::Reply;
use crate::{Error, Fault, Result, Stat};

/// What a handler may answer: any serde type with a schema, and the types of this module.
///
/// An object's fields stand beside `stat`; any other value stands under `data`.
#[diagnostic::on_unimplemented(
    message = "a handler cannot answer with `{Self}`",
    label = "this is no answer",
    note = "put `#[butterfly::data]` above a type of your own, or use Http, Redirect, Download, With<T>"
)]
pub trait IntoReply {
    /// The answer.
    ///
    /// # Errors
    ///
    /// When the value cannot be serialised.
    fn into_reply(self) -> Result<Reply>;

    /// The schema of the JSON beside `stat`; `None` where the answer is no JSON.
    fn schema(generator: &mut SchemaGenerator) -> Option<Schema>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + JsonSchema> IntoReply for T {
    fn into_reply(self) -> Result<Reply> {
        let document = envelope(&Stat::OK, &self)
            .map_err(|error| Fault::Server { reason: "Dump json exception", source: error.into() })?;
        Ok(Reply::json(Stat::OK, document))
    }

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<T>())
    }
}

impl IntoReply for Reply {
    fn into_reply(self) -> Result<Reply> {
        Ok(self)
    }

    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}

/// The JSON document of an answer: `{"stat":…}` and the value's own fields, or the value under `data`.
pub(crate) fn envelope(stat: &Stat, value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(128);
    out.extend_from_slice(b"{\"stat\":");
    serde_json::to_writer(&mut out, stat.as_str())?;
    let start = out.len();
    out.push(b',');
    serde_json::to_writer(&mut out, value)?;
    merge(&mut out, start);
    Ok(out)
}

/// Ends the document whose value begins after the comma at `start`.
fn merge(out: &mut Vec<u8>, start: usize) {
    match &out[start + 1..] {
        b"null" | b"{}" => {
            out.truncate(start);
            out.push(b'}');
        }
        [b'{', fields @ ..] => {
            if has_stat(fields) {
                return without_stat(out, start);
            }
            out.remove(start + 1);
        }
        _ => {
            out.splice(start + 1..start + 1, *b"\"data\":");
            out.push(b'}');
        }
    }
}

fn has_stat(fields: &[u8]) -> bool {
    memchr::memmem::find(fields, b"\"stat\":").is_some()
}

/// The value has (or seems to have) a `stat` of its own: the framework's replaces it.
fn without_stat(out: &mut Vec<u8>, start: usize) {
    if let Ok(mut value) =
        serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&out[start + 1..])
    {
        value.remove("stat");
        out.truncate(start + 1);
        // A map of values that came from JSON always serialises.
        let _ = serde_json::to_writer(&mut *out, &value);
        if value.is_empty() {
            out.truncate(start);
            out.push(b'}');
        } else {
            out.remove(start + 1);
        }
    }
}

/// A function's return type, for code that `#[handler]` writes: `Result<T, E>` and plain values take different ways.
#[derive(Debug)]
pub struct Ret<T>(PhantomData<fn() -> T>);

impl<T> Ret<T> {
    /// The marker of a type.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a marker, made by generated code alone")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// What the `Err` of a handler may hold.
#[diagnostic::on_unimplemented(
    message = "a handler cannot fail with `{Self}`",
    label = "this is no error that a caller could be told",
    note = "answer with `butterfly::Result<T>` and leave by `bail!` or `ensure!`, or put `#[derive(Stat)]` above an \
            enum of business errors, or use a type that implements std::error::Error"
)]
pub trait Failure {
    /// The error that doors know.
    #[must_use]
    fn into_error(self) -> Error;
}

#[diagnostic::do_not_recommend]
impl<E: Into<Error>> Failure for E {
    fn into_error(self) -> Error {
        self.into()
    }
}

/// The way of `Result<T, E>`.
///
/// It is found by the shape of the type alone, and what `T` and `E` lack is then said in words.
pub trait ViaResult {
    /// What stands under `Ok`.
    type Value;
    /// What stands under `Err`.
    type Error;
    /// The answer.
    ///
    /// # Errors
    ///
    /// The function's own error.
    fn convert(&self, value: std::result::Result<Self::Value, Self::Error>) -> Result<Reply>
    where
        Self::Value: IntoReply,
        Self::Error: Failure;
    /// The schema of the value.
    fn schema(&self, generator: &mut SchemaGenerator) -> Option<Schema>
    where
        Self::Value: IntoReply;
}

impl<T, E> ViaResult for &Ret<std::result::Result<T, E>> {
    type Value = T;
    type Error = E;

    fn convert(&self, value: std::result::Result<T, E>) -> Result<Reply>
    where
        T: IntoReply,
        E: Failure,
    {
        value.map_err(Failure::into_error)?.into_reply()
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Option<Schema>
    where
        T: IntoReply,
    {
        T::schema(generator)
    }
}

/// The way of a plain value.
pub trait ViaValue {
    /// What the function answers.
    type Value;
    /// The answer.
    ///
    /// # Errors
    ///
    /// When the value cannot be serialised.
    fn convert(&self, value: Self::Value) -> Result<Reply>
    where
        Self::Value: IntoReply;
    /// The schema of the value.
    fn schema(&self, generator: &mut SchemaGenerator) -> Option<Schema>
    where
        Self::Value: IntoReply;
}

impl<T> ViaValue for Ret<T> {
    type Value = T;

    fn convert(&self, value: T) -> Result<Reply>
    where
        T: IntoReply,
    {
        value.into_reply()
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Option<Schema>
    where
        T: IntoReply,
    {
        T::schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sent(value: serde_json::Value) -> String {
        String::from_utf8(envelope(&Stat::OK, &value).unwrap()).unwrap()
    }

    #[test]
    fn objects_spread_and_other_values_stand_under_data() {
        assert_eq!(sent(json!({"a": 1, "b": "x"})), r#"{"stat":"OK","a":1,"b":"x"}"#);
        assert_eq!(sent(json!([1, 2])), r#"{"stat":"OK","data":[1,2]}"#);
        assert_eq!(sent(json!("x")), r#"{"stat":"OK","data":"x"}"#);
        assert_eq!(sent(json!(null)), r#"{"stat":"OK"}"#);
        assert_eq!(sent(json!({})), r#"{"stat":"OK"}"#);
    }

    #[test]
    fn a_stat_of_the_values_own_is_replaced_and_inner_ones_stay() {
        assert_eq!(sent(json!({"stat": "MINE", "a": 1})), r#"{"stat":"OK","a":1}"#);
        assert_eq!(sent(json!({"stat": "MINE"})), r#"{"stat":"OK"}"#);
        assert_eq!(sent(json!({"in": {"stat": "x"}})), r#"{"stat":"OK","in":{"stat":"x"}}"#);
    }
}
