//! `#[data]`: serde both ways, a JSON schema, `Debug` and `Clone`, without a dependency in the user's manifest.
//!
//! The traits are derived whatever mistakes there are: where the type is used, nothing more is to be said.

use proc_macro2::TokenStream;
use quote::quote;
use syn::punctuated::Punctuated;
use syn::{Attribute, Data, DeriveInput, Error, Path, Token, parse2};

use crate::errors::Errors;

/// What `#[data]` derives: a name by which users know it, and its path.
fn derives() -> [(&'static str, TokenStream); 5] {
    [
        ("Debug", quote!(::core::fmt::Debug)),
        ("Clone", quote!(::core::clone::Clone)),
        ("Serialize", quote!(::butterfly::serde::Serialize)),
        ("Deserialize", quote!(::butterfly::serde::Deserialize)),
        ("JsonSchema", quote!(::butterfly::schemars::JsonSchema)),
    ]
}

pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    if !options.is_empty() {
        errors.push(options, "#[data] takes no options: use #[serde(..)] on the type or its fields");
    }
    let Some(parsed) = shape(&item) else {
        errors.add(Error::new(proc_macro2::Span::call_site(), "#[data] goes above a struct or an enum"));
        let errors = errors.or(TokenStream::new());
        return quote!(#item #errors);
    };
    let mut own = Vec::new();
    for path in parsed.attrs.iter().flat_map(derived) {
        let Some(name) = path.segments.last().map(|segment| segment.ident.to_string()) else { continue };
        if derives().iter().any(|(known, _)| *known == name) {
            errors.push(path, format!("#[data] derives `{name}` already: remove it here"));
            own.push(name);
        }
    }
    let derives =
        derives().into_iter().filter(|(name, _)| !own.iter().any(|own| own == name)).map(|(_, path)| path);
    let errors = errors.or(TokenStream::new());
    quote! {
        #[derive(#(#derives),*)]
        #[serde(crate = "::butterfly::serde")]
        #[schemars(crate = "::butterfly::schemars")]
        #item
        #errors
    }
}

/// The item, if it is one that can be data.
fn shape(item: &TokenStream) -> Option<DeriveInput> {
    parse2::<DeriveInput>(item.clone()).ok().filter(|item| !matches!(item.data, Data::Union(_)))
}

/// What the user's own `#[derive(..)]` names.
fn derived(attribute: &Attribute) -> Vec<Path> {
    if !attribute.path().is_ident("derive") {
        return Vec::new();
    }
    let paths = attribute.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated);
    paths.map(|paths| paths.into_iter().collect()).unwrap_or_default()
}
