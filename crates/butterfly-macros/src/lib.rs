//! Butterfly's macros. Their documentation stands where users meet them: in the crate `butterfly`.

mod data;
mod handler;
mod stat;

use proc_macro::TokenStream;

/// Makes a function reachable through every door; see `butterfly::handler`.
#[proc_macro_attribute]
pub fn handler(options: TokenStream, item: TokenStream) -> TokenStream {
    handler::expand(options.into(), item.into()).into()
}

/// Makes a type fit for the wire; see `butterfly::data`.
#[proc_macro_attribute]
pub fn data(options: TokenStream, item: TokenStream) -> TokenStream {
    data::expand(options.into(), item.into()).into()
}

/// Makes an enum one of business errors; see `butterfly::Stat`.
#[proc_macro_derive(Stat, attributes(stat))]
pub fn stat(item: TokenStream) -> TokenStream {
    stat::expand(item.into()).into()
}
