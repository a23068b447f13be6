//! What the handlers of `#[derive(Resource)]` do.

use butterfly_core::schemars::{self, JsonSchema};
use butterfly_core::{BadParams, Ctx, Error, Fault, Result};
use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, ActiveValue, ColumnTrait, Condition, ConnectionTrait, DbBackend,
    EntityTrait, IdenStatic, IntoActiveModel, Iterable, ModelTrait, PrimaryKeyToColumn, QueryFilter,
    QuerySelect, Select, Value,
};
use serde::{Deserialize, Serialize};

use super::conflict::{ERR_NOT_EXIST, explain};
use super::{DbExt, Filters, Page, Sort, cursor, limits};

/// What a caller does with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Reads many rows.
    List,
    /// Reads one row.
    Get,
    /// Makes a row.
    Create,
    /// Changes a row.
    Update,
    /// Takes a row away.
    Delete,
}

/// An entity that callers reach; `#[derive(Resource)]` writes it.
pub trait Resource: EntityTrait {
    /// Columns that a caller may sort by.
    const SORTABLE: &'static [Self::Column];
    /// The order when the caller says none, in the form of `sort`.
    const ORDER: &'static str;
    /// The column that says when a row was deleted; without one, rows are deleted for good.
    const DELETED_AT: Option<Self::Column> = None;

    /// The rows that this caller may see and change: all, if not said otherwise.
    ///
    /// # Errors
    ///
    /// When the caller may see none.
    fn scope(ctx: &Ctx) -> Result<Condition> {
        let _ = ctx;
        Ok(Condition::all())
    }

    /// Whether this caller may do this: everyone, if not said otherwise.
    ///
    /// # Errors
    ///
    /// What the caller is told.
    fn guard(ctx: &Ctx, action: Action) -> Result<()> {
        let _ = (ctx, action);
        Ok(())
    }
}

/// A page of rows, as it travels.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "serde")]
#[schemars(crate = "schemars")]
pub struct Rows<T, K> {
    /// The rows of this page.
    pub data: Vec<T>,
    /// How many rows there are on all pages; not said of pages by `after`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// The number of this page; not said of pages by `after`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_index: Option<u64>,
    /// The most rows of a page.
    pub page_size: u64,
    /// What to give as `after` for the rows that follow; null at the end.
    pub next: Option<K>,
}

/// Which rows of a list, in which order.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// Columns as `-due,id`.
    pub sort: Option<String>,
    /// The page's number.
    pub page_index: Option<u64>,
    /// The rows of a page.
    pub page_size: Option<u64>,
    /// The key of the row that the page follows.
    pub after: Option<Value>,
}

/// Rows that a caller asked for.
///
/// # Errors
///
/// `ERR_BAD_PARAMS` that names the parameter; what the scope or the database says.
pub async fn list<E, T, K>(
    ctx: &Ctx,
    filters: Filters<E>,
    ask: Ask,
    row: impl Fn(E::Model) -> (K, T),
) -> Result<Rows<T, K>>
where
    E: Resource,
    E::Model: ModelTrait<Entity = E> + Send + Sync,
{
    E::guard(ctx, Action::List)?;
    let db = ctx.db()?;
    let mut query = alive::<E>(ctx)?.filter(filters.condition()?);
    let mut sort = Sort::parse(ask.sort.as_deref().unwrap_or(E::ORDER), E::SORTABLE)?;
    for key in E::PrimaryKey::iter() {
        sort = sort.then(key.into_column());
    }
    let page = Page::new(ask.page_index, ask.page_size)?;
    query = sort.apply(query);
    let (mut rows, total, more);
    if let Some(after) = ask.after {
        if ask.page_index.is_some() {
            return Err(bad("after", "cannot stand together with page_index"));
        }
        // A row that was deleted softly still has its place.
        let place =
            E::find().filter(E::scope(ctx)?).filter(key::<E>(db.get_database_backend(), "after", after)?);
        let place = place.one(db).await?.ok_or_else(|| bad("after", "there is no such row"))?;
        rows = query.filter(cursor::after::<E>(&sort, &place)).limit(page.size + 1).all(db).await?;
        more = rows.len() as u64 > page.size;
        rows.truncate(usize::try_from(page.size)?);
        total = None;
    } else {
        let (found, count) = page.of(query, db).await?;
        more = page.offset() + (found.len() as u64) < count;
        (rows, total) = (found, Some(count));
    }
    let mut next = None;
    let mut data = Vec::with_capacity(rows.len());
    for model in rows {
        let (key, value) = row(model);
        next = Some(key);
        data.push(value);
    }
    let next = next.filter(|_| more);
    Ok(Rows { data, total, page_index: total.map(|_| page.index), page_size: page.size, next })
}

