//! One layer over another: each assignment is checked, then takes effect or becomes a problem.

use std::collections::BTreeMap;

use super::address::{Address, AddressTable};
use super::error::{Origin, Problem, ProblemKind};
use super::keys::{self, Config, Found, KEYS, Key, SECTIONS};
use super::report::{dotted, excerpt};
use super::setting::Input;
use super::suggest::nearest;

/// Deeper than anyone writes by hand, and shallow enough for any stack.
const DEEPEST: usize = 32;

/// A layer's wish that a key have a value.
pub(super) struct Assignment {
    pub(super) path: Vec<String>,
    pub(super) input: Input,
    pub(super) origin: Origin,
}

impl Assignment {
    /// An assignment whose key is dotted text.
    pub(super) fn new(key: &str, input: Input, origin: Origin) -> Self {
        Self { path: key.split('.').map(str::to_owned).collect(), input, origin }
    }

    /// Whether it is about this key.
    pub(super) fn is_for(&self, key: &str) -> bool {
        key.split('.').eq(&self.path)
    }
}

/// The configuration while it is put together.
pub(super) struct Merge {
    pub(super) config: Config,
    pub(super) origins: BTreeMap<&'static str, Origin>,
    pub(super) problems: Vec<Problem>,
}

impl Merge {
    pub(super) fn new(name: &str) -> Self {
        let config = Config { name: name.to_owned(), ..Config::default() };
        Self { config, origins: BTreeMap::new(), problems: Vec::new() }
    }

    pub(super) fn apply_all(&mut self, layer: impl IntoIterator<Item = Assignment>) {
        layer.into_iter().for_each(|assignment| self.apply(assignment));
    }

    fn apply(&mut self, assignment: Assignment) {
        match keys::find(&assignment.path) {
            Found::Key(key) => self.apply_key(key, assignment),
            Found::Redis => {
                let done = apply_address(&mut self.config.redis, assignment);
                self.problems.extend(done.err());
            }
            Found::Database => {
                let done = apply_address(&mut self.config.databases, assignment);
                self.problems.extend(done.err());
            }
            Found::App if assignment.path.len() > DEEPEST => {
                let message = format!("a key has at most {DEEPEST} levels");
                self.problems.push(Problem::new(ProblemKind::BadValue, assignment.origin, message));
            }
            Found::App => self.config.app.insert(&assignment.path[1..], assignment.input, assignment.origin),
            Found::Section => self.problems.push(section(&assignment)),
            Found::Nothing => self.problems.push(unknown(&assignment)),
        }
    }

    fn apply_key(&mut self, key: &'static Key, Assignment { input, origin, .. }: Assignment) {
        match (key.set)(&mut self.config, &input) {
            Ok(()) => {
                self.origins.insert(key.name, origin);
            }
            Err(detail) => self.problems.push(bad_value(key, &input, origin, &detail)),
        }
    }
}

/// An address may hold a password: nothing of it is told.
fn apply_address<A: Address>(
    table: &mut AddressTable<A>,
    Assignment { path, input, origin }: Assignment,
) -> Result<(), Problem> {
    table.set(&path[1], &input, origin.clone()).map_err(|detail| {
        let name = dotted(&path);
        let message =
            format!("`{name}` cannot be this value (not shown) ({detail}); expected {}", A::ACCEPTS);
        Problem::new(ProblemKind::BadValue, origin, message).of_key(name)
    })
}

fn bad_value(key: &Key, input: &Input, origin: Origin, detail: &str) -> Problem {
    // What a secret's file holds may be the wrong secret, but is a secret still.
    let hidden = key.secret || matches!(origin, Origin::EnvFile { .. });
    let value = if hidden { "this value (not shown)".to_owned() } else { excerpt(input) };
    let detail = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
    let message = format!("`{}` cannot be {value}{detail}; expected {}", key.name, key.accepts());
    Problem::new(ProblemKind::BadValue, origin, message).of_key(key.name)
}

fn section(Assignment { path, origin, .. }: &Assignment) -> Problem {
    let name = dotted(path);
    let inside = |key: &&Key| key.name.strip_prefix(&name).is_some_and(|rest| rest.starts_with('.'));
    let free = match name.as_str() {
        "redis" => "redis.default",
        "databases" => "databases.default",
        _ => "app.mail.host",
    };
    let example = KEYS.iter().find(inside).map_or(free, |key| key.name);
    let message = format!("`{name}` is a table, not a value; set a key in it, such as `{example}`");
    Problem::new(ProblemKind::BadValue, origin.clone(), message).of_key(name)
}

fn unknown(Assignment { path, origin, .. }: &Assignment) -> Problem {
    let known = KEYS.iter().map(|key| key.name).chain(SECTIONS.iter().copied());
    let hint = match nearest(&path.join("."), known) {
        Some(near) => format!("did you mean `{}`?", written(near, origin)),
        None => "`butterfly config` lists those there are, and `[app]` is free for your own".to_owned(),
    };
    let name = dotted(path);
    Problem::new(ProblemKind::UnknownKey, origin.clone(), format!("unknown key `{name}`; {hint}"))
        .of_key(name)
}

/// A key as it is written in the layer that got it wrong.
fn written(key: &str, origin: &Origin) -> String {
    match origin {
        Origin::Env(_) | Origin::EnvFile { .. } => super::env::variable(key),
        _ => key.to_owned(),
    }
}
