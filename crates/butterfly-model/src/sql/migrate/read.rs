//! The tables that a database has, read into a [`Schema`].

mod mysql;
mod postgres;
mod sqlite;

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, QueryResult, Statement};

use super::create::Create;
use super::entities::Wanted;
use super::schema::Schema;
use crate::sql::Driver;

/// Whose tables are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Those that all see.
    Database,
    /// The session's own.
    Session,
}

/// All tables of the database.
pub(super) async fn live(db: &impl ConnectionTrait, driver: Driver) -> Result<Schema, DbErr> {
    match driver {
        Driver::Sqlite => sqlite::read(db).await,
        Driver::MySql => mysql::read(db).await,
        Driver::Postgres => postgres::read(db, Place::Database).await,
    }
}

/// The names of all tables.
pub(super) async fn live_tables(db: &impl ConnectionTrait, driver: Driver) -> Result<Vec<String>, DbErr> {
    let sql = match driver {
        Driver::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table'",
        Driver::MySql => {
            "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND \
             TABLE_TYPE = 'BASE TABLE' ORDER BY 1"
        }
        Driver::Postgres => {
            "SELECT c.relname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p')"
        }
    };
    rows(db, sql.to_owned()).await?.iter().map(|row| text(row, "name")).collect()
}

/// The tables that the entities ask for, as this database would have them.
///
/// The database says itself what becomes of them: they are made as tables of the session's own, read, and thrown away.
/// So types and defaults of both sides are in the database's own words, whatever its version.
pub(super) async fn wanted(
    tx: &DatabaseTransaction,
    driver: Driver,
    wanted: &Wanted,
    live: &Schema,
) -> Result<Schema, DbErr> {
    let mut schema = match driver {
        Driver::Sqlite => in_memory(wanted).await?,
        Driver::MySql => mysql::wanted(tx, wanted).await?,
        Driver::Postgres => postgres::wanted(tx, wanted, live).await?,
    };
    for table in &wanted.tables {
        let Some(made) = schema.tables.get_mut(&table.name) else { continue };
        if let Some(create) = Create::read(driver, &table.create) {
            made.foreign_keys = create.foreign_keys();
        }
        made.create.clone_from(&table.create);
    }
    Ok(schema)
}

async fn in_memory(wanted: &Wanted) -> Result<Schema, DbErr> {
    let db: DatabaseConnection = sea_orm::Database::connect("sqlite::memory:").await?;
    for table in &wanted.tables {
        make(&db, &table.name, &table.create, &table.indexes).await?;
    }
    let schema = sqlite::read(&db).await?;
    db.close().await?;
    Ok(schema)
}

/// Makes a table, for its looks.
async fn make(db: &impl ConnectionTrait, name: &str, create: &str, indexes: &[String]) -> Result<(), DbErr> {
    for sql in std::iter::once(create).chain(indexes.iter().map(String::as_str)) {
        db.execute_unprepared(sql).await.map_err(|error| {
            DbErr::Custom(format!("the database does not take the table {name} of an entity: {error}"))
        })?;
    }
    Ok(())
}

async fn rows(db: &impl ConnectionTrait, sql: String) -> Result<Vec<QueryResult>, DbErr> {
    db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await
}

/// A text, also where MySQL calls it bytes.
fn text(row: &QueryResult, column: &str) -> Result<String, DbErr> {
    row.try_get::<String>("", column).or_else(|error| {
        let bytes = row.try_get::<Vec<u8>>("", column).map_err(|_| error)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    })
}
