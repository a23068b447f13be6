//! `#[derive(Resource)]`: from an entity to handlers that list, get, create, update and delete its rows.
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
    let entity = Entity { options, fields };
    if errors.is_empty() { expand::code(&entity) } else { errors.or(TokenStream::new()) }
}
