//! The application's own part of the configuration: free in form, typed where it is read.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde_path_to_error::Error;

use super::app_de::NodeReader;
use super::error::{ConfigError, Origin, Problem, ProblemKind};
use super::keys::Config;
use super::report::{dotted, has_password, key_text, looks_secret};
use super::setting::Input;

/// What the `[app]` table holds, from all layers. Empty by default.
#[derive(Clone, Default, PartialEq)]
pub struct AppTable {
    root: Table,
}

pub(super) type Table = BTreeMap<String, Node>;

#[derive(Clone, PartialEq)]
pub(super) enum Node {
    Table(Table),
    Leaf(Leaf),
}

#[derive(Clone)]
pub(super) struct Leaf {
    pub(super) input: Input,
    pub(super) origin: Origin,
}

/// Two leaves are the same when they say the same; where it was said does not matter.
impl PartialEq for Leaf {
    fn eq(&self, other: &Self) -> bool {
        self.input == other.input
    }
}

impl Leaf {
    /// Whether the value must not be shown: it came from a secret's file, or looks like a secret.
    pub(super) fn is_hidden(&self, key: &str) -> bool {
        matches!(self.origin, Origin::EnvFile { .. })
            || looks_secret(key)
            || self.text().is_some_and(has_password)
    }

    fn is_quoted_in(&self, message: &str) -> bool {
        match (&self.input, self.text()) {
            (_, Some(text)) => !text.is_empty() && message.contains(text),
            (Input::Toml(value), None) => message.contains(&value.to_string()),
            (Input::Text(_), None) => false,
        }
    }

    fn text(&self) -> Option<&str> {
        match &self.input {
            Input::Text(text) => Some(text),
            Input::Toml(value) => value.as_str(),
        }
    }
}

/// The keys alone: the values may be secret.
impl fmt::Debug for AppTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.leaves().iter().map(|(key, _)| key)).finish()
    }
}

impl AppTable {
    /// Sets the value at a path below `app`, in place of whatever was there.
    pub(super) fn insert(&mut self, path: &[String], input: Input, origin: Origin) {
        insert(&mut self.root, path, Leaf { input, origin });
    }

    /// All values with their full keys, in order.
    pub(super) fn leaves(&self) -> Vec<(String, &Leaf)> {
        let mut found = Vec::new();
        collect(&self.root, &mut vec!["app".to_owned()], &mut found);
        found
    }

    fn get(&self, path: &[String]) -> Option<&Node> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.root.get(first)?, |node, name| match node {
            Node::Table(table) => table.get(name),
            Node::Leaf(_) => None,
        })
    }

    /// The value at the path, or the list or text that it lies in.
    fn leaf_around(&self, path: &[String]) -> Option<&Leaf> {
        (1..=path.len()).find_map(|length| match self.get(&path[..length]) {
            Some(Node::Leaf(leaf)) => Some(leaf),
            _ => None,
        })
    }

    /// A value at the path, or near it: good enough to say where to look.
    fn nearest_leaf(&self, path: &[String]) -> Option<&Leaf> {
        let around = (1..=path.len()).rev().find_map(|length| self.get(&path[..length]))?;
        first_leaf(around)
    }
}

fn insert(table: &mut Table, path: &[String], leaf: Leaf) {
    match path {
        [] => {}
        [last] => {
            table.insert(last.clone(), Node::Leaf(leaf));
        }
        [first, rest @ ..] => {
            let node = table.entry(first.clone()).or_insert_with(|| Node::Table(Table::new()));
            if let Node::Leaf(_) = node {
                *node = Node::Table(Table::new());
            }
            if let Node::Table(inner) = node {
                insert(inner, rest, leaf);
            }
        }
    }
}

fn collect<'a>(table: &'a Table, at: &mut Vec<String>, found: &mut Vec<(String, &'a Leaf)>) {
    for (name, node) in table {
        at.push(name.clone());
        match node {
            Node::Table(inner) => collect(inner, at, found),
            Node::Leaf(leaf) => found.push((dotted(at), leaf)),
        }
        at.pop();
    }
}

