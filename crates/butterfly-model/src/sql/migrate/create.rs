//! `CREATE TABLE` statements, read: those that SeaORM writes for entities, and those in which MySQL shows its tables.

use std::ops::Range;

use super::schema::{Column, ForeignKey, Index, Table, quoted};
use super::script::{Kind, Token, items, tokens};
use crate::sql::Driver;

/// A `CREATE TABLE` statement and its parts.
pub(super) struct Create<'a> {
    driver: Driver,
    sql: &'a str,
    tokens: Vec<Token<'a>>,
    /// Where the table's name stands among the tokens.
    name: usize,
    /// What stands between the commas.
    items: Vec<Range<usize>>,
    close: usize,
}

impl<'a> Create<'a> {
    /// `None` for a statement of another kind.
    pub(super) fn read(driver: Driver, sql: &'a str) -> Option<Self> {
        let tokens = tokens(driver, sql).ok()?;
        let table = tokens.iter().take(4).position(|token| token.is("TABLE"))?;
        let mut name = table + 1;
        while ["IF", "NOT", "EXISTS"].iter().any(|word| tokens.get(name).is_some_and(|token| token.is(word)))
        {
            name += 1;
        }
        let open = (name..tokens.len()).find(|at| tokens[*at].is("("))?;
        let (items, close) = items(&tokens, open);
        tokens.first()?.is("CREATE").then_some(())?;
        Some(Self { driver, sql, tokens, name, items, close })
    }

    pub(super) fn name(&self) -> String {
        self.tokens[self.name].name().unwrap_or_default()
    }

    /// Whether its name is within a schema of its own.
    pub(super) fn elsewhere(&self) -> bool {
        self.tokens.get(self.name + 1).is_some_and(|next| next.is("."))
    }

