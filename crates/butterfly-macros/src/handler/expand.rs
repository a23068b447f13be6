//! The code that `#[handler]` writes: the function as it was, and a module of its name with what the doors need.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ReturnType, Type, Visibility, parse_quote};

use super::Model;
use super::params::{Param, Source, append_doc};
use super::types;

pub(crate) fn code(model: Model) -> TokenStream {
    let Model { func, .. } = &model;
    let name = &func.sig.ident;
    let vis = &func.vis;
    let cfgs = func.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    let inner_vis = inner(vis);
    let handler = handler(&model);
    let params = model.params.iter().map(description);
    let run = run(&model);
    let job = job(&model, &inner_vis);
    let about = format!("What the doors know of [`{name}`](fn@{name}).");
    let path = match &model.options.path {
        Some(path) => quote!(#path),
        None => quote!(bf::route!()),
    };
    quote! {
        #func

        #[doc = #about]
        #(#cfgs)*
        #[allow(dead_code, unused_imports, private_interfaces, clippy::all, clippy::pedantic)]
        #vis mod #name {
            use super::*;
            use ::butterfly::__private as bf;
            use ::butterfly::__private::{ShownAsJson as _, ShownNot as _, ViaResult as _, ViaValue as _};

            /// The route.
            #inner_vis const PATH: &str = #path;

            /// The description that every door reads.
            #inner_vis static HANDLER: bf::Handler = #handler;

            bf::inventory::submit!(bf::Registered(&HANDLER));

            static PARAMS: &[bf::Param] = &[#(#params),*];

            #run

            #job
        }
    }
}

/// What `pub(super)` and the like are called one module deeper.
fn inner(vis: &Visibility) -> Visibility {
    match vis {
        Visibility::Public(_) => vis.clone(),
        Visibility::Inherited => parse_quote!(pub(super)),
        Visibility::Restricted(restricted) if restricted.path.is_ident("crate") => vis.clone(),
        _ => parse_quote!(pub(crate)),
    }
}

fn handler(model: &Model) -> TokenStream {
    let doc = doc(&model.func.attrs);
    let kind = format_ident!("{}", capitalised(&model.options.kind()));
    let methods = model.options.methods.iter().map(ToString::to_string);
    let ops = model.options.ops;
    let timeout = match model.options.timeout_ms {
        Some(ms) => quote!(Some(::core::time::Duration::from_millis(#ms))),
        None => quote!(None),
    };
    let line = model.func.sig.ident.span().start().line as u32;
    let reply = answer(model);
    quote! {
        bf::Handler {
            path: PATH,
            doc: #doc,
            kind: bf::Kind::#kind,
            params: PARAMS,
            options: bf::Options { methods: &[#(#methods),*], timeout: #timeout, ops: #ops },
            source: bf::Source {
                file: ::core::file!(),
                root: ::core::env!("CARGO_MANIFEST_DIR"),
                module: ::core::module_path!(),
                line: #line,
            },
            reply: |generator| (&&bf::Ret::<#reply>::new()).schema(generator),
            run,
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

/// The return type, as seen from the module; elided lifetimes of what is returned are `'static`.
fn answer(model: &Model) -> Type {
    match &model.func.sig.output {
        ReturnType::Default => parse_quote!(()),
        ReturnType::Type(_, ty) => types::from_inside((**ty).clone()),
    }
}

fn description(param: &Param) -> TokenStream {
    let Param { name, doc, secret, .. } = param;
    let inside = types::from_inside(param.ty.clone());
    let written = types::compact(&param.ty);
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
        quote_spanned!(param.ty.span() => bf::schema::<#inside>)
    } else {
        quote!(bf::schema::<()>)
    };
    let default = match &param.default {
        Some(expr) => {
            let value = default_value(expr, &param.ty);
            quote!(Some(|| { let value: #inside = #value; (&&bf::Shown(&value)).json() }))
        }
        None => quote!(None),
    };
    quote! {
        bf::Param {
            name: #name,
            doc: #doc,
            ty: #written,
            place: bf::Place::#place,
            required: #required,
            secret: #secret,
            default: #default,
            checks: &[#(#checks),*],
            schema: #schema,
        }
    }
}

/// A default as written; text for a `String` needs no `.to_string()`.
fn default_value(expr: &Expr, ty: &Type) -> TokenStream {
    let expr = types::from_inside(expr.clone());
    let is_text = matches!(&expr, Expr::Lit(lit) if matches!(lit.lit, syn::Lit::Str(_)));
    if is_text && types::is_string(ty) {
        return quote!(::std::string::String::from(#expr));
    }
    expr.into_token_stream()
}

/// The function that binds the arguments and starts the call.
fn run(model: &Model) -> TokenStream {
    let name = &model.func.sig.ident;
    let visible: Vec<(usize, &Param)> =
        model.params.iter().enumerate().filter(|(_, param)| param.visible()).collect();
    let bind = visible.iter().map(|(index, param)| bind(*index, param));
    let idents: Vec<_> = visible.iter().map(|(_, param)| &param.ident).collect();
    let stream = model.params.iter().find(|param| param.source == Source::Stream).map(|param| {
        let (ident, ty) = (&param.ident, types::from_inside(param.ty.clone()));
        quote!(let #ident = <#ty as bf::FromBody>::from_body(ctx, input.stream.take().unwrap_or_default())?;)
    });
    let mutable = stream.is_some().then(|| quote!(mut));
    let args = model.params.iter().map(|param| match param.source {
        Source::Ctx => quote!(ctx),
        _ => param.ident.to_token_stream(),
    });
    let wait = model.func.sig.asyncness.map(|_| quote!(.await));
    let reply = answer(model);
    let start = quote_spanned! { name.span() =>
        ::core::result::Result::Ok(::std::boxed::Box::pin(async move {
            (&&bf::Ret::<#reply>::new()).convert(super::#name(#(#args),*)#wait)
        }))
    };
    let start = if idents.is_empty() {
        quote! {
            if binder.failed() {
                return ::core::result::Result::Err(binder.into_error());
            }
            #stream
            #start
        }
    } else {
        quote! {
            match (#(#idents,)*) {
                (#(::core::option::Option::Some(#idents),)*) if !binder.failed() => {
                    #stream
                    #start
                }
                _ => ::core::result::Result::Err(binder.into_error()),
            }
        }
    };
    quote! {
        fn run<'c>(
            ctx: &'c bf::Ctx,
            #mutable input: bf::Input<'_>,
        ) -> ::core::result::Result<bf::Call<'c>, bf::Error> {
            let mut binder = bf::Binder::new(ctx, PARAMS, &input)?;
            #(#bind)*
            #start
        }
    }
}

fn bind(index: usize, param: &Param) -> TokenStream {
    let ident = &param.ident;
    let ty = types::from_inside(param.ty.clone());
    let span = param.ty.span();
    let read = match &param.default {
        Some(expr) => {
            let value = default_value(expr, &param.ty);
            quote_spanned!(span => let #ident = binder.or_else::<#ty>(#index, || #value);)
        }
        None if param.optional() => {
            quote_spanned!(span => let #ident = binder.or_else::<#ty>(#index, || ::core::option::Option::None);)
        }
        None => quote_spanned!(span => let #ident = binder.required::<#ty>(#index);),
    };
    let checks = param.checks.iter().map(|check| check.apply(param, index));
    quote!(#read #(#checks)*)
}

/// The typed call for the other doors.
fn job(model: &Model, vis: &Visibility) -> TokenStream {
    let reply = answer(model);
    let about = format!(
        "A call of [`{0}`](fn@super::{0}) to be made later, or by another process.",
        model.func.sig.ident
    );
    let visible: Vec<&Param> = model.params.iter().filter(|param| param.visible()).collect();
    let inputs = visible.iter().map(|param| {
        let (ident, ty) = (&param.ident, types::from_inside(param.ty.clone()));
        if types::is_string(&param.ty) {
            quote!(#ident: impl ::core::convert::Into<::std::string::String>)
        } else {
            quote!(#ident: #ty)
        }
    });
    let args = visible.iter().map(|param| {
        let Param { ident, name, .. } = param;
        let value = if types::is_string(&param.ty) {
            quote!(&::core::convert::Into::<::std::string::String>::into(#ident))
        } else {
            quote!(&#ident)
        };
        quote!(.arg(#name, #value))
    });
    let bounds = visible.iter().filter(|param| !types::is_string(&param.ty)).map(|param| {
        let ty = types::from_inside(param.ty.clone());
        // The unused lifetime keeps the compiler from asking for the bound before somebody makes such a call.
        quote!(for<'unused> #ty: bf::Serialize)
    });
    quote! {
        #[doc = #about]
        #vis fn job(#(#inputs),*) -> bf::Job<#reply>
        where #(#bounds),*
        {
            bf::Job::new(PATH)#(#args)*
        }
    }
}
