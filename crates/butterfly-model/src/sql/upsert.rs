//! Many rows at once, each put in or, where its key is there already, changed.

use butterfly_core::Result;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DbBackend, EntityTrait, Iterable, QueryTrait, TransactionSession,
    TransactionTrait,
};

use super::conflict::explain;
use super::limits;

/// The most rows of one statement: longer ones gain nothing, and servers limit their size.
const MOST_ROWS: usize = 1000;

/// Puts rows in; where one of the same `keys` is there already, its columns `update` are changed (none: it is left alone).
///
/// The keys must be unique together in the table. Rows go in statements of as many as the database takes, all in one
/// transaction: all are in, or none. On MySQL and MariaDB any other unique key of the table counts as well.
///
/// # Errors
///
/// `ERR_BAD_PARAMS` that names a column whose value does not fit; what the database says.
///
/// # Example
///
/// ```
/// use butterfly_model::sql::prelude::*;
/// use butterfly_model::sql::upsert;
/// # mod price {
/// #     use butterfly_model::sql::prelude::*;
/// #     #[sea_orm::model]
/// #     #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
/// #     #[sea_orm(table_name = "price")]
/// #     pub struct Model { #[sea_orm(primary_key, auto_increment = false)] pub item: i64, pub cents: i64 }
/// #     impl ActiveModelBehavior for ActiveModel {}
/// # }
///
/// async fn set(db: &sea_orm::DatabaseConnection, prices: Vec<(i64, i64)>) -> butterfly_core::Result<()> {
///     let rows = prices.into_iter().map(|(item, cents)| price::ActiveModel { item: Set(item), cents: Set(cents) });
///     upsert(db, rows, &[price::Column::Item], &[price::Column::Cents]).await
/// }
/// ```
pub async fn upsert<E, A, C>(
    db: &C,
    rows: impl IntoIterator<Item = A>,
    keys: &[E::Column],
    update: &[E::Column],
) -> Result<()>
where
    E: EntityTrait,
    A: ActiveModelTrait<Entity = E> + Send,
    C: ConnectionTrait + TransactionTrait,
{
    let backend = db.get_database_backend();
    let rows: Vec<A> = rows.into_iter().collect();
    rows.iter().try_for_each(|row| limits::check(backend, row))?;
    let conflict = if update.is_empty() {
        OnConflict::columns(keys.iter().copied()).do_nothing_on(keys.iter().copied()).to_owned()
    } else {
        OnConflict::columns(keys.iter().copied()).update_columns(update.iter().copied()).to_owned()
    };
    let most = chunk(backend, E::Column::iter().count());
    let tx = db.begin().await?;
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let mut insert = E::insert_many(rows.by_ref().take(most)).on_conflict(conflict.clone());
        // Plain execution: what the rows became is not asked.
        let statement = insert.query().to_owned();
        if let Err(error) = tx.execute(&statement).await {
            tx.rollback().await?;
            return Err(explain::<E>(error));
        }
    }
    tx.commit().await?;
    Ok(())
}

/// The rows of one statement, each of whose values is a parameter.
fn chunk(backend: DbBackend, columns: usize) -> usize {
    // SQLite: SQLITE_MAX_VARIABLE_NUMBER since 3.32; MySQL and PostgreSQL count them in 16 bits.
    let parameters = if backend == DbBackend::Sqlite { 32_766 } else { 65_535 };
    (parameters / columns.max(1)).clamp(1, MOST_ROWS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_keep_to_the_databases_limit() {
        assert_eq!(chunk(DbBackend::Sqlite, 4), MOST_ROWS);
        assert_eq!(chunk(DbBackend::Sqlite, 100), 327);
        assert_eq!(chunk(DbBackend::Postgres, 100), 655);
        assert_eq!((chunk(DbBackend::MySql, 100_000), chunk(DbBackend::MySql, 0)), (1, MOST_ROWS));
    }
}
