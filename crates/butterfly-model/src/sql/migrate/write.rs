//! Changes as SQL, in the words of each database; and which of them lose what rows hold.

use super::create::Create;
use super::difference::{Change, Rebuild};
use super::schema::{Column, ForeignKey, Index, Table, listed, literal, quoted};
use super::types::narrows;
use crate::sql::Driver;

/// A change as people and databases read it.
#[derive(Clone, Debug, Default)]
pub(super) struct Written {
    /// What is done: `add column todo.due`.
    pub(super) says: String,
    /// What is lost, if anything is.
    pub(super) loses: Option<String>,
    /// What may stand in its way.
    pub(super) note: Option<String>,
    /// Statements without semicolons.
    pub(super) sql: Vec<String>,
}

impl Change {
    pub(super) fn written(&self, driver: Driver) -> Written {
        Writer(driver).change(self)
    }
}

struct Writer(Driver);

impl Writer {
    fn name(&self, name: &str) -> String {
        quoted(self.0, name)
    }

    fn alter(&self, table: &str, what: &str) -> String {
        format!("ALTER TABLE {} {what}", self.name(table))
    }

    fn change(&self, change: &Change) -> Written {
        let (says, sql) = match change {
            Change::CreateTable(table) => return self.create_table(table),
            Change::DropTable(table) => {
                let loses = Some(format!("all rows of {}", table.name));
                let sql = vec![format!("DROP TABLE {}", self.name(&table.name))];
                return Written { says: format!("drop table {}", table.name), loses, sql, note: None };
            }
            Change::AddColumn { table, column } => return self.add_column(table, column),
            Change::AlterColumn { table, from, to } => return self.alter_column(table, from, to),
            Change::Rebuild(rebuild) => return self.rebuild(rebuild),
            Change::DropColumn { table, column } => {
                let loses = Some(format!("the values of {table}.{}", column.name));
                let sql = vec![self.alter(table, &format!("DROP COLUMN {}", self.name(&column.name)))];
                return Written {
                    says: format!("drop column {table}.{}", column.name),
                    loses,
                    sql,
                    note: None,
                };
            }
            Change::RenameColumn { table, from, to } => {
                let what = format!("RENAME COLUMN {} TO {}", self.name(from), self.name(to));
                (format!("rename column {table}.{from} to {to}"), vec![self.alter(table, &what)])
            }
            Change::PrimaryKey { table, from, name, to } => {
                (format!("primary key of {table}"), self.primary_key(table, from.is_empty(), name, to))
            }
            Change::CreateIndex { table, index } => {
                let kind = if index.unique { "unique index" } else { "index" };
                (format!("{kind} {}", over(table, &index.columns)), vec![self.create_index(table, index)])
            }
            Change::DropIndex { table, index } => {
                (format!("drop index {}", over(table, &index.columns)), vec![self.drop_index(table, index)])
            }
            Change::AddForeignKey { table, key } => {
                let says = format!("foreign key {} to {}", over(table, &key.columns), key.table);
                (says, vec![self.alter(table, &format!("ADD {}", self.foreign_key(table, key)))])
            }
            Change::DropForeignKey { table, key } => {
                let word = if self.0 == Driver::MySql { "FOREIGN KEY" } else { "CONSTRAINT" };
                let what = format!("DROP {word} {}", self.name(&key.name));
                (format!("drop foreign key {}", over(table, &key.columns)), vec![self.alter(table, &what)])
            }
            Change::CreateEnum { name, labels } => {
                (format!("type {name}"), vec![self.create_enum(name, labels)])
            }
            Change::ExtendEnum { name, labels } => {
                let add = |label: &String| {
                    format!("ALTER TYPE {} ADD VALUE {}", self.name(name), literal(self.0, label))
                };
                (format!("values of type {name}"), labels.iter().map(add).collect())
            }
            Change::ReplaceEnum { name, labels, gone, columns } => {
                let loses = (!gone.is_empty())
                    .then(|| format!("rows with {} in type {name}: they stop it", gone.join(", ")));
                let sql = self.replace_enum(name, labels, columns);
                return Written { says: format!("values of type {name}"), loses, sql, note: None };
            }
            Change::DropEnum { name } => {
                (format!("drop type {name}"), vec![format!("DROP TYPE {}", self.name(name))])
            }
        };
        Written { says, sql, ..Written::default() }
    }

    fn create_table(&self, table: &Table) -> Written {
        let mut sql = vec![table.create.clone()];
        // MySQL's statement has them within.
        let within = |index: &Index| {
            index.inline || (self.0 == Driver::MySql && table.create.contains(&self.name(&index.name)))
        };
        let indexes = table.indexes.iter().chain(&table.kept).filter(|index| !within(index));
        sql.extend(indexes.map(|index| self.create_index(&table.name, index)));
        sql.extend(table.triggers.iter().cloned());
        Written { says: format!("create table {}", table.name), sql, ..Written::default() }
    }

