//! Mistakes, gathered: all are told at once.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::Error;

/// Gathers mistakes instead of stopping at the first.
#[derive(Default)]
pub(crate) struct Errors(Option<Error>);

impl Errors {
    pub(crate) fn push(&mut self, place: impl ToTokens, message: impl std::fmt::Display) {
        self.add(Error::new_spanned(place, message));
    }

    pub(crate) fn add(&mut self, error: Error) {
        match &mut self.0 {
            Some(all) => all.combine(error),
            None => self.0 = Some(error),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The mistakes as code that does not compile; without any, the code given.
    pub(crate) fn or(self, code: TokenStream) -> TokenStream {
        self.0.map_or(code, Error::into_compile_error)
    }
}