fn first_leaf(node: &Node) -> Option<&Leaf> {
    match node {
        Node::Leaf(leaf) => Some(leaf),
        Node::Table(table) => table.values().find_map(first_leaf),
    }
}

impl Config {
    /// Reads the table `[app.SECTION]` into a type of yours. A section that is not there is read as an empty table, so
    /// a type whose fields all have defaults can always be read. A dotted name goes deeper.
    ///
    /// # Errors
    ///
    /// When a field is missing, unknown, or does not take its value. The error names the key and where it was set.
    ///
    /// # Example
    ///
    /// ```
    /// use butterfly::config::{Loader, Span};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Mail {
    ///     host: String,
    ///     timeout: Span,
    /// }
    ///
    /// let set = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    /// let flags = vec![set("app.mail.host", "mail.example"), set("app.mail.timeout", "5s")];
    /// let config = Loader::new("demo").flags(flags).load()?.config;
    /// let mail: Mail = config.app("mail")?;
    /// assert_eq!((mail.host.as_str(), mail.timeout), ("mail.example", Span::secs(5)));
    /// # Ok::<(), butterfly::config::ConfigError>(())
    /// ```
    pub fn app<T: DeserializeOwned>(&self, section: &str) -> Result<T, ConfigError> {
        let path: Vec<_> = section.split('.').map(str::to_owned).collect();
        let empty = Node::Table(Table::new());
        let node = self.app.get(&path).unwrap_or(&empty);
        let mut unknown = Vec::new();
        let mut note = |inner: serde_ignored::Path<'_>| unknown.push(inner.to_string());
        let reader = serde_ignored::Deserializer::new(NodeReader::new(node), &mut note);
        let read = serde_path_to_error::deserialize(reader);
        let problems: Vec<_> = unknown.iter().map(|inner| self.unknown_field(&path, inner)).collect();
        match read {
            Ok(value) => ConfigError::check(problems).map(|()| value),
            Err(error) => Err(ConfigError::with(problems, self.bad_field(&path, &error))),
        }
    }

    fn unknown_field(&self, section: &[String], inner: &str) -> Problem {
        let inner = inner.split('.').filter(|part| *part != "?").map(str::to_owned);
        let path: Vec<_> = section.iter().cloned().chain(inner).collect();
        let message = format!("unknown key `{}`; nothing reads it", full(&path));
        Problem::new(ProblemKind::UnknownKey, self.app_origin(&path), message).of_key(full(&path))
    }

    fn bad_field(&self, section: &[String], error: &Error<serde::de::value::Error>) -> Problem {
        let inner = error.path().iter().map(ToString::to_string).filter(|part| part != "?");
        let path: Vec<_> = section.iter().cloned().chain(inner).collect();
        let (key, detail) = (full(&path), error.inner().to_string());
        let message = if self.tells_secret(&path, &key, &detail) {
            format!("`{key}`: its value (not shown) is not what is expected")
        } else {
            format!("`{key}`: {}", on_one_line(&detail))
        };
        Problem::new(ProblemKind::BadValue, self.app_origin(&path), message).of_key(key)
    }

    /// Serde's messages quote values, and not always the one at the path.
    fn tells_secret(&self, path: &[String], key: &str, detail: &str) -> bool {
        let is_here = self.app.leaf_around(path).is_some_and(|leaf| leaf.is_hidden(key));
        let quotes = |(key, leaf): &(String, &Leaf)| leaf.is_hidden(key) && leaf.is_quoted_in(detail);
        is_here || self.app.leaves().iter().any(quotes)
    }

    fn app_origin(&self, path: &[String]) -> Origin {
        self.app.nearest_leaf(path).map_or(Origin::Default, |leaf| leaf.origin.clone())
    }
}

/// `app.mail.to[0]`.
fn full(path: &[String]) -> String {
    path.iter().fold("app".to_owned(), |mut key, part| {
        let is_index = part.starts_with('[') && part.ends_with(']');
        key.push_str(&if is_index { part.clone() } else { format!(".{}", key_text(part)) });
        key
    })
}

fn on_one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
