//! Rows as JSON, and JSON into rows.

use butterfly_core::args::Blob;
use butterfly_core::serde_json::{self, Map, Value as Json};
use butterfly_core::{BadParams, Fault, Result};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ColumnType, EntityTrait, IdenStatic, Iterable, ModelTrait, Value,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::wire;

/// A row on its way to JSON: all columns, or fewer, and more beside them.
#[derive(Clone, Debug)]
pub struct RowJson<C> {
    columns: Vec<(C, Json)>,
    extra: Map<String, Json>,
}

/// What every row of an entity can do.
pub trait ToJson: ModelTrait {
    /// The row as JSON: times and UUIDs as in [`wire`], bytes as base64.
    ///
    /// # Example
    ///
    /// ```
    /// use butterfly_model::sql::ToJson;
    /// # mod user {
    /// #     use butterfly_model::sql::prelude::*;
    /// #     #[sea_orm::model]
    /// #     #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    /// #     #[sea_orm(table_name = "user")]
    /// #     pub struct Model { #[sea_orm(primary_key)] pub id: i64, pub name: String, pub secret: String }
    /// #     impl ActiveModelBehavior for ActiveModel {}
    /// # }
    ///
    /// let row = user::Model { id: 7, name: "ada".into(), secret: "x".into() };
    /// let json = row.to_json().exclude(&[user::Column::Secret]).extra("online", true).build();
    /// assert_eq!(serde_json::to_string(&json)?, r#"{"id":7,"name":"ada","online":true}"#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    fn to_json(&self) -> RowJson<<Self::Entity as EntityTrait>::Column> {
        let columns = <Self::Entity as EntityTrait>::Column::iter();
        RowJson {
            columns: columns.map(|column| (column, to_json(&self.get(column)))).collect(),
            extra: Map::new(),
        }
    }
}

impl<M: ModelTrait> ToJson for M {}

impl<C: ColumnTrait> RowJson<C> {
    /// Only these columns.
    #[must_use]
    pub fn only(mut self, columns: &[C]) -> Self {
        self.columns.retain(|(column, _)| has(columns, column));
        self
    }

    /// All but these columns.
    #[must_use]
    pub fn exclude(mut self, columns: &[C]) -> Self {
        self.columns.retain(|(column, _)| !has(columns, column));
        self
    }

    /// A value beside the columns; it replaces a column of that name.
    #[must_use]
    pub fn extra(mut self, name: impl Into<String>, value: impl Into<Json>) -> Self {
        self.extra.insert(name.into(), value.into());
        self
    }

    /// The object.
    #[must_use]
    pub fn build(self) -> Map<String, Json> {
        let mut object: Map<String, Json> =
            self.columns.into_iter().map(|(column, value)| (column.as_str().to_owned(), value)).collect();
        object.extend(self.extra);
        object
    }
}

fn has<C: ColumnTrait>(columns: &[C], column: &C) -> bool {
    columns.iter().any(|one| one.as_str() == column.as_str())
}

/// A value of a column as JSON.
pub(super) fn to_json(value: &Value) -> Json {
    fn written(value: Option<impl Serialize>) -> Json {
        value.and_then(|value| serde_json::to_value(value).ok()).unwrap_or_default()
    }
    match value {
        Value::TimeDateTimeWithTimeZone(at) => written(at.map(wire::Instant)),
        Value::TimeDateTime(at) => written(at.map(wire::DateTime)),
        Value::TimeDate(day) => written(day.map(wire::Day)),
        Value::TimeTime(time) => written(time.map(wire::Clock)),
        Value::Uuid(id) => written(id.map(wire::Uuid)),
        Value::Bytes(bytes) => written(bytes.clone().map(Blob)),
        Value::Json(json) => json.as_deref().cloned().unwrap_or_default(),
        // A float that is no number has no JSON.
        Value::Float(Some(number)) if !number.is_finite() => Json::Null,
        Value::Double(Some(number)) if !number.is_finite() => Json::Null,
        other => sea_orm::sea_query::sea_value_to_json_value(other),
    }
}

