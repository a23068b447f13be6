//! Small questions about types and paths, asked of their text: a macro sees no more.

use quote::ToTokens;
use syn::Type;

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
