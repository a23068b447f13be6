//! `#[derive(Stat)]`: an enum whose variants are business errors.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, LitStr, Variant, parse2};

pub(crate) fn expand(item: TokenStream) -> TokenStream {
    derive(item).unwrap_or_else(Error::into_compile_error)
}

fn derive(item: TokenStream) -> syn::Result<TokenStream> {
    let item: DeriveInput = parse2(item)?;
    let Data::Enum(body) = &item.data else {
        return Err(Error::new_spanned(
            &item.ident,
            "#[derive(Stat)] is for enums: one variant for each business error",
        ));
    };
    let name = &item.ident;
    let mut errors = None;
    let mut arms = Vec::new();
    for variant in &body.variants {
        match arm(variant) {
            Ok(arm) => arms.push(arm),
            Err(error) => combine(&mut errors, error),
        }
    }
    if let Some(error) = errors {
        return Err(error);
    }
    Ok(quote! {
        impl ::butterfly::IntoError for #name {
            fn into_error(self) -> ::butterfly::Error {
                match self { #(Self::#arms,)* }
            }
        }
        impl ::core::convert::From<#name> for ::butterfly::Error {
            fn from(error: #name) -> Self {
                ::butterfly::IntoError::into_error(error)
            }
        }
    })
}

fn arm(variant: &Variant) -> syn::Result<TokenStream> {
    let name = &variant.ident;
    let stat = stat_of(variant)?;
    match &variant.fields {
        Fields::Unit => Ok(quote!(#name => ::butterfly::Error::business(#stat))),
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => Ok(quote! {
            #name(reason) => ::butterfly::Error::business_because(#stat, ::std::string::ToString::to_string(&reason))
        }),
        _ => Err(Error::new_spanned(
            variant,
            format!("`{name}` may hold nothing, or one value that says why: `{name}(String)`"),
        )),
    }
}

/// The status of a variant: `#[stat("ERR_X")]`, else `NotFound` is `ERR_NOT_FOUND`.
fn stat_of(variant: &Variant) -> syn::Result<String> {
    let attribute = variant.attrs.iter().find(|attribute| attribute.path().is_ident("stat"));
    if let Some(attribute) = attribute {
        return Ok(attribute.parse_args::<LitStr>()?.value());
    }
    let mut stat = String::from("ERR");
    for letter in variant.ident.to_string().chars() {
        if letter.is_uppercase() {
            stat.push('_');
        }
        stat.extend(letter.to_uppercase());
    }
    Ok(stat)
}

fn combine(errors: &mut Option<Error>, error: Error) {
    match errors {
        Some(all) => all.combine(error),
        None => *errors = Some(error),
    }
}
