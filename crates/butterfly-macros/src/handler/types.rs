//! Small questions about types and paths, asked of their text: a macro sees no more.

use proc_macro2::Span;
use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{Ident, Path, Type};

/// `Vec` of `std::vec::Vec<u8>`.
pub(crate) fn last_segment(ty: &Type) -> Option<String> {
    let Type::Path(path) = ty else { return None };
    path.path.segments.last().map(|segment| segment.ident.to_string())
}

pub(crate) fn is_option(ty: &Type) -> bool {
    last_segment(ty).as_deref() == Some("Option")
}

pub(crate) fn is_string(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident("String"))
}

/// The owned form of a borrowed type, for advice.
pub(crate) fn owned(ty: &Type) -> String {
    match ty {
        Type::Path(path) if path.path.is_ident("str") => "String".into(),
        Type::Path(path) if path.path.is_ident("Path") => "std::path::PathBuf".into(),
        Type::Slice(slice) => format!("Vec<{}>", compact(&slice.elem)),
        other => compact(other),
    }
}

/// The tokens as a person would write them.
pub(crate) fn compact(tokens: impl ToTokens) -> String {
    let spaced = tokens.to_token_stream().to_string();
    let mut out = String::with_capacity(spaced.len());
    let mut letters = spaced.chars().peekable();
    while let Some(letter) = letters.next() {
        let word_before = out.chars().last().is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ',');
        let word_after = letters.peek().is_some_and(|c| c.is_alphanumeric() || *c == '_' || *c == '&');
        if letter != ' ' || (word_before && word_after) {
            out.push(letter);
        }
    }
    out
}

/// The same path seen from the handler's module, one deeper: `super::X` is `super::super::X` there.
pub(crate) fn from_inside<T>(mut code: T) -> T
where
    Deeper: Visit<T>,
{
    Deeper.visit(&mut code);
    code
}

pub(crate) struct Deeper;

pub(crate) trait Visit<T> {
    fn visit(&mut self, code: &mut T);
}

impl Visit<Path> for Deeper {
    fn visit(&mut self, code: &mut Path) {
        self.visit_path_mut(code);
    }
}

impl Visit<Type> for Deeper {
    fn visit(&mut self, code: &mut Type) {
        self.visit_type_mut(code);
    }
}

impl Visit<syn::Expr> for Deeper {
    fn visit(&mut self, code: &mut syn::Expr) {
        self.visit_expr_mut(code);
    }
}

impl VisitMut for Deeper {
    fn visit_path_mut(&mut self, path: &mut Path) {
        let first = path.segments.first().map(|segment| segment.ident.to_string());
        let up = || syn::PathSegment::from(Ident::new("super", Span::call_site()));
        match first.as_deref() {
            Some("super") => path.segments.insert(0, up()),
            Some("self") if path.segments.len() > 1 => path.segments[0] = up(),
            _ => {}
        }
        visit_mut::visit_path_mut(self, path);
    }
}
