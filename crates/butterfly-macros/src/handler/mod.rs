//! `#[handler]`: from a function to its description, its binding and its typed call.
//!
//! All mistakes are reported at once, and the function itself is always written out, so that the rest of the
//! program is still checked.

mod bounds;
mod check;
pub(crate) mod compact;
mod expand;
mod options;
mod params;
mod path;
mod queue;
mod signature;
pub(crate) mod types;

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Error, Item, ItemFn, parse2};

use crate::errors::Errors;
use options::Options;
use params::Param;

/// Everything that the function and its attributes say.
pub(crate) struct Model {
    pub(crate) func: ItemFn,
    pub(crate) options: Options,
    pub(crate) params: Vec<Param>,
}

pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut func: ItemFn = match parse2(item.clone()) {
        Ok(func) => func,
        Err(error) => {
            let error = no_function(&item, error).to_compile_error();
            return quote!(#item #error);
        }
    };
    let mut errors = Errors::default();
    let options = Options::parse(options, &mut errors);
    let params = params::read(&mut func, &options, &mut errors);
    options.queue.check(&params, &mut errors);
    signature::check(&func.sig, &mut errors);
    if let Some(path) = &options.path {
        path::check(path, &params, &mut errors);
    }
    // Of two parameters of one name the compiler itself says enough.
    if !errors.is_empty() || params::any_twice(&params) {
        let errors = errors.or(TokenStream::new());
        return quote!(#func #errors);
    }
    if options.traced {
        crate::trace::instrument(&mut func);
    }
    expand::code(&Model { func, options, params })
}

/// What to say of an item that is no function.
fn no_function(item: &TokenStream, error: Error) -> Error {
    let what = match parse2::<Item>(item.clone()) {
        Ok(Item::Struct(_) | Item::Enum(_) | Item::Union(_)) => "a type",
        Ok(Item::Impl(_)) => "an `impl`: move the function out of it",
        Ok(Item::Trait(_)) => "a trait",
        Ok(Item::Mod(_)) => "a module: put it above each function",
        Ok(_) => "this",
        Err(_) => return error,
    };
    Error::new(Span::call_site(), format!("#[handler] goes above a function with a body, not above {what}"))
}
