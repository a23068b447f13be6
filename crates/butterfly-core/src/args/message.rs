//! A call's arguments as one JSON object: what a message carries of a call that came as query string, form or path.
//!
//! Text has no type of its own: `7` is a number to one parameter and text to another. Which form of JSON a parameter
//! takes is found by trying: the binding itself judges, so that there is one truth about types.

use serde_json::{Number, Value, value::RawValue};

use super::binder::{Binder, Raw};
use super::input::{Input, Payload};
use crate::handler::Handler;
use crate::{BadParams, Ctx, Fault, Result, bind};

impl Input<'_> {
    /// The arguments as the text of one JSON object, which binds as [`Payload::Args`] to the same values.
    ///
    /// Entries of a JSON body stay as they are. The call's log fields are noted as by the call itself.
    ///
    /// # Errors
    ///
    /// [`Fault::BadParams`] and [`Fault::BadBody`], as the call itself would fail; also for a handler that reads its
    /// body itself, and for a value that JSON cannot carry (a number that is none).
    pub fn to_json(&self, handler: &'static Handler, ctx: &Ctx) -> Result<String> {
        if handler.streams() {
            return Err(Fault::BadBody(
                "this handler reads the body itself, which no message carries".into(),
            )
            .into());
        }
        bind(handler, ctx, self.whole())?;
        // What is tried is not what the call was given, and does not belong into its log line.
        let scratch = Ctx::within(ctx.app().clone(), ctx.door());
        let mut entries: Vec<Entry> =
            Binder::new(&scratch, handler.params, self)?.into_raw().map(Entry::new).collect();
        loop {
            let args = object(&entries);
            let input = Input { payload: Payload::Args(args.as_bytes()), ..Input::default() };
            let Err(error) = bind(handler, &scratch, input) else { return Ok(args) };
            let Fault::BadParams(bad) = error.fault() else { return Err(error) };
            let refused = |entry: &&mut Entry| bad.iter().any(|(name, _)| name == entry.name);
            // Each round uses up a form, so that there is an end.
            if entries.iter_mut().filter(refused).filter_map(Entry::advance).count() == 0 {
                return Err(Fault::BadParams(uncarried(bad)).into());
            }
        }
    }

    /// The input but for a stream.
    fn whole(&self) -> Input<'_> {
        Input { query: self.query, payload: self.payload, captures: self.captures, stream: None }
    }
}

fn uncarried(bad: &BadParams) -> BadParams {
    let mut all = BadParams::default();
    bad.iter().for_each(|(name, why)| all.push(name, format!("cannot be carried by a message: {why}")));
    all
}

/// One argument: the form tried now, and those that are left.
struct Entry {
    name: &'static str,
    now: Form,
    left: std::vec::IntoIter<Form>,
}

/// The JSON text of an argument; `None` leaves it out.
type Form = Option<String>;

impl Entry {
    fn new((name, raw): (&'static str, Raw<'_>)) -> Self {
        let mut left = forms(&raw).into_iter();
        Self { name, now: left.next().flatten(), left }
    }

    fn advance(&mut self) -> Option<()> {
        self.now = self.left.next()?;
        Some(())
    }
}

/// The forms of JSON that can stand for what arrived, the likeliest first.
///
/// Text goes before all others: a type that takes text, among other things, took the text.
fn forms(raw: &Raw<'_>) -> Vec<Form> {
    match raw {
        Raw::Missing => vec![None],
        Raw::Json(value) => vec![Some(value.get().to_owned())],
        Raw::Document(document) => vec![String::from_utf8(document.to_vec()).ok()],
        Raw::Many(texts) => lists(texts),
        Raw::Text(text) => {
            let mut forms: Vec<Form> = FORMS.iter().filter_map(|form| form(text)).map(Some).collect();
            forms.extend(lists(&[text]));
            // A blank that the type cannot take counts as not given.
            forms.extend(text.is_empty().then_some(None));
            forms
        }
    }
}

/// A list, its elements all in the same form.
fn lists(texts: &[impl AsRef<str>]) -> Vec<Form> {
    let all = |form: &fn(&str) -> Option<String>| {
        let elements: Option<Vec<String>> = texts.iter().map(|text| form(text.as_ref())).collect();
        elements.map(|elements| Some(format!("[{}]", elements.join(","))))
    };
    FORMS.iter().filter_map(all).collect()
}

/// What one text can be in JSON.
const FORMS: [fn(&str) -> Option<String>; 5] = [quoted, literal, whole, word, letter];

fn quoted(text: &str) -> Option<String> {
    Some(Value::from(text).to_string())
}

/// Text that is JSON, or a number in one of the forms that only text allows: `+7`, `007`, `.5`. No text is `null`.
fn literal(text: &str) -> Option<String> {
    let text = text.trim();
    if text != "null" && serde_json::from_str::<&RawValue>(text).is_ok() {
        return Some(text.to_owned());
    }
    whole(text).or_else(|| Number::from_f64(text.parse().ok()?).map(|number| number.to_string()))
}

/// A whole number in its shortest form: `-0` is none in JSON.
fn whole(text: &str) -> Option<String> {
    let text = text.trim();
    let signed = text.parse::<i128>().map(|number| number.to_string());
    signed.or_else(|_| text.parse::<u128>().map(|number| number.to_string())).ok()
}

/// The words that text has for true and false.
fn word(text: &str) -> Option<String> {
    super::text::truth(text).map(|truth| truth.to_string())
}

/// Text reads a single character with blanks around it.
fn letter(text: &str) -> Option<String> {
    text.trim().parse::<char>().ok().and_then(|letter| quoted(letter.encode_utf8(&mut [0; 4])))
}

fn object(entries: &[Entry]) -> String {
    let mut out = String::from("{");
    for (name, form) in entries.iter().filter_map(|entry| Some((entry.name, entry.now.as_ref()?))) {
        if out.len() > 1 {
            out.push(',');
        }
        // A parameter's name is an identifier: nothing in it needs an escape.
        out.extend(["\"", name, "\":", form]);
    }
    out.push('}');
    out
}
