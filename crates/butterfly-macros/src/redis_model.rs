//! `#[derive(RedisModel)]`: a record that is kept in Redis. What it writes is documented at the trait.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Field, Fields, Ident, LitStr, Path, Type, parse2};

use crate::errors::Errors;

pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let code = derive(item, &mut errors);
    errors.or(code)
}

/// What is said of the struct.
struct Options {
    name: String,
    ttl_ms: Option<u64>,
    here: Path,
}

/// How a field is kept.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Key,
    Plain,
    Equal,
    Unique,
    Range,
    Text,
}

struct Column<'a> {
    ident: &'a Ident,
    name: String,
    ty: &'a Type,
    kind: Kind,
    vis: &'a syn::Visibility,
}

fn derive(item: TokenStream, errors: &mut Errors) -> TokenStream {
    let item: DeriveInput = match parse2(item) {
        Ok(item) => item,
        Err(error) => return error.into_compile_error(),
    };
    let ident = &item.ident;
    if !item.generics.params.is_empty() {
        errors.push(&item.generics, format!("`{ident}` has parameters: a Redis model has none"));
    }
    let options = options(&item, errors);
    let Data::Struct(data) = &item.data else {
        errors.push(ident, "#[derive(RedisModel)] is for structs with named fields");
        return TokenStream::new();
    };
    let Fields::Named(fields) = &data.fields else {
        errors.push(ident, "#[derive(RedisModel)] is for structs with named fields");
        return TokenStream::new();
    };
    let columns: Vec<Column<'_>> = fields.named.iter().filter_map(|field| column(field, errors)).collect();
    let keys: Vec<&Column<'_>> = columns.iter().filter(|column| column.kind == Kind::Key).collect();
    let key = match keys[..] {
        [key] => key,
        [] => {
            errors.push(ident, format!("`{ident}` has no primary key: put #[redis(key)] above one field"));
            return TokenStream::new();
        }
        [_, second, ..] => {
            errors.push(second.ident, format!("`{ident}` has two primary keys: one field has #[redis(key)]"));
            return TokenStream::new();
        }
    };
    if !errors.is_empty() {
        return TokenStream::new();
    }
    let rest: Vec<&Column<'_>> = columns.iter().filter(|column| column.kind != Kind::Key).collect();
    write(&item, &options, key, &rest)
}