    fn add_column(&self, table: &str, column: &Column) -> Written {
        let what = format!("ADD COLUMN {} {}", self.name(&column.name), column.definition);
        let needs = !column.nullable && column.default.is_none() && !column.auto;
        let note = needs.then(|| {
            let happens = match self.0 {
                Driver::MySql => "rows that are there get MySQL's own (0, an empty text)",
                Driver::Sqlite | Driver::Postgres => "with rows in the table this fails",
            };
            format!(
                "{table}.{} has no default: {happens}; write a DEFAULT that is right for them",
                column.name
            )
        });
        Written {
            says: format!("add column {table}.{} {}", column.name, column.ty),
            note,
            sql: vec![self.alter(table, &what)],
            loses: None,
        }
    }

    fn alter_column(&self, table: &str, from: &Column, to: &Column) -> Written {
        let name = self.name(&to.name);
        let mut parts = Vec::new();
        if self.0 == Driver::MySql {
            parts.push(format!("MODIFY COLUMN {name} {}", to.definition));
        } else {
            let retyped = !from.ty.eq_ignore_ascii_case(&to.ty);
            let part = |what: &str| format!("ALTER COLUMN {name} {what}");
            // A default of the old type may be none of the new one.
            if from.default.is_some() && (retyped || to.default.is_none()) {
                parts.push(part("DROP DEFAULT"));
            }
            if retyped {
                parts.push(part(&format!("TYPE {} USING {name}::{}", to.ty, to.ty)));
            }
            if from.auto != to.auto {
                parts.push(part(if to.auto {
                    "ADD GENERATED BY DEFAULT AS IDENTITY"
                } else {
                    "DROP IDENTITY IF EXISTS"
                }));
            }
            if let Some(default) = to.default.as_ref().filter(|_| retyped || from.default != to.default) {
                parts.push(part(&format!("SET DEFAULT {default}")));
            }
            if from.nullable != to.nullable {
                parts.push(part(if to.nullable { "DROP NOT NULL" } else { "SET NOT NULL" }));
            }
        }
        let (says, loses, note) = altered(table, from, to);
        Written { says, loses, note, sql: vec![self.alter(table, &parts.join(", "))] }
    }

    fn primary_key(&self, table: &str, none: bool, name: &str, to: &[String]) -> Vec<String> {
        let mut parts = Vec::new();
        if !none {
            parts.push(match self.0 {
                Driver::MySql => "DROP PRIMARY KEY".to_owned(),
                _ => format!("DROP CONSTRAINT {}", self.name(name)),
            });
        }
        if !to.is_empty() {
            parts.push(format!("ADD PRIMARY KEY {}", listed(self.0, to)));
        }
        vec![self.alter(table, &parts.join(", "))]
    }

    fn create_index(&self, table: &str, index: &Index) -> String {
        let unique = if index.unique { "UNIQUE " } else { "" };
        index.create.clone().unwrap_or_else(|| {
            let columns = listed(self.0, &index.columns);
            if index.inline && self.0 == Driver::Postgres {
                return self
                    .alter(table, &format!("ADD CONSTRAINT {} UNIQUE {columns}", self.name(&index.name)));
            }
            format!("CREATE {unique}INDEX {} ON {} {columns}", self.name(&index.name), self.name(table))
        })
    }

    fn drop_index(&self, table: &str, index: &Index) -> String {
        match self.0 {
            Driver::MySql => format!("DROP INDEX {} ON {}", self.name(&index.name), self.name(table)),
            Driver::Postgres if index.inline => {
                self.alter(table, &format!("DROP CONSTRAINT {}", self.name(&index.name)))
            }
            _ => format!("DROP INDEX {}", self.name(&index.name)),
        }
    }

    fn foreign_key(&self, table: &str, key: &ForeignKey) -> String {
        let name = if key.name.is_empty() {
            format!("fk-{table}-{}", key.columns.join("-"))
        } else {
            key.name.clone()
        };
        let action = |when: &str, what: &str| match what {
            "" => String::new(),
            what => format!(" ON {when} {what}"),
        };
        format!(
            "CONSTRAINT {} FOREIGN KEY {} REFERENCES {} {}{}{}",
            self.name(&name),
            listed(self.0, &key.columns),
            self.name(&key.table),
            listed(self.0, &key.to),
            action("DELETE", &key.on_delete),
            action("UPDATE", &key.on_update)
        )
    }

    fn create_enum(&self, name: &str, labels: &[String]) -> String {
        let labels: Vec<String> = labels.iter().map(|label| literal(self.0, label)).collect();
        format!("CREATE TYPE {} AS ENUM ({})", self.name(name), labels.join(", "))
    }

