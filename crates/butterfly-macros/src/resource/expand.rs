//! The handlers of a resource.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Expr, Ident, Type, parse_quote};

use super::Entity;
use super::field::Field;
use crate::handler::compact::compact;

pub(super) fn code(entity: &Entity) -> TokenStream {
    let parts = [
        imp(entity),
        row(entity),
        entity.when("list", list),
        entity.when("get", get),
        entity.when("create", create),
        entity.when("update", update),
        entity.when("delete", delete),
        entity.when("history", history),
    ];
    quote!(#(#parts)*)
}

impl Entity {
    fn when(&self, action: &str, write: fn(&Self) -> TokenStream) -> TokenStream {
        if self.options.has(action) { write(self) } else { TokenStream::new() }
    }

    /// The entity's name, for documentation.
    fn name(&self) -> String {
        let path = self.options.path.as_ref().map(|path| path.value().trim_start_matches('/').to_owned());
        self.options.table.clone().or(path).unwrap_or_else(|| "row".into())
    }

    /// The field of the key; the macro refuses entities without one before it gets here.
    fn key(&self) -> Option<&Field> {
        self.fields.iter().find(|field| field.key)
    }

    /// The key as a parameter, and its value for the database.
    fn key_param(&self) -> (TokenStream, TokenStream) {
        let Some(key) = self.key() else { return Default::default() };
        let (ident, wire, docs) = (&key.ident, &key.wire, &key.docs);
        let docs = if docs.is_empty() { quote!(#[doc = " the row's key"]) } else { quote!(#(#docs)*) };
        (quote!(#docs #ident: #wire,), into_value(key, ident))
    }
}

/// The row that a handler fills in: no field's name can meet this one.
fn row_local() -> Ident {
    Ident::new("row", Span::mixed_site())
}

/// The value of a local as the database takes it.
fn into_value(field: &Field, local: &Ident) -> TokenStream {
    let inner = &field.inner;
    quote! {
        <::butterfly::model::sql::sea_orm::Value as ::core::convert::From<#inner>>::from(
            <#inner as ::core::convert::From<_>>::from(#local)
        )
    }
}

fn imp(entity: &Entity) -> TokenStream {
    let sortable = entity.fields.iter().filter(|field| field.sort || field.key).map(|field| &field.column);
    let order = match &entity.options.sort {
        Some(sort) => quote!(#sort),
        None => quote!(""),
    };
    let deleted = entity.fields.iter().find(|field| field.soft_delete()).map(|field| {
        let column = &field.column;
        quote!(const DELETED_AT: ::core::option::Option<Self::Column> = ::core::option::Option::Some(Column::#column);)
    });
    let hidden = entity.fields.iter().filter(|field| field.hidden).map(|field| &field.column);
    let history = entity.options.history.then(|| {
        quote!(
            const HISTORY: bool = true;
        )
    });
    // The table is one of the program's, as those of its own entities are.
    let table = entity.options.history.then(|| {
        quote! {
            ::butterfly::model::sql::sea_orm::register_entity! {
                ::butterfly::model::sql::sea_orm::EntityRegistry {
                    module_path: ::core::module_path!(),
                    schema_info: ::butterfly::model::sql::history::table,
                }
            }
        }
    });
    let scope = entity.options.scope.as_ref().map(|scope| {
        quote! {
            fn scope(ctx: &::butterfly::Ctx)
                -> ::butterfly::Result<::butterfly::model::sql::sea_orm::Condition> { #scope(ctx) }
        }
    });
    let guard = entity.options.guard.as_ref().map(|guard| {
        quote! {
            fn guard(ctx: &::butterfly::Ctx, action: ::butterfly::model::sql::resource::Action)
                -> ::butterfly::Result<()> { #guard(ctx, action) }
        }
    });
    quote! {
        impl ::butterfly::model::sql::resource::Resource for Entity {
            const SORTABLE: &'static [Self::Column] = &[#(Column::#sortable),*];
            const ORDER: &'static str = #order;
            const HIDDEN: &'static [Self::Column] = &[#(Column::#hidden),*];
            #history
            #deleted
            #scope
            #guard
        }

        #table
    }
}

/// The type of a row on the wire.
fn row(entity: &Entity) -> TokenStream {
    let shown: Vec<&Field> = entity.fields.iter().filter(|field| !field.hidden).collect();
    let name = entity.name().replace('/', "_");
    let about = format!(" A row of `{}` as callers see it.", entity.name());
    let fields = shown.iter().map(|field| {
        let (docs, ident, ty) = (&field.docs, &field.ident, field.travelling());
        let docs = if docs.is_empty() { quote!(#[allow(missing_docs)]) } else { quote!(#(#docs)*) };
        quote!(#docs pub #ident: #ty)
    });
    let values = shown.iter().map(|field| {
        let ident = &field.ident;
        let value = field.outgoing(quote!(model.#ident));
        quote!(#ident: #value)
    });
    quote! {
        #[doc = #about]
        #[::butterfly::data]
        #[schemars(rename = #name)]
        pub struct Row { #(#fields),* }

        impl ::core::convert::From<Model> for Row {
            fn from(model: Model) -> Self {
                Self { #(#values),* }
            }
        }
    }
}

/// One handler.
fn handler(
    entity: &Entity,
    action: &str,
    about: &str,
    params: TokenStream,
    answer: TokenStream,
    body: TokenStream,
) -> TokenStream {
    let options = entity.options.handler(action);
    let name = Ident::new(action, Span::call_site());
    quote! {
        #[doc = #about]
        #[::butterfly::handler(#options)]
        #[allow(clippy::all, clippy::pedantic, clippy::large_futures, non_snake_case, unused_mut)]
        pub async fn #name(ctx: &::butterfly::Ctx, #params) -> ::butterfly::Result<#answer> {
            #body
        }
    }
}

fn list(entity: &Entity) -> TokenStream {
    let Some(key) = entity.key() else { return TokenStream::new() };
    let (mut params, mut filters) = (TokenStream::new(), TokenStream::new());
    for field in &entity.fields {
        for op in &field.filters {
            let (param, statement) = filter(field, op);
            params.extend(param);
            filters.extend(statement);
        }
    }
    let (key_ident, key_wire) = (&key.ident, &key.wire);
    let key_out = key.outgoing(quote!(model.#key_ident.clone()));
    let sortable: Vec<&str> = entity
        .fields
        .iter()
        .filter(|field| field.sort || field.key)
        .map(|field| field.name.as_str())
        .collect();
    let sort = format!(" columns apart by commas, `-` for falling, of: {}", sortable.join(", "));
    let after = into_value(key, &format_ident!("after"));
    let name = entity.name();
    handler(
        entity,
        "list",
        &format!(" List rows of `{name}`, by filters, in an order, in pages."),
        quote! {
            #params
            #[doc = #sort]
            sort: ::core::option::Option<::std::string::String>,
            /// the page's number, from 1 on
            page_index: ::core::option::Option<u64>,
            /// rows of a page: 20 when not said, 1000 at most
            page_size: ::core::option::Option<u64>,
            /// the page that follows this row, by its key; instead of page_index
            after: ::core::option::Option<#key_wire>,
        },
        quote!(::butterfly::model::sql::resource::Rows<Row, #key_wire>),
        quote! {
            let backend = {
                use ::butterfly::model::sql::DbExt as _;
                ::butterfly::model::sql::sea_orm::ConnectionTrait::get_database_backend(ctx.db()?)
            };
            let mut filters = ::butterfly::model::sql::Filters::<Entity>::new(backend);
            #filters
            let ask = ::butterfly::model::sql::resource::Ask {
                sort,
                page_index,
                page_size,
                after: after.map(|after| #after),
            };
            ::butterfly::model::sql::resource::list::<Entity, Row, #key_wire>(
                ctx, filters, ask, |model: Model| (#key_out, Row::from(model)),
            ).await
        },
    )
}

/// A parameter that filters, and what becomes of it.
fn filter(field: &Field, op: &str) -> (TokenStream, TokenStream) {
    let (wire, inner, column) = (&field.wire, &field.inner, &field.column);
    let name = if op == "eq" { field.name.clone() } else { format!("{}__{op}", field.name) };
    let local = if op == "eq" { field.ident.clone() } else { Ident::new(&name, Span::call_site()) };
    let (doc, ty): (&str, Type) = match op {
        "eq" => (" equal to this", parse_quote!(#wire)),
        "ne" => (" not equal to this", parse_quote!(#wire)),
        "gt" => (" greater", parse_quote!(#wire)),
        "gte" => (" greater or equal", parse_quote!(#wire)),
        "lt" => (" less", parse_quote!(#wire)),
        "lte" => (" less or equal", parse_quote!(#wire)),
        "in" => (" one of these: repeat the name, or give a JSON list", parse_quote!(::std::vec::Vec<#wire>)),
        "contains" => (" has this part", parse_quote!(#wire)),
        "startswith" => (" begins with this", parse_quote!(#wire)),
        _ => (" null, or not", parse_quote!(bool)),
    };
    let doc = format!(" `{}`:{doc}", field.name);
    let param = quote!(#[doc = #doc] #local: ::core::option::Option<#ty>,);
    let from = quote!(<#inner as ::core::convert::From<_>>::from);
    let statement = match op {
        "in" => quote! {
            filters.one_of(#name, Column::#column, #local.map(|all| all.into_iter().map(#from).collect::<::std::vec::Vec<#inner>>()));
        },
        "null" => quote!(filters.null(Column::#column, #local);),
        _ => {
            let op = match op {
                "eq" => quote!(Eq),
                "ne" => quote!(Ne),
                "gt" => quote!(Gt),
                "gte" => quote!(Gte),
                "lt" => quote!(Lt),
                "lte" => quote!(Lte),
                "contains" => quote!(Contains),
                _ => quote!(StartsWith),
            };
            quote!(filters.compare(#name, Column::#column, ::butterfly::model::sql::Op::#op, #local.map(#from));)
        }
    };
    (param, statement)
}

fn get(entity: &Entity) -> TokenStream {
    let (param, value) = entity.key_param();
    handler(
        entity,
        "get",
        &format!(" One row of `{}`.", entity.name()),
        param,
        quote!(Row),
        quote!(::butterfly::model::sql::resource::get::<Entity>(ctx, #value).await.map(Row::from)),
    )
}

fn create(entity: &Entity) -> TokenStream {
    let (mut params, mut sets, row) = (TokenStream::new(), TokenStream::new(), row_local());
    for field in entity.fields.iter().filter(|field| field.writable() && !field.automatic) {
        let (docs, ident, ty, checks) = (&field.docs, &field.ident, field.travelling(), &field.checks);
        let default =
            field.default.as_ref().map(|value| match (field.default_is_literal(), field.optional) {
                (true, true) => {
                    quote!(#[default(::core::option::Option::Some(::core::convert::Into::into(#value)))])
                }
                _ => quote!(#[default(#value)]),
            });
        params.extend(quote!(#(#docs)* #default #(#[check(#checks)])* #ident: #ty,));
        let value = field.incoming(ident);
        sets.extend(quote!(#row.#ident = ::butterfly::model::sql::sea_orm::ActiveValue::Set(#value);));
    }
    handler(
        entity,
        "create",
        &format!(" Make a row of `{}`.", entity.name()),
        params,
        quote!(Row),
        quote! {
            let mut #row = <ActiveModel as ::core::default::Default>::default();
            #sets
            ::butterfly::model::sql::resource::create::<Entity, ActiveModel>(ctx, #row).await.map(Row::from)
        },
    )
}

fn update(entity: &Entity) -> TokenStream {
    let (mut params, value) = entity.key_param();
    let (mut sets, mut checks, row) = (TokenStream::new(), TokenStream::new(), row_local());
    for field in entity.fields.iter().filter(|field| field.writable() && !field.key) {
        let (docs, ident, ty) = (&field.docs, &field.ident, field.travelling());
        let check = (!field.checks.is_empty()).then(|| {
            let name = format_ident!("check_{}", field.name);
            checks.extend(given_check(field, &name));
            quote!(#[check(#name)])
        });
        params.extend(quote! {
            #(#docs)*
            #check
            #[default(::butterfly::model::sql::Given::no())]
            #ident: ::butterfly::model::sql::Given<#ty>,
        });
        let local = format_ident!("value");
        let value = field.incoming(&local);
        sets.extend(quote! {
            if let ::core::option::Option::Some(#local) = #ident.0 {
                #row.#ident = ::butterfly::model::sql::sea_orm::ActiveValue::Set(#value);
            }
        });
    }
    let handler = handler(
        entity,
        "update",
        &format!(" Change what is given of a row of `{}`.", entity.name()),
        params,
        quote!(Row),
        quote! {
            let mut #row = <ActiveModel as ::core::default::Default>::default();
            #sets
            ::butterfly::model::sql::resource::update::<Entity, ActiveModel>(ctx, #value, #row).await.map(Row::from)
        },
    );
    quote!(#checks #handler)
}

/// The checks of a field for a value that may not be given.
fn given_check(field: &Field, name: &Ident) -> TokenStream {
    let ty = field.travelling();
    let value = if field.optional {
        quote!(given.0.as_ref().and_then(::core::option::Option::as_ref))
    } else {
        quote!(given.0.as_ref())
    };
    let checks = field.checks.iter().map(|check| match check {
        Expr::Call(call) => {
            let (func, args) = (&call.func, &call.args);
            let written = compact(args);
            match compact(func).as_str() {
                "regex" => quote! {{
                    static PATTERN: ::butterfly::__private::Pattern = ::butterfly::__private::Pattern::new();
                    ::butterfly::__private::check::regex(value, #args, &PATTERN)?;
                }},
                _ => quote!(::butterfly::__private::check::#func(value, #args, #written)?;),
            }
        }
        other => quote!(#other(value)?;),
    });
    quote! {
        #[allow(clippy::all, clippy::pedantic, non_snake_case)]
        fn #name(given: &::butterfly::model::sql::Given<#ty>)
            -> ::core::result::Result<(), ::std::string::String> {
            if let ::core::option::Option::Some(value) = #value { #(#checks)* }
            ::core::result::Result::Ok(())
        }
    }
}

fn delete(entity: &Entity) -> TokenStream {
    let (param, value) = entity.key_param();
    handler(
        entity,
        "delete",
        &format!(" Take a row of `{}` away.", entity.name()),
        param,
        quote!(()),
        quote!(::butterfly::model::sql::resource::delete::<Entity, ActiveModel>(ctx, #value).await),
    )
}

fn history(entity: &Entity) -> TokenStream {
    let (param, value) = entity.key_param();
    handler(
        entity,
        "history",
        &format!(" The changes of a row of `{}`, newest first.", entity.name()),
        quote! {
            #param
            /// the page's number, from 1 on
            page_index: ::core::option::Option<u64>,
            /// changes of a page: 20 when not said, 1000 at most
            page_size: ::core::option::Option<u64>,
            /// the page that follows this change, by its id; instead of page_index
            after: ::core::option::Option<i64>,
        },
        quote! {
            ::butterfly::model::sql::resource::Rows<::butterfly::model::sql::resource::Line, i64>
        },
        quote! {
            ::butterfly::model::sql::resource::history::<Entity>(
                ctx,
                #value,
                ::butterfly::model::sql::resource::Ask {
                    sort: ::core::option::Option::None,
                    page_index,
                    page_size,
                    after: after.map(::core::convert::Into::into),
                },
            ).await
        },
    )
}
