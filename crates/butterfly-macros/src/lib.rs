//! Butterfly's macros. Their documentation stands where users meet them: in the crate `butterfly`.

mod data;
mod errors;
#[cfg(test)]
mod golden;
mod handler;
mod redis_model;
mod resource;
mod stat;
mod trace;

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

/// Makes a struct a record that is kept in Redis; see `butterfly_model::redis::RedisModel`.
#[proc_macro_derive(RedisModel, attributes(redis))]
pub fn redis_model(item: TokenStream) -> TokenStream {
    redis_model::expand(item.into()).into()
}

/// Instruments a function for the trace, and does nothing else: for the trace's own tests.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn __traced(_: TokenStream, item: TokenStream) -> TokenStream {
    let mut func = syn::parse_macro_input!(item as syn::ItemFn);
    trace::instrument(&mut func);
    quote::ToTokens::into_token_stream(func).into()
}

/// Handlers for an entity; see `butterfly::model::sql::resource`.
#[proc_macro_derive(Resource, attributes(resource, sea_orm))]
pub fn resource(item: TokenStream) -> TokenStream {
    resource::expand(item.into()).into()
}
