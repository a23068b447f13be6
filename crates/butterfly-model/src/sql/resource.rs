//! What the handlers of `#[derive(Resource)]` do: here they read, in [`write`] they change.

mod told;
mod write;

use butterfly_core::schemars::{self, JsonSchema};
use butterfly_core::{BadParams, Ctx, Error, Fault, Result};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait, IdenStatic,
    Iterable, ModelTrait, PrimaryKeyToColumn, QueryFilter, QuerySelect, Select, Value,
};
use serde::{Deserialize, Serialize};

use super::conflict::ERR_NOT_EXIST;
use super::{DbExt, Filters, Page, Sort, cursor, limits, unfit};

pub use told::{Line, history};
pub use write::{create, delete, update};

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
    /// Reads what became of a row.
    History,
}

impl Action {
    /// The name, which is the handler's, too.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Get => "get",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::History => "history",
        }
    }
}

/// An entity that callers reach; `#[derive(Resource)]` writes it.
pub trait Resource: EntityTrait {
    /// Columns that a caller may sort by.
    const SORTABLE: &'static [Self::Column];
    /// The order when the caller says none, in the form of `sort`.
    const ORDER: &'static str;
    /// The column that says when a row was deleted; without one, rows are deleted for good.
    const DELETED_AT: Option<Self::Column> = None;
    /// Columns that callers do not see.
    const HIDDEN: &'static [Self::Column] = &[];
    /// Whether each change is written into the [history](super::history).
    const HISTORY: bool = false;

    /// The rows that this caller may see, change and make: all, if not said otherwise.
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
    let visible = E::find().filter(E::scope(ctx)?);
    let letters = filters.letters().to_vec();
    let query = alive::<E>(visible.clone()).filter(filters.condition()?);
    let page = page(ctx.db()?, &visible, query, ask, row).await;
    page.map_err(|error| unfit::explain_query(error, &letters))
}

/// A page of a query's rows; `visible` are those that a caller may name as the row before.
async fn page<E, T, K>(
    db: &DatabaseConnection,
    visible: &Select<E>,
    mut query: Select<E>,
    ask: Ask,
    row: impl Fn(E::Model) -> (K, T),
) -> Result<Rows<T, K>>
where
    E: Resource,
    E::Model: ModelTrait<Entity = E> + Send + Sync,
{
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
        let place = visible.clone().filter(key::<E>(db.get_database_backend(), "after", after)?);
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
    let db = ctx.db()?;
    found::<E>(db, one::<E>(db.get_database_backend(), E::scope(ctx)?, value)?).await
}

/// Leaves out what was deleted softly.
fn alive<E: Resource>(query: Select<E>) -> Select<E> {
    match E::DELETED_AT {
        Some(column) => query.filter(column.is_null()),
        None => query,
    }
}

/// The row of a key among those that this caller may see and that are not deleted.
fn one<E: Resource>(backend: DbBackend, scope: Condition, value: Value) -> Result<Select<E>> {
    Ok(alive::<E>(E::find().filter(scope)).filter(key_named::<E>(backend, value)?))
}

/// The row that a query for one finds.
async fn found<E: Resource>(db: &impl ConnectionTrait, query: Select<E>) -> Result<E::Model> {
    match query.one(db).await.map_err(Error::from) {
        Ok(row) => row.ok_or_else(|| Error::business(ERR_NOT_EXIST)),
        Err(error) if unfit::has_foreign_letters(&error) => Err(Error::business(ERR_NOT_EXIST)),
        Err(error) => Err(error),
    }
}

/// The condition for the row of a key, which the parameter of the key's name gave.
fn key_named<E: Resource>(backend: DbBackend, value: Value) -> Result<Condition> {
    let name = E::PrimaryKey::iter().next().map_or("id", |key| key.into_column().as_str());
    key::<E>(backend, name, value)
}

/// The condition for the row of a key, which the parameter `name` gave.
fn key<E: EntityTrait>(backend: DbBackend, name: &str, value: Value) -> Result<Condition> {
    limits::sayable(backend, &value).map_err(|problem| bad(name, problem))?;
    // `#[derive(Resource)]` refuses keys of several columns.
    Ok(E::PrimaryKey::iter()
        .map(|key| key.into_column().eq(value.clone()))
        .fold(Condition::all(), Condition::add))
}

pub(super) fn bad(name: &str, problem: impl Into<String>) -> Error {
    let mut bad = BadParams::default();
    bad.push(name, problem);
    Fault::BadParams(bad).into()
}
