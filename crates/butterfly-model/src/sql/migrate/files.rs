//! The folder of migrations: `20261127_101500_add_due.up.sql`, and `….down.sql` that takes it back.
//!
//! A file for one database only has its name before `.sql`: `….up.postgres.sql`; it goes before one for all.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::error::MigrateError;
use super::script::{Statement, Token, statements, tokens};
use crate::sql::Driver;

/// In a file: the database that it is written for.
const ENGINE: &str = "-- engine:";
/// In a file: what the statement below loses.
pub(super) const LOSES: &str = "-- loses";
/// In a file: its statements are not one transaction.
const APART: &str = "-- no transaction";

/// One migration.
#[derive(Clone, Debug)]
pub(super) struct Migration {
    pub(super) name: String,
    pub(super) up: Script,
    pub(super) down: Option<Script>,
}

/// A file of SQL.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) path: PathBuf,
    pub(super) statements: Vec<Statement>,
    pub(super) checksum: String,
    /// What it loses, as it says itself or as its statements do.
    pub(super) losses: Vec<String>,
    /// Whether its statements are to run each for itself.
    pub(super) apart: bool,
    /// The tables that it makes.
    pub(super) makes: Vec<String>,
}

/// Reads all migrations, in order of their names; none where there is no folder.
///
/// # Errors
///
/// What is wrong with which file.
pub(super) fn read(folder: &Path, driver: Driver) -> Result<Vec<Migration>, MigrateError> {
    let mut found: BTreeMap<String, [Option<PathBuf>; 2]> = BTreeMap::new();
    for path in sorted(folder)? {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let Some((name, way, engine)) = parts(name) else { continue };
        if engine.is_some_and(|engine| engine != word(driver)) {
            continue;
        }
        let slot = &mut found.entry(name.to_owned()).or_default()[way];
        if slot.is_none() || engine.is_some() {
            *slot = Some(path);
        }
    }
    let mut all = Vec::new();
    for (name, [up, down]) in found {
        let Some(up) = up else {
            let down = down.unwrap_or_default();
            return Err(refused(
                &down,
                &format!("there is no {name}.up.sql beside it for {}", title(driver)),
            ));
        };
        let down = down.map(|path| Script::read(path, driver)).transpose()?;
        all.push(Migration { up: Script::read(up, driver)?, down, name });
    }
    Ok(all)
}

/// Name, 0 for up or 1 for down, and the database that it is for.
fn parts(file: &str) -> Option<(&str, usize, Option<&str>)> {
    let rest = file.strip_suffix(".sql")?;
    let (rest, engine) = match rest.rsplit_once('.') {
        Some((rest, engine @ ("sqlite" | "mysql" | "postgres"))) => (rest, Some(engine)),
        _ => (rest, None),
    };
    let way = |suffix| rest.strip_suffix(suffix).filter(|name| !name.is_empty());
    let up = way(".up").map(|name| (name, 0, engine));
    up.or_else(|| way(".down").map(|name| (name, 1, engine)))
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>, MigrateError> {
    let unreadable = |error: io::Error| refused(folder, &format!("cannot be read: {error}"));
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<io::Result<Vec<_>>>().map_err(unreadable)?;
    paths.sort();
    Ok(paths)
}

fn refused(path: &Path, why: &str) -> MigrateError {
    MigrateError::Refused(format!("{}: {why}", path.display()))
}

/// A database in file names.
pub(super) fn word(driver: Driver) -> &'static str {
    match driver {
        Driver::Sqlite => "sqlite",
        Driver::MySql => "mysql",
        Driver::Postgres => "postgres",
    }
}

/// A database in sentences.
pub(super) fn title(driver: Driver) -> &'static str {
    match driver {
        Driver::Sqlite => "SQLite",
        Driver::MySql => "MySQL",
        Driver::Postgres => "PostgreSQL",
    }
}

impl Script {
    fn read(path: PathBuf, driver: Driver) -> Result<Self, MigrateError> {
        let text =
            std::fs::read(&path).map_err(|error| refused(&path, &format!("cannot be read: {error}")))?;
        let text = String::from_utf8(text).map_err(|_| refused(&path, "it is not UTF-8"))?;
        // The same file, whoever checked it out.
        let text = text.replace("\r\n", "\n");
        let comment = |mark: &str| text.lines().find_map(|line| Some(line.trim().strip_prefix(mark)?.trim()));
        if let Some(engine) = comment(ENGINE).filter(|engine| *engine != word(driver)) {
            return Err(refused(
                &path,
                &format!(
                    "it is written for {engine}, and this database is {}: put one for it beside it, named ….{}.sql",
                    title(driver),
                    word(driver)
                ),
            ));
        }
        let statements = statements(driver, &text).map_err(|why| refused(&path, &why))?;
        let apart = comment(APART).is_some();
        let (mut losses, mut makes) = (Vec::new(), Vec::new());
        for line in text.lines().filter_map(|line| line.trim().strip_prefix(LOSES)) {
            losses.push(line.trim_start_matches(':').trim().to_owned());
        }
        for statement in &statements {
            let tokens = tokens(driver, &statement.sql).unwrap_or_default();
            if transaction_word(&tokens) {
                let why = format!(
                    "line {}: {} has no place here: a migration is one transaction already, or none with \
                     `{APART}` at its top",
                    statement.line, tokens[0].text
                );
                return Err(refused(&path, &why));
            }
            makes.extend(made(&tokens));
        }
        if losses.is_empty() {
            losses.extend(statements.iter().filter_map(|statement| lost(driver, statement, &statements)));
        }
        Ok(Self { checksum: checksum(&text), path, statements, losses, apart, makes })
    }

