//! A field of the entity: what SeaORM knows of it, and `#[resource(filter, sort, readonly, hidden, default = .., check(..))]`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Ident, Lit, Meta, MetaList, Token, Type, parse_quote};

use super::names::{Class, class, travels_as, variant};
use super::options::literal;
use crate::errors::Errors;
use crate::handler::compact::compact;
use crate::handler::types;

const USAGE: &str = "known are filter, filter(eq, gt, …), sort, readonly, hidden, default = …, check(..)";
const OPS: [&str; 10] = ["eq", "ne", "gt", "gte", "lt", "lte", "in", "contains", "startswith", "null"];

pub(super) struct Field {
    pub(super) ident: Ident,
    pub(super) name: String,
    /// The variant of `Column`.
    pub(super) column: Ident,
    pub(super) docs: Vec<Attribute>,
    pub(super) optional: bool,
    /// The type without its `Option`.
    pub(super) inner: Type,
    /// That type on the wire.
    pub(super) wire: Type,
    pub(super) key: bool,
    /// The database makes the value.
    pub(super) automatic: bool,
    pub(super) filters: Vec<&'static str>,
    pub(super) sort: bool,
    pub(super) readonly: bool,
    pub(super) hidden: bool,
    pub(super) default: Option<Expr>,
    /// As `#[check(..)]` takes them.
    pub(super) checks: Vec<Expr>,
}

