//! Rows that are deleted by saying when, in a column such as `deleted_at`, so that they can come back.

use butterfly_core::{Error, Result};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ColumnType, EntityTrait, IdenStatic, QueryFilter, Select, Value,
};
use time::{OffsetDateTime, PrimitiveDateTime};

/// Queries that leave out, or find alone, what was deleted softly.
pub trait SoftDelete: QueryFilter + Sized {
    /// Leaves out rows that are deleted.
    #[must_use]
    fn alive(self, deleted_at: impl ColumnTrait) -> Self {
        self.filter(deleted_at.is_null())
    }

    /// Only rows that are deleted.
    #[must_use]
    fn deleted(self, deleted_at: impl ColumnTrait) -> Self {
        self.filter(deleted_at.is_not_null())
    }
}

impl<E: EntityTrait> SoftDelete for Select<E> {}

/// Marks a row as deleted now; saving it is left to the caller.
///
/// # Errors
///
/// A server fault when the column is no time that may be null.
pub fn mark<A: ActiveModelTrait>(row: &mut A, deleted_at: <A::Entity as EntityTrait>::Column) -> Result<()> {
    let now = OffsetDateTime::now_utc();
    let now = now.replace_nanosecond(0).unwrap_or(now);
    let value = match deleted_at.def().get_column_type() {
        ColumnType::TimestampWithTimeZone => Value::TimeDateTimeWithTimeZone(Some(now)),
        _ => Value::TimeDateTime(Some(PrimitiveDateTime::new(now.date(), now.time()))),
    };
    let name = deleted_at.as_str();
    row.try_set(deleted_at, value).map_err(|error| {
        Error::server(format!("the column {name} cannot say when a row was deleted: {error}"))
    })
}

/// Brings a row back; saving it is left to the caller.
///
/// # Errors
///
/// A server fault when the column is no time that may be null.
pub fn unmark<A: ActiveModelTrait>(
    row: &mut A,
    deleted_at: <A::Entity as EntityTrait>::Column,
) -> Result<()> {
    let value = match deleted_at.def().get_column_type() {
        ColumnType::TimestampWithTimeZone => Value::TimeDateTimeWithTimeZone(None),
        _ => Value::TimeDateTime(None),
    };
    let name = deleted_at.as_str();
    row.try_set(deleted_at, value)
        .map_err(|error| Error::server(format!("the column {name} cannot say that a row is there: {error}")))
}
