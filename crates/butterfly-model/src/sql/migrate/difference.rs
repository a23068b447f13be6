//! What is to be done that one schema becomes another.

use std::collections::BTreeSet;

use super::create::Create;
use super::schema::{Column, ForeignKey, Index, Schema, Table};
use crate::sql::Driver;

/// One change of a database. Those of SQLite that it cannot make in place are a table made anew.
#[derive(Clone, Debug)]
pub(super) enum Change {
    DropForeignKey {
        table: String,
        key: ForeignKey,
    },
    DropIndex {
        table: String,
        index: Index,
    },
    CreateEnum {
        name: String,
        labels: Vec<String>,
    },
    /// New values behind those that are there.
    ExtendEnum {
        name: String,
        labels: Vec<String>,
    },
    /// Other values; the columns that have them, with their defaults.
    ReplaceEnum {
        name: String,
        labels: Vec<String>,
        gone: Vec<String>,
        columns: Vec<(String, Column)>,
    },
    CreateTable(Box<Table>),
    RenameColumn {
        table: String,
        from: String,
        to: String,
    },
    AddColumn {
        table: String,
        column: Column,
    },
    AlterColumn {
        table: String,
        from: Column,
        to: Column,
    },
    PrimaryKey {
        table: String,
        from: Vec<String>,
        name: String,
        to: Vec<String>,
    },
    Rebuild(Box<Rebuild>),
    DropColumn {
        table: String,
        column: Column,
    },
    DropTable(Box<Table>),
    CreateIndex {
        table: String,
        index: Index,
    },
    AddForeignKey {
        table: String,
        key: ForeignKey,
    },
    DropEnum {
        name: String,
    },
}

/// A table that SQLite makes anew.
#[derive(Clone, Debug)]
pub(super) struct Rebuild {
    pub(super) from: Table,
    pub(super) to: Table,
}

/// A column's new name: table, name before, name now.
pub(super) type Renamed = (String, String, String);

/// Prepares a database and what the entities want for comparing: what neither entities nor migrations made is left out,
/// and what is the same but for its name has one name. Gives the tables that are left alone.
pub(super) fn align(live: &mut Schema, wanted: &mut Schema, known: &BTreeSet<String>) -> Vec<String> {
    let ours = |name: &str| wanted.tables.contains_key(name) || known.contains(name);
    let alone: Vec<String> = live.tables.keys().filter(|name| !ours(name)).cloned().collect();
    live.tables.retain(|name, _| ours(name));
    let used: BTreeSet<&String> =
        live.tables.values().flat_map(|table| table.columns.iter().map(|column| &column.ty)).collect();
    // A type's name is in quotes where it has to be.
    let in_use =
        |name: &String| used.contains(name) || used.contains(&format!("\"{}\"", name.replace('"', "\"\"")));
    let used: BTreeSet<String> = live.enums.keys().filter(|name| in_use(name)).cloned().collect();
    live.enums.retain(|name, _| wanted.enums.contains_key(name) || used.contains(name));
    for table in wanted.tables.values_mut() {
        if let Some(live) = live.tables.get_mut(&table.name) {
            align_table(live, table);
        }
    }
    alone.into_iter().filter(|name| !super::own(name)).collect()
}

fn align_table(live: &mut Table, wanted: &mut Table) {
    for index in &mut wanted.indexes {
        match live.indexes.iter().find(|there| there.same(index)) {
            Some(there) => index.clone_from(there),
            // A table that is there gets it by a statement of its own.
            None if index.inline => {
                index.name = format!("idx-{}-{}", live.name, index.columns.join("-"));
                index.inline = false;
            }
            None => {}
        }
    }
    for key in &mut wanted.foreign_keys {
        if let Some(there) = live.foreign_keys.iter().find(|there| there.same(key)) {
            key.clone_from(there);
        }
    }
    // Whoever made the other indexes wants to keep them.
    let made_by_entity = |index: &Index| {
        index.create.is_none() && (index.inline || index.name.starts_with(&format!("idx-{}-", live.name)))
    };
    let wants = |index: &Index| wanted.indexes.iter().any(|other| other.same(index));
    let (ours, kept) = live.indexes.drain(..).partition(|index| wants(index) || made_by_entity(index));
    live.indexes = ours;
    live.kept = kept;
    wanted.kept.clone_from(&live.kept);
    wanted.triggers.clone_from(&live.triggers);
}

