//! `#[derive(Stat)]`: an enum whose variants are business errors.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Data, DataEnum, DeriveInput, Fields, LitStr, Variant, parse2};

use crate::errors::Errors;

pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let code = derive(item, &mut errors);
    errors.or(code)
}

fn derive(item: TokenStream, errors: &mut Errors) -> TokenStream {
    let item: DeriveInput = match parse2(item) {
        Ok(item) => item,
        Err(error) => return error.into_compile_error(),
    };
    let name = &item.ident;
    if !item.generics.params.is_empty() {
        errors.push(&item.generics, format!("`{name}` has parameters: an enum of business errors has none"));
    }
    let Data::Enum(DataEnum { variants, .. }) = &item.data else {
        errors.push(name, "#[derive(Stat)] is for enums: one variant for each business error");
        return TokenStream::new();
    };
    let arms: Vec<TokenStream> = variants.iter().filter_map(|variant| arm(variant, errors)).collect();
    quote! {
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
    }
}

fn arm(variant: &Variant, errors: &mut Errors) -> Option<TokenStream> {
    let name = &variant.ident;
    let stat = stat(variant, errors);
    match &variant.fields {
        Fields::Unit => Some(quote!(#name => ::butterfly::Error::business(#stat))),
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
            // At the type, so that one that cannot be shown is pointed at.
            let shown =
                quote_spanned!(fields.unnamed[0].ty.span() => ::std::string::ToString::to_string(&reason));
            Some(quote!(#name(reason) => ::butterfly::Error::business_because(#stat, #shown)))
        }
        _ => {
            errors.push(
                variant,
                format!("`{name}` may hold nothing, or one value that says why: `{name}(String)`"),
            );
            None
        }
    }
}

/// The status of a variant: `#[stat("ERR_X")]`, else `NotFound` is `ERR_NOT_FOUND`.
fn stat(variant: &Variant, errors: &mut Errors) -> String {
    let derived = derived(&variant.ident.to_string());
    let mut written = variant.attrs.iter().filter(|attribute| attribute.path().is_ident("stat"));
    let first = written.next();
    for second in written {
        errors.push(second, format!("`{}` has two statuses: remove one", variant.ident));
    }
    match first.map(|attribute| (attribute, text(attribute))) {
        None => derived,
        Some((_, Some(text))) if !text.is_empty() && text != "OK" => text,
        Some((attribute, Some(text))) if text == "OK" => {
            errors.push(attribute, format!("`{}`: \"OK\" says that there was no error", variant.ident));
            derived
        }
        Some((attribute, _)) => {
            let advice = format!("`{}`: a status is text: #[stat(\"{derived}\")]", variant.ident);
            errors.push(attribute, advice);
            derived
        }
    }
}

fn text(attribute: &Attribute) -> Option<String> {
    attribute.parse_args::<LitStr>().ok().map(|text| text.value())
}

fn derived(variant: &str) -> String {
    let mut stat = String::from("ERR");
    for letter in variant.trim_start_matches("r#").chars() {
        if letter.is_uppercase() {
            stat.push('_');
        }
        stat.extend(letter.to_uppercase());
    }
    stat
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variants_name_becomes_a_status() {
        assert_eq!(derived("NotFound"), "ERR_NOT_FOUND");
        assert_eq!(derived("Limit"), "ERR_LIMIT");
        assert_eq!(derived("Http404"), "ERR_HTTP404");
    }
}