/// Sets the columns that a JSON object names, of those allowed; the others stay as they are.
///
/// # Errors
///
/// `ERR_BAD_PARAMS` that names each entry that is no allowed column, or whose value the column cannot take; then nothing is
/// set.
///
/// # Example
///
/// ```
/// use butterfly_model::sql::apply_json;
/// use butterfly_model::sql::prelude::*;
/// # mod user {
/// #     use butterfly_model::sql::prelude::*;
/// #     #[sea_orm::model]
/// #     #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
/// #     #[sea_orm(table_name = "user")]
/// #     pub struct Model { #[sea_orm(primary_key)] pub id: i64, pub name: String }
/// #     impl ActiveModelBehavior for ActiveModel {}
/// # }
///
/// let mut row: user::ActiveModel = Default::default();
/// let given = serde_json::Map::from_iter([("name".to_owned(), "ada".into())]);
/// apply_json(&mut row, &given, &[user::Column::Name])?;
/// assert_eq!(row.name, Set("ada".to_owned()));
///
/// let wrong = serde_json::Map::from_iter([("name".to_owned(), 7.into()), ("id".to_owned(), 1.into())]);
/// let error = apply_json(&mut row, &wrong, &[user::Column::Name]).unwrap_err();
/// assert!(error.to_string().contains("name: ") && error.to_string().contains("id: unknown"));
/// # Ok::<(), butterfly_core::Error>(())
/// ```
pub fn apply_json<A: ActiveModelTrait>(
    row: &mut A,
    object: &Map<String, Json>,
    allowed: &[<A::Entity as EntityTrait>::Column],
) -> Result<()> {
    let mut bad = BadParams::default();
    let mut changed = row.clone();
    for (name, json) in object {
        let Some(column) = allowed.iter().find(|column| column.as_str() == name) else {
            let known: Vec<&str> = allowed.iter().map(IdenStatic::as_str).collect();
            let shown: String = name.chars().take(64).collect();
            bad.push(shown, format!("unknown, known are {}", known.join(", ")));
            continue;
        };
        match from_json(*column, json) {
            Ok(value) => {
                if let Err(error) = changed.try_set(*column, value) {
                    bad.push(name, format!("cannot be set from JSON: {error}"));
                }
            }
            Err(problem) => bad.push(name, problem),
        }
    }
    if !bad.is_empty() {
        return Err(Fault::BadParams(bad).into());
    }
    *row = changed;
    Ok(())
}

/// The value of a column that JSON gives.
fn from_json<C: ColumnTrait>(column: C, json: &Json) -> Result<Value, String> {
    let def = column.def();
    if json.is_null() && !def.is_null() {
        return Err("must not be null".into());
    }
    Ok(match def.get_column_type() {
        ColumnType::Boolean => Value::Bool(read(json)?),
        ColumnType::TinyInteger => Value::TinyInt(read(json)?),
        ColumnType::SmallInteger => Value::SmallInt(read(json)?),
        ColumnType::Integer => Value::Int(read(json)?),
        ColumnType::BigInteger => Value::BigInt(read(json)?),
        ColumnType::TinyUnsigned => Value::TinyUnsigned(read(json)?),
        ColumnType::SmallUnsigned => Value::SmallUnsigned(read(json)?),
        ColumnType::Unsigned => Value::Unsigned(read(json)?),
        ColumnType::BigUnsigned => Value::BigUnsigned(read(json)?),
        ColumnType::Float => Value::Float(read(json)?),
        ColumnType::Double => Value::Double(read(json)?),
        ColumnType::Char(_) | ColumnType::String(_) | ColumnType::Text | ColumnType::Enum { .. } => {
            Value::String(read(json)?)
        }
        ColumnType::Date => Value::TimeDate(read::<wire::Day>(json)?.map(|day| day.0)),
        ColumnType::Time => Value::TimeTime(read::<wire::Clock>(json)?.map(|time| time.0)),
        ColumnType::DateTime | ColumnType::Timestamp => {
            Value::TimeDateTime(read::<wire::DateTime>(json)?.map(|at| at.0))
        }
        ColumnType::TimestampWithTimeZone => {
            Value::TimeDateTimeWithTimeZone(read::<wire::Instant>(json)?.map(|at| at.0))
        }
        ColumnType::Uuid => Value::Uuid(read::<wire::Uuid>(json)?.map(|id| id.0)),
        ColumnType::Blob | ColumnType::Binary(_) | ColumnType::VarBinary(_) => {
            Value::Bytes(read::<Blob>(json)?.map(|blob| blob.0))
        }
        ColumnType::Json | ColumnType::JsonBinary => {
            Value::Json((!json.is_null()).then(|| Box::new(json.clone())))
        }
        _ => return Err("is of a type that JSON cannot give".into()),
    })
}

fn read<T: DeserializeOwned>(json: &Json) -> Result<Option<T>, String> {
    Option::<T>::deserialize(json).map_err(|error| error.to_string())
}
