//! What a database refuses because of other rows: told as a status, with the column's name where the database gives it.

use butterfly_core::Error;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, IdenStatic, Iterable, RuntimeErr, SqlErr};

use super::unfit;

/// The status of a value that another row has already.
pub const ERR_EXISTS: &str = "ERR_EXISTS";
/// The status of a row that is not there.
pub const ERR_NOT_EXIST: &str = "ERR_NOT_EXIST";
/// The status of a reference to a row that is not there, or of a row that others refer to.
pub const ERR_REFERENCE: &str = "ERR_REFERENCE";

/// The error for the caller of a write to an entity's table.
///
/// A unique value that another row has is `ERR_EXISTS` and names the columns; a broken reference is `ERR_REFERENCE`; a row
/// that is gone is `ERR_NOT_EXIST`; a value that a column of the table does not take, where the database names it, is
/// `ERR_BAD_PARAMS`; everything else is a server fault.
#[must_use]
pub fn explain<E: EntityTrait>(error: DbErr) -> Error {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(said)) => {
            let reason = match columns::<E>(&error, &said) {
                names if names.is_empty() => "another row has this value already".to_owned(),
                names => format!("another row has this {} already", names.join(", ")),
            };
            Error::business_because(ERR_EXISTS, reason)
        }
        Some(SqlErr::ForeignKeyConstraintViolation(_)) => Error::business_because(
            ERR_REFERENCE,
            "it refers to a row that is not there, or other rows refer to it",
        ),
        None if matches!(error, DbErr::RecordNotUpdated | DbErr::RecordNotFound(_)) => {
            Error::business(ERR_NOT_EXIST)
        }
        _ => unfit::explain::<E>(&error).unwrap_or_else(|| error.into()),
    }
}

/// True when another row has a value that must be unique.
#[must_use]
pub fn is_unique_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

/// The columns that the database's words are about.
fn columns<E: EntityTrait>(error: &DbErr, said: &str) -> Vec<&'static str> {
    let detail = postgres_detail(error);
    let place = match &detail {
        // Key (title)=(x) already exists.
        Some(detail) => {
            detail.split_once("Key (").and_then(|(_, rest)| rest.split_once(")=(")).map(|(names, _)| names)
        }
        // UNIQUE constraint failed: todo.title
        None if said.contains("constraint failed: ") => said.rsplit_once("failed: ").map(|(_, names)| names),
        // Duplicate entry 'x' for key 'idx-todo-title'
        None => said.rsplit_once("for key ").map(|(_, key)| key),
    };
    let Some(place) = place else { return Vec::new() };
    if place.contains("PRIMARY") {
        return E::PrimaryKey::iter()
            .map(|key| sea_orm::PrimaryKeyToColumn::into_column(key).as_str())
            .collect();
    }
    let words = |text: &str| -> Vec<String> {
        let apart = |c: char| !(c.is_alphanumeric() || c == '_');
        text.split(apart).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
    };
    let place = words(place);
    let all: Vec<E::Column> = E::Column::iter().collect();
    let named: Vec<&'static str> = all
        .iter()
        .map(IdenStatic::as_str)
        .filter(|name| place.iter().any(|word| word == &name.to_lowercase()))
        .collect();
    if !named.is_empty() {
        return named;
    }
    // An index of a name of its own, such as `todo_title_key`.
    let unique = all.iter().filter(|column| column.def().is_unique()).map(IdenStatic::as_str);
    unique.filter(|name| place.iter().any(|word| word.contains(&name.to_lowercase()))).collect()
}

fn postgres_detail(error: &DbErr) -> Option<String> {
    let (DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause))) = error
    else {
        return None;
    };
    let sqlx::Error::Database(cause) = &**cause else { return None };
    cause.try_downcast_ref::<sqlx::postgres::PgDatabaseError>()?.detail().map(str::to_owned)
}
