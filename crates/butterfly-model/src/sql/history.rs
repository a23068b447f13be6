//! What became of rows, and by whom: the table `butterfly_history`, a line for each change of a resource that asks for it
//! (`#[resource(history)]`), written by the transaction that makes the change.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use ::sea_orm::entity::prelude::*;
use ::sea_orm::{ConnectionTrait, EntitySchemaInfo, IdenStatic, ModelTrait, Schema, Set};
use butterfly_core::schemars::{self, JsonSchema};
use butterfly_core::serde_json::{self, Value as Json};
use butterfly_core::{Ctx, Result};
use serde::{Deserialize, Serialize};

use super::resource::{Action, Resource, bad};
use super::{Given, json};

/// The most characters of a key that has a history, and of an author's name.
const MOST_CHARS: usize = 255;

/// SeaORM without its registry: a program whose resources keep no history has no such table.
mod sea_orm {
    macro_rules! nowhere {
        ($($entity:tt)*) => {};
    }
    pub(super) use ::sea_orm::*;
    pub(super) use nowhere as register_entity;
}

/// A line: one change of one row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "butterfly_history")]
pub struct Model {
    /// Rises with each line.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The table of the row.
    #[sea_orm(column_type = "String(StringLen::N(190))")]
    pub resource: String,
    /// The key of the row as text.
    #[sea_orm(column_type = "String(StringLen::N(255))", indexed)]
    pub row_key: String,
    /// `create`, `update` or `delete`.
    #[sea_orm(column_type = "String(StringLen::N(16))")]
    pub action: String,
    /// The caller's name, where the door knew it.
    #[sea_orm(column_type = "String(StringLen::N(255))")]
    pub author: Option<String>,
    /// The caller's address, where there was one.
    #[sea_orm(column_type = "String(StringLen::N(45))")]
    pub address: Option<String>,
    /// When, in Unix milliseconds.
    pub at_ms: i64,
    /// The id of the call.
    #[sea_orm(column_type = "String(StringLen::N(64))")]
    pub reqid: String,
    /// The way by which the call came in: `http`, `queue`, …
    #[sea_orm(column_type = "String(StringLen::N(16))")]
    pub door: String,
    /// By column, what a [`Change`] holds.
    pub changes: Json,
}

/// A line belongs to no other table: rows go, their lines stay.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What became of a column. A row that was made has no old values, one that was deleted no new ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "serde")]
#[schemars(crate = "schemars")]
pub struct Change {
    /// The value before.
    #[serde(default, skip_serializing_if = "Given::is_no")]
    pub old: Given<Json>,
    /// The value after.
    #[serde(default, skip_serializing_if = "Given::is_no")]
    pub new: Given<Json>,
    /// True for a column that callers do not see: no value of it is kept here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

/// The table, for those who make tables.
#[doc(hidden)]
pub fn table(schema: &Schema) -> EntitySchemaInfo {
    EntitySchemaInfo::new(Entity, schema)
}

/// The lines of one row.
pub(super) fn lines<E: EntityTrait>(key: &Value) -> Select<Entity> {
    let table = E::default();
    Entity::find().filter(Column::Resource.eq(table.table_name())).filter(Column::RowKey.eq(key_text(key)))
}

/// Writes the line of a change, if the resource keeps a history and anything changed.
pub(super) async fn note<E>(
    ctx: &Ctx,
    tx: &impl ConnectionTrait,
    action: Action,
    before: Option<&E::Model>,
    after: Option<&E::Model>,
) -> Result<()>
where
    E: Resource,
    E::Model: ModelTrait<Entity = E>,
{
    let (true, Some(row)) = (E::HISTORY, after.or(before)) else { return Ok(()) };
    let changes = changes::<E>(before, after);
    if changes.is_empty() {
        return Ok(());
    }
    let line = ActiveModel {
        resource: Set(E::default().table_name().to_owned()),
        row_key: Set(key_of::<E>(row)?),
        action: Set(action.as_str().to_owned()),
        author: Set(Some(ctx.username()).filter(|name| *name != "-").map(cut)),
        address: Set(ctx.ip().map(|ip| ip.to_string())),
        at_ms: Set(now_ms()),
        reqid: Set(ctx.reqid().as_str().to_owned()),
        door: Set(ctx.door().as_str().to_owned()),
        changes: Set(serde_json::to_value(changes)?),
        ..Default::default()
    };
    Entity::insert(line).exec_without_returning(tx).await?;
    Ok(())
}

/// The columns whose values differ.
fn changes<E>(before: Option<&E::Model>, after: Option<&E::Model>) -> BTreeMap<&'static str, Change>
where
    E: Resource,
    E::Model: ModelTrait<Entity = E>,
{
    let hidden = |column: &E::Column| E::HIDDEN.iter().any(|one| one.as_str() == column.as_str());
    let mut changes = BTreeMap::new();
    for column in <E::Column as ::sea_orm::Iterable>::iter() {
        let (old, new) = (before.map(|row| row.get(column)), after.map(|row| row.get(column)));
        if old == new {
            continue;
        }
        let change = if hidden(&column) {
            Change { hidden: true, ..Change::default() }
        } else {
            let written = |value: Option<Value>| Given(value.as_ref().map(json::to_json));
            Change { old: written(old), new: written(new), hidden: false }
        };
        changes.insert(column.as_str(), change);
    }
    changes
}

/// The key of a row as the table keeps it.
fn key_of<E>(row: &E::Model) -> Result<String>
where
    E: Resource,
    E::Model: ModelTrait<Entity = E>,
{
    let mut text = String::new();
    for key in <E::PrimaryKey as ::sea_orm::Iterable>::iter() {
        let column = ::sea_orm::PrimaryKeyToColumn::into_column(key);
        text = key_text(&row.get(column));
        let chars = text.chars().count();
        if chars > MOST_CHARS {
            let problem = format!("must have at most {MOST_CHARS} characters to have a history, has {chars}");
            return Err(bad(column.as_str(), problem));
        }
    }
    Ok(text)
}

fn key_text(key: &Value) -> String {
    match json::to_json(key) {
        Json::String(text) => text,
        other => other.to_string(),
    }
}

fn cut(name: &str) -> String {
    name.chars().take(MOST_CHARS).collect()
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