    /// PostgreSQL takes no value away: a new type takes the old one's place.
    fn replace_enum(&self, name: &str, labels: &[String], columns: &[(String, Column)]) -> Vec<String> {
        let old = self.name(&format!("{name}_old"));
        let mut sql = vec![format!("ALTER TYPE {} RENAME TO {old}", self.name(name))];
        sql.push(self.create_enum(name, labels));
        for (table, column) in columns {
            let at = format!("ALTER COLUMN {}", self.name(&column.name));
            let ty = self.name(name);
            let mut parts = vec![format!("{at} TYPE {ty} USING {}::text::{ty}", self.name(&column.name))];
            if let Some(default) = &column.default {
                parts.insert(0, format!("{at} DROP DEFAULT"));
                parts.push(format!("{at} SET DEFAULT {default}"));
            }
            sql.push(self.alter(table, &parts.join(", ")));
        }
        sql.push(format!("DROP TYPE {old}"));
        sql
    }

    /// SQLite's way (lang_altertable.html, 7): a new table is filled from the old one and takes its name.
    fn rebuild(&self, Rebuild { from, to }: &Rebuild) -> Written {
        let new = format!("_new_{}", to.name);
        let create = Create::read(self.0, &to.create).map(|create| create.named(&new)).unwrap_or_default();
        let both: Vec<String> = to
            .columns
            .iter()
            .filter(|column| from.column(&column.name).is_some())
            .map(|column| column.name.clone())
            .collect();
        let columns = listed(self.0, &both);
        let names = &columns[1..columns.len() - 1];
        let mut sql = vec![create];
        if !both.is_empty() {
            let old = self.name(&to.name);
            sql.push(format!("INSERT INTO {} {columns} SELECT {names} FROM {old}", self.name(&new)));
        }
        sql.push(format!("DROP TABLE {}", self.name(&to.name)));
        sql.push(self.alter(&new, &format!("RENAME TO {}", self.name(&to.name))));
        let there = |index: &&Index| index.columns.iter().all(|name| to.column(name).is_some());
        let indexes = to.indexes.iter().filter(|index| !index.inline).chain(to.kept.iter().filter(there));
        // What the new statement has within it is there already.
        let within = |index: &Index| self.within(&to.create, index);
        let indexes = indexes.filter(|index| !within(index));
        sql.extend(indexes.map(|index| self.create_index(&to.name, index)));
        sql.extend(to.triggers.iter().cloned());
        self.rebuilt(from, to, sql)
    }

    /// Whether a statement makes a unique index by `UNIQUE` behind a column.
    fn within(&self, create: &str, index: &Index) -> bool {
        let [column] = index.columns.as_slice() else { return false };
        let line = format!("\n    {} ", self.name(column));
        let line = create.find(&line).map(|at| create[at + 1..].lines().next().unwrap_or_default());
        index.unique && line.is_some_and(|line| line.contains(" UNIQUE"))
    }

    fn rebuilt(&self, from: &Table, to: &Table, sql: Vec<String>) -> Written {
        let (mut says, mut loses, mut notes) = (Vec::new(), Vec::new(), Vec::new());
        for column in &to.columns {
            let (said, lost, note) = match from.column(&column.name) {
                Some(before) if before.same(column) => continue,
                Some(before) => altered(&to.name, before, column),
                None => {
                    let written = self.add_column(&to.name, column);
                    (written.says, None, written.note)
                }
            };
            says.push(said);
            loses.extend(lost);
            notes.extend(note);
        }
        for column in from.columns.iter().filter(|column| to.column(&column.name).is_none()) {
            says.push(format!("drop column {}.{}", to.name, column.name));
            loses.push(format!("the values of {}.{}", to.name, column.name));
        }
        if says.is_empty() {
            says.push(format!("keys of {}", to.name));
        }
        let joined = |texts: Vec<String>| (!texts.is_empty()).then(|| texts.join("; "));
        Written { says: says.join("; "), loses: joined(loses), note: joined(notes), sql }
    }
}

fn over(table: &str, columns: &[String]) -> String {
    format!("{table}({})", columns.join(", "))
}

/// What is said of a column that changes, what it may lose, and what may stand in its way.
fn altered(table: &str, from: &Column, to: &Column) -> (String, Option<String>, Option<String>) {
    let at = format!("{table}.{}", to.name);
    let mut says = Vec::new();
    if !from.ty.eq_ignore_ascii_case(&to.ty) {
        says.push(format!("type {} instead of {}", to.ty, from.ty));
    }
    if from.nullable != to.nullable {
        says.push(if to.nullable { "may be NULL".to_owned() } else { "NOT NULL".to_owned() });
    }
    if from.default != to.default {
        says.push(to.default.as_ref().map_or("no default".into(), |default| format!("default {default}")));
    }
    if from.auto != to.auto {
        says.push(if to.auto {
            "counts by itself".to_owned()
        } else {
            "does not count by itself".to_owned()
        });
    }
    let loses = narrows(&from.ty, &to.ty)
        .then(|| format!("values of {at} that do not fit {} instead of {}", to.ty, from.ty));
    let note = (from.nullable && !to.nullable)
        .then(|| format!("{at} becomes NOT NULL: rows without a value stop it; fill them first"));
    (format!("column {at}: {}", says.join(", ")), loses, note)
}
