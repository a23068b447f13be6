//! Names that SeaORM derives from a field's, and what a type's name says.

use syn::{Type, parse_quote};

use crate::handler::types;

/// The variant of `Column` for a field: `due_at` is `DueAt`.
pub(super) fn variant(field: &str) -> String {
    let mut name = String::new();
    for part in field.split('_').filter(|part| !part.is_empty()) {
        let mut letters = part.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

/// What comparisons a type has, as far as its name says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Truth,
    Text,
    Ordered,
    Other,
}

pub(super) fn class(ty: &Type) -> Class {
    match types::last_segment(ty).unwrap_or_default().as_str() {
        "bool" => Class::Truth,
        "String" => Class::Text,
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "f32" | "f64" => Class::Ordered,
        _ if travels_as(ty).is_some() && !is_uuid(ty) => Class::Ordered,
        _ => Class::Other,
    }
}

fn is_uuid(ty: &Type) -> bool {
    types::last_segment(ty).as_deref() == Some("Uuid")
}

/// The type that stands for another one on the wire: times and UUIDs have no schema of their own.
pub(super) fn travels_as(ty: &Type) -> Option<Type> {
    Some(match types::last_segment(ty)?.as_str() {
        "OffsetDateTime" | "TimeDateTimeWithTimeZone" => parse_quote!(::butterfly::model::sql::wire::Instant),
        "PrimitiveDateTime" | "TimeDateTime" => parse_quote!(::butterfly::model::sql::wire::DateTime),
        "Date" | "TimeDate" => parse_quote!(::butterfly::model::sql::wire::Day),
        "Time" | "TimeTime" => parse_quote!(::butterfly::model::sql::wire::Clock),
        "Uuid" => parse_quote!(::butterfly::model::sql::wire::Uuid),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_are_as_seaorm_names_them() {
        for (field, name) in
            [("id", "Id"), ("due_at", "DueAt"), ("_x", "X"), ("a1_b2", "A1B2"), ("type", "Type")]
        {
            assert_eq!(variant(field), name);
        }
    }

    #[test]
    fn times_are_ordered_and_uuids_are_not() {
        let class = |text| class(&syn::parse_str(text).unwrap());
        assert!(class("time::OffsetDateTime") == Class::Ordered && class("Uuid") == Class::Other);
        assert!(class("String") == Class::Text && class("Color") == Class::Other);
    }
}
