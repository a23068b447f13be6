//! One call's arguments on their way from text to types.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use smallvec::SmallVec;

use super::input::{Input, Payload};
use super::{json, query, text};
use crate::handler::{Param, Place};
use crate::{Arg, BadParams, Ctx, Error, Fault};

/// What arrived for one parameter, not yet parsed.
#[derive(Debug, Default)]
pub(super) enum Raw<'a> {
    #[default]
    Missing,
    Text(Cow<'a, str>),
    Many(Vec<Cow<'a, str>>),
    Json(&'a RawValue),
    Document(&'a [u8]),
}

/// Sorts what arrived by parameter, then hands it out typed. Generated code drives it; all problems are collected.
#[derive(Debug)]
pub struct Binder<'a> {
    params: &'static [Param],
    raw: SmallVec<[Raw<'a>; 6]>,
    bad: BadParams,
    /// What came under names that no parameter has, for the log.
    strays: Vec<(String, String)>,
}

impl<'a> Binder<'a> {
    /// Sorts the input by parameter, and notes it in the call's log fields.
    ///
    /// # Errors
    ///
    /// When the body cannot be read as arguments at all.
    pub fn new(ctx: &Ctx, params: &'static [Param], input: &Input<'a>) -> Result<Self, Error> {
        let mut binder = Self { params, raw: SmallVec::new(), bad: BadParams::default(), strays: Vec::new() };
        binder.raw.resize_with(params.len(), Raw::default);
        if let Some(text) = input.query {
            binder.form(text);
        }
        binder.payload(input.payload)?;
        for (name, value) in input.captures {
            binder.replace(name, Raw::Text(Cow::Borrowed(value)));
        }
        ctx.note_params(|line| binder.describe(line));
        Ok(binder)
    }

    fn payload(&mut self, payload: Payload<'a>) -> Result<(), Error> {
        let whole = self.params.iter().position(|param| param.place == Place::Body);
        match (payload, whole) {
            (Payload::None, _) => {}
            (Payload::Json(document), Some(index)) => self.raw[index] = Raw::Document(document),
            (Payload::Json(document), None) | (Payload::Args(document), _) => {
                json::entries(document, &mut |name, value| self.replace(&name, Raw::Json(value)))
                    .map_err(Fault::BadBody)?;
            }
            (Payload::Form(bytes), _) => self.overriding_form(bytes)?,
            (Payload::Pairs(pairs), _) => {
                self.override_with(
                    pairs.iter().map(|(name, value)| (name.as_str(), Cow::Borrowed(value.as_str()))),
                );
            }
        }
        Ok(())
    }

    /// The query string: unknown names are problems, repeated ones lists.
    fn form(&mut self, text: &'a str) {
        for (name, value) in query::pairs(text) {
            if let (Some(name), Some(value)) = (self.decoded(name, name), self.decoded(name, value)) {
                self.push(&name, value);
            }
        }
    }

    /// A form in the body: its names replace those of the query string.
    fn overriding_form(&mut self, bytes: &'a [u8]) -> Result<(), Error> {
        let text =
            std::str::from_utf8(bytes).map_err(|_| Fault::BadBody("the form is not valid UTF-8".into()))?;
        let mut pairs = Vec::new();
        for (name, value) in query::pairs(text) {
            if let (Some(name), Some(value)) = (self.decoded(name, name), self.decoded(name, value)) {
                pairs.push((name, value));
            }
        }
        self.override_with(pairs.iter().map(|(name, value)| (name.as_ref(), value.clone())));
        Ok(())
    }

    fn override_with<'n>(&mut self, pairs: impl Iterator<Item = (&'n str, Cow<'a, str>)> + Clone) {
        for (name, _) in pairs.clone() {
            if let Some(index) = self.index(name) {
                self.raw[index] = Raw::Missing;
            }
        }
        for (name, value) in pairs {
            self.push(name, value);
        }
    }

    fn decoded(&mut self, name: &str, text: &'a str) -> Option<Cow<'a, str>> {
        query::decode(text).map_err(|problem| self.bad.push(name, problem)).ok()
    }

    fn index(&self, name: &str) -> Option<usize> {
        self.params.iter().position(|param| param.name == name && param.visible())
    }

    fn known(&mut self, name: &str, value: &str) -> Option<usize> {
        let found = self.index(name);
        if found.is_none() && !self.bad.is_full() {
            self.bad.push(text::shown(name).trim_matches('"'), self.unknown());
            self.stray(name, value);
        }
        found
    }

    /// Keeps what came under an unknown name. It may be a secret under a misspelt name.
    #[cold]
    fn stray(&mut self, name: &str, value: &str) {
        const KEPT: usize = 64;
        let secret = self.params.iter().any(|param| param.secret);
        let cut = |text: &str| text[..text.floor_char_boundary(KEPT)].to_owned();
        self.strays.push((cut(name), if secret { "***".into() } else { cut(value) }));
    }

    fn unknown(&self) -> String {
        let names: Vec<&str> = self.params.iter().filter(|p| p.visible()).map(|p| p.name).collect();
        if names.is_empty() {
            "unknown: this handler takes no parameters".into()
        } else {
            format!("unknown, known are {}", names.join(", "))
        }
    }

    fn push(&mut self, name: &str, value: Cow<'a, str>) {
        let Some(index) = self.known(name, &value) else { return };
        let raw = &mut self.raw[index];
        *raw = match std::mem::take(raw) {
            Raw::Text(first) => Raw::Many(vec![first, value]),
            Raw::Many(mut all) => {
                all.push(value);
                Raw::Many(all)
            }
            _ => Raw::Text(value),
        };
    }

    fn replace(&mut self, name: &str, value: Raw<'a>) {
        let text = match &value {
            Raw::Text(text) => text,
            Raw::Json(json) => json.get(),
            _ => "",
        };
        if let Some(index) = self.known(name, text) {
            self.raw[index] = value;
        }
    }

    /// The typed value of a parameter that must be given. `None` means that a problem was noted.
    pub fn required<T: Arg>(&mut self, index: usize) -> Option<T> {
        match self.take(index) {
            Ok(Some(value)) => Some(value),
            Ok(None) => self.problem(index, "missing"),
            Err(problem) => self.problem(index, problem),
        }
    }

    /// The typed value of a parameter with a default.
    pub fn or_else<T: Arg>(&mut self, index: usize, default: impl FnOnce() -> T) -> Option<T> {
        match self.take(index) {
            Ok(value) => Some(value.unwrap_or_else(default)),
            Err(problem) => self.problem(index, problem),
        }
    }

    /// Applies a check to a value that was read; a value that does not fit becomes `None`.
    pub fn check<T>(
        &mut self,
        index: usize,
        value: Option<T>,
        check: impl FnOnce(&T) -> Result<(), String>,
    ) -> Option<T> {
        let value = value?;
        match check(&value) {
            Ok(()) => Some(value),
            Err(problem) => self.problem(index, problem),
        }
    }

    /// The error that names every problem.
    #[must_use]
    pub fn into_error(self) -> Error {
        Fault::BadParams(self.bad).into()
    }

    /// True when a problem was noted: also one of a name that no parameter has.
    #[must_use]
    pub fn failed(&self) -> bool {
        !self.bad.is_empty()
    }

    /// What arrived for each parameter that a caller can give.
    pub(super) fn into_raw(self) -> impl Iterator<Item = (&'static str, Raw<'a>)> {
        let all = self.params.iter().zip(self.raw).filter(|(param, _)| param.visible());
        all.map(|(param, raw)| (param.name, raw))
    }

    fn problem<T>(&mut self, index: usize, problem: impl Into<String>) -> Option<T> {
        let name = self.params[index].name;
        // The first problem of a name says the most: a value with a broken escape is not missing.
        if self.bad.iter().all(|(known, _)| known != name) {
            self.bad.push(name, problem);
        }
        None
    }

    fn take<T: DeserializeOwned>(&mut self, index: usize) -> Result<Option<T>, String> {
        match std::mem::take(&mut self.raw[index]) {
            Raw::Missing => Ok(None),
            // A blank that the type cannot take counts as not given; for text it is the empty text.
            Raw::Text(blank) if blank.is_empty() => Ok(text::from_text(&[blank]).ok()),
            Raw::Text(one) => text::from_text(&[one]).map(Some),
            Raw::Many(all) => text::from_text(&all).map(Some),
            Raw::Json(value) => json::parse(value.get()).map(Some),
            Raw::Document(bytes) => {
                let text = std::str::from_utf8(bytes).map_err(|_| "the body is not valid UTF-8")?;
                json::parse(text).map(Some)
            }
        }
    }

    /// The call's parameters as they stand in the access log; secrets are masked.
    fn describe(&self, mut note: impl FnMut(&str, &str)) {
        for (param, raw) in self.params.iter().zip(&self.raw) {
            let mut say = |value: &str| note(param.name, if param.secret { "***" } else { value });
            match raw {
                Raw::Missing => {}
                Raw::Text(one) => say(one),
                Raw::Many(all) => say(&all.join(",")),
                Raw::Json(value) => say(value.get().trim_matches('"')),
                Raw::Document(bytes) => say(&format!("<{} bytes>", bytes.len())),
            }
        }
        for (name, value) in &self.strays {
            note(name, value);
        }
    }
}
