//! Small questions about types, asked of their text: a macro sees no more.

use syn::visit_mut::{self, VisitMut};
use syn::{GenericArgument, Lifetime, PathArguments, Type, TypeReference, parse_quote};

use super::compact::compact;

/// `Vec` of `std::vec::Vec<u8>`.
pub(crate) fn last_segment(ty: &Type) -> Option<String> {
    let Type::Path(path) = ty else { return None };
    path.path.segments.last().map(|segment| segment.ident.to_string())
}

pub(crate) fn is_option(ty: &Type) -> bool {
    last_segment(ty).as_deref() == Some("Option")
}

/// `T` of `Option<T>`; any other type itself.
pub(crate) fn inside_option(ty: &Type) -> &Type {
    inside("Option", ty)
}

/// `T` of `Result<T>` and `Result<T, E>`; any other type itself.
pub(crate) fn inside_result(ty: &Type) -> &Type {
    inside("Result", ty)
}

fn inside<'t>(name: &str, ty: &'t Type) -> &'t Type {
    if let Type::Path(path) = ty
        && let Some(last) = path.path.segments.last()
        && last.ident == name
        && let PathArguments::AngleBracketed(list) = &last.arguments
        && let Some(GenericArgument::Type(inside)) = list.args.first()
    {
        return inside;
    }
    ty
}

/// True for `Given<T>`, which tells what is left out from null.
pub(crate) fn is_given(ty: &Type) -> bool {
    !std::ptr::eq(inside("Given", ty), ty)
}

pub(crate) fn is_string(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident("String"))
}

/// Names of types that no `use` brings in: a type of that name would hide them.
pub(crate) fn is_primitive(name: &str) -> bool {
    const NUMBERS: [&str; 14] = [
        "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize", "f32", "f64",
    ];
    NUMBERS.contains(&name) || ["bool", "char", "str"].contains(&name)
}

/// True for types with a reference or a lifetime in them, `'static` ones apart.
pub(crate) fn borrows(ty: &Type) -> bool {
    let mut found = Borrowed::default();
    found.visit_type_mut(&mut ty.clone());
    found.0
}

/// True when `impl Trait` or `_` stands anywhere in the type.
pub(crate) fn is_unnamed(ty: &Type) -> bool {
    let mut found = Unnamed::default();
    found.visit_type_mut(&mut ty.clone());
    found.0
}

/// The owned form of a borrowed type, for advice.
pub(crate) fn owned(ty: &Type) -> String {
    let mut ty = ty.clone();
    Own.visit_type_mut(&mut ty);
    compact(ty)
}

/// The type with another lifetime in the place of each that is written or left out of a reference.
pub(crate) fn living(ty: &Type, lifetime: &Lifetime) -> Type {
    let mut ty = ty.clone();
    Live(lifetime).visit_type_mut(&mut ty);
    ty
}

#[derive(Default)]
struct Borrowed(bool);

impl VisitMut for Borrowed {
    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        self.0 |= reference.lifetime.is_none();
        visit_mut::visit_type_reference_mut(self, reference);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        self.0 |= lifetime.ident != "static";
    }
}

#[derive(Default)]
struct Unnamed(bool);

impl VisitMut for Unnamed {
    fn visit_type_impl_trait_mut(&mut self, _: &mut syn::TypeImplTrait) {
        self.0 = true;
    }

    fn visit_type_infer_mut(&mut self, _: &mut syn::TypeInfer) {
        self.0 = true;
    }
}

struct Own;

impl VisitMut for Own {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::Reference(reference) = ty {
            *ty = match &*reference.elem {
                Type::Path(path) if path.path.is_ident("str") => parse_quote!(String),
                Type::Path(path) if path.path.is_ident("Path") => parse_quote!(std::path::PathBuf),
                Type::Slice(slice) => {
                    let elem = &slice.elem;
                    parse_quote!(Vec<#elem>)
                }
                other => other.clone(),
            };
        }
        visit_mut::visit_type_mut(self, ty);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        *lifetime = parse_quote!('static);
    }
}

struct Live<'a>(&'a Lifetime);

impl VisitMut for Live<'_> {
    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        reference.lifetime.get_or_insert_with(|| self.0.clone());
        visit_mut::visit_type_reference_mut(self, reference);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident != "static" {
            *lifetime = self.0.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_for_borrowed_types_owns_them() {
        for (borrowed, own) in [
            ("&str", "String"),
            ("&'static str", "String"),
            ("&[u8]", "Vec<u8>"),
            ("&mut Vec<&str>", "Vec<String>"),
            ("Option<&str>", "Option<String>"),
            ("&Path", "std::path::PathBuf"),
            ("Cow<'a, str>", "Cow<'static, str>"),
            ("&Point", "Point"),
        ] {
            let ty: Type = syn::parse_str(borrowed).unwrap();
            assert_eq!(owned(&ty), own, "{borrowed}");
        }
    }

    #[test]
    fn what_borrows_is_seen_at_any_depth() {
        let ask = |text| borrows(&syn::parse_str(text).unwrap());
        assert!(["&str", "Option<&str>", "Cow<'a, str>", "Ref<'_>", "(u8, &'a u8)"].into_iter().all(ask));
        assert!(!["String", "Cow<'static, str>", "&'static str", "Option<u8>"].into_iter().any(ask));
    }
}
