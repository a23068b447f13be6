//! Which variables a pattern binds.

use syn::ext::IdentExt;
use syn::{Expr, Ident, Pat};

/// A name in a pattern.
#[derive(Clone)]
pub(super) struct Binding {
    pub(super) ident: Ident,
    pub(super) name: String,
    pub(super) mutable: bool,
}

impl Binding {
    /// Whether it is sure to be a variable that someone means to read.
    pub(super) fn is_variable(&self, irrefutable: bool) -> bool {
        is_variable(&self.ident, irrefutable)
    }
}

/// A name in a pattern may be a constant: by convention those are capitalised. Scripts without capitals are trusted
/// only where a constant could not stand. A leading underscore says that the value is not meant to be read.
pub(super) fn is_variable(ident: &Ident, irrefutable: bool) -> bool {
    let first = ident.unraw().to_string().chars().next();
    first.is_some_and(|c| c.is_lowercase() || irrefutable && c.is_alphabetic() && !c.is_uppercase())
}

/// Every name that a pattern binds, in the order written.
pub(super) fn bindings(pat: &Pat) -> Vec<Binding> {
    let mut found = Vec::new();
    collect(pat, &mut found);
    found
}

fn collect(pat: &Pat, found: &mut Vec<Binding>) {
    match pat {
        Pat::Ident(pat) => {
            let mutable = pat.mutability.is_some() && pat.by_ref.is_none();
            found.push(Binding { ident: pat.ident.clone(), name: pat.ident.to_string(), mutable });
            pat.subpat.iter().for_each(|(_, inner)| collect(inner, found));
        }
        Pat::Guard(pat) => collect(&pat.pat, found),
        Pat::Paren(pat) => collect(&pat.pat, found),
        Pat::Reference(pat) => collect(&pat.pat, found),
        Pat::Type(pat) => collect(&pat.pat, found),
        // All alternatives bind the same names.
        Pat::Or(pat) => pat.cases.first().into_iter().for_each(|case| collect(case, found)),
        Pat::Slice(pat) => pat.elems.iter().for_each(|inner| collect(inner, found)),
        Pat::Tuple(pat) => pat.elems.iter().for_each(|inner| collect(inner, found)),
        Pat::TupleStruct(pat) => pat.elems.iter().for_each(|inner| collect(inner, found)),
        Pat::Struct(pat) => pat.fields.iter().for_each(|field| collect(&field.pat, found)),
        _ => {}
    }
}

/// What the `let`s in the condition of an `if` or `while` bind.
pub(super) fn condition_bindings(cond: &Expr) -> Vec<Binding> {
    match cond {
        Expr::Let(cond) => bindings(&cond.pat),
        Expr::Paren(cond) => condition_bindings(&cond.expr),
        Expr::Binary(cond) => {
            let mut found = condition_bindings(&cond.left);
            found.append(&mut condition_bindings(&cond.right));
            found
        }
        _ => Vec::new(),
    }
}

/// Whether a pattern binds this name.
pub(super) fn binds(pat: &Pat, name: &str) -> bool {
    bindings(pat).iter().any(|binding| binding.name == name)
}
