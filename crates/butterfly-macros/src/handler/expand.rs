//! The code that `#[handler]` writes: the function as it was, and a type of its name with what the doors need.
//!
//! It is a type and not a module, so that the user's types and expressions keep the scope in which they were
//! written; what a type's `impl` holds cannot meet names of the user's either. Locals have the span of this macro
//! and begin with `arg_` where they hold an argument, so that neither the user's names nor each other's clash.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Ident, Index, Lifetime, Meta, ReturnType, Type, parse_quote};

use super::Model;
use super::compact::compact;
use super::params::{Param, Source, append_doc};
use super::types;

pub(crate) fn code(model: &Model) -> TokenStream {
    let func = &model.func;
    let (name, vis) = (&func.sig.ident, &func.vis);
    let about = format!(" What the doors know of the handler `{}`.", name.unraw());
    let path = path(model);
    let handler = handler(model);
    let defaults = model.params.iter().filter_map(default);
    let job = job(model);
    let allowed = func.attrs.iter().filter_map(allowed);
    quote_spanned! { ours() =>
        #func

        #[doc = #about]
        #[allow(non_camel_case_types, dead_code, unreachable_pub, missing_debug_implementations)]
        #vis struct #name {}

        #[allow(dead_code, deprecated, non_snake_case, private_interfaces, unreachable_pub, unused_imports)]
        #[allow(clippy::all, clippy::pedantic, clippy::nursery)]
        #(#allowed)*
        const _: () = {
            use ::butterfly::__private as __bf;
            use ::butterfly::__private::{ShownAsJson as _, ShownNot as _, ViaResult as _, ViaValue as _};
            use ::core::option::Option::{None as __None, Some as __Some};
            use ::core::result::Result::{Err as __Err, Ok as __Ok};

            impl #name {
                /// The route.
                #vis const PATH: &'static str = #path;

                /// The description that every door reads.
                #vis const HANDLER: __bf::Handler = #handler;

                #(#defaults)*

                #job
            }

            __bf::inventory::submit!(__bf::Registered(&#name::HANDLER));
        };
    }
}

/// What the user allows in the function is allowed in its defaults and checks, too.
fn allowed(attribute: &Attribute) -> Option<TokenStream> {
    let Meta::List(list) = &attribute.meta else { return None };
    let lints = &list.tokens;
    (list.path.is_ident("allow") || list.path.is_ident("expect")).then(|| quote!(#[allow(#lints)]))
}

/// The span of what is the macro's own: locals with it cannot meet the user's.
fn ours() -> Span {
    Span::mixed_site()
}

/// The path as given, else as the modules are nested.
fn path(model: &Model) -> TokenStream {
    if let Some(path) = &model.options.path {
        return path.to_token_stream();
    }
    let end = format!("::{}", model.func.sig.ident.unraw());
    quote_spanned! { ours() => {
        const MODULE: &str = ::core::concat!(::core::module_path!(), #end);
        const ROUTE: [u8; __bf::route_len(MODULE)] = __bf::route_bytes(MODULE);
        __bf::route_str(&ROUTE)
    }}
}

fn handler(model: &Model) -> TokenStream {
    let doc = doc(&model.func.attrs);
    let kind = format_ident!("{}", capitalised(&model.options.kind()));
    let methods = model.options.methods.iter().map(ToString::to_string);
    let (ops, queue) = (model.options.ops, &model.options.queue);
    let time = |ms: Option<u64>| match ms {
        Some(ms) => quote!(__Some(::core::time::Duration::from_millis(#ms))),
        None => quote!(__None),
    };
    let (timeout, cache) = (time(model.options.timeout_ms), time(model.options.cache_ms));
    let line = model.func.sig.ident.span().start().line as u32;
    let reply = answer(model, "'static");
    let schema = quote_spanned!(reply.span() => (&&__bf::Ret::<#reply>::new()).schema);
    let params = model.params.iter().map(description);
    let run = run(model);
    quote_spanned! { ours() =>
        __bf::Handler {
            path: Self::PATH,
            doc: #doc,
            kind: __bf::Kind::#kind,
            params: &[#(#params),*],
            options: __bf::Options {
                methods: &[#(#methods),*],
                timeout: #timeout,
                cache: #cache,
                ops: #ops,
                queue: #queue,
            },
            source: __bf::Source {
                file: ::core::file!(),
                root: ::core::env!("CARGO_MANIFEST_DIR"),
                module: ::core::module_path!(),
                line: #line,
            },
            reply: |generator| #schema(generator),
            run: #run,
        }
    }
}

fn capitalised(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}

fn doc(attrs: &[Attribute]) -> String {
    let mut doc = String::new();
    attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("doc"))
        .for_each(|line| append_doc(&mut doc, line));
    doc
}

/// The function's type; what it borrows from the context is given another lifetime, for its own is not known here.
fn answer(model: &Model, lifetime: &str) -> Type {
    match &model.func.sig.output {
        ReturnType::Default => parse_quote!(()),
        ReturnType::Type(_, ty) => types::living(ty, &Lifetime::new(lifetime, Span::call_site())),
    }
}

fn description(param: &Param) -> TokenStream {
    let Param { name, doc, secret, ty, .. } = param;
    let written = compact(ty);
    let required = param.visible() && param.default.is_none() && !param.optional();
    let checks = param.checks.iter().map(super::check::Check::describe);
    let place = match param.source {
        Source::Named => quote!(Named),
        Source::Path => quote!(Path),
        Source::Body => quote!(Body),
        Source::Ctx => quote!(Context),
        Source::Stream => quote!(Stream),
    };
    let schema = if param.visible() {
        quote_spanned!(ty.span() => __bf::schema::<#ty>)
    } else {
        quote!(__bf::schema::<()>)
    };
    let default = match default_name(param) {
        Some(name) => quote!(__Some(|| (&&__bf::Shown(&Self::#name())).json())),
        None => quote!(__None),
    };
    quote_spanned! { ours() =>
        __bf::Param {
            name: #name,
            doc: #doc,
            ty: #written,
            place: __bf::Place::#place,
            required: #required,
            secret: #secret,
            default: #default,
            checks: &[#(#checks),*],
            schema: #schema,
        }
    }
}

/// The function that makes a parameter's default: the binding calls it, and the description shows what it gives.
fn default(param: &Param) -> Option<TokenStream> {
    let (name, expr, ty) = (default_name(param)?, param.default.as_ref()?, &param.ty);
    let is_text = matches!(expr, Expr::Lit(lit) if matches!(lit.lit, syn::Lit::Str(_)));
    // Text for a `String` needs no `.to_string()`.
    let value = if is_text && types::is_string(ty) {
        quote!(::std::string::String::from(#expr))
    } else {
        expr.to_token_stream()
    };
    Some(quote!(fn #name() -> #ty { #value }))
}

fn default_name(param: &Param) -> Option<Ident> {
    param.default.as_ref().map(|_| format_ident!("default_{}", param.name))
}

/// The closure that binds the arguments and starts the call.
///
/// It stands in one body with the descriptions, so that the compiler names a type that does not fit once.
fn run(model: &Model) -> TokenStream {
    let name = &model.func.sig.ident;
    let visible: Vec<(usize, &Param)> =
        model.params.iter().enumerate().filter(|(_, param)| param.visible()).collect();
    let bind = visible.iter().map(|(index, param)| bind(*index, param));
    let locals: Vec<Ident> = visible.iter().map(|(_, param)| param.local()).collect();
    let stream = model.params.iter().find(|param| param.source == Source::Stream).map(|param| {
        let (local, ty) = (param.local(), &param.ty);
        quote_spanned! { ours() =>
            let #local = <#ty as __bf::FromBody>::from_body(ctx, input.stream.take().unwrap_or_default())?;
        }
    });
    let mutable = stream.is_some().then(|| quote!(mut));
    let args = model.params.iter().map(|param| match param.source {
        Source::Ctx => quote_spanned!(ours() => ctx),
        _ => param.local().to_token_stream(),
    });
    let wait = model.func.sig.asyncness.map(|_| quote!(.await));
    let reply = answer(model, "'_");
    let convert = quote_spanned!(reply.span() => (&&__bf::Ret::<#reply>::new()).convert);
    let start = quote_spanned! { ours().located_at(name.span()) =>
        __Ok(::std::boxed::Box::pin(async move {
            #convert(#name(#(#args),*)#wait)
        }))
    };
    let start = if locals.is_empty() {
        quote_spanned! { ours() =>
            if binder.failed() {
                return __Err(binder.into_error());
            }
            #stream
            #start
        }
    } else {
        quote_spanned! { ours() =>
            match (#(#locals,)*) {
                (#(__Some(#locals),)*) if !binder.failed() => {
                    #stream
                    #start
                }
                _ => __Err(binder.into_error()),
            }
        }
    };
    quote_spanned! { ours() =>
        |ctx, #mutable input| {
            let mut binder = __bf::Binder::new(ctx, Self::HANDLER.params, &input)?;
            #(#bind)*
            #start
        }
    }
}

fn bind(index: usize, param: &Param) -> TokenStream {
    let (local, ty, index) = (param.local(), &param.ty, Index::from(index));
    let span = ours().located_at(ty.span());
    let read = match default_name(param) {
        Some(name) => quote_spanned!(span => binder.or_else::<#ty>(#index, Self::#name)),
        None if param.optional() => {
            quote_spanned!(span => binder.or_else::<#ty>(#index, || __None))
        }
        None => quote_spanned!(span => binder.required::<#ty>(#index)),
    };
    let checks = param.checks.iter().map(|check| check.apply(param, &index));
    quote_spanned!(ours() => let #local = #read; #(#checks)*)
}

/// The typed call for the other doors.
fn job(model: &Model) -> TokenStream {
    let (answer, vis) = (answer(model, "'static"), &model.func.vis);
    // Who waits for the answer is given the value; an error comes as an error.
    let reply = types::inside_result(&answer);
    let about =
        format!(" A call of `{}` to be made later, or by another process.", model.func.sig.ident.unraw());
    let visible: Vec<&Param> = model.params.iter().filter(|param| param.visible()).collect();
    let inputs = visible.iter().map(|Param { ident, ty, .. }| {
        if types::is_string(ty) {
            quote!(#ident: impl ::core::convert::Into<::std::string::String>)
        } else {
            quote!(#ident: #ty)
        }
    });
    let args = visible.iter().map(|Param { ident, name, ty, .. }| {
        if types::is_string(ty) {
            quote!(.arg(#name, &::core::convert::Into::<::std::string::String>::into(#ident)))
        } else if types::is_given(ty) {
            quote!(.arg_if(#name, #ident.0.as_ref()))
        } else {
            quote!(.arg(#name, &#ident))
        }
    });
    let bounds = bounds(&visible);
    quote! {
        #[doc = #about]
        #vis fn job(#(#inputs),*) -> __bf::Job<#reply>
        where #(#bounds),*
        {
            __bf::Job::new(Self::PATH)#(#args)*
        }
    }
}

/// What the arguments of a job must be able to do, where that is not plain.
fn bounds(visible: &[&Param]) -> Vec<TokenStream> {
    let mut types: Vec<&Type> = visible.iter().map(|param| &param.ty).collect();
    types.retain(|ty| {
        !types::is_string(ty) && !types::last_segment(ty).is_some_and(|name| types::is_primitive(&name))
    });
    types.dedup();
    // The unused lifetime keeps the compiler from asking for the bound before somebody makes such a call.
    types.into_iter().map(|ty| quote!(for<'unused> #ty: __bf::Serialize)).collect()
}
