//! Entities written from the tables of a database that is there.

mod types;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::schema::{Column, ForeignKey, Schema, Table};
use crate::sql::Driver;
use types::Field;

/// A file with an entity.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EntityFile {
    /// Its name: `book.rs`.
    pub name: String,
    /// What is in it.
    pub text: String,
    /// What its table has and an entity cannot say.
    pub notes: Vec<String>,
}

/// Rust's words, which are no names of fields.
const KEYWORDS: [&str; 52] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true", "try", "type", "typeof", "union", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];

/// The files of the tables of a schema; those without a primary key have none.
pub(super) fn files(driver: Driver, schema: &Schema, tables: &[String]) -> Vec<EntityFile> {
    let chosen = schema
        .tables
        .values()
        .filter(|table| !super::own(&table.name) && (tables.is_empty() || tables.contains(&table.name)));
    let names: BTreeSet<&str> = schema.tables.keys().map(String::as_str).collect();
    chosen.map(|table| Writer { driver, schema, names: &names, notes: Vec::new() }.file(table)).collect()
}

struct Writer<'a> {
    driver: Driver,
    schema: &'a Schema,
    names: &'a BTreeSet<&'a str>,
    notes: Vec<String>,
}

impl Writer<'_> {
    fn file(mut self, table: &Table) -> EntityFile {
        let mut names = Names::default();
        let idents: Vec<String> = table.columns.iter().map(|column| names.field(&column.name)).collect();
        let mut body = String::new();
        let (mut exact, mut enums) = (true, BTreeSet::new());
        for (column, ident) in table.columns.iter().zip(&idents) {
            let field = types::field(self.driver, column, self.schema.enums.keys());
            exact &= !matches!(field.rust.as_str(), "f32" | "f64");
            self.notes
                .extend(field.note.iter().map(|note| format!("{}.{}: {note}", table.name, column.name)));
            let attributes = self.attributes(table, column, ident, &field);
            if !attributes.is_empty() {
                let _ = writeln!(body, "    #[sea_orm({})]", attributes.join(", "));
            }
            let ty = if column.nullable { format!("Option<{}>", field.rust) } else { field.rust };
            let _ = writeln!(body, "    pub {ident}: {ty},");
            enums.extend(field.of_enum);
        }
        for key in &table.foreign_keys {
            self.relation(table, key, (&idents, &mut names), &mut body);
        }
        if table.primary_key.is_empty() {
            self.notes.push(format!(
                "{}: it has no primary key, and an entity needs one: mark a field",
                table.name
            ));
        }
        self.note_indexes(table);
        let eq = if exact { ", Eq" } else { "" };
        let mut text =
            format!("//! The table `{}`.\n\nuse butterfly::model::sql::prelude::*;\n", one_line(&table.name));
        enums.iter().for_each(|name| text.push_str(&self.enumeration(name)));
        let _ = write!(
            text,
            "\n#[sea_orm::model]\n#[derive(Clone, Debug, PartialEq{eq}, DeriveEntityModel)]\n#[sea_orm(table_name = {:?})]\n\
             pub struct Model {{\n{body}}}\n\nimpl ActiveModelBehavior for ActiveModel {{}}\n",
            table.name
        );
        EntityFile { name: format!("{}.rs", module(&table.name)), text, notes: self.notes }
    }

    fn attributes(&self, table: &Table, column: &Column, ident: &str, field: &Field) -> Vec<String> {
        let mut all = Vec::new();
        if table.primary_key.contains(&column.name) {
            all.push("primary_key".to_owned());
            if !column.auto {
                all.push("auto_increment = false".to_owned());
            }
        }
        if !plain(&column.name) || ident != column.name {
            all.push(format!("column_name = {:?}", column.name));
        }
        all.extend(field.attributes.iter().cloned());
        let own =
            |index: &&super::schema::Index| index.create.is_none() && index.columns == [column.name.as_str()];
        match table.indexes.iter().find(own) {
            Some(index) if index.unique => all.push("unique".to_owned()),
            // A foreign key of MySQL's has an index of its own.
            Some(index)
                if table
                    .foreign_keys
                    .iter()
                    .any(|key| key.columns == index.columns && key.name == index.name) => {}
            Some(_) => all.push("indexed".to_owned()),
            None => {}
        }
        if let Some(key) = pairs(table).into_iter().find(|index| index.columns.contains(&column.name)) {
            let name = key.name.strip_prefix(&format!("idx-{}-", table.name)).unwrap_or(&key.name);
            all.push(format!("unique_key = {:?}", plain_word(name)));
        }
        if let Some(default) = column.default.as_deref().filter(|_| !column.auto) {
            all.push(types::default(self.driver, &field.rust, default));
        }
        all
    }

    fn relation(
        &mut self,
        table: &Table,
        key: &ForeignKey,
        (idents, names): (&[String], &mut Names),
        body: &mut String,
    ) {
        let target = self.schema.tables.get(&key.table);
        let local = |name: &String| {
            let at = table.columns.iter().position(|column| column.name == *name)?;
            Some((idents[at].clone(), table.columns[at].nullable))
        };
        let from: Option<Vec<_>> = key.columns.iter().map(local).collect();
        let to: Option<Vec<String>> = target.map(|target| {
            let mut theirs = Names::default();
            let all: Vec<String> = target.columns.iter().map(|column| theirs.field(&column.name)).collect();
            let found = |name: &String| {
                Some(all[target.columns.iter().position(|column| column.name == *name)?].clone())
            };
            key.to.iter().filter_map(found).collect()
        });
        let (Some(from), Some(to)) = (from, to) else {
            self.notes
                .push(format!("{}: the foreign key {} has no entity to refer to", table.name, key.name));
            return;
        };
        let optional = from.iter().all(|(_, nullable)| *nullable);
        let from: Vec<String> = from.into_iter().map(|(name, _)| name).collect();
        let list = |names: &[String]| match names {
            [one] => one.clone(),
            many => format!("({})", many.join(", ")),
        };
        let wish = match from.as_slice() {
            [one] => one.strip_suffix("_id").unwrap_or(&module(&key.table)).to_owned(),
            _ => module(&key.table),
        };
        let field = names.field(&wish);
        let itself = key.table == table.name;
        let again = table.foreign_keys.iter().filter(|other| other.table == key.table).count() > 1;
        let mut attributes = vec![if itself { "self_ref" } else { "belongs_to" }.to_owned()];
        if itself || again {
            attributes.push(format!("relation_enum = {:?}", camel(&field)));
        }
        attributes.push(format!("from = {:?}, to = {:?}", list(&from), list(&to)));
        for (when, action) in [("on_delete", &key.on_delete), ("on_update", &key.on_update)] {
            if !action.is_empty() {
                attributes.push(format!("{when} = {:?}", camel(&action.to_lowercase().replace(' ', "_"))));
            }
        }
        let entity =
            if itself { "Entity".to_owned() } else { format!("super::{}::Entity", module(&key.table)) };
        let entity = if optional { format!("Option<{entity}>") } else { entity };
        let _ = writeln!(
            body,
            "    #[sea_orm({})]\n    pub {field}: BelongsTo<{entity}>,",
            attributes.join(", ")
        );
        if !self.names.contains(key.table.as_str()) {
            self.notes.push(format!("{}: it refers to {}, which is not here", table.name, key.table));
        }
    }

    fn note_indexes(&mut self, table: &Table) {
        let said = pairs(table);
        for index in &table.indexes {
            let alone = index.create.is_none() && index.columns.len() == 1;
            let of_key = table.foreign_keys.iter().any(|key| key.columns == index.columns);
            if !alone && !of_key && !said.iter().any(|other| other.name == index.name) {
                self.notes.push(format!(
                    "{}: an entity cannot say the index {}: migrations leave it alone",
                    table.name, index.name
                ));
            }
        }
    }

    fn enumeration(&self, name: &str) -> String {
        let mut names = Names::default();
        let labels = self.schema.enums.get(name).map(Vec::as_slice).unwrap_or_default();
        let values = labels.iter().map(|label| {
            format!("    #[sea_orm(string_value = {label:?})]\n    {},\n", camel(&names.field(label)))
        });
        format!(
            "\n#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]\n\
             #[sea_orm(rs_type = \"String\", db_type = \"Enum\", enum_name = {name:?})]\npub enum {} {{\n{}}}\n",
            camel(&module(name)),
            values.collect::<String>()
        )
    }
}

