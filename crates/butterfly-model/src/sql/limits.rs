//! What a column takes: told by name before the database is asked, for its own words name no parameter.

use butterfly_core::{BadParams, Fault, Result};
use sea_orm::sea_query::StringLen;
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, ColumnType, DbBackend, EntityTrait, IdenStatic, Iterable,
    Value,
};
use time::OffsetDateTime;

/// The bytes of MySQL's `TEXT` and `BLOB`.
const MYSQL_TEXT: usize = 65_535;
/// The characters of MySQL's text columns that give no length: SeaORM makes them `varchar(255)`.
const MYSQL_STRING: usize = 255;
/// What MySQL's `TIMESTAMP` ends with: 2038-01-19 03:14:07 UTC.
const MYSQL_LAST: i64 = 2_147_483_647;

/// Checks that each value that is set fits its column.
///
/// # Errors
///
/// `ERR_BAD_PARAMS` that names each column whose value does not fit, and why.
pub fn check<A: ActiveModelTrait>(backend: DbBackend, row: &A) -> Result<()> {
    let mut bad = BadParams::default();
    for column in <A::Entity as EntityTrait>::Column::iter() {
        if let ActiveValue::Set(value) = row.get(column)
            && let Err(problem) = fits(backend, column, &value)
        {
            bad.push(column.as_str(), problem);
        }
    }
    if bad.is_empty() { Ok(()) } else { Err(Fault::BadParams(bad).into()) }
}

/// Whether a value fits a column; else what is wrong.
fn fits<C: ColumnTrait>(backend: DbBackend, column: C, value: &Value) -> Result<(), String> {
    sayable(backend, value)?;
    let def = column.def();
    if *value == value.as_null() && !def.is_null() {
        return Err("must not be null".into());
    }
    let mysql = backend == DbBackend::MySql;
    match (def.get_column_type(), value) {
        (
            ColumnType::String(StringLen::N(most)) | ColumnType::Char(Some(most)),
            Value::String(Some(text)),
        ) => chars(text, *most as usize),
        (ColumnType::String(StringLen::None), Value::String(Some(text))) if mysql => {
            chars(text, MYSQL_STRING)
        }
        (ColumnType::Text, Value::String(Some(text))) if mysql => bytes(text.len(), MYSQL_TEXT),
        (ColumnType::Blob, Value::Bytes(Some(blob))) if mysql => bytes(blob.len(), MYSQL_TEXT),
        (ColumnType::Binary(most), Value::Bytes(Some(blob))) => bytes(blob.len(), *most as usize),
        (ColumnType::VarBinary(StringLen::N(most)), Value::Bytes(Some(blob))) => {
            bytes(blob.len(), *most as usize)
        }
        (
            ColumnType::Timestamp | ColumnType::TimestampWithTimeZone,
            Value::TimeDateTimeWithTimeZone(Some(at)),
        ) if mysql => mysql_timestamp(*at),
        (ColumnType::Timestamp, Value::TimeDateTime(Some(at))) if mysql => mysql_timestamp(at.assume_utc()),
        _ => Ok(()),
    }
}

/// Whether the database's protocol can carry a value at all; else what is wrong.
pub(super) fn sayable(backend: DbBackend, value: &Value) -> Result<(), String> {
    match value {
        Value::BigUnsigned(Some(number))
            if backend != DbBackend::MySql && i64::try_from(*number).is_err() =>
        {
            Err(format!("must be at most {}, got {number}", i64::MAX))
        }
        Value::String(Some(text)) if backend == DbBackend::Postgres && text.contains('\0') => {
            Err("must not hold a NUL character".into())
        }
        Value::Float(Some(number)) if !number.is_finite() => Err("must be a finite number".into()),
        Value::Double(Some(number)) if !number.is_finite() => Err("must be a finite number".into()),
        _ => Ok(()),
    }
}

fn chars(text: &str, most: usize) -> Result<(), String> {
    let length = text.chars().count();
    if length <= most { Ok(()) } else { Err(format!("must have at most {most} characters, has {length}")) }
}

fn bytes(length: usize, most: usize) -> Result<(), String> {
    if length <= most { Ok(()) } else { Err(format!("must have at most {most} bytes, has {length}")) }
}

fn mysql_timestamp(at: OffsetDateTime) -> Result<(), String> {
    if (1..=MYSQL_LAST).contains(&at.unix_timestamp()) {
        return Ok(());
    }
    Err("must be from 1970-01-01T00:00:01Z to 2038-01-19T03:14:07Z in this database".into())
}
