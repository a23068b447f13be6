//! A row that is found or made, however many ask for it at once.

use butterfly_core::Result;
use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QuerySelect,
    Select, TransactionSession, TransactionTrait,
};

use super::conflict::{explain, is_unique_violation};

/// How often it is looked anew when rows come and go in between.
const TRIES: u32 = 5;

/// The row that a query finds, else a new one; and whether it is new.
///
/// Safe when others do the same at once, as long as the table lets one such row in: with a unique key, whoever comes
/// second finds the row of the first. Inside a transaction it may be used, too: what fails in it is undone alone.
///
/// # Errors
///
/// `ERR_EXISTS` when a row that the query does not find stands in the way; what the database says.
///
/// # Example
///
/// ```
/// use butterfly_model::sql::get_or_create;
/// use butterfly_model::sql::prelude::*;
/// # mod tag {
/// #     use butterfly_model::sql::prelude::*;
/// #     #[sea_orm::model]
/// #     #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
/// #     #[sea_orm(table_name = "tag")]
/// #     pub struct Model { #[sea_orm(primary_key)] pub id: i64, #[sea_orm(unique)] pub name: String }
/// #     impl ActiveModelBehavior for ActiveModel {}
/// # }
///
/// async fn tag(ctx: &butterfly_core::Ctx, name: String) -> butterfly_core::Result<i64> {
///     let find = tag::Entity::find().filter(tag::Column::Name.eq(&name));
///     let make = tag::ActiveModel { name: Set(name), ..Default::default() };
///     let (tag, _is_new) = get_or_create(ctx.db()?, find, make).await?;
///     Ok(tag.id)
/// }
/// ```
pub async fn get_or_create<E, A, C>(db: &C, find: Select<E>, make: A) -> Result<(E::Model, bool)>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<A>,
    A: ActiveModelTrait<Entity = E> + ActiveModelBehavior + Send,
    C: ConnectionTrait + TransactionTrait,
{
    let mut found = find.clone().one(db).await?;
    let mut tried = 0;
    loop {
        if let Some(row) = found {
            return Ok((row, false));
        }
        tried += 1;
        match insert(db, make.clone()).await {
            Ok(row) => return Ok((row, true)),
            Err(error) if is_unique_violation(&error) => {
                found = latest(db, &find).await?;
                if found.is_none() && tried == TRIES {
                    return Err(explain::<E>(error));
                }
            }
            Err(error) => return Err(explain::<E>(error)),
        }
    }
}

/// Changes the row that a query finds, else makes a new one; gives it, and whether it is new. Safe as [`get_or_create`] is.
///
/// # Errors
///
/// `ERR_EXISTS` when another row stands in the way; what the database says.
pub async fn update_or_create<E, A, C>(
    db: &C,
    find: Select<E>,
    make: A,
    change: impl Fn(&mut A),
) -> Result<(E::Model, bool)>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<A>,
    A: ActiveModelTrait<Entity = E> + ActiveModelBehavior + Send,
    C: ConnectionTrait + TransactionTrait,
{
    let mut tried = 0;
    loop {
        tried += 1;
        let (row, new) = get_or_create(db, find.clone(), make.clone()).await?;
        if new {
            return Ok((row, true));
        }
        let mut row = row.into_active_model();
        change(&mut row);
        match row.update(db).await {
            // It was deleted in between.
            Err(DbErr::RecordNotUpdated) if tried < TRIES => {}
            done => return done.map(|row| (row, false)).map_err(explain::<E>),
        }
    }
}

/// An insert that takes nothing else down with it: PostgreSQL gives up a transaction in which one statement failed.
async fn insert<E, A, C>(db: &C, row: A) -> Result<E::Model, DbErr>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<A>,
    A: ActiveModelTrait<Entity = E> + ActiveModelBehavior + Send,
    C: TransactionTrait,
{
    let part = db.begin().await?;
    match row.insert(&part).await {
        Ok(row) => {
            part.commit().await?;
            Ok(row)
        }
        Err(error) => {
            part.rollback().await?;
            Err(error)
        }
    }
}

/// What is there now: a transaction of MySQL's sees what was there at its beginning, but for reads that lock.
async fn latest<E: EntityTrait, C: ConnectionTrait>(
    db: &C,
    find: &Select<E>,
) -> Result<Option<E::Model>, DbErr> {
    find.clone().lock_exclusive().one(db).await
}
