//! What a database looks like: its tables with their columns, keys and indexes, in the words of the database itself.

use std::collections::BTreeMap;

use crate::sql::Driver;

/// The tables of a database, or those that entities ask for.
#[derive(Clone, Debug, Default)]
pub(super) struct Schema {
    pub(super) tables: BTreeMap<String, Table>,
    /// PostgreSQL's enum types and their values.
    pub(super) enums: BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    pub(super) primary_key: Vec<String>,
    /// What PostgreSQL calls it.
    pub(super) primary_name: String,
    pub(super) indexes: Vec<Index>,
    pub(super) foreign_keys: Vec<ForeignKey>,
    /// The statement that makes it, without its indexes where those are statements of their own.
    pub(super) create: String,
    /// Indexes that no entity asks for and migrations leave alone; a table that is made anew gets them again.
    pub(super) kept: Vec<Index>,
    /// SQLite's triggers: statements that a table that is made anew needs again.
    pub(super) triggers: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Column {
    pub(super) name: String,
    /// As the database calls it: `varchar(200)`, `timestamp with time zone`.
    pub(super) ty: String,
    pub(super) nullable: bool,
    /// An SQL expression.
    pub(super) default: Option<String>,
    /// Whether the database counts it.
    pub(super) auto: bool,
    /// All that stands behind its name in the statement that makes it.
    pub(super) definition: String,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    pub(super) name: String,
    /// Empty for one over expressions.
    pub(super) columns: Vec<String>,
    pub(super) unique: bool,
    /// Whether the table's own statement makes it (`UNIQUE` in it), not one of its own.
    pub(super) inline: bool,
    /// The statement that makes it, where it is more than columns: partial, descending, over expressions.
    pub(super) create: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ForeignKey {
    /// Empty on SQLite, which drops them by making the table anew.
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) table: String,
    pub(super) to: Vec<String>,
    /// `CASCADE`, `SET NULL` and the like; empty is `NO ACTION`.
    pub(super) on_delete: String,
    pub(super) on_update: String,
}

impl Table {
    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether a key or an index needs the column.
    pub(super) fn uses(&self, column: &str) -> bool {
        let within = |names: &[String]| names.iter().any(|name| name == column);
        within(&self.primary_key)
            || self.foreign_keys.iter().any(|key| within(&key.columns))
            || self.indexes.iter().chain(&self.kept).any(|index| {
                within(&index.columns) || index.create.as_ref().is_some_and(|sql| sql.contains(column))
            })
    }
}

impl Column {
    /// Whether both are the same to a program.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.ty.eq_ignore_ascii_case(&other.ty)
            && self.nullable == other.nullable
            && self.auto == other.auto
            && (self.auto || self.default == other.default)
    }
}

impl Index {
    pub(super) fn same(&self, other: &Self) -> bool {
        self.unique == other.unique
            && self.columns == other.columns
            && self.create.is_none()
            && other.create.is_none()
    }
}

impl ForeignKey {
    /// Whether both are the same, whatever they are called.
    pub(super) fn same(&self, other: &Self) -> bool {
        let named = |key: &Self| Self { name: String::new(), ..key.clone() };
        named(self) == named(other)
    }
}

/// A name as the database takes it, whatever it is made of.
pub(super) fn quoted(driver: Driver, name: &str) -> String {
    match driver {
        Driver::MySql => format!("`{}`", name.replace('`', "``")),
        Driver::Sqlite | Driver::Postgres => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// Names in parentheses.
pub(super) fn listed(driver: Driver, names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| quoted(driver, name)).collect();
    format!("({})", names.join(", "))
}

/// A text as an SQL literal.
pub(super) fn literal(driver: Driver, text: &str) -> String {
    let text = text.replace('\'', "''");
    match driver {
        Driver::MySql => format!("'{}'", text.replace('\\', "\\\\")),
        Driver::Sqlite | Driver::Postgres => format!("'{text}'"),
    }
}