/// Unique indexes over several columns that an entity can say: in the order of the columns, each column in one only.
fn pairs(table: &Table) -> Vec<&super::schema::Index> {
    let place = |name: &String| table.columns.iter().position(|column| column.name == *name);
    let mut taken = BTreeSet::new();
    let mut all = Vec::new();
    for index in &table.indexes {
        let places: Vec<_> = index.columns.iter().map(place).collect();
        let fits = index.unique && index.create.is_none() && places.len() > 1 && places.is_sorted();
        if fits && !index.columns.iter().any(|name| taken.contains(name)) {
            taken.extend(index.columns.iter());
            all.push(index);
        }
    }
    all
}

/// Names of fields that are taken, as SeaORM will write them: `a_1` and `a1` are the same to it.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn field(&mut self, name: &str) -> String {
        let mut field = module(name);
        while !self.0.insert(camel(&field)) {
            field.push_str("_too");
        }
        field
    }
}

/// Whether SeaORM makes the same name of a field as it is.
fn plain(name: &str) -> bool {
    let word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    name.split('_').all(word)
}

/// Letters, digits and `_`, and none of Rust's words: a module or a field.
fn module(name: &str) -> String {
    let word = plain_word(name);
    let word = if word.starts_with(|c: char| c.is_ascii_digit()) || word.is_empty() {
        format!("x{word}")
    } else {
        word
    };
    if KEYWORDS.contains(&word.as_str()) { format!("{word}_field") } else { word }
}

fn plain_word(name: &str) -> String {
    let mut word = String::new();
    for c in name.chars() {
        match c {
            _ if c.is_ascii_alphanumeric() => word.push(c.to_ascii_lowercase()),
            // Names of other alphabets are names in Rust, too.
            _ if c.is_alphanumeric() => word.extend(c.to_lowercase()),
            _ if !word.is_empty() && !word.ends_with('_') => word.push('_'),
            _ => {}
        }
    }
    word.trim_end_matches('_').to_owned()
}

fn camel(name: &str) -> String {
    let parts = name.split('_').map(|part| {
        let mut chars = part.chars();
        chars.next().map(|first| first.to_uppercase().chain(chars).collect::<String>()).unwrap_or_default()
    });
    parts.collect()
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