fn write(item: &DeriveInput, options: &Options, key: &Column<'_>, rest: &[&Column<'_>]) -> TokenStream {
    let (ident, vis) = (&item.ident, &item.vis);
    let Options { name, ttl_ms, here } = options;
    let model = quote!(#here::redis::model);
    let error = quote!(#here::redis::RedisError);
    let result = quote!(::core::result::Result);
    let ttl = match ttl_ms {
        Some(ms) => quote!(::core::option::Option::Some(#ms)),
        None => quote!(::core::option::Option::None),
    };
    let (key_ident, key_name, key_ty) = (key.ident, &key.name, key.ty);
    let idents: Vec<&Ident> = rest.iter().map(|column| column.ident).collect();
    let names: Vec<&str> = rest.iter().map(|column| column.name.as_str()).collect();
    let viss = rest.iter().map(|column| column.vis);
    let puts = rest.iter().map(|column| {
        let (name, ident) = (&column.name, column.ident);
        let put = if column.kind == Kind::Range { quote!(put_ranged) } else { quote!(put) };
        // At the type, so that one that cannot be stored is pointed at.
        quote_spanned!(column.ty.span() => #model::#put(#name, &self.#ident)?)
    });
    let indexes: Vec<TokenStream> = rest
        .iter()
        .map(|column| match column.kind {
            Kind::Equal => quote!(Equal),
            Kind::Unique => quote!(Unique),
            Kind::Range => quote!(Range),
            Kind::Text => quote!(Text),
            Kind::Plain | Kind::Key => quote!(None),
        })
        .collect();
    let types: Vec<TokenStream> = rest
        .iter()
        .map(|column| {
            let ty = column.ty;
            let index = match column.kind {
                Kind::Equal | Kind::Unique => quote!(Equal),
                Kind::Range => quote!(Range),
                Kind::Text => quote!(Text),
                Kind::Plain | Kind::Key => quote!(Plain),
            };
            quote!(#model::Field<#ident, #ty, #model::#index>)
        })
        .collect();
    let fields = format_ident!("{}Fields", ident.unraw());
    let doc = format!("The fields of [`{ident}`], to ask by.");
    let docs = names.iter().map(|name| format!("The field `{name}`."));
    quote! {
        #[doc = #doc]
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
        #[allow(dead_code)]
        #vis struct #fields {
            #(#[doc = #docs] #viss #idents: #types,)*
        }

        impl #ident {
            /// The fields, to ask by.
            #[allow(dead_code)]
            #vis const FIELDS: #fields = #fields { #(#idents: <#types>::new(#names),)* };
        }

        impl #model::RedisModel for #ident {
            type Key = #key_ty;
            const NAME: &'static str = #name;
            const KEY: &'static str = #key_name;
            const SCHEMA: &'static [#model::FieldInfo] =
                &[#(#model::FieldInfo { name: #names, index: #model::Index::#indexes },)*];
            const TTL_MS: ::core::option::Option<u64> = #ttl;

            fn key(&self) -> &Self::Key {
                &self.#key_ident
            }

            fn values(
                &self,
            ) -> #result<::std::vec::Vec<::core::option::Option<::std::vec::Vec<u8>>>, #error> {
                #result::Ok(::std::vec![#(#puts,)*])
            }

            fn build(key: Self::Key, values: &mut #model::Values) -> #result<Self, #error> {
                // The fields are read in the order of the schema.
                #result::Ok(Self { #key_ident: key, #(#idents: values.take(#names)?,)* })
            }
        }
    }
}

fn options(item: &DeriveInput, errors: &mut Errors) -> Options {
    let name = snake(&item.ident.unraw().to_string());
    let mut options = Options { name, ttl_ms: None, here: syn::parse_quote!(::butterfly_model) };
    for attribute in ours(&item.attrs) {
        let read = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("name") {
                let name: LitStr = meta.value()?.parse()?;
                if name.value().is_empty() {
                    return Err(syn::Error::new(name.span(), "a model's name is not empty"));
                }
                options.name = name.value();
            } else if meta.path.is_ident("expire") {
                let time: LitStr = meta.value()?.parse()?;
                options.ttl_ms = Some(millis(&time.value()).ok_or_else(|| {
                    syn::Error::new(time.span(), "a time to live is a number and ms, s, m, h or d: \"30m\"")
                })?);
            } else if meta.path.is_ident("crate") {
                let path: LitStr = meta.value()?.parse()?;
                options.here = path.parse()?;
            } else {
                return Err(meta
                    .error("a Redis model knows #[redis(name = \"..\", expire = \"..\", crate = \"..\")]"));
            }
            Ok(())
        });
        if let Err(error) = read {
            errors.add(error);
        }
    }
    options
}

fn column<'a>(field: &'a Field, errors: &mut Errors) -> Option<Column<'a>> {
    let ident = field.ident.as_ref()?;
    let mut kind = Kind::Plain;
    for attribute in ours(&field.attrs) {
        let read = attribute.parse_nested_meta(|meta| {
            let said = match () {
                () if meta.path.is_ident("key") => Kind::Key,
                () if meta.path.is_ident("index") => Kind::Equal,
                () if meta.path.is_ident("unique") => Kind::Unique,
                () if meta.path.is_ident("range") => Kind::Range,
                () if meta.path.is_ident("text") => Kind::Text,
                () => {
                    return Err(meta.error(
                        "a field knows #[redis(key)], #[redis(index)], #[redis(unique)], #[redis(range)] and #[redis(text)]",
                    ));
                }
            };
            if kind != Kind::Plain {
                return Err(
                    meta.error(format!("`{ident}` is one of key, index, unique, range and text: remove the others"))
                );
            }
            kind = said;
            Ok(())
        });
        if let Err(error) = read {
            errors.add(error);
        }
    }
    Some(Column { ident, name: ident.unraw().to_string(), ty: &field.ty, kind, vis: &field.vis })
}

fn ours(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("redis"))
}

/// `30m` in milliseconds.
fn millis(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    digits.trim_end().parse::<u64>().ok()?.checked_mul(unit).filter(|ms| (1..1 << 50).contains(ms))
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_names_are_read() {
        assert_eq!(
            (millis("30m"), millis("250ms"), millis("7d")),
            (Some(1_800_000), Some(250), Some(604_800_000))
        );
        for bad in ["", "30", "m", "0s", "-1s", "1w", "1.5h", "99999999999999999999d", "1中"] {
            assert_eq!(millis(bad), None, "{bad}");
        }
        assert_eq!(snake("UserSession"), "user_session");
    }

    #[test]
    fn mistakes_are_all_told() {
        let told = |item: TokenStream| expand(item).to_string();
        assert!(
            told(quote!(
                struct A {
                    id: u8,
                }
            ))
            .contains("no primary key")
        );
        assert!(
            told(quote!(
                struct A(u8);
            ))
            .contains("named fields")
        );
        assert!(
            told(quote!(
                enum A {
                    B,
                }
            ))
            .contains("named fields")
        );
        let many = told(quote! {
            #[redis(expire = "soon", table = "x")]
            struct A<T> { #[redis(key)] a: u8, #[redis(key)] b: u8, #[redis(index, range)] c: u8, #[redis(like)] d: T }
        });
        for part in
            ["has parameters", "time to live", "two primary keys", "remove the others", "a field knows"]
        {
            assert!(many.contains(part), "{part}: {many}");
        }
    }
}
