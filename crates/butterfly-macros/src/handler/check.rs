//! `#[check(range(..), len(..), regex(".."), my_function)]`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Attribute, Expr, ExprCall, ExprLit, ExprPath, ExprRange, Ident, Index, Lit, LitStr, Path, Token, Type,
};

use super::bounds;
use super::compact::compact;
use super::params::Param;
use crate::errors::Errors;

const USAGE: &str = "known checks are range(1..=100), len(1..=20), regex(\"^[a-z]+$\"), and the name of a function \
                     `fn(&T) -> Result<(), String>`";

const RANGE: &str = "`range` takes one range of numbers, such as range(1..=100)";
const LEN: &str = "`len` takes one range of lengths, such as len(1..=20)";
const REGEX: &str = "`regex` takes one pattern as text, such as regex(\"^[a-z]+$\")";

pub(crate) enum Check {
    Range(ExprRange),
    Len(ExprRange),
    Regex(LitStr),
    Custom(Path),
}

pub(crate) fn parse(attribute: &Attribute, param: &mut Param, errors: &mut Errors) {
    let name = &param.name;
    match attribute.parse_args_with(Punctuated::<Expr, Token![,]>::parse_terminated) {
        Ok(list) if list.is_empty() => {
            errors.push(attribute, format!("`{name}`: an empty check; {USAGE}"));
        }
        Ok(list) => {
            for item in list {
                match one(&item, &param.ty) {
                    Ok(check) => param.checks.push(check),
                    Err(problem) => errors.push(&item, format!("`{name}`: {problem}")),
                }
            }
        }
        Err(_) => errors.push(attribute, format!("`{name}`: {USAGE}")),
    }
}

fn one(item: &Expr, ty: &Type) -> Result<Check, String> {
    match item {
        Expr::Path(ExprPath { path, .. }) => match path.get_ident().map(Ident::to_string).as_deref() {
            Some("range") => Err(RANGE.into()),
            Some("len") => Err(LEN.into()),
            Some("regex") => Err(REGEX.into()),
            _ => Ok(Check::Custom(path.clone())),
        },
        Expr::Call(call) => builtin(call, ty),
        _ => Err(format!("this is no check; {USAGE}")),
    }
}

fn builtin(call: &ExprCall, ty: &Type) -> Result<Check, String> {
    let name = compact(&call.func);
    let arg = if call.args.len() == 1 { call.args.first() } else { None };
    match (name.as_str(), arg) {
        ("range", Some(Expr::Range(range))) => {
            bounds::check_range(range, ty)?;
            Ok(Check::Range(range.clone()))
        }
        ("range", _) => Err(RANGE.into()),
        ("len", Some(Expr::Range(range))) => {
            bounds::check_len(range, ty)?;
            Ok(Check::Len(range.clone()))
        }
        ("len", _) => Err(LEN.into()),
        ("regex", Some(Expr::Lit(ExprLit { lit: Lit::Str(pattern), .. }))) => {
            bounds::check_text(ty)?;
            regex_lite::Regex::new(&pattern.value()).map_err(|error| format!("not a pattern: {error}"))?;
            Ok(Check::Regex(pattern.clone()))
        }
        ("regex", _) => Err(REGEX.into()),
        _ => Err(format!("unknown check `{name}`; {USAGE}")),
    }
}

impl Check {
    /// The statement that applies the check to the value bound so far.
    pub(crate) fn apply(&self, param: &Param, index: &Index) -> TokenStream {
        let local = param.local();
        let span = Span::mixed_site().located_at(self.span());
        let value = Ident::new("value", span);
        let test = self.test(&value);
        let test = if param.optional() {
            quote_spanned!(span => #value.as_ref().map_or(__Ok(()), |#value| #test))
        } else {
            test
        };
        quote_spanned!(span => let #local = binder.check(#index, #local, |#value| #test);)
    }

    fn test(&self, value: &Ident) -> TokenStream {
        let span = Span::mixed_site().located_at(self.span());
        match self {
            Check::Range(range) => {
                let written = compact(range);
                quote_spanned!(span => __bf::check::range(#value, #range, #written))
            }
            Check::Len(range) => {
                let written = compact(range);
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
                let side = |bound: &Expr| match bounds::number(bound) {
                    Some(value) => quote!(#value),
                    None => quote!((#bound) as f64),
                };
                let (low, high) = (option(&range.start, side), option(&range.end, side));
                let open = bounds::is_open(range);
                quote!(__bf::Check::Range(#low, #high, #open))
            }
            Check::Len(range) => {
                let low = option(&range.start, |bound| quote!(#bound));
                // An open upper bound of a length is one less, closed.
                let less = bounds::is_open(range).then(|| quote!(-1));
                let high = option(&range.end, |bound| quote!(#bound #less));
                quote!(__bf::Check::Len(#low, #high))
            }
            Check::Regex(pattern) => quote!(__bf::Check::Regex(#pattern)),
            Check::Custom(path) => {
                let name = compact(path);
                quote!(__bf::Check::Custom(#name))
            }
        }
    }
}

fn option(bound: &Option<Box<Expr>>, form: impl Fn(&Expr) -> TokenStream) -> TokenStream {
    match bound {
        Some(bound) => {
            let bound = form(bound);
            quote!(__Some(#bound))
        }
        None => quote!(__None),
    }
}
