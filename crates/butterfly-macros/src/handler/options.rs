//! `#[handler(kind, option, …)]`.

use proc_macro2::TokenStream;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Meta, MetaList, Token};

use super::compact::compact;
use super::queue::{self, Queue};
use crate::errors::Errors;

const KINDS: [&str; 4] = ["api", "upload", "download", "http"];
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
const USAGE: &str = "known are the kinds upload, download, http, and path = \"/…\", methods(GET, …), \
                     timeout = \"5s\", cache = \"30s\", ops, trace = false, and for the queue retries, backoff, rate, \
                     concurrency, limit_by, key_rate, key_concurrency, batch(..)";

#[derive(Default)]
pub(crate) struct Options {
    pub(crate) kind: Option<Ident>,
    pub(crate) path: Option<LitStr>,
    pub(crate) methods: Vec<Ident>,
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) cache_ms: Option<u64>,
    pub(crate) ops: bool,
    /// Whether debug builds can trace the function line by line.
    pub(crate) traced: bool,
    /// What the queue keeps to.
    pub(crate) queue: Queue,
    cache_written: Option<Meta>,
    seen: Vec<String>,
}

impl Options {
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Self { traced: true, ..Self::default() };
        match Punctuated::<Meta, Token![,]>::parse_terminated.parse2(tokens) {
            Ok(items) => items.into_iter().for_each(|item| options.take(&item, errors)),
            Err(error) => errors.add(syn::Error::new(error.span(), format!("{error}; {USAGE}"))),
        }
        options.check_cache(errors);
        options
    }

    pub(crate) fn kind(&self) -> String {
        self.kind.as_ref().map_or_else(|| "api".into(), Ident::to_string)
    }

    /// What `cache` asks of the other options.
    fn check_cache(&self, errors: &mut Errors) {
        let Some(item) = &self.cache_written else { return };
        let kind = self.kind();
        if matches!(kind.as_str(), "upload" | "download") {
            let message = format!("the answers of `{kind}` are not kept: remove `cache`");
            errors.push(item, message);
        } else if !self.methods.is_empty() && !self.methods.iter().any(|name| name == "GET" || name == "HEAD")
        {
            errors.push(item, "`cache` is for GET and HEAD alone: add GET to `methods`, or remove `cache`");
        }
    }

    fn take(&mut self, item: &Meta, errors: &mut Errors) {
        let name = compact(item.path());
        if self.seen.contains(&name) {
            return errors.push(item, format!("`{name}` stands twice: remove one"));
        }
        self.seen.push(name.clone());
        if queue::NAMES.contains(&name.as_str()) {
            return self.queue.take(&name, item, errors);
        }
        match (name.as_str(), item) {
            (kind, Meta::Path(path)) if KINDS.contains(&kind) => match &self.kind {
                Some(first) => {
                    errors.push(path, format!("a handler has one kind: keep `{first}` or `{kind}`"));
                }
                None => self.kind = path.get_ident().cloned(),
            },
            ("ops", Meta::Path(_)) => self.ops = true,
            ("trace", Meta::NameValue(pair)) if compact(&pair.value) == "false" => self.traced = false,
            ("path", Meta::NameValue(pair)) => {
                self.path = text(&pair.value, "path", "\"/users/{id}\"", errors);
            }
            ("timeout", Meta::NameValue(pair)) => {
                let written = text(&pair.value, "timeout", "\"5s\"", errors);
                self.timeout_ms = written.and_then(|written| duration("timeout", &written, errors));
            }
            ("cache", Meta::NameValue(pair)) => {
                let written = text(&pair.value, "cache", "\"30s\"", errors);
                self.cache_ms = written.and_then(|written| duration("cache time", &written, errors));
                self.cache_written = Some(item.clone());
            }
            ("methods", Meta::List(list)) => self.take_methods(list, errors),
            ("ops" | "upload" | "download" | "http" | "api", _) => {
                errors.push(item, format!("`{name}` takes no value: write `{name}` alone"));
            }
            ("trace", _) => {
                errors
                    .push(item, "`trace` takes one value: trace = false leaves the function without a trace");
            }
            ("path", _) => errors.push(item, "`path` takes text: path = \"/users/{id}\""),
            ("timeout", _) => errors.push(item, "`timeout` takes text: timeout = \"5s\""),
            ("cache", _) => errors.push(item, "`cache` takes text: cache = \"30s\""),
            ("methods", _) => errors.push(item, "`methods` takes a list: methods(GET, POST)"),
            _ => errors.push(item, format!("unknown option `{name}`: {USAGE}")),
        }
    }

    fn take_methods(&mut self, list: &MetaList, errors: &mut Errors) {
        let Ok(names) = list.parse_args_with(Punctuated::<Ident, Token![,]>::parse_terminated) else {
            return errors.push(list, "`methods` takes names of methods: methods(GET, POST)");
        };
        if names.is_empty() {
            errors.push(list, "`methods` is empty: name the methods, or leave it out to take all");
        }
        for name in names {
            if !METHODS.contains(&name.to_string().as_str()) {
                errors.push(&name, format!("unknown method `{name}`: known are {}", METHODS.join(", ")));
            } else if self.methods.contains(&name) {
                errors.push(&name, format!("the method `{name}` stands twice: remove one"));
            }
            self.methods.push(name);
        }
    }
}

/// The text of a `name = "…"`.
pub(crate) fn text(value: &Expr, name: &str, example: &str, errors: &mut Errors) -> Option<LitStr> {
    if let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = value {
        return Some(text.clone());
    }
    errors.push(value, format!("`{name}` takes text: {name} = {example}"));
    None
}

/// The milliseconds of a `name = "5s"`.
pub(crate) fn duration(name: &str, written: &LitStr, errors: &mut Errors) -> Option<u64> {
    let millis = millis(&written.value());
    if millis.is_none() {
        let message = format!("a {name} is a number and a unit: \"500ms\", \"5s\", \"2m\", \"1h\"");
        errors.push(written, message);
    }
    millis
}

/// The milliseconds of `500ms`, `5s`, `2m` or `1h`.
fn millis(written: &str) -> Option<u64> {
    let digits = written.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match &written[digits.len()..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit).filter(|millis| *millis > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_a_number_and_a_unit() {
        assert_eq!(millis("500ms"), Some(500));
        assert_eq!(millis("5s"), Some(5_000));
        assert_eq!(millis("2m"), Some(120_000));
        assert_eq!(millis("1h"), Some(3_600_000));
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for written in
            ["", "5", "s", "5x", "5 s", "-5s", "0s", "1.5s", "5S", "5s ", "99999999999999999h", "5\u{a0}s"]
        {
            assert_eq!(millis(written), None, "{written}");
        }
    }
}