/// The changes that make one schema of another, in an order that works.
pub(super) fn changes(driver: Driver, from: &Schema, to: &Schema, renamed: &[Renamed]) -> Vec<Change> {
    let mut changes = Vec::new();
    enums(from, to, &mut changes);
    let made: Vec<&Table> =
        to.tables.values().filter(|table| !from.tables.contains_key(&table.name)).collect();
    let (made, apart) = in_order(driver, made);
    changes.extend(made.into_iter().map(|table| Change::CreateTable(Box::new(table))));
    changes.extend(apart.into_iter().map(|(table, key)| Change::AddForeignKey { table, key }));
    let gone: Vec<&Table> =
        from.tables.values().filter(|table| !to.tables.contains_key(&table.name)).collect();
    let (gone, apart) = in_order(driver, gone);
    changes.extend(apart.into_iter().map(|(table, key)| Change::DropForeignKey { table, key }));
    changes.extend(gone.into_iter().rev().map(|table| Change::DropTable(Box::new(table))));
    for after in to.tables.values() {
        if let Some(before) = from.tables.get(&after.name) {
            let names: Vec<&Renamed> = renamed.iter().filter(|(table, ..)| *table == after.name).collect();
            table(driver, before, after, &names, &mut changes);
        }
    }
    changes.sort_by_key(rank);
    changes
}

/// Tables behind those that they refer to. In a ring there is no such order: the keys of one are set apart from it.
fn in_order(driver: Driver, mut rest: Vec<&Table>) -> (Vec<Table>, Vec<(String, ForeignKey)>) {
    let (mut sorted, mut apart) = (Vec::new(), Vec::new());
    while !rest.is_empty() {
        let waits = |table: &Table| {
            let other = |key: &ForeignKey| {
                key.table != table.name && rest.iter().any(|other| other.name == key.table)
            };
            table.foreign_keys.iter().any(other)
        };
        match rest.iter().position(|table| !waits(table)) {
            Some(next) => sorted.push(rest.remove(next).clone()),
            None => {
                let mut table = rest.remove(0).clone();
                // SQLite takes a key to a table that is not there yet.
                if driver != Driver::Sqlite {
                    let create = Create::read(driver, &table.create).map(|create| create.without_keys());
                    table.create = create.unwrap_or_default();
                    apart.extend(table.foreign_keys.drain(..).map(|key| (table.name.clone(), key)));
                }
                sorted.push(table);
            }
        }
    }
    (sorted, apart)
}

/// Keys go before what they stand on, and come after it.
fn rank(change: &Change) -> u8 {
    match change {
        Change::DropForeignKey { .. } => 0,
        Change::DropIndex { .. } => 1,
        Change::CreateEnum { .. } | Change::ExtendEnum { .. } | Change::ReplaceEnum { .. } => 2,
        Change::CreateTable(_) => 3,
        Change::RenameColumn { .. } => 4,
        Change::AddColumn { .. } => 5,
        Change::AlterColumn { .. } | Change::PrimaryKey { .. } | Change::Rebuild(_) => 6,
        Change::DropColumn { .. } => 7,
        Change::DropTable(_) => 8,
        Change::CreateIndex { .. } => 9,
        Change::AddForeignKey { .. } => 10,
        Change::DropEnum { .. } => 11,
    }
}

