//! The code that `#[handler]` writes: the function as it was, and a type of its name with what the doors need.
//!
//! It is a type and not a module, so that the user's types and expressions keep the scope in which they were
//! written; what a type's `impl` holds cannot meet names of the user's either. Locals have the span of this macro
//! and begin with `arg_` where they hold an argument, so that neither the user's names nor each other's clash.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Ident, ReturnType, Type, parse_quote};

use super::Model;
use super::params::{Param, Source, append_doc};
use super::types;

pub(crate) fn code(model: &Model) -> TokenStream {
    let Model { func, params, .. } = model;
    let (name, vis) = (&func.sig.ident, &func.vis);
    let about = format!("What the doors know of the handler `{}`.", name.unraw());
    let path = path(model);
    let handler = handler(model);
    let described = params.iter().map(description);
    let defaults = params.iter().filter_map(default);
    let run = run(model);
    let job = job(model);
    quote_spanned! { ours() =>
        #func

        #[doc = #about]
        #[allow(non_camel_case_types, dead_code, unreachable_pub, missing_debug_implementations)]
        #vis struct #name {}

        #[allow(dead_code, deprecated, private_interfaces, unreachable_pub, clippy::all, clippy::pedantic)]
        const _: () = {
            use ::butterfly::__private as __bf;
            use ::butterfly::__private::{ShownAsJson as _, ShownNot as _, ViaResult as _, ViaValue as _};

            impl #name {
                /// The route.
                #vis const PATH: &'static str = #path;

                /// The description that every door reads.
                #vis const HANDLER: __bf::Handler = #handler;

                const PARAMS: &'static [__bf::Param] = &[#(#described),*];

                #(#defaults)*

                #run

                #job
            }

            __bf::inventory::submit!(__bf::Registered(&#name::HANDLER));
        };
    }
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
    let ops = model.options.ops;
    let timeout = match model.options.timeout_ms {
        Some(ms) => quote!(::core::option::Option::Some(::core::time::Duration::from_millis(#ms))),
        None => quote!(::core::option::Option::None),
    };
    let line = model.func.sig.ident.span().start().line as u32;
    let reply = answer(model);
    let schema = quote_spanned!(reply.span() => (&&__bf::Ret::<#reply>::new()).schema);
    quote_spanned! { ours() =>
        __bf::Handler {
            path: Self::PATH,
            doc: #doc,
            kind: __bf::Kind::#kind,
            params: Self::PARAMS,
            options: __bf::Options { methods: &[#(#methods),*], timeout: #timeout, ops: #ops },
            source: __bf::Source {
                file: ::core::file!(),
                root: ::core::env!("CARGO_MANIFEST_DIR"),
                module: ::core::module_path!(),
                line: #line,
            },
            reply: |generator| #schema(generator),
            run: Self::run,
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

fn answer(model: &Model) -> Type {
    match &model.func.sig.output {
        ReturnType::Default => parse_quote!(()),
        ReturnType::Type(_, ty) => (**ty).clone(),
    }
}

fn description(param: &Param) -> TokenStream {
    let Param { name, doc, secret, ty, .. } = param;
    let written = types::compact(ty);
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
        Some(name) => quote!(::core::option::Option::Some(|| (&&__bf::Shown(&Self::#name())).json())),
        None => quote!(::core::option::Option::None),
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

/// The function that binds the arguments and starts the call.
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
    let reply = answer(model);
    let convert = quote_spanned!(reply.span() => (&&__bf::Ret::<#reply>::new()).convert);
    let start = quote_spanned! { ours().located_at(name.span()) =>
        ::core::result::Result::Ok(::std::boxed::Box::pin(async move {
            #convert(#name(#(#args),*)#wait)
        }))
    };
    let start = if locals.is_empty() {
        quote_spanned! { ours() =>
            if binder.failed() {
                return ::core::result::Result::Err(binder.into_error());
            }
            #stream
            #start
        }
    } else {
        quote_spanned! { ours() =>
            match (#(#locals,)*) {
                (#(::core::option::Option::Some(#locals),)*) if !binder.failed() => {
                    #stream
                    #start
                }
                _ => ::core::result::Result::Err(binder.into_error()),
            }
        }
    };
    quote_spanned! { ours() =>
        fn run<'c>(
            ctx: &'c __bf::Ctx,
            #mutable input: __bf::Input<'_>,
        ) -> ::core::result::Result<__bf::Call<'c>, __bf::Error> {
            let mut binder = __bf::Binder::new(ctx, Self::PARAMS, &input)?;
            #(#bind)*
            #start
        }
    }
}

fn bind(index: usize, param: &Param) -> TokenStream {
    let (local, ty) = (param.local(), &param.ty);
    let span = ours().located_at(ty.span());
    let read = match default_name(param) {
        Some(name) => quote_spanned!(span => binder.or_else::<#ty>(#index, Self::#name)),
        None if param.optional() => {
            quote_spanned!(span => binder.or_else::<#ty>(#index, || ::core::option::Option::None))
        }
        None => quote_spanned!(span => binder.required::<#ty>(#index)),
    };
    let checks = param.checks.iter().map(|check| check.apply(param, index));
    quote_spanned!(ours() => let #local = #read; #(#checks)*)
}

/// The typed call for the other doors.
fn job(model: &Model) -> TokenStream {
    let (reply, vis) = (answer(model), &model.func.vis);
    let about = format!("A call of `{}` to be made later, or by another process.", model.func.sig.ident.unraw());
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
        } else {
            quote!(.arg(#name, &#ident))
        }
    });
    // The unused lifetime keeps the compiler from asking for the bound before somebody makes such a call.
    let bounds = visible
        .iter()
        .filter(|param| !types::is_string(&param.ty))
        .map(|Param { ty, .. }| quote!(for<'unused> #ty: __bf::Serialize));
    quote! {
        #[doc = #about]
        #vis fn job(#(#inputs),*) -> __bf::Job<#reply>
        where #(#bounds),*
        {
            __bf::Job::new(Self::PATH)#(#args)*
        }
    }
}
