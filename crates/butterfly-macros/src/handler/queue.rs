//! The options of `#[handler(..)]` that the queue keeps to: `retries`, `backoff`, `rate`, `concurrency`, `limit_by`,
//! `key_rate`, `key_concurrency`, `batch(..)`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::ParseStream;
use syn::{Expr, ExprLit, Ident, Lit, LitInt, LitStr, Meta, MetaList, Token};

use super::options::{duration, text};
use super::params::{Param, Source};
use super::types;
use crate::errors::Errors;

/// The names, for [`Options`](super::options::Options) to know which items are the queue's.
pub(crate) const NAMES: [&str; 8] =
    ["retries", "backoff", "rate", "concurrency", "limit_by", "key_rate", "key_concurrency", "batch"];

const BATCH: &str = "`batch` takes the name of a list parameter, a number of messages and a time: \
                     batch(\"items\", max = 100, wait = \"50ms\")";
const RATE: &str = "a rate is a count and a time of at most 24h: \"30/s\", \"100/m\", \"5/10s\"";
const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

/// What was written, with the places that later mistakes are told at.
#[derive(Default)]
pub(crate) struct Queue {
    retries: Option<u32>,
    backoff_ms: Option<u64>,
    rate: Option<Rate>,
    concurrency: Option<u32>,
    limit_by: Option<LitStr>,
    key_rate: Option<Rate>,
    key_concurrency: Option<u32>,
    batch: Option<Batch>,
    /// The items as written, of this door's options alone.
    written: Vec<(String, Meta)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Rate {
    count: u32,
    per_ms: u64,
}

struct Batch {
    param: LitStr,
    max: u32,
    wait_ms: u64,
}

impl Queue {
    /// Takes one item whose name is one of [`NAMES`].
    pub(crate) fn take(&mut self, name: &str, item: &Meta, errors: &mut Errors) {
        self.written.push((name.to_owned(), item.clone()));
        match (name, item) {
            ("batch", Meta::List(list)) => self.batch = batch(list, errors),
            ("batch", _) => errors.push(item, BATCH),
            (_, Meta::NameValue(pair)) => self.take_value(name, &pair.value, errors),
            _ => errors.push(item, format!("`{name}` takes a value: {name} = {}", example(name))),
        }
    }

    fn take_value(&mut self, name: &str, value: &Expr, errors: &mut Errors) {
        match name {
            "retries" => self.retries = number(name, value, 0, errors),
            "concurrency" => self.concurrency = number(name, value, 1, errors),
            "key_concurrency" => self.key_concurrency = number(name, value, 1, errors),
            "rate" => self.rate = rate(name, value, errors),
            "key_rate" => self.key_rate = rate(name, value, errors),
            "backoff" => self.backoff_ms = backoff(value, errors),
            _ => self.limit_by = text(value, name, example(name), errors),
        }
    }

    /// What must hold between these options and the parameters.
    pub(crate) fn check(&self, params: &[Param], errors: &mut Errors) {
        if let Some(body) = params.iter().find(|param| param.source == Source::Stream)
            && let Some((name, item)) = self.written.first()
        {
            let body = &body.name;
            errors.push(
                item,
                format!("`{body}` reads the body itself, and no message carries a body: remove `{name}`"),
            );
        }
        self.check_keys(params, errors);
        self.check_batch(params, errors);
    }

    fn check_keys(&self, params: &[Param], errors: &mut Errors) {
        let Some(limit_by) = &self.limit_by else {
            for (name, item) in self.written.iter().filter(|(name, _)| name.starts_with("key_")) {
                let advice = "say whose by the name of a parameter: limit_by = \"account_id\"";
                errors.push(item, format!("`{name}` holds for each key, but there is none: {advice}"));
            }
            return;
        };
        let name = limit_by.value();
        if named(params, &name).is_none() {
            errors.push(limit_by, format!("no parameter is called `{name}`{}", known(params)));
        } else if self.batch.as_ref().is_some_and(|batch| batch.param.value() == name) {
            errors.push(limit_by, format!("`{name}` is the list of the batch: limit by another parameter"));
        }
    }

    fn check_batch(&self, params: &[Param], errors: &mut Errors) {
        let Some(Batch { param, .. }) = &self.batch else { return };
        let name = param.value();
        match named(params, &name) {
            None => errors.push(param, format!("no parameter is called `{name}`{}", known(params))),
            Some(list) if types::last_segment(&list.ty).as_deref() != Some("Vec") => {
                errors.push(&list.ty, format!("`{name}` takes the elements of a batch: make it a `Vec<..>`"));
            }
            Some(_) => {}
        }
    }
}

/// A parameter whose value stands under its name in a message.
fn named<'p>(params: &'p [Param], name: &str) -> Option<&'p Param> {
    params.iter().find(|param| param.name == name && matches!(param.source, Source::Named | Source::Path))
}

fn known(params: &[Param]) -> String {
    let names: Vec<&str> = params
        .iter()
        .filter(|param| matches!(param.source, Source::Named | Source::Path))
        .map(|param| param.name.as_str())
        .collect();
    if names.is_empty() {
        ": callers give none by name".into()
    } else {
        format!(": known are {}", names.join(", "))
    }
}

fn example(name: &str) -> &'static str {
    match name {
        "retries" => "3",
        "concurrency" => "4",
        "key_concurrency" => "1",
        "rate" => "\"30/s\"",
        "key_rate" => "\"5/s\"",
        "backoff" => "\"1s\"",
        _ => "\"account_id\"",
    }
}