impl Field {
    /// `None` for what is no column.
    pub(super) fn read(field: &syn::Field, errors: &mut Errors) -> Option<Self> {
        let ident = field.ident.clone()?;
        let name = ident.unraw().to_string();
        let inner = types::inside_option(&field.ty).clone();
        let wire = travels_as(&inner).unwrap_or_else(|| inner.clone());
        let mut read = Self {
            column: Ident::new(&variant(&name), ident.span()),
            ident,
            docs: field.attrs.iter().filter(|attribute| attribute.path().is_ident("doc")).cloned().collect(),
            optional: types::is_option(&field.ty),
            inner,
            wire,
            key: false,
            automatic: true,
            filters: Vec::new(),
            sort: false,
            readonly: false,
            hidden: false,
            default: None,
            checks: Vec::new(),
            name,
        };
        for attribute in &field.attrs {
            if attribute.path().is_ident("sea_orm") {
                let items =
                    attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok()?;
                if items.iter().any(|item| item.path().is_ident("ignore")) {
                    return None;
                }
                items.iter().for_each(|item| read.take_theirs(item));
            } else if attribute.path().is_ident("resource") {
                match attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) {
                    Ok(items) => items.iter().for_each(|item| read.take(item, errors)),
                    Err(error) => errors.add(syn::Error::new(error.span(), format!("{error}; {USAGE}"))),
                }
            }
        }
        // A key that is no number is the caller's, as is one that SeaORM is told not to make.
        read.automatic &= read.key && is_integer(&read.inner);
        if read.soft_delete() {
            read.readonly = true;
        }
        Some(read)
    }

    /// What SeaORM's attribute says of the column.
    fn take_theirs(&mut self, item: &Meta) {
        match item {
            Meta::Path(path) if path.is_ident("primary_key") => self.key = true,
            Meta::NameValue(pair) if pair.path.is_ident("auto_increment") => {
                self.automatic = compact(&pair.value) != "false";
            }
            Meta::NameValue(pair) if pair.path.is_ident("default_value") => {
                self.default.get_or_insert_with(|| pair.value.clone());
            }
            Meta::NameValue(pair) if pair.path.is_ident("enum_name") => {
                if let Some(name) = literal(&pair.value) {
                    self.column = Ident::new(&name.value(), name.span());
                }
            }
            Meta::NameValue(pair) if pair.path.is_ident("column_type") => {
                // Callers see the length in the description; the check of the column itself holds anyway.
                if let Some(most) = literal(&pair.value).and_then(|ty| length(&ty.value())) {
                    self.checks.push(parse_quote!(len(..=#most)));
                }
            }
            _ => {}
        }
    }

    fn take(&mut self, item: &Meta, errors: &mut Errors) {
        let name = compact(item.path());
        match (name.as_str(), item) {
            ("filter", Meta::Path(_)) => self.filters = self.usual(),
            ("filter", Meta::List(list)) => self.take_filters(list, errors),
            ("sort", Meta::Path(_)) => self.sort = true,
            ("readonly", Meta::Path(_)) => self.readonly = true,
            ("hidden", Meta::Path(_)) => self.hidden = true,
            ("default", Meta::NameValue(pair)) => self.default = Some(pair.value.clone()),
            ("check", Meta::List(list)) => {
                match list.parse_args_with(Punctuated::<Expr, Token![,]>::parse_terminated) {
                    Ok(checks) => self.checks.extend(checks),
                    Err(error) => errors.add(error),
                }
            }
            _ => errors.push(item, format!("`{}`: unknown option `{name}`: {USAGE}", self.name)),
        }
    }

    fn take_filters(&mut self, list: &MetaList, errors: &mut Errors) {
        let names = |input: ParseStream<'_>| {
            Punctuated::<Ident, Token![,]>::parse_terminated_with(input, Ident::parse_any)
        };
        let Ok(names) = list.parse_args_with(names) else {
            return errors.push(list, format!("`{}`: `filter` takes comparisons: filter(eq, gt)", self.name));
        };
        for name in names {
            match OPS.iter().find(|op| name == **op) {
                Some(&"null") if !self.optional => {
                    errors.push(&name, format!("`{}` is never null: remove `null`", self.name));
                }
                Some(&op @ ("contains" | "startswith")) if class(&self.inner) != Class::Text => {
                    errors.push(&name, format!("`{}` is no text: remove `{op}`", self.name));
                }
                Some(op) => self.filters.push(op),
                None => errors.push(
                    &name,
                    format!("`{}`: unknown comparison `{name}`: known are {}", self.name, OPS.join(", ")),
                ),
            }
        }
    }

    /// What `filter` alone allows.
    fn usual(&self) -> Vec<&'static str> {
        let mut ops = match class(&self.inner) {
            Class::Truth => vec!["eq"],
            Class::Text => vec!["eq", "ne", "in", "contains", "startswith"],
            Class::Ordered => vec!["eq", "ne", "gt", "gte", "lt", "lte", "in"],
            Class::Other => vec!["eq", "ne", "in"],
        };
        if self.optional {
            ops.push("null");
        }
        ops
    }

    /// True for the column that says when a row was deleted.
    pub(super) fn soft_delete(&self) -> bool {
        self.name == "deleted_at" && self.optional && travels_as(&self.inner).is_some()
    }

    /// True when callers may set it.
    pub(super) fn writable(&self) -> bool {
        !self.readonly
    }

    /// Its type on the wire.
    pub(super) fn travelling(&self) -> Type {
        let wire = &self.wire;
        if self.optional { parse_quote!(::core::option::Option<#wire>) } else { wire.clone() }
    }

    /// From the wire to the field.
    pub(super) fn incoming(&self, value: &Ident) -> TokenStream {
        let inner = &self.inner;
        if travels_as(inner).is_none() {
            value.to_token_stream()
        } else if self.optional {
            quote::quote!(#value.map(<#inner as ::core::convert::From<_>>::from))
        } else {
            quote::quote!(<#inner as ::core::convert::From<_>>::from(#value))
        }
    }

    /// From the field to the wire.
    pub(super) fn outgoing(&self, value: TokenStream) -> TokenStream {
        let wire = &self.wire;
        if travels_as(&self.inner).is_none() {
            value
        } else if self.optional {
            quote::quote!(#value.map(<#wire as ::core::convert::From<_>>::from))
        } else {
            quote::quote!(<#wire as ::core::convert::From<_>>::from(#value))
        }
    }

    /// Whether a default is text for a `String`, or any other expression.
    pub(super) fn default_is_literal(&self) -> bool {
        matches!(
            &self.default,
            Some(Expr::Lit(ExprLit { lit: Lit::Str(_) | Lit::Int(_) | Lit::Float(_) | Lit::Bool(_), .. }))
        )
    }
}

fn is_integer(ty: &Type) -> bool {
    let name = types::last_segment(ty).unwrap_or_default();
    matches!(name.as_str(), "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64")
}

/// The length of `String(StringLen::N(200))` and `Char(Some(2))`.
fn length(column_type: &str) -> Option<usize> {
    let (kind, rest) = column_type.split_once('(')?;
    if !matches!(kind.trim(), "String" | "Char") {
        return None;
    }
    let digits: String =
        rest.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_columns_are_read() {
        assert_eq!(length("String(StringLen::N(200))"), Some(200));
        assert_eq!(length("Char(Some(2))"), Some(2));
        assert_eq!((length("Text"), length("Decimal(Some((10, 2)))")), (None, None));
    }
}
