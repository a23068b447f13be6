//! What became of a row, as callers are told it.

use std::collections::BTreeMap;

use butterfly_core::schemars::{self, JsonSchema};
use butterfly_core::serde_json;
use butterfly_core::{Ctx, Result, Stat};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, Value};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Action, Ask, Resource, Rows, found, key_named, page};
use crate::sql::conflict::ERR_NOT_EXIST;
use crate::sql::history::{self, Change};
use crate::sql::{DbExt, wire};

/// One change of a row: who, when, by which call, and what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "serde")]
#[schemars(crate = "schemars", rename = "HistoryLine")]
pub struct Line {
    /// Rises with each change.
    pub id: i64,
    /// `create`, `update` or `delete`.
    pub action: String,
    /// The caller's name; null where the door knew none.
    pub author: Option<String>,
    /// The caller's address; null where there was none.
    pub address: Option<String>,
    /// When.
    pub at: wire::Instant,
    /// The id of the call.
    pub reqid: String,
    /// The way by which the call came in.
    pub door: String,
    /// What became of each column that changed.
    pub changes: BTreeMap<String, Change>,
}

impl Resource for history::Entity {
    const SORTABLE: &'static [history::Column] = &[history::Column::Id];
    const ORDER: &'static str = "-id";
}

/// The changes of a row, newest first.
///
/// A caller who has a scope sees those of a row that is in it, since it was made; of rows that are gone for good only callers
/// without one are told, for nothing says any more whose the row was.
///
/// # Errors
///
/// `ERR_NOT_EXIST` when there is neither the row nor a line of it; `ERR_BAD_PARAMS` that names the parameter; what the guard, the
/// scope or the database says.
pub async fn history<E: Resource>(ctx: &Ctx, key: Value, ask: Ask) -> Result<Rows<Line, i64>> {
    E::guard(ctx, Action::History)?;
    let (db, scope) = (ctx.db()?, E::scope(ctx)?);
    let mut lines = history::lines::<E>(&key);
    let scoped = !scope.is_empty();
    let row = E::find().filter(scope).filter(key_named::<E>(db.get_database_backend(), key)?);
    match found::<E>(db, row).await {
        Err(error) if error.stat() == Stat::new(ERR_NOT_EXIST) => {
            if scoped {
                return Err(error);
            }
            // Gone for good, or never there.
            found::<history::Entity>(db, lines.clone()).await?;
        }
        row => drop(row?),
    }
    if scoped {
        // A key may have been another caller's before.
        let made = lines.clone().filter(history::Column::Action.eq(Action::Create.as_str()));
        if let Some(made) = made.order_by_desc(history::Column::Id).one(db).await? {
            lines = lines.filter(history::Column::Id.gte(made.id));
        }
    }
    page(db, &lines.clone(), lines, ask, |line| (line.id, told(line))).await
}

fn told(line: history::Model) -> Line {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(line.at_ms) * 1_000_000);
    Line {
        id: line.id,
        action: line.action,
        author: line.author,
        address: line.address,
        at: wire::Instant(at.unwrap_or(OffsetDateTime::UNIX_EPOCH)),
        reqid: line.reqid,
        door: line.door,
        // What a newer version wrote in another form is left out.
        changes: serde_json::from_value(line.changes).unwrap_or_default(),
    }
}
