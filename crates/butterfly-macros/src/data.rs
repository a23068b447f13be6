//! `#[data]`: serde both ways, a JSON schema, `Debug` and `Clone`, without a dependency in the user's manifest.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error, parse2};

pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    match data(options, item.clone()) {
        Ok(code) => code,
        Err(error) => {
            let error = error.to_compile_error();
            quote!(#item #error)
        }
    }
}

fn data(options: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    if !options.is_empty() {
        return Err(Error::new_spanned(
            options,
            "#[data] takes no options; use #[serde(..)] on the type or its fields",
        ));
    }
    let item: DeriveInput = parse2(item)?;
    Ok(quote! {
        #[derive(
            ::core::fmt::Debug, ::core::clone::Clone,
            ::butterfly::serde::Serialize, ::butterfly::serde::Deserialize, ::butterfly::schemars::JsonSchema,
        )]
        #[serde(crate = "::butterfly::serde")]
        #[schemars(crate = "::butterfly::schemars")]
        #item
    })
}