    /// The same statement, one line for each of its parts, with another name and without some parts.
    fn written(&self, name: &str, keep: impl Fn(&[Token<'a>]) -> bool) -> String {
        let head = &self.sql[..self.tokens[self.name].start];
        let kept: Vec<&str> = self
            .items
            .iter()
            .filter(|item| keep(&self.tokens[(*item).clone()]))
            .map(|item| self.text(item))
            .collect();
        let tail = self.tokens.get(self.close).map_or("", |close| &self.sql[close.end()..]);
        format!(
            "{head}{} (\n    {}\n){}",
            quoted(self.driver, name),
            kept.join(",\n    "),
            tail.trim_end_matches([';', ' ', '\n'])
        )
    }

    /// One line for each of its parts.
    pub(super) fn pretty(&self) -> String {
        self.written(&self.name(), |_| true)
    }

    pub(super) fn named(&self, name: &str) -> String {
        self.written(name, |_| true)
    }

    /// A table of the session's own that looks the same; no other table may refer to it, nor it to others.
    pub(super) fn temporary(&self) -> String {
        self.without_keys().replacen("TABLE", "TEMPORARY TABLE", 1)
    }

    /// The same without its foreign keys.
    pub(super) fn without_keys(&self) -> String {
        self.written(&self.name(), |item| foreign_key(item).is_none())
    }

    pub(super) fn foreign_keys(&self) -> Vec<ForeignKey> {
        self.items.iter().filter_map(|item| foreign_key(&self.tokens[item.clone()])).collect()
    }

    fn text(&self, item: &Range<usize>) -> &'a str {
        match (self.tokens.get(item.start), self.tokens.get(item.end.saturating_sub(1))) {
            (Some(first), Some(last)) if item.start < item.end => &self.sql[first.start..last.end()],
            _ => "",
        }
    }

    /// The whole table, as MySQL shows it: `SHOW CREATE TABLE`.
    pub(super) fn mysql_table(&self) -> Table {
        let mut table = Table { name: self.name(), create: self.pretty(), ..Table::default() };
        for range in &self.items {
            let item = &self.tokens[range.clone()];
            let Some(first) = item.first() else { continue };
            if first.kind == Kind::Name {
                let definition = self.sql[first.end()..item[item.len() - 1].end()].trim().to_owned();
                table.columns.push(mysql_column(first, &item[1..], definition, self.sql));
            } else if first.is("PRIMARY") {
                table.primary_key = names(item, 0).0;
            } else if let Some(key) = foreign_key(item) {
                table.foreign_keys.push(key);
            } else if item.iter().take(3).any(|token| token.is("KEY") || token.is("INDEX")) {
                table.indexes.push(self.mysql_index(&table.name, range));
            }
        }
        table
    }

    fn mysql_index(&self, table: &str, range: &Range<usize>) -> Index {
        let item = &self.tokens[range.clone()];
        let name = item.iter().find(|token| token.kind == Kind::Name).and_then(Token::name);
        let (columns, plain) = names(item, 0);
        let plain = plain && (item[0].is("UNIQUE") || item[0].is("KEY"));
        let driver = self.driver;
        let create =
            (!plain).then(|| format!("ALTER TABLE {} ADD {}", quoted(driver, table), self.text(range)));
        let (name, unique) = (name.unwrap_or_default(), item[0].is("UNIQUE"));
        // `UNIQUE` behind a column makes an index of the column's name.
        let inline = unique && columns.first() == Some(&name);
        Index { name, columns, unique, inline, create }
    }
}

/// Drops what is between the CREATE's parts when MySQL shows it: the count that it stands at.
pub(super) fn without_count(sql: &str) -> String {
    let mut words: Vec<&str> = sql.split(' ').collect();
    words.retain(|word| !word.starts_with("AUTO_INCREMENT="));
    words.join(" ")
}

/// The names in the next parentheses, and whether there is nothing but names in them.
fn names(item: &[Token<'_>], from: usize) -> (Vec<String>, bool) {
    let Some(open) = (from..item.len()).find(|at| item[*at].is("(")) else { return (Vec::new(), false) };
    let (parts, close) = items(item, open);
    let plain = parts.iter().all(|part| part.len() == 1) && close + 1 == item.len();
    (parts.into_iter().filter_map(|part| item.get(part.start)?.name()).collect(), plain)
}

/// `[CONSTRAINT name] FOREIGN KEY (…) REFERENCES name (…) [ON DELETE …] [ON UPDATE …]`.
fn foreign_key(item: &[Token<'_>]) -> Option<ForeignKey> {
    let at = item.iter().take(3).position(|token| token.is("FOREIGN"))?;
    let name = item.get(1).filter(|_| item[0].is("CONSTRAINT")).and_then(Token::name).unwrap_or_default();
    let references = item.iter().position(|token| token.is("REFERENCES"))?;
    let action = |word: &str| {
        let on = item.windows(2).position(|pair| pair[0].is("ON") && pair[1].is(word))?;
        let words: Vec<String> =
            item[on + 2..].iter().take(2).map(|token| token.text.to_ascii_uppercase()).collect();
        Some(match words.first()?.as_str() {
            "SET" | "NO" => words.join(" "),
            word => word.to_owned(),
        })
    };
    Some(ForeignKey {
        name,
        columns: names(item, at).0,
        table: item.get(references + 1)?.name()?,
        to: names(item, references).0,
        on_delete: plain_action(action("DELETE").as_deref().unwrap_or_default()),
        on_update: plain_action(action("UPDATE").as_deref().unwrap_or_default()),
    })
}

/// An action in one spelling: what nothing says is `NO ACTION`; `RESTRICT` differs from it only in when it looks.
pub(super) fn plain_action(action: &str) -> String {
    if matches!(action, "NO ACTION" | "RESTRICT") { String::new() } else { action.to_owned() }
}

/// `varchar(200) NOT NULL DEFAULT 'x' COMMENT 'y'`.
fn mysql_column(name: &Token<'_>, tokens: &[Token<'_>], definition: String, sql: &str) -> Column {
    let mut at = usize::from(!tokens.is_empty());
    if tokens.get(1).is_some_and(|token| token.is("(")) {
        at = items(tokens, 1).1 + 1;
    }
    while tokens.get(at).is_some_and(|token| token.is("unsigned") || token.is("zerofill")) {
        at += 1;
    }
    let text = |from: usize, to: usize| match (tokens.get(from), tokens.get(to.wrapping_sub(1))) {
        (Some(first), Some(last)) => sql[first.start..last.end()].to_owned(),
        _ => String::new(),
    };
    let ty = text(0, at);
    let position = |word: &str| (at..tokens.len()).find(|at| tokens[*at].is(word));
    let pair = |one: &str, two: &str| tokens.windows(2).any(|pair| pair[0].is(one) && pair[1].is(two));
    let default = position("DEFAULT").map(|found| {
        let mut end = found + 2;
        let opens = |at: usize| tokens.get(at).is_some_and(|token| token.is("("));
        if opens(found + 1) {
            end = items(tokens, found + 1).1 + 1;
        } else if opens(end) {
            // current_timestamp()
            end = items(tokens, end).1 + 1;
        } else if tokens.get(found + 1).is_some_and(|sign| sign.is("-")) {
            end += 1;
        }
        text(found + 1, end)
    });
    Column {
        name: name.name().unwrap_or_default(),
        // MariaDB's JSON.
        ty: if definition.contains("json_valid(") { "json".into() } else { ty },
        nullable: !pair("NOT", "NULL"),
        default: default.filter(|default| !default.eq_ignore_ascii_case("NULL")),
        auto: position("AUTO_INCREMENT").is_some(),
        definition,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn a_table_as_mysql_shows_it() {
        let sql = "CREATE TABLE `a``b` (\n  `id` bigint(20) NOT NULL AUTO_INCREMENT,\n  \
            `title` varchar(200) CHARACTER SET utf8mb4 NOT NULL DEFAULT 'a, ''b)' COMMENT 'x',\n  \
            `price` decimal(10,2) DEFAULT -1.50,\n  `at` timestamp NULL DEFAULT current_timestamp(),\n  \
            `doc` longtext DEFAULT NULL CHECK (json_valid(`doc`)),\n  `u` int(10) unsigned NOT NULL,\n  \
            PRIMARY KEY (`id`),\n  UNIQUE KEY `t` (`title`),\n  KEY `part` (`title`(10)),\n  KEY `fk-a` (`u`),\n  \
            CONSTRAINT `fk-a` FOREIGN KEY (`u`) REFERENCES `c` (`id`) ON DELETE SET NULL ON UPDATE CASCADE\n\
            ) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4";
        let sql = without_count(sql);
        let create = Create::read(Driver::MySql, &sql).unwrap();
        let table = create.mysql_table();
        assert_eq!(table.name, "a`b");
        let shown: Vec<_> = table
            .columns
            .iter()
            .map(|c| (c.name.as_str(), c.ty.as_str(), c.nullable, c.default.as_deref(), c.auto))
            .collect();
        assert_eq!(
            shown,
            [
                ("id", "bigint(20)", false, None, true),
                ("title", "varchar(200)", false, Some("'a, ''b)'"), false),
                ("price", "decimal(10,2)", true, Some("-1.50"), false),
                ("at", "timestamp", true, Some("current_timestamp()"), false),
                ("doc", "json", true, None, false),
                ("u", "int(10) unsigned", false, None, false),
            ]
        );
        assert_eq!(table.primary_key, ["id"]);
        let [unique, part, _] = table.indexes.as_slice() else { unreachable!("{:?}", table.indexes) };
        assert!(unique.unique && unique.create.is_none() && part.create.is_some());
        let key = &table.foreign_keys[0];
        assert_eq!(
            (key.table.as_str(), key.on_delete.as_str(), key.on_update.as_str()),
            ("c", "SET NULL", "CASCADE")
        );
        assert!(table.create.ends_with(") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"), "{}", table.create);
        let temporary = create.temporary();
        assert!(temporary.starts_with("CREATE TEMPORARY TABLE `a``b`") && !temporary.contains("FOREIGN"));
        assert!(create.named("new").starts_with("CREATE TABLE `new` ("));
    }
}
