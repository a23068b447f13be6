//! `#[resource(path = "/todo", only = "list,get", delete(ops), …)]` above the entity.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, ExprPath, Lit, LitStr, Meta, Path, Token};

use crate::errors::Errors;
use crate::handler::compact::compact;

/// The actions, and the names of their handlers.
pub(super) const ACTIONS: [&str; 6] = ["list", "get", "create", "update", "delete", "history"];
const USAGE: &str = "known are path = \"/todo\", only = \"list,get\", sort = \"-id\", guard = a_function, scope = a_function, \
                     history, and options of handlers for one action, such as delete(ops)";

/// What stands above the entity.
#[derive(Default)]
pub(super) struct Options {
    pub(super) path: Option<LitStr>,
    only: Option<Vec<String>>,
    pub(super) sort: Option<LitStr>,
    pub(super) guard: Option<Path>,
    pub(super) scope: Option<Path>,
    /// Whether changes are kept.
    pub(super) history: bool,
    handlers: Vec<(String, TokenStream)>,
    /// The table's name, for the documentation.
    pub(super) table: Option<String>,
}

impl Options {
    pub(super) fn parse(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut options = Self::default();
        for attribute in attrs {
            if attribute.path().is_ident("sea_orm") {
                options.table = options.table.or_else(|| text_of(attribute, "table_name"));
            }
            if attribute.path().is_ident("resource") {
                match attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) {
                    Ok(items) => items.iter().for_each(|item| options.take(item, errors)),
                    Err(error) => errors.add(syn::Error::new(error.span(), format!("{error}; {USAGE}"))),
                }
            }
        }
        options
    }

    fn take(&mut self, item: &Meta, errors: &mut Errors) {
        let name = compact(item.path());
        match (name.as_str(), item) {
            ("path", Meta::NameValue(pair)) => match literal(&pair.value) {
                Some(path) if path.value().starts_with('/') && !path.value().ends_with('/') => {
                    self.path = Some(path);
                }
                _ => errors.push(&pair.value, "`path` is where the handlers are: path = \"/todo\""),
            },
            ("only", Meta::NameValue(pair)) => self.take_only(&pair.value, errors),
            ("sort", Meta::NameValue(pair)) => match literal(&pair.value) {
                Some(sort) => self.sort = Some(sort),
                None => errors.push(&pair.value, "`sort` takes columns: sort = \"-due,id\""),
            },
            ("guard" | "scope", Meta::NameValue(pair)) => match &pair.value {
                Expr::Path(ExprPath { path, .. }) if name == "guard" => self.guard = Some(path.clone()),
                Expr::Path(ExprPath { path, .. }) => self.scope = Some(path.clone()),
                other => errors.push(other, format!("`{name}` takes a function: {name} = my_{name}")),
            },
            ("history", Meta::Path(_)) => self.history = true,
            (action, Meta::List(list)) if ACTIONS.contains(&action) => {
                self.history |= action == "history";
                self.handlers.push((name, list.tokens.clone()));
            }
            (action, _) if ACTIONS.contains(&action) => {
                errors
                    .push(item, format!("`{action}` takes options of a handler: {action}(timeout = \"2s\")"));
            }
            ("path" | "only" | "sort" | "guard" | "scope", _) => {
                errors.push(item, format!("`{name}` takes a value; {USAGE}"));
            }
            _ => errors.push(item, format!("unknown option `{name}`: {USAGE}")),
        }
    }

    fn take_only(&mut self, value: &Expr, errors: &mut Errors) {
        let Some(text) = literal(value) else {
            return errors.push(value, "`only` takes actions: only = \"list,get\"");
        };
        let names: Vec<String> = text.value().split(',').map(|name| name.trim().to_owned()).collect();
        for name in names.iter().filter(|name| !ACTIONS.contains(&name.as_str())) {
            errors.push(&text, format!("unknown action `{name}`: known are {}", ACTIONS.join(", ")));
        }
        self.only = Some(names);
    }

    /// Whether the list has a parameter of this name that is none of the entity's.
    pub(super) fn takes(&self, name: &str) -> bool {
        self.has("list") && ["sort", "page_index", "page_size", "after", "ctx"].contains(&name)
    }

    /// Whether the history's handler has a parameter of this name that is not the key.
    pub(super) fn history_takes(&self, name: &str) -> bool {
        self.has("history") && ["page_index", "page_size", "after"].contains(&name)
    }

    /// Whether `only` names the history of an entity that keeps none.
    pub(super) fn lacks_history(&self) -> bool {
        !self.history && self.only.as_ref().is_some_and(|only| only.iter().any(|name| name == "history"))
    }

    /// Whether an action has a handler.
    pub(super) fn has(&self, action: &str) -> bool {
        let asked = self.only.as_ref().is_none_or(|only| only.iter().any(|name| name == action));
        asked && (action != "history" || self.history)
    }

    /// What stands in the `#[handler(..)]` of an action.
    pub(super) fn handler(&self, action: &str) -> TokenStream {
        let mut tokens = TokenStream::new();
        if let Some(path) = &self.path {
            let path = LitStr::new(&format!("{}/{action}", path.value()), path.span());
            tokens.extend(quote::quote!(path = #path, trace = false));
        } else {
            tokens.extend(quote::quote!(trace = false));
        }
        for (_, more) in self.handlers.iter().filter(|(name, _)| name == action) {
            tokens.extend(quote::quote!(, #more));
        }
        tokens
    }
}

/// The text of a `name = "…"` in SeaORM's attribute.
fn text_of(attribute: &Attribute, name: &str) -> Option<String> {
    let items = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok()?;
    items.iter().find_map(|item| match item {
        Meta::NameValue(pair) if pair.path.is_ident(name) => literal(&pair.value).map(|text| text.value()),
        _ => None,
    })
}

/// A literal text.
pub(super) fn literal(value: &Expr) -> Option<LitStr> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.clone()),
        // SeaORM's macro hands expressions on in groups.
        Expr::Group(group) => literal(&group.expr),
        other => syn::parse2::<LitStr>(other.to_token_stream()).ok(),
    }
}