fn number(name: &str, value: &Expr, least: u32, errors: &mut Errors) -> Option<u32> {
    let written = match value {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse::<u32>().ok(),
        _ => None,
    };
    let number = written.filter(|number| *number >= least);
    if number.is_none() {
        let example = example(name);
        errors.push(value, format!("`{name}` takes a whole number from {least} on: {name} = {example}"));
    }
    number
}

fn rate(name: &str, value: &Expr, errors: &mut Errors) -> Option<Rate> {
    let written = text(value, name, example(name), errors)?;
    let rate = parse_rate(&written.value());
    if rate.is_none() {
        errors.push(written, RATE);
    }
    rate
}

fn backoff(value: &Expr, errors: &mut Errors) -> Option<u64> {
    let written = text(value, "backoff", example("backoff"), errors)?;
    let millis = duration("backoff", &written, errors)?;
    if millis > HOUR_MS {
        errors.push(&written, "no pause is longer than 1h: write a shorter first one");
        return None;
    }
    Some(millis)
}

/// `30/s`, `100/m`, `5/10s`: the forms that the queue itself reads.
fn parse_rate(text: &str) -> Option<Rate> {
    let (count, time) = text.split_once('/')?;
    let count = count.trim().parse().ok().filter(|count| *count > 0)?;
    let time = time.trim();
    let unit = time.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let number: u64 = match &time[..time.len() - unit.len()] {
        "" => 1,
        digits => digits.parse().ok()?,
    };
    let unit = match unit {
        "h" => HOUR_MS,
        "m" => 60_000,
        "s" => 1_000,
        "ms" => 1,
        _ => return None,
    };
    let per_ms = number.checked_mul(unit).filter(|ms| (1..=DAY_MS).contains(ms))?;
    Some(Rate { count, per_ms })
}

fn batch(list: &MetaList, errors: &mut Errors) -> Option<Batch> {
    let Ok((param, max, wait)) = list.parse_args_with(batch_items) else {
        errors.push(list, BATCH);
        return None;
    };
    let wait_ms = duration("wait", &wait, errors);
    let number = max.base10_parse::<u32>().ok().filter(|max| *max > 0);
    if number.is_none() {
        errors.push(&max, "`max` takes a whole number from 1 on: max = 100");
    }
    Some(Batch { param, max: number?, wait_ms: wait_ms? })
}

/// `"items", max = 100, wait = "50ms"`.
fn batch_items(input: ParseStream<'_>) -> syn::Result<(LitStr, LitInt, LitStr)> {
    let word = |expected: &str| {
        input.parse::<Token![,]>()?;
        let found = input.parse::<Ident>()?;
        input.parse::<Token![=]>()?;
        if found == expected { Ok(()) } else { Err(syn::Error::new(found.span(), expected)) }
    };
    let param = input.parse()?;
    word("max")?;
    let max = input.parse()?;
    word("wait")?;
    let wait = input.parse()?;
    input.parse::<Option<Token![,]>>()?;
    Ok((param, max, wait))
}

impl ToTokens for Queue {
    /// The value of `QueueOptions`: only what was said, so that generated code stays short.
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let duration = |ms: &u64| quote!(::core::time::Duration::from_millis(#ms));
        let rate = |Rate { count, per_ms }: &Rate| quote!((#count, #per_ms));
        let mut said = Vec::new();
        let mut say = |name: &str, value: Option<TokenStream>| {
            let name = Ident::new(name, Span::mixed_site());
            said.extend(value.map(|value| quote_spanned!(Span::mixed_site() => #name: __Some(#value),)));
        };
        say("retries", self.retries.map(ToTokens::into_token_stream));
        say("backoff", self.backoff_ms.as_ref().map(duration));
        say("rate", self.rate.as_ref().map(rate));
        say("concurrency", self.concurrency.map(ToTokens::into_token_stream));
        say("limit_by", self.limit_by.as_ref().map(ToTokens::to_token_stream));
        say("key_rate", self.key_rate.as_ref().map(rate));
        say("key_concurrency", self.key_concurrency.map(ToTokens::into_token_stream));
        say(
            "batch",
            self.batch.as_ref().map(|Batch { param, max, wait_ms }| {
                let wait = duration(wait_ms);
                quote!(__bf::Batch { param: #param, max: #max, wait: #wait })
            }),
        );
        tokens.extend(if said.is_empty() {
            quote!(__bf::QueueOptions::NONE)
        } else {
            quote!(__bf::QueueOptions { #(#said)* ..__bf::QueueOptions::NONE })
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_count_and_a_time() {
        for (written, count, per_ms) in [
            ("30/s", 30, 1000),
            ("100/m", 100, 60_000),
            ("5/10s", 5, 10_000),
            ("1/250ms", 1, 250),
            ("7/h", 7, HOUR_MS),
            (" 60 / 1m ", 60, 60_000),
            ("1/24h", 1, DAY_MS),
        ] {
            assert_eq!(parse_rate(written), Some(Rate { count, per_ms }), "{written}");
        }
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for written in [
            "",
            "30",
            "0/s",
            "-1/s",
            "30/",
            "30/x",
            "30/0s",
            "1/2d",
            "1/25h",
            "1.5/s",
            "1/99999999999999999999h",
        ] {
            assert_eq!(parse_rate(written), None, "{written}");
        }
    }
}