fn enums(from: &Schema, to: &Schema, changes: &mut Vec<Change>) {
    for (name, labels) in &to.enums {
        let (name, labels) = (name.clone(), labels.clone());
        match from.enums.get(&name) {
            None => changes.push(Change::CreateEnum { name, labels }),
            Some(before) if *before == labels => {}
            Some(before) if labels.starts_with(before) => {
                let labels = labels[before.len()..].to_vec();
                changes.push(Change::ExtendEnum { name, labels });
            }
            Some(before) => {
                let gone = before.iter().filter(|label| !labels.contains(label)).cloned().collect();
                let has = |column: &&Column| column.ty.trim_matches('"') == name;
                let columns = from.tables.values().flat_map(|table| {
                    table.columns.iter().filter(has).map(|column| (table.name.clone(), column.clone()))
                });
                let columns = columns.collect();
                changes.push(Change::ReplaceEnum { name, labels, gone, columns });
            }
        }
    }
    let gone = from.enums.keys().filter(|name| !to.enums.contains_key(*name));
    changes.extend(gone.map(|name| Change::DropEnum { name: name.clone() }));
}

fn table(driver: Driver, before: &Table, after: &Table, renamed: &[&Renamed], changes: &mut Vec<Change>) {
    let mut before = before.clone();
    for (_, from, to) in renamed {
        rename(&mut before, from, to);
        changes.push(Change::RenameColumn { table: after.name.clone(), from: from.clone(), to: to.clone() });
    }
    let mut own = Vec::new();
    let name = || after.name.clone();
    for column in &after.columns {
        match before.column(&column.name) {
            None => own.push(Change::AddColumn { table: name(), column: column.clone() }),
            Some(there) if there.same(column) => {}
            Some(there) => {
                own.push(Change::AlterColumn { table: name(), from: there.clone(), to: column.clone() });
            }
        }
    }
    let gone = before.columns.iter().filter(|column| after.column(&column.name).is_none());
    own.extend(gone.map(|column| Change::DropColumn { table: name(), column: column.clone() }));
    if before.primary_key != after.primary_key {
        let (from, to) = (before.primary_key.clone(), after.primary_key.clone());
        own.push(Change::PrimaryKey { table: name(), from, name: before.primary_name.clone(), to });
    }
    for index in before.indexes.iter().filter(|index| !after.indexes.iter().any(|other| other.same(index))) {
        own.push(Change::DropIndex { table: name(), index: index.clone() });
    }
    for index in after.indexes.iter().filter(|index| !before.indexes.iter().any(|other| other.same(index))) {
        own.push(Change::CreateIndex { table: name(), index: index.clone() });
    }
    let lacks = |keys: &[ForeignKey], key: &ForeignKey| !keys.iter().any(|other| other.same(key));
    for key in before.foreign_keys.iter().filter(|key| lacks(&after.foreign_keys, key)) {
        own.push(Change::DropForeignKey { table: name(), key: key.clone() });
    }
    for key in after.foreign_keys.iter().filter(|key| lacks(&before.foreign_keys, key)) {
        own.push(Change::AddForeignKey { table: name(), key: key.clone() });
    }
    if driver == Driver::Sqlite && !own.iter().all(|change| in_place(&before, change)) {
        changes.push(Change::Rebuild(Box::new(Rebuild { from: before, to: after.clone() })));
    } else {
        changes.extend(own);
    }
}

fn rename(table: &mut Table, from: &str, to: &str) {
    let all = table
        .columns
        .iter_mut()
        .map(|column| &mut column.name)
        .chain(&mut table.primary_key)
        .chain(table.indexes.iter_mut().flat_map(|index| &mut index.columns))
        .chain(table.foreign_keys.iter_mut().flat_map(|key| &mut key.columns));
    for name in all.filter(|name| *name == from) {
        to.clone_into(name);
    }
}

/// Whether SQLite can do it without making the table anew.
fn in_place(before: &Table, change: &Change) -> bool {
    match change {
        // A default that is worked out for each row is not for rows that are there.
        Change::AddColumn { column, .. } => column
            .default
            .as_deref()
            .is_none_or(|value| !value.contains('(') && !value.to_ascii_uppercase().starts_with("CURRENT_")),
        Change::DropColumn { column, .. } => {
            !before.uses(&column.name) && !before.create.to_ascii_uppercase().contains("CHECK")
        }
        Change::DropIndex { index, .. } | Change::CreateIndex { index, .. } => !index.inline,
        _ => false,
    }
}
