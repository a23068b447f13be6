//! The file layer: TOML with the line of every key.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{Origin, Problem, ProblemKind};
use super::keys::{self, Found};
use super::merge::Assignment;
use super::setting::{Input, to_toml};

/// A file is wanted: where it is, and whether its absence is an error.
pub(super) struct Wanted {
    pub(super) path: PathBuf,
    pub(super) must_exist: bool,
    /// Who named it.
    pub(super) named_by: Origin,
}

/// The text of the file; `None` when there is none and none is needed.
pub(super) fn read(wanted: &Wanted) -> Result<Option<String>, Problem> {
    match std::fs::read_to_string(&wanted.path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !wanted.must_exist => Ok(None),
        Err(error) => {
            let path = wanted.path.to_string_lossy();
            let message = format!("cannot read configuration file {path:?}: {error}");
            Err(Problem::new(ProblemKind::Unreadable, wanted.named_by.clone(), message))
        }
    }
}

/// What a file says, in the order of its lines.
pub(super) fn assignments(text: &str, path: &Path, problems: &mut Vec<Problem>) -> Vec<Assignment> {
    let mut reader = Reader { path, lines: Lines::of(text), found: Vec::new(), problems };
    match DeTable::parse_recoverable(text) {
        (table, errors) if errors.is_empty() => reader.table(&mut Vec::new(), table.get_ref()),
        (_, errors) => errors.iter().for_each(|error| reader.syntax(error)),
    }
    let mut found = reader.found;
    found.sort_by_key(|(line, _)| *line);
    found.into_iter().map(|(_, assignment)| assignment).collect()
}

struct Reader<'a> {
    path: &'a Path,
    lines: Lines,
    found: Vec<(usize, Assignment)>,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn table(&mut self, at: &mut Vec<String>, table: &DeTable<'_>) {
        for (key, value) in table {
            at.push(key.get_ref().to_string());
            self.value(at, key.span(), value);
            at.pop();
        }
    }

    fn value(&mut self, at: &mut Vec<String>, key: Range<usize>, value: &Spanned<DeValue<'_>>) {
        match (keys::find(at), value.get_ref()) {
            (Found::Section, DeValue::Table(table)) => self.table(at, table),
            (Found::App, DeValue::Table(table)) if !table.is_empty() => self.table(at, table),
            _ => self.leaf(at, key, value),
        }
    }

    fn leaf(&mut self, at: &[String], key: Range<usize>, value: &Spanned<DeValue<'_>>) {
        let line = self.lines.line(key.start);
        let origin = Origin::File { path: self.path.to_owned(), line };
        match to_toml(value.get_ref()) {
            Some(value) => {
                self.found.push((line, Assignment { path: at.to_vec(), input: Input::Toml(value), origin }));
            }
            None => {
                let message = format!("`{}` has a number that fits no 64 bits", super::report::dotted(at));
                self.problems.push(Problem::new(ProblemKind::BadValue, origin, message));
            }
        }
    }

    /// Only the message: the line itself, which TOML errors like to quote, may hold a secret.
    fn syntax(&mut self, error: &toml::de::Error) {
        let line = error.span().map_or(0, |span| self.lines.line(span.start));
        let origin = Origin::File { path: self.path.to_owned(), line };
        self.problems.push(Problem::new(ProblemKind::Syntax, origin, error.message()));
    }
}

/// Where lines end, to find the line of an offset.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect())
    }

    /// The line of a byte, from 1.
    fn line(&self, offset: usize) -> usize {
        1 + self.0.partition_point(|end| *end < offset)
    }
}