    /// The file's name, for messages.
    pub(super) fn file(&self) -> String {
        self.path.display().to_string()
    }

    /// The checksum of its first statements.
    pub(super) fn prefix(&self, count: usize) -> String {
        let first = self.statements.iter().take(count).map(|statement| statement.sql.as_str());
        checksum(&first.collect::<Vec<_>>().join(";\n"))
    }
}

fn transaction_word(tokens: &[Token<'_>]) -> bool {
    let begins = |word: &str| tokens.first().is_some_and(|token| token.is(word));
    // PostgreSQL and SQLite say END for COMMIT.
    ["COMMIT", "ROLLBACK", "END", "ABORT"].iter().any(|word| begins(word))
        || (begins("BEGIN") && tokens.len() <= 2)
        || (begins("START") && tokens.get(1).is_some_and(|token| token.is("TRANSACTION")))
}

/// The table that a statement makes.
fn made(tokens: &[Token<'_>]) -> Option<String> {
    let at = tokens.iter().take(4).position(|token| token.is("TABLE"))?;
    tokens.first().filter(|first| first.is("CREATE"))?;
    tokens[at + 1..].iter().find(|token| !["IF", "NOT", "EXISTS"].iter().any(|word| token.is(word)))?.name()
}

/// What a statement loses, as far as it can be seen.
fn lost(driver: Driver, statement: &Statement, all: &[Statement]) -> Option<String> {
    let tokens = tokens(driver, &statement.sql).ok()?;
    let word = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is(word));
    let loses = if word(0, "DROP") && word(1, "TABLE") {
        // SQLite's way to change a table drops the old one when the new one is filled.
        let name = tokens.last()?.name()?;
        !all.iter().any(|other| renamed_to(driver, other).is_some_and(|to| to == name))
    } else if word(0, "ALTER") && word(1, "TABLE") {
        tokens.windows(2).any(|pair| {
            pair[0].is("DROP")
                && ![
                    "CONSTRAINT",
                    "INDEX",
                    "KEY",
                    "FOREIGN",
                    "PRIMARY",
                    "DEFAULT",
                    "NOT",
                    "IDENTITY",
                    "EXPRESSION",
                    "CHECK",
                ]
                .iter()
                .any(|word| pair[1].is(word))
        })
    } else {
        word(0, "TRUNCATE")
            || (word(0, "DELETE") && !tokens.iter().any(|token| token.is("WHERE")))
            || (word(0, "DROP") && (word(1, "DATABASE") || word(1, "SCHEMA")))
            || (word(0, "CREATE") && word(2, "REPLACE") && word(3, "TABLE"))
    };
    loses.then(|| statement.sql.lines().next().unwrap_or_default().to_owned())
}

fn renamed_to(driver: Driver, statement: &Statement) -> Option<String> {
    let tokens = tokens(driver, &statement.sql).ok()?;
    let at = tokens.windows(2).position(|pair| pair[0].is("RENAME") && pair[1].is("TO"))?;
    tokens.get(at + 2)?.name()
}

fn checksum(text: &str) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        // A text takes all that is written to it.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// A file as it is written: the database that it is for, then its statements.
pub(super) struct Draft<'a> {
    pub(super) driver: Driver,
    pub(super) about: &'a str,
    /// Statements, each with the comments above it.
    pub(super) parts: Vec<(Vec<String>, Vec<String>)>,
}

impl Draft<'_> {
    fn text(&self) -> String {
        let mut text = format!("-- {}\n{ENGINE} {}\n", self.about, word(self.driver));
        for (comments, sql) in &self.parts {
            text.push('\n');
            for comment in comments {
                text.push_str(&format!("-- {}\n", comment.replace(['\n', '\r'], " ")));
            }
            for statement in sql {
                text.push_str(&format!("{statement};\n"));
            }
        }
        text
    }
}

/// Writes both files of a migration; gives their paths.
///
/// # Errors
///
/// When one is there already or cannot be written.
pub(super) fn write(
    folder: &Path,
    name: &str,
    up: &Draft<'_>,
    down: &Draft<'_>,
) -> Result<[PathBuf; 2], MigrateError> {
    std::fs::create_dir_all(folder).map_err(|error| refused(folder, &format!("cannot be made: {error}")))?;
    let one = |way: &str, draft: &Draft<'_>| {
        let path = folder.join(format!("{name}.{way}.sql"));
        let mut file = std::fs::File::create_new(&path)?;
        io::Write::write_all(&mut file, draft.text().as_bytes())?;
        Ok::<_, io::Error>(path)
    };
    let failed = |error: io::Error| refused(folder, &format!("{name} cannot be written: {error}"));
    Ok([one("up", up).map_err(failed)?, one("down", down).map_err(failed)?])
}

