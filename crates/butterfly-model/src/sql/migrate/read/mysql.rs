//! Tables of MySQL and MariaDB, from `SHOW CREATE TABLE`: it says all, also of the session's own tables.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};

use super::super::create::{Create, without_count};
use super::super::entities::Wanted;
use super::super::schema::{Schema, Table, quoted};
use super::{live_tables, make, rows, text};
use crate::sql::Driver;

pub(super) async fn read(db: &impl ConnectionTrait) -> Result<Schema, DbErr> {
    let mut schema = Schema::default();
    for name in live_tables(db, Driver::MySql).await? {
        schema.tables.insert(name.clone(), table(db, &name).await?);
    }
    Ok(schema)
}

async fn table(db: &impl ConnectionTrait, name: &str) -> Result<Table, DbErr> {
    let shown = rows(db, format!("SHOW CREATE TABLE {}", quoted(Driver::MySql, name))).await?;
    let sql = shown.first().map(|row| text(row, "Create Table")).transpose()?.unwrap_or_default();
    let sql = without_count(&sql);
    let create = Create::read(Driver::MySql, &sql);
    create.map(|create| create.mysql_table()).ok_or_else(|| {
        DbErr::Custom(format!("the table {name} cannot be read: its CREATE TABLE is not understood"))
    })
}

pub(super) async fn wanted(tx: &DatabaseTransaction, wanted: &Wanted) -> Result<Schema, DbErr> {
    let mut schema = Schema::default();
    for wanted in &wanted.tables {
        let temporary = Create::read(Driver::MySql, &wanted.create).map(|create| create.temporary());
        make(tx, &wanted.name, &temporary.unwrap_or_default(), &wanted.indexes).await?;
        let read = table(tx, &wanted.name).await;
        let drop = format!("DROP TEMPORARY TABLE {}", quoted(Driver::MySql, &wanted.name));
        tx.execute_unprepared(&drop).await?;
        schema.tables.insert(wanted.name.clone(), read?);
    }
    Ok(schema)
}
