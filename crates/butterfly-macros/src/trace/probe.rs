//! The code of the probes.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Ident, ReturnType, Stmt, Token, Type};

use super::pattern::Binding;
use super::{ours, shape};

/// Writes the probes of one function.
pub(super) struct Probes {
    /// The function's type, when a value of it can be shown.
    result: Option<Type>,
}

impl Probes {
    pub(super) fn new(output: &ReturnType) -> Self {
        let result = match output {
            ReturnType::Type(_, ty) if shape::is_plain_result(ty) => Some((**ty).clone()),
            _ => None,
        };
        Self { result }
    }

    /// The variable that stands for the call as long as it lasts.
    pub(super) fn enter(&self, name: &Ident) -> Vec<Stmt> {
        let (frame, shown) = (frame(), name.unraw().to_string());
        let (file, line) = (file_of(name.span()), line_of(name.span()));
        vec![debug_only(quote_spanned! {ours(name.span())=>
            let #frame = ::butterfly::__private::trace::enter(
                #shown, #file, #line, ::core::option_env!("CARGO_MANIFEST_DIR"),
            );
        })]
    }

    pub(super) fn given(&self, ident: &Ident) -> Stmt {
        borrowing("given", ident, &ident.unraw().to_string(), ident.span())
    }

    pub(super) fn call(&self, at: Span) -> Stmt {
        let frame = frame();
        debug_only(quote_spanned!(ours(at)=> ::butterfly::__private::trace::call(&#frame);))
    }

    pub(super) fn line(&self, at: Span) -> Stmt {
        let (frame, line) = (frame(), line_of(at));
        debug_only(quote_spanned!(ours(at)=> ::butterfly::__private::trace::line(&#frame, #line);))
    }

    /// Shows a variable by borrowing it.
    pub(super) fn see(&self, ident: &Ident) -> Stmt {
        borrowing("see", ident, &ident.unraw().to_string(), ident.span())
    }

    /// Shows a variable or a field by borrowing it.
    pub(super) fn see_place(&self, place: &Expr, name: &str) -> Stmt {
        borrowing("see", place, name, place.span())
    }

    /// Shows a `mut` variable that was just assigned to by moving it out and back.
    pub(super) fn swap(&self, ident: &Ident) -> Stmt {
        let passed = passed(ident);
        debug_only(quote_spanned!(ours(ident.span())=> { #ident = #passed; }))
    }

    /// Shows a new variable by moving it into one of the same name.
    pub(super) fn rebind(&self, binding: &Binding, attrs: &[Attribute]) -> Vec<Stmt> {
        let Binding { ident, mutable, .. } = binding;
        let (span, passed) = (ours(ident.span()), passed(ident));
        let levels = attrs.iter().filter(|attr| shape::is_lint_level(attr));
        let levels = quote_spanned!(span=> #(#levels)* #[allow(clippy::shadow_reuse)]);
        if !mutable {
            return vec![debug_only(quote_spanned!(span=> #levels let #ident = #passed;))];
        }
        // The first `mut` would now be unused, so it is used on a way that is never taken and leads nowhere:
        // hence the borrow counts for nothing.
        let used = quote_spanned! {span=>
            if ::butterfly::__private::trace::never() {
                ::butterfly::__private::trace::touch(&mut #ident);
            }
        };
        vec![debug_only(used), debug_only(quote_spanned!(span=> #levels let mut #ident = #passed;))]
    }

    /// The end of a function, by a tail expression or a `return`: twice, with and without a look at the value.
    pub(super) fn leave(&self, expr: Expr, semi: Option<Token![;]>) -> Vec<Stmt> {
        let value = match &expr {
            Expr::Return(leave) => leave.expr.as_deref().filter(|_| leave.attrs.is_empty()),
            other => Some(other),
        };
        match (&self.result, value) {
            (Some(result), Some(value)) if shape::is_showable(value) => self.shown(result, value, &expr),
            _ => vec![Stmt::Expr(expr, semi)],
        }
    }

    fn shown(&self, result: &Type, value: &Expr, plain: &Expr) -> Vec<Stmt> {
        let span = ours(value.span());
        let (frame, kept) = (frame(), Ident::new("__butterfly_result", Span::mixed_site()));
        let give = if matches!(plain, Expr::Return(_)) {
            quote_spanned!(span=> return #kept;)
        } else {
            quote!(#kept)
        };
        let traced = quote_spanned! {span=>
            {
                let #kept: #result = #value;
                ::butterfly::__private::trace::returned(&#frame, &#kept, 0);
                #give
            }
        };
        let silent = quote_spanned!(span=> #[cfg(not(debug_assertions))] { #plain });
        vec![debug_only(traced), verbatim(silent)]
    }
}

/// The call's variable. Being of this macro's own making, its name cannot meet one of the user's.
fn frame() -> Ident {
    Ident::new("__butterfly_frame", Span::mixed_site())
}

/// Where a span lies. `line!()` in its place would make a number that pretends to be the user's own token there, for
/// lints that compare the two; besides, it would have to be expanded once per line. Outside the compiler, in unit
/// tests, spans lie nowhere.
fn line_of(at: Span) -> u32 {
    let line = if proc_macro::is_available() { at.unwrap().line() } else { 0 };
    u32::try_from(line).unwrap_or_default()
}

fn file_of(at: Span) -> String {
    if proc_macro::is_available() { at.unwrap().file() } else { String::new() }
}

fn borrowing(probe: &str, place: &impl ToTokens, name: &str, at: Span) -> Stmt {
    let (frame, probe) = (frame(), Ident::new(probe, Span::mixed_site()));
    debug_only(quote_spanned!(ours(at)=> ::butterfly::__private::trace::#probe(&#frame, #name, &#place, 0);))
}

fn passed(ident: &Ident) -> TokenStream {
    let (frame, name) = (frame(), ident.unraw().to_string());
    quote_spanned!(ours(ident.span())=> ::butterfly::__private::trace::pass(&#frame, #name, #ident, 0))
}

fn debug_only(code: TokenStream) -> Stmt {
    verbatim(quote!(#[cfg(debug_assertions)] #code))
}

fn verbatim(code: TokenStream) -> Stmt {
    Stmt::Expr(Expr::Verbatim(code), None)
}
