//! `#[handler]`: from a function to its description, its binding and its typed call.
//!
//! All mistakes are reported at once, and the function itself is always written out, so that the rest of the
//! program is still checked.

mod check;
mod expand;
mod options;
mod params;
mod types;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, ItemFn, ReturnType, Type, parse2};

use options::Options;
use params::Param;

/// Gathers mistakes instead of stopping at the first.
#[derive(Default)]
pub(crate) struct Errors(Option<Error>);

impl Errors {
    pub(crate) fn push(&mut self, place: impl quote::ToTokens, message: impl std::fmt::Display) {
        self.add(Error::new_spanned(place, message));
    }

    pub(crate) fn add(&mut self, error: Error) {
        match &mut self.0 {
            Some(all) => all.combine(error),
            None => self.0 = Some(error),
        }
    }
}

/// Everything that the function and its attributes say.
pub(crate) struct Model {
    pub(crate) func: ItemFn,
    pub(crate) options: Options,
    pub(crate) params: Vec<Param>,
}

pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut func: ItemFn = match parse2(item.clone()) {
        Ok(func) => func,
        Err(_) => {
            let error =
                Error::new_spanned(&item, "#[handler] goes above a function with a body").to_compile_error();
            return quote!(#item #error);
        }
    };
    let mut errors = Errors::default();
    let options = Options::parse(options, &mut errors);
    let params = params::read(&mut func, &options, &mut errors);
    check_signature(&func, &mut errors);
    options.check_path(&params, &mut errors);
    if let Some(error) = errors.0 {
        let error = error.to_compile_error();
        return quote!(#func #error);
    }
    if options.traced {
        crate::trace::instrument(&mut func);
    }
    expand::code(&Model { func, options, params })
}

fn check_signature(func: &ItemFn, errors: &mut Errors) {
    let signature = &func.sig;
    let generics = &signature.generics;
    if let Some(generic) =
        generics.params.iter().find(|generic| !matches!(generic, syn::GenericParam::Lifetime(_)))
    {
        errors.push(
            generic,
            "a handler has no type parameters: a caller could not choose them; use a concrete type",
        );
    }
    if let Some(word) = &signature.constness {
        errors.push(word, "a handler cannot be `const`: remove the word");
    }
    if let Some(abi) = &signature.abi {
        errors.push(abi, "a handler cannot be `extern`: remove the word");
    }
    if !matches!(signature.safety, syn::Safety::Default) {
        errors.push(&signature.ident, "a handler cannot be `unsafe`: callers come from outside");
    }
    if let ReturnType::Type(_, ty) = &signature.output {
        if let Type::ImplTrait(opaque) = &**ty {
            errors.push(opaque, "a handler answers with a type that can be named: replace `impl …` by it");
        }
    }
}
