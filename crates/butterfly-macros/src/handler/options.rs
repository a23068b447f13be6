//! `#[handler(kind, option, …)]`.

use proc_macro2::{Span, TokenStream};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Meta, Token};

use super::Errors;
use super::params::{Param, Source};
use super::types;

const KINDS: [&str; 4] = ["api", "upload", "download", "http"];
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
const USAGE: &str =
    "known are the kinds upload, download, http, and path = \"/…\", methods(GET, …), timeout = \"5s\", ops, trace = false";

#[derive(Default)]
pub(crate) struct Options {
    pub(crate) kind: Option<Ident>,
    pub(crate) path: Option<LitStr>,
    pub(crate) methods: Vec<Ident>,
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) ops: bool,
    /// Whether debug builds can trace the function line by line.
    pub(crate) traced: bool,
    seen: Vec<String>,
}

impl Options {
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Self { traced: true, ..Self::default() };
        match Punctuated::<Meta, Token![,]>::parse_terminated.parse2(tokens) {
            Ok(items) => items.into_iter().for_each(|item| options.take(&item, errors)),
            Err(error) => errors.add(syn::Error::new(error.span(), format!("{error}; {USAGE}"))),
        }
        options
    }

    pub(crate) fn kind(&self) -> String {
        self.kind.as_ref().map_or_else(|| "api".into(), Ident::to_string)
    }

    fn take(&mut self, item: &Meta, errors: &mut Errors) {
        let name = item.path().get_ident().map(Ident::to_string).unwrap_or_default();
        if self.seen.contains(&name) {
            return errors.push(item, format!("`{name}` stands twice: remove one"));
        }
        self.seen.push(name.clone());
        match (name.as_str(), item) {
            (kind, Meta::Path(path)) if KINDS.contains(&kind) => match &self.kind {
                Some(first) => errors.push(path, format!("a handler has one kind: `{first}` or `{kind}`")),
                None => self.kind = path.get_ident().cloned(),
            },
            ("ops", Meta::Path(_)) => self.ops = true,
            ("trace", Meta::NameValue(pair)) if types::compact(&pair.value) == "false" => self.traced = false,
            ("path", Meta::NameValue(pair)) => {
                self.path = text(&pair.value, "path", "\"/users/{id}\"", errors)
            }
            ("timeout", Meta::NameValue(pair)) => {
                if let Some(written) = text(&pair.value, "timeout", "\"5s\"", errors) {
                    self.timeout_ms = millis(&written, errors);
                }
            }
            ("methods", Meta::List(list)) => {
                match list.parse_args_with(Punctuated::<Ident, Token![,]>::parse_terminated) {
                    Ok(names) => self.methods = names.into_iter().collect(),
                    Err(error) => errors.add(error),
                }
                self.check_methods(errors);
            }
            ("ops" | "upload" | "download" | "http" | "api", _) => {
                errors.push(item, format!("`{name}` takes no value"))
            }
            ("trace", _) => errors.push(item, "`trace` takes one value: trace = false leaves the function without a trace"),
            ("path" | "timeout", _) => errors.push(item, format!("`{name}` takes a value: {name} = \"…\"")),
            ("methods", _) => errors.push(item, "`methods` takes a list: methods(GET, POST)"),
            _ => errors.push(item, format!("unknown option `{name}`: {USAGE}")),
        }
    }

    fn check_methods(&self, errors: &mut Errors) {
        for method in self.methods.iter().filter(|method| !METHODS.contains(&method.to_string().as_str())) {
            errors.push(method, format!("unknown method `{method}`: known are {}", METHODS.join(", ")));
        }
    }

    /// The path's form, and that its `{name}` segments and the parameters fit each other.
    pub(crate) fn check_path(&self, params: &[Param], errors: &mut Errors) {
        let Some(path) = &self.path else { return };
        let value = path.value();
        if !value.starts_with('/') || (value.len() > 1 && value.ends_with('/')) {
            errors.push(path, "a path begins with `/` and does not end with one");
        }
        let plain: String = value.split('/').filter(|part| !part.starts_with('{')).collect();
        if !plain.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._~".contains(&b)) {
            errors.push(path, "a path is made of a-z, 0-9, `-`, `.`, `_`, `~`, `/` and `{name}` segments");
        }
        for name in segments(&value) {
            if !params
                .iter()
                .any(|param| param.name == name && matches!(param.source, Source::Named | Source::Path))
            {
                errors.push(
                    path,
                    format!("the path has `{{{name}}}`, but no parameter `{name}`: add one to the function"),
                );
            }
        }
    }
}

/// The names of the `{name}` segments of a path.
pub(crate) fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| name.trim_start_matches('*'))
}

fn text(value: &Expr, name: &str, example: &str, errors: &mut Errors) -> Option<LitStr> {
    if let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = value {
        return Some(text.clone());
    }
    errors.push(value, format!("`{name}` takes text: {name} = {example}"));
    None
}

fn millis(written: &LitStr, errors: &mut Errors) -> Option<u64> {
    let value = written.value();
    let digits = value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &value[digits.len()..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => 0,
    };
    let millis =
        digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).filter(|millis| *millis > 0);
    if millis.is_none() {
        errors.add(syn::Error::new(
            written.span(),
            "a timeout is a number and a unit: \"500ms\", \"5s\", \"2m\", \"1h\"",
        ));
    }
    millis
}

/// Where errors about the attribute as a whole point.
pub(crate) fn call_site() -> Span {
    Span::call_site()
}
