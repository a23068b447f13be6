//! `#[derive(Resource)]`: from an entity to handlers that list, get, create, update and delete its rows, and tell their
//! history.
//!
//! What it writes are functions under `#[handler]`, as a user would write them: so they get every door.

mod expand;
mod field;
mod names;
mod options;

use proc_macro2::TokenStream;
use syn::{Data, DeriveInput, Fields, parse2};

use crate::errors::Errors;
use field::Field;
use options::Options;

/// Everything that the entity says.
pub(crate) struct Entity {
    options: Options,
    fields: Vec<Field>,
}

pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let input: DeriveInput = match parse2(item) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    // `#[sea_orm::model]` repeats the derives on the type with relations that it adds.
    if input.ident == "ModelEx" {
        return TokenStream::new();
    }
    let mut errors = Errors::default();
    let Data::Struct(data) = &input.data else {
        errors.push(&input.ident, "a resource is an entity: a struct `Model` of SeaORM's with named fields");
        return errors.or(TokenStream::new());
    };
    let Fields::Named(named) = &data.fields else {
        errors.push(&input.ident, "a resource is an entity: a struct `Model` of SeaORM's with named fields");
        return errors.or(TokenStream::new());
    };
    if input.ident != "Model" {
        errors.push(&input.ident, "an entity is named `Model`: SeaORM names what belongs to it by that");
    }
    let options = Options::parse(&input.attrs, &mut errors);
    let fields: Vec<Field> = named.named.iter().filter_map(|field| Field::read(field, &mut errors)).collect();
    match fields.iter().filter(|field| field.key).count() {
        1 => {}
        0 => errors.push(&input.ident, "a resource needs a key: put #[sea_orm(primary_key)] above a field"),
        _ => errors.push(
            &input.ident,
            "a resource has a key of one column: give it one, and make the pair #[sea_orm(unique_key = \"…\")]",
        ),
    }
    for field in fields.iter().filter(|field| field.filters.contains(&"eq") && options.takes(&field.name)) {
        errors.push(
            &field.ident,
            format!(
                "`{}` is a parameter of the list itself: rename the field, or leave it out of `filter`",
                field.name
            ),
        );
    }
    for field in fields.iter().filter(|field| field.key && options.history_takes(&field.name)) {
        errors.push(
            &field.ident,
            format!("`{}` is a parameter of the history itself: rename the key", field.name),
        );
    }
    if options.lacks_history() {
        errors
            .push(&input.ident, "`only` names `history`, but no changes are kept: add #[resource(history)]");
    }
    let entity = Entity { options, fields };
    if errors.is_empty() { expand::code(&entity) } else { errors.or(TokenStream::new()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(source: &str) -> String {
        expand(source.parse().unwrap()).to_string()
    }

    #[test]
    fn each_mistake_is_told() {
        for (source, part) in [
            ("enum Shape { Round }", "a resource is an entity"),
            ("struct Model(i64);", "with named fields"),
            ("struct User { #[sea_orm(primary_key)] id: i64 }", "an entity is named `Model`"),
            ("struct Model { id: i64 }", "a resource needs a key"),
            (
                "struct Model { #[sea_orm(primary_key)] a: i64, #[sea_orm(primary_key)] b: i64 }",
                "a key of one column",
            ),
            ("#[resource(path = \"todo\")] struct Model { }", "path = \\\"/todo\\\""),
            ("#[resource(only = \"list,drop\")] struct Model { }", "unknown action `drop`"),
            ("#[resource(guard = \"none\")] struct Model { }", "`guard` takes a function"),
            ("#[resource(colour = 1)] struct Model { }", "unknown option `colour`"),
            ("#[resource(list)] struct Model { }", "`list` takes options of a handler"),
            ("#[resource(history = true)] struct Model { }", "`history` takes options of a handler"),
            ("#[resource(only = \"history\")] struct Model { }", "no changes are kept"),
            (
                "#[resource(history)] struct Model { #[sea_orm(primary_key)] after: i64 }",
                "a parameter of the history itself",
            ),
            ("struct Model { #[resource(width = 3)] id: i64 }", "unknown option `width`"),
            ("struct Model { #[resource(filter(like))] id: i64 }", "unknown comparison `like`"),
            ("struct Model { #[resource(filter(null))] id: i64 }", "never null"),
            ("struct Model { #[resource(filter(contains))] id: i64 }", "no text"),
            ("struct Model { #[resource(filter)] sort: String }", "a parameter of the list itself"),
        ] {
            let code = told(source);
            assert!(code.contains("compile_error") && code.contains(part), "{source}: {code}");
        }
    }

    #[test]
    fn an_entity_has_the_handlers_it_asks_for() {
        let code = told("#[resource(only = \"list\")] struct Model { #[sea_orm(primary_key)] id: i64 }");
        assert!(code.contains("fn list") && !code.contains("fn delete"));
        let code = told("#[resource(history)] struct Model { #[sea_orm(primary_key)] id: i64 }");
        assert!(code.contains("fn history") && code.contains("HISTORY"));
        let code = told("struct Model { #[sea_orm(primary_key)] id: i64 }");
        assert!(code.contains("fn delete") && !code.contains("fn history") && !code.contains("HISTORY"));
        assert_eq!(told("struct ModelEx { id: i64 }"), "");
    }
}
