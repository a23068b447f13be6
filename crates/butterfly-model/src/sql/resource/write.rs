//! Rows made, changed and taken away: within the caller's scope, and with their history where one is kept.

use butterfly_core::{Ctx, Error, Fault, Result};
use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, ActiveValue, ColumnTrait, Condition, ConnectionTrait,
    IntoActiveModel, Iterable, ModelTrait, PrimaryKeyToColumn, QueryFilter, QuerySelect, Value,
};

use super::{Action, Resource, found, one};
use crate::sql::conflict::{ERR_NOT_EXIST, explain};
use crate::sql::{DbExt, history, limits, soft_delete};

/// Puts a new row in.
///
/// # Errors
///
/// `ERR_BAD_PARAMS` that names the column, `ERR_EXISTS`, `ERR_REFERENCE`; `ERR_FORBIDDEN` for a row outside of the caller's
/// scope; what the database says.
pub async fn create<E, A>(ctx: &Ctx, row: A) -> Result<E::Model>
where
    E: Resource,
    E::Model: ModelTrait<Entity = E> + IntoActiveModel<A> + Sync,
    A: ActiveModelTrait<Entity = E> + ActiveModelBehavior + Send + Sync,
{
    E::guard(ctx, Action::Create)?;
    let (db, scope) = (ctx.db()?, E::scope(ctx)?);
    limits::check(db.get_database_backend(), &row)?;
    if !in_transaction::<E>(&scope) {
        return row.insert(db).await.map_err(explain::<E>);
    }
    let (row, scope) = (&row, &scope);
    ctx.transaction(|tx| async move {
        let made = row.clone().insert(&tx).await.map_err(explain::<E>)?;
        stays_within::<E>(&tx, scope, &made).await?;
        history::note::<E>(ctx, &tx, Action::Create, None, Some(&made)).await?;
        Ok(made)
    })
    .await
}

/// Changes the columns of a row that `change` sets.
///
/// # Errors
///
/// `ERR_NOT_EXIST`, `ERR_BAD_PARAMS` that names the column, `ERR_EXISTS`, `ERR_REFERENCE`; `ERR_FORBIDDEN` when the row would
/// leave the caller's scope; what the database says.
pub async fn update<E, A>(ctx: &Ctx, key: Value, change: A) -> Result<E::Model>
where
    E: Resource,
    E::Model: ModelTrait<Entity = E> + IntoActiveModel<A> + Clone + Sync,
    A: ActiveModelTrait<Entity = E> + ActiveModelBehavior + Send + Sync,
{
    E::guard(ctx, Action::Update)?;
    let (db, scope) = (ctx.db()?, E::scope(ctx)?);
    limits::check(db.get_database_backend(), &change)?;
    if !in_transaction::<E>(&scope) {
        let before = found::<E>(db, one::<E>(db.get_database_backend(), scope, key)?).await?;
        return change_to::<E, A>(db, before, &change).await;
    }
    let (key, change, scope) = (&key, &change, &scope);
    ctx.transaction(|tx| async move {
        let before = locked::<E>(&tx, scope, key).await?;
        let after = change_to::<E, A>(&tx, before.clone(), change).await?;
        stays_within::<E>(&tx, scope, &after).await?;
        history::note::<E>(ctx, &tx, Action::Update, Some(&before), Some(&after)).await?;
        Ok(after)
    })
    .await
}

/// Takes a row away: for good, or softly where the entity has a column for it.
///
/// # Errors
///
/// `ERR_NOT_EXIST`, `ERR_REFERENCE`; what the database says.
pub async fn delete<E, A>(ctx: &Ctx, key: Value) -> Result<()>
where
    E: Resource,
    E::Model: ModelTrait<Entity = E> + IntoActiveModel<A> + Clone + Sync,
    A: ActiveModelTrait<Entity = E> + ActiveModelBehavior + Send,
{
    E::guard(ctx, Action::Delete)?;
    let (db, scope) = (ctx.db()?, E::scope(ctx)?);
    if !in_transaction::<E>(&scope) {
        let row = found::<E>(db, one::<E>(db.get_database_backend(), scope, key)?).await?;
        return take_away::<E, A>(db, row).await.map(drop);
    }
    let (key, scope) = (&key, &scope);
    ctx.transaction(|tx| async move {
        let before = locked::<E>(&tx, scope, key).await?;
        let after = take_away::<E, A>(&tx, before.clone()).await?;
        history::note::<E>(ctx, &tx, Action::Delete, Some(&before), after.as_ref()).await
    })
    .await
}

/// Whether a write is more than one statement: of a plain resource it is one, and needs no transaction.
fn in_transaction<E: Resource>(scope: &Condition) -> bool {
    E::HISTORY || !scope.is_empty()
}

/// The row of a key, which nobody else changes until the transaction ends.
async fn locked<E: Resource>(tx: &impl ConnectionTrait, scope: &Condition, key: &Value) -> Result<E::Model> {
    let row = one::<E>(tx.get_database_backend(), scope.clone(), key.clone())?;
    found::<E>(tx, row.lock_exclusive()).await
}

async fn change_to<E, A>(db: &impl ConnectionTrait, before: E::Model, change: &A) -> Result<E::Model>
where
    E: Resource,
    E::Model: IntoActiveModel<A> + Clone,
    A: ActiveModelTrait<Entity = E> + ActiveModelBehavior + Send,
{
    let mut row: A = before.clone().into_active_model();
    let mut changes = false;
    for column in E::Column::iter() {
        if let ActiveValue::Set(value) = change.get(column) {
            row.try_set(column, value)?;
            changes = true;
        }
    }
    if changes { row.update(db).await.map_err(explain::<E>) } else { Ok(before) }
}

/// Takes a row away; gives what is left of it, if anything is.
async fn take_away<E, A>(db: &impl ConnectionTrait, row: E::Model) -> Result<Option<E::Model>>
where
    E: Resource,
    E::Model: IntoActiveModel<A>,
    A: ActiveModelTrait<Entity = E> + ActiveModelBehavior + Send,
{
    let mut row: A = row.into_active_model();
    let Some(column) = E::DELETED_AT else {
        let gone = row.delete(db).await.map_err(explain::<E>)?;
        return if gone.rows_affected == 0 { Err(Error::business(ERR_NOT_EXIST)) } else { Ok(None) };
    };
    soft_delete::mark(&mut row, column)?;
    row.update(db).await.map(Some).map_err(explain::<E>)
}

/// Refuses a row that its caller would not see: what a scope means is the database's to say, so it is asked.
async fn stays_within<E>(tx: &impl ConnectionTrait, scope: &Condition, row: &E::Model) -> Result<()>
where
    E: Resource,
    E::Model: ModelTrait<Entity = E>,
{
    if scope.is_empty() {
        return Ok(());
    }
    let mut query = E::find().filter(scope.clone());
    for key in E::PrimaryKey::iter() {
        let column = key.into_column();
        query = query.filter(column.eq(row.get(column)));
    }
    match query.one(tx).await? {
        Some(_) => Ok(()),
        None => Err(Fault::Forbidden("the row would be outside of what this caller may see".into()).into()),
    }
}