/// What a migration may be called: it becomes the name of a file.
pub(super) fn fit(name: &str) -> Result<String, MigrateError> {
    let slug: String = name.trim().to_lowercase().replace([' ', '-'], "_");
    let fits = |c: char| c.is_alphanumeric() || c == '_';
    if slug.is_empty() || slug.len() > 100 || !slug.chars().all(fits) {
        return Err(MigrateError::Refused(format!(
            "{name:?} is no name for a migration: take letters, digits and _, such as add_due_date"
        )));
    }
    Ok(slug)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    fn script(driver: Driver, text: &str) -> Result<Script, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1_x.up.sql");
        std::fs::write(&path, text).unwrap();
        Script::read(path, driver).map_err(|error| error.to_string())
    }

    #[test]
    fn names_have_their_parts() {
        assert_eq!(parts("2026_a.up.sql"), Some(("2026_a", 0, None)));
        assert_eq!(parts("2026_a.down.mysql.sql"), Some(("2026_a", 1, Some("mysql"))));
        for none in ["a.sql", ".up.sql", "a.up.txt", "a.up.oracle.sql", "README.md"] {
            assert_eq!(parts(none), None, "{none}");
        }
        assert_eq!(fit("Add due-date").unwrap(), "add_due_date");
        for wrong in ["", "  ", "../x", "a/b", "a.b", "x\0", &"x".repeat(101)] {
            assert!(fit(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn losses_are_seen() {
        for (sql, loses) in [
            ("DROP TABLE a", true),
            (
                "CREATE TABLE n (a int); INSERT INTO n SELECT a FROM o; DROP TABLE \"o\"; ALTER TABLE n RENAME TO o",
                false,
            ),
            ("ALTER TABLE a DROP COLUMN b", true),
            ("ALTER TABLE a DROP b", true),
            ("ALTER TABLE a DROP CONSTRAINT b, ALTER COLUMN c DROP NOT NULL", false),
            ("TRUNCATE a", true),
            ("DELETE FROM a", true),
            ("DELETE FROM a WHERE b = 1", false),
            ("DROP INDEX a", false),
            ("CREATE OR REPLACE TABLE a (id int)", true),
            ("CREATE OR REPLACE VIEW a AS SELECT 1", false),
            ("INSERT INTO a VALUES ('DROP TABLE b')", false),
            ("-- loses: rows\nSELECT 1", true),
        ] {
            assert_eq!(!script(Driver::Postgres, sql).unwrap().losses.is_empty(), loses, "{sql}");
        }
        let made =
            script(Driver::Sqlite, "CREATE TABLE IF NOT EXISTS \"a b\" (id int); create table c(d int)");
        assert_eq!(made.unwrap().makes, ["a b", "c"]);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told() {
        for (sql, part) in [
            ("-- engine: mysql\nSELECT 1", "written for mysql"),
            ("BEGIN; SELECT 1; COMMIT;", "line 1: BEGIN has no place"),
            ("SELECT 1;\nEND;\nSELECT 2", "line 2: END has no place"),
            ("SELECT 1;\nSELECT 'x", "line 2: a string"),
        ] {
            let error = script(Driver::Sqlite, sql).unwrap_err();
            assert!(error.contains(part) && error.contains("1_x.up.sql"), "{error}");
        }
    }

    #[test]
    fn a_file_for_this_database_goes_first_and_line_ends_change_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        put("2_b.up.sql", "SELECT 2");
        put("1_a.up.sql", "SELECT 1;\nSELECT 1");
        put("1_a.up.postgres.sql", "SELECT 'p'");
        put("1_a.down.mysql.sql", "SELECT 'm'");
        put("notes.txt", "x");
        let read_for = |driver| read(folder.path(), driver).unwrap();
        let sqlite = read_for(Driver::Sqlite);
        let names: Vec<_> = sqlite.iter().map(|migration| migration.name.as_str()).collect();
        assert_eq!(names, ["1_a", "2_b"]);
        assert!(sqlite[0].down.is_none() && read_for(Driver::MySql)[0].down.is_some());
        assert_eq!(read_for(Driver::Postgres)[0].up.statements[0].sql, "SELECT 'p'");
        put("1_a.up.sql", "SELECT 1;\r\nSELECT 1");
        assert_eq!(read_for(Driver::Sqlite)[0].up.checksum, sqlite[0].up.checksum);
        assert!(read(&folder.path().join("none"), Driver::Sqlite).unwrap().is_empty());
        put("3_c.down.sql", "SELECT 1");
        assert!(read(folder.path(), Driver::Sqlite).unwrap_err().to_string().contains("no 3_c.up.sql"));
    }
}
