//! `#[check(range(..), len(..), regex(".."), my_function)]`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Attribute, Expr, ExprCall, ExprLit, ExprPath, ExprRange, Ident, Lit, LitStr, Path, RangeLimits, Token,
};

use super::Errors;
use super::params::Param;
use super::types;

const USAGE: &str = "known checks are range(1..=100), len(1..=20), regex(\"^[a-z]+$\"), and the name of a function \
                     `fn(&T) -> Result<(), String>`";

pub(crate) enum Check {
    Range(ExprRange),
    Len(ExprRange),
    Regex(LitStr),
    Custom(Path),
}

pub(crate) fn parse(attribute: &Attribute, param: &mut Param, errors: &mut Errors) {
    match attribute.parse_args_with(Punctuated::<Expr, Token![,]>::parse_terminated) {
        Ok(list) if list.is_empty() => {
            errors.push(attribute, format!("`{}`: an empty check; {USAGE}", param.name))
        }
        Ok(list) => list.into_iter().for_each(|item| match one(&item) {
            Ok(check) => param.checks.push(check),
            Err(problem) => errors.push(&item, format!("`{}`: {problem}", param.name)),
        }),
        Err(error) => {
            errors.add(syn::Error::new(error.span(), format!("`{}`: {error}; {USAGE}", param.name)))
        }
    }
}

fn one(item: &Expr) -> Result<Check, String> {
    match item {
        Expr::Path(ExprPath { path, .. }) => Ok(Check::Custom(path.clone())),
        Expr::Call(call) => builtin(call),
        _ => Err(format!("this is no check; {USAGE}")),
    }
}

fn builtin(call: &ExprCall) -> Result<Check, String> {
    let name = call.func.to_token_stream().to_string();
    let mut args = call.args.iter();
    let (Some(arg), None) = (args.next(), args.next()) else {
        return Err(format!("`{name}` takes one argument; {USAGE}"));
    };
    match (name.as_str(), arg) {
        ("range", Expr::Range(range)) => Ok(Check::Range(range.clone())),
        ("len", Expr::Range(range)) => Ok(Check::Len(range.clone())),
        ("range" | "len", _) => Err(format!("`{name}` takes a range, such as {name}(1..=100)")),
        ("regex", Expr::Lit(ExprLit { lit: Lit::Str(pattern), .. })) => {
            let tried = regex_lite::Regex::new(&pattern.value());
            tried.map(|_| Check::Regex(pattern.clone())).map_err(|error| format!("not a pattern: {error}"))
        }
        ("regex", _) => Err("`regex` takes a pattern, such as regex(\"^[a-z]+$\")".into()),
        _ => Err(format!("unknown check `{name}`; {USAGE}")),
    }
}

impl Check {
    /// The statement that applies the check to the value bound so far.
    pub(crate) fn apply(&self, param: &Param, index: usize) -> TokenStream {
        let (local, ty) = (param.local(), &param.ty);
        let span = Span::mixed_site().located_at(self.span());
        let value = Ident::new("value", span);
        let test = self.test(&value);
        let test = if param.optional() {
            quote_spanned!(span => #value.as_ref().map_or(::core::result::Result::Ok(()), |#value| #test))
        } else {
            test
        };
        quote_spanned!(span => let #local = binder.check(#index, #local, |#value: &#ty| #test);)
    }

    fn test(&self, value: &Ident) -> TokenStream {
        let span = Span::mixed_site().located_at(self.span());
        match self {
            Check::Range(range) => {
                let written = types::compact(range);
                quote_spanned!(span => __bf::check::range(#value, #range, #written))
            }
            Check::Len(range) => {
                let written = types::compact(range);
                quote_spanned!(span => __bf::check::len(#value, #range, #written))
            }
            Check::Regex(pattern) => quote_spanned!(span => {
                static PATTERN: __bf::Pattern = __bf::Pattern::new();
                __bf::check::regex(#value, #pattern, &PATTERN)
            }),
            Check::Custom(path) => quote_spanned!(span => #path(#value)),
        }
    }

    fn span(&self) -> Span {
        match self {
            Check::Range(range) | Check::Len(range) => range.span(),
            Check::Regex(pattern) => pattern.span(),
            Check::Custom(path) => path.span(),
        }
    }

    /// The check as the description shows it.
    pub(crate) fn describe(&self) -> TokenStream {
        match self {
            Check::Range(range) => {
                let (low, high, open) = bounds(range, |bound| quote!((#bound) as f64));
                quote!(__bf::Check::Range(#low, #high, #open))
            }
            Check::Len(range) => {
                let (low, high, open) = bounds(range, |bound| quote!(#bound));
                // An open upper bound of a length is one less, closed.
                let high = if open {
                    quote!(match #high { Some(high) => Some(high - 1), None => None })
                } else {
                    high
                };
                quote!(__bf::Check::Len(#low, #high))
            }
            Check::Regex(pattern) => quote!(__bf::Check::Regex(#pattern)),
            Check::Custom(path) => {
                let name = types::compact(path);
                quote!(__bf::Check::Custom(#name))
            }
        }
    }
}

fn bounds(range: &ExprRange, form: impl Fn(&Expr) -> TokenStream) -> (TokenStream, TokenStream, bool) {
    let side = |bound: &Option<Box<Expr>>| match bound {
        Some(bound) => {
            let bound = form(bound);
            quote!(::core::option::Option::Some(#bound))
        }
        None => quote!(::core::option::Option::None),
    };
    (
        side(&range.start),
        side(&range.end),
        matches!(range.limits, RangeLimits::HalfOpen(_)) && range.end.is_some(),
    )
}
