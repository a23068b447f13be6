//! SQLite's tables.

use sea_orm::{ConnectionTrait, DbErr};

use super::super::create::plain_action;
use super::super::schema::{Column, ForeignKey, Index, Schema, Table, literal};
use super::super::script::items;
use super::{rows, text};
use crate::sql::Driver;

pub(super) async fn read(db: &impl ConnectionTrait) -> Result<Schema, DbErr> {
    let mut schema = Schema::default();
    let all = "SELECT m.name AS name, m.sql AS sql FROM sqlite_master m JOIN pragma_table_list l ON l.name = m.name \
               WHERE l.schema = 'main' AND l.type = 'table' AND m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' \
               ESCAPE '\\' ORDER BY 1";
    for row in rows(db, all.to_owned()).await? {
        let (name, create) = (text(&row, "name")?, text(&row, "sql")?);
        let mut table = Table { name: name.clone(), create, ..Table::default() };
        columns(db, &mut table).await?;
        indexes(db, &mut table).await?;
        foreign_keys(db, &mut table).await?;
        let triggers = format!(
            "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = {} ORDER BY name",
            literal(Driver::Sqlite, &name)
        );
        for row in rows(db, triggers).await? {
            table.triggers.push(text(&row, "sql")?);
        }
        schema.tables.insert(name, table);
    }
    resolve(&mut schema);
    Ok(schema)
}

async fn columns(db: &impl ConnectionTrait, table: &mut Table) -> Result<(), DbErr> {
    let sql = format!(
        "SELECT name, type AS ty, \"notnull\" AS required, dflt_value AS dflt, pk FROM pragma_table_xinfo({}) \
         WHERE hidden = 0",
        literal(Driver::Sqlite, &table.name)
    );
    let mut key = Vec::new();
    for row in rows(db, sql).await? {
        let (name, ty) = (text(&row, "name")?, text(&row, "ty")?);
        let pk: i64 = row.try_get("", "pk")?;
        let nullable = row.try_get::<i64>("", "required")? == 0 && pk == 0;
        let default = row.try_get::<Option<String>>("", "dflt")?;
        let default = default.map(bare).filter(|default| !default.eq_ignore_ascii_case("NULL"));
        if pk > 0 {
            key.push((pk, name.clone()));
        }
        table.columns.push(Column { name, ty, nullable, default, ..Column::default() });
    }
    key.sort();
    table.primary_key = key.into_iter().map(|(_, name)| name).collect();
    for column in &mut table.columns {
        // Another name of the row's number.
        column.auto =
            table.primary_key == [column.name.as_str()] && column.ty.eq_ignore_ascii_case("integer");
        column.definition = definition(column);
    }
    Ok(())
}

/// Without the parentheses around it.
fn bare(default: String) -> String {
    let tokens = super::super::script::tokens(Driver::Sqlite, &default).unwrap_or_default();
    match tokens.first() {
        Some(open) if open.is("(") && items(&tokens, 0).1 + 1 == tokens.len() => {
            default[1..default.len() - 1].trim().to_owned()
        }
        _ => default,
    }
}

fn definition(column: &Column) -> String {
    let required = if column.nullable { "" } else { " NOT NULL" };
    let default = column.default.as_ref().map(|default| match simple(default) {
        true => format!(" DEFAULT {default}"),
        false => format!(" DEFAULT ({default})"),
    });
    format!("{}{required}{}", column.ty, default.unwrap_or_default())
}

/// Whether a default is one word or one string: others stand in parentheses.
fn simple(default: &str) -> bool {
    super::super::script::tokens(Driver::Sqlite, default).is_ok_and(|tokens| tokens.len() == 1)
}

async fn indexes(db: &impl ConnectionTrait, table: &mut Table) -> Result<(), DbErr> {
    let sql = format!(
        "SELECT l.name AS name, l.\"unique\" AS uniq, l.origin AS origin, l.partial AS partial, m.sql AS sql \
         FROM pragma_index_list({}) l LEFT JOIN sqlite_master m ON m.type = 'index' AND m.name = l.name \
         WHERE l.origin <> 'pk' ORDER BY 1",
        literal(Driver::Sqlite, &table.name)
    );
    for row in rows(db, sql).await? {
        let name = text(&row, "name")?;
        let parts = format!(
            "SELECT name, \"desc\" AS down FROM pragma_index_xinfo({}) WHERE key = 1 ORDER BY seqno",
            literal(Driver::Sqlite, &name)
        );
        let (mut columns, mut plain) = (Vec::new(), row.try_get::<i64>("", "partial")? == 0);
        for part in rows(db, parts).await? {
            let column = part.try_get::<Option<String>>("", "name")?;
            plain &= column.is_some() && part.try_get::<i64>("", "down")? == 0;
            columns.extend(column);
        }
        let create = row.try_get::<Option<String>>("", "sql")?.filter(|_| !plain);
        let unique = row.try_get::<i64>("", "uniq")? != 0;
        let inline = text(&row, "origin")? == "u";
        table.indexes.push(Index { name, columns, unique, inline, create });
    }
    Ok(())
}

async fn foreign_keys(db: &impl ConnectionTrait, table: &mut Table) -> Result<(), DbErr> {
    let sql = format!(
        "SELECT id, \"table\" AS target, \"from\" AS col, \"to\" AS ref, on_update, on_delete \
         FROM pragma_foreign_key_list({}) ORDER BY id DESC, seq",
        literal(Driver::Sqlite, &table.name)
    );
    let mut last = None;
    for row in rows(db, sql).await? {
        let id: i64 = row.try_get("", "id")?;
        if last != Some(id) {
            last = Some(id);
            table.foreign_keys.push(ForeignKey {
                table: text(&row, "target")?,
                on_delete: plain_action(&text(&row, "on_delete")?),
                on_update: plain_action(&text(&row, "on_update")?),
                ..ForeignKey::default()
            });
        }
        if let Some(key) = table.foreign_keys.last_mut() {
            key.columns.push(text(&row, "col")?);
            key.to.extend(row.try_get::<Option<String>>("", "ref")?);
        }
    }
    Ok(())
}

/// A foreign key that names no columns means the other table's primary key.
fn resolve(schema: &mut Schema) {
    let keys: Vec<(String, Vec<String>)> =
        schema.tables.values().map(|table| (table.name.clone(), table.primary_key.clone())).collect();
    for key in schema.tables.values_mut().flat_map(|table| &mut table.foreign_keys) {
        if key.to.is_empty() {
            let found = keys.iter().find(|(name, _)| name.eq_ignore_ascii_case(&key.table));
            key.to = found.map(|(_, names)| names.clone()).unwrap_or_default();
        }
    }
}
