//! Small pieces that code written by `#[handler]` stands on.

use std::sync::OnceLock;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Body, Ctx, Result};

/// What a parameter's type must be able to do.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of a handler",
    label = "no caller could send this",
    note = "put `#[butterfly::data]` above a type of your own; types of other crates need serde's Deserialize and schemars' JsonSchema"
)]
pub trait Arg: DeserializeOwned + JsonSchema + Send {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + JsonSchema + Send> Arg for T {}

/// What can be read from a body that the handler reads itself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a request's body",
    note = "use `Body` or `Multipart`"
)]
pub trait FromBody: Sized {
    /// Takes over the body of a call.
    ///
    /// # Errors
    ///
    /// When the body is not of the form that this type reads.
    fn from_body(ctx: &Ctx, body: Body) -> Result<Self>;
}

impl FromBody for Body {
    fn from_body(_: &Ctx, body: Body) -> Result<Self> {
        Ok(body)
    }
}

/// A compiled pattern, made at its first use.
pub type Pattern = OnceLock<Option<regex_lite::Regex>>;

/// The schema of a parameter's type.
pub fn schema<T: Arg>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// A default value that may or may not be shown as JSON.
#[derive(Debug)]
pub struct Shown<'a, T>(pub &'a T);

/// The way of types that serde can write.
pub trait ShownAsJson {
    /// The value as JSON.
    fn json(&self) -> Option<Value>;
}

impl<T: Serialize> ShownAsJson for &Shown<'_, T> {
    fn json(&self) -> Option<Value> {
        serde_json::to_value(self.0).ok()
    }
}

/// The way of all other types.
pub trait ShownNot {
    /// Nothing.
    fn json(&self) -> Option<Value>;
}

impl<T> ShownNot for Shown<'_, T> {
    fn json(&self) -> Option<Value> {
        None
    }
}