/// One row by its key.
///
/// # Errors
///
/// `ERR_NOT_EXIST`; what the scope or the database says.
pub async fn get<E: Resource>(ctx: &Ctx, value: Value) -> Result<E::Model> {
    E::guard(ctx, Action::Get)?;
    find::<E>(ctx, ctx.db()?, value).await
}

/// Puts a new row in.
///
/// # Errors
///
/// `ERR_BAD_PARAMS` that names the column, `ERR_EXISTS`, `ERR_REFERENCE`; what the database says.
pub async fn create<E, A>(ctx: &Ctx, row: A) -> Result<E::Model>
where
    E: Resource,
    E::Model: IntoActiveModel<A>,
    A: ActiveModelTrait<Entity = E> + ActiveModelBehavior + Send,
{
    E::guard(ctx, Action::Create)?;
    let db = ctx.db()?;
    limits::check(db.get_database_backend(), &row)?;
    row.insert(db).await.map_err(explain::<E>)
}

/// Changes the columns of a row that the function sets.
///
/// # Errors
///
/// `ERR_NOT_EXIST`, `ERR_BAD_PARAMS` that names the column, `ERR_EXISTS`, `ERR_REFERENCE`; what the database says.
pub async fn update<E, A>(ctx: &Ctx, value: Value, change: impl FnOnce(&mut A)) -> Result<E::Model>
where
    E: Resource,
    E::Model: IntoActiveModel<A> + Clone + Sync,
    A: ActiveModelTrait<Entity = E> + ActiveModelBehavior + Send,
{
    E::guard(ctx, Action::Update)?;
    let db = ctx.db()?;
    let before = find::<E>(ctx, db, value).await?;
    let mut row: A = before.clone().into_active_model();
    change(&mut row);
    if !changes(&row) {
        return Ok(before);
    }
    limits::check(db.get_database_backend(), &row)?;
    row.update(db).await.map_err(explain::<E>)
}

/// Takes a row away: for good, or softly where the entity has a column for it.
///
/// # Errors
///
/// `ERR_NOT_EXIST`, `ERR_REFERENCE`; what the database says.
pub async fn delete<E, A>(ctx: &Ctx, value: Value) -> Result<()>
where
    E: Resource,
    E::Model: IntoActiveModel<A> + Sync,
    A: ActiveModelTrait<Entity = E> + ActiveModelBehavior + Send,
{
    E::guard(ctx, Action::Delete)?;
    let db = ctx.db()?;
    let mut row: A = find::<E>(ctx, db, value).await?.into_active_model();
    let Some(column) = E::DELETED_AT else {
        let gone = row.delete(db).await.map_err(explain::<E>)?;
        return if gone.rows_affected == 0 { Err(Error::business(ERR_NOT_EXIST)) } else { Ok(()) };
    };
    super::soft_delete::mark(&mut row, column)?;
    row.update(db).await.map(drop).map_err(explain::<E>)
}

fn changes<A: ActiveModelTrait>(row: &A) -> bool {
    <A::Entity as EntityTrait>::Column::iter().any(|column| matches!(row.get(column), ActiveValue::Set(_)))
}

/// The rows that this caller may see and that are not deleted.
fn alive<E: Resource>(ctx: &Ctx) -> Result<Select<E>> {
    let query = E::find().filter(E::scope(ctx)?);
    Ok(match E::DELETED_AT {
        Some(column) => query.filter(column.is_null()),
        None => query,
    })
}

async fn find<E: Resource>(ctx: &Ctx, db: &impl ConnectionTrait, value: Value) -> Result<E::Model> {
    let key = E::PrimaryKey::iter().next().map_or("id", |key| key.into_column().as_str());
    let query = alive::<E>(ctx)?.filter(self::key::<E>(db.get_database_backend(), key, value)?);
    query.one(db).await?.ok_or_else(|| Error::business(ERR_NOT_EXIST))
}

/// The condition for the row of a key, which the parameter `name` gave.
fn key<E: EntityTrait>(backend: DbBackend, name: &str, value: Value) -> Result<Condition> {
    limits::sayable(backend, &value).map_err(|problem| bad(name, problem))?;
    // `#[derive(Resource)]` refuses keys of several columns.
    Ok(E::PrimaryKey::iter()
        .map(|key| key.into_column().eq(value.clone()))
        .fold(Condition::all(), Condition::add))
}

fn bad(name: &str, problem: impl Into<String>) -> Error {
    let mut bad = BadParams::default();
    bad.push(name, problem);
    Fault::BadParams(bad).into()
}
