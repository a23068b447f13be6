//! What `butterfly config` prints: what holds and where it came from; and all there is to set.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};
use toml::Value;

use super::address::{Address, AddressTable};
use super::app::Leaf;
use super::databases::DatabaseUrl;
use super::error::Origin;
use super::keys::KEYS;
use super::load::Loaded;
use super::redis::RedisUrl;
use super::setting::{Input, toml_value};

/// Values longer than this do not push everyone's comments to the right.
const WIDEST: usize = 40;

const MASK: &str = "***";

struct Row {
    key: String,
    value: Value,
    origin: Origin,
    help: Option<&'static str>,
}

impl Loaded {
    /// Every key with its value and where that came from, as aligned TOML; secrets as `***`.
    ///
    /// Saved as `butterfly.toml` it holds the same configuration, secrets excepted.
    pub fn report(&self) -> String {
        let rows = self.rows();
        let lines: Vec<_> = rows.iter().map(|row| (&row.key, inline(&row.value), &row.origin)).collect();
        let keys = lines.iter().map(|(key, ..)| key.chars().count()).max().unwrap_or(0);
        let fits = |width: &usize| *width <= WIDEST;
        let values = lines.iter().map(|(_, value, _)| value.chars().count()).filter(fits).max().unwrap_or(0);
        lines.iter().fold(String::new(), |mut text, (key, value, origin)| {
            let _ = writeln!(text, "{key:keys$} = {value:values$}  # {origin}");
            text
        })
    }

    /// The same as [`report`](Self::report), for programs: an object with `value`, `from` and `help` by key.
    pub fn report_json(&self) -> Json {
        let entry = |row: Row| {
            let mut entry = json!({"value": to_json(&row.value), "from": row.origin.to_string()});
            if let Some(help) = row.help {
                entry["help"] = help.into();
            }
            (row.key, entry)
        };
        Json::Object(self.rows().into_iter().map(entry).collect::<Map<_, _>>())
    }

    fn rows(&self) -> Vec<Row> {
        let origin = |key: &str| self.origins.get(key).cloned().unwrap_or(Origin::Default);
        let known = KEYS.iter().map(|key| Row {
            key: key.name.to_owned(),
            value: (key.get)(&self.config),
            origin: origin(key.name),
            help: Some(key.help),
        });
        let own = self.config.app.leaves().into_iter().map(|(key, leaf)| Row {
            value: app_value(&key, leaf),
            origin: leaf.origin.clone(),
            help: None,
            key,
        });
        // One of the free names is shown also where it is not set, so that the table is seen to be there.
        let unset = self.config.redis.get("default").is_none().then(|| Row {
            key: "redis.default".to_owned(),
            value: Value::String(String::new()),
            origin: Origin::Default,
            help: Some(RedisUrl::HELP),
        });
        let redis = rows(&self.config.redis);
        let default = self.config.databases.get("default").is_none().then(|| Row {
            key: "databases.default".to_owned(),
            value: Value::String(DatabaseUrl::DEFAULT.to_owned()),
            origin: Origin::Default,
            help: Some(DatabaseUrl::HELP),
        });
        let databases = rows(&self.config.databases).chain(default);
        known.chain(redis).chain(unset).chain(databases).chain(own).collect()
    }
}

/// All there is to set, as a `butterfly.toml` in which everything is commented out.
///
/// # Example
///
/// ```
/// let text = butterfly::config::reference();
/// assert!(text.contains("# http.listen = \"127.0.0.1:8585\""));
/// ```
pub fn reference() -> String {
    let entry = |help: &str, accepts: &str, name: &str, value: &str| {
        format!("# {help}\n# Accepts {accepts}.\n# {name} = {value}\n")
    };
    let keys = KEYS.iter().map(|key| entry(key.help, &key.accepts(), key.name, &key.default()));
    let redis = entry(RedisUrl::HELP, RedisUrl::ACCEPTS, "redis.default", "\"\"");
    let url = format!("{:?}", DatabaseUrl::DEFAULT);
    let databases = entry(DatabaseUrl::HELP, DatabaseUrl::ACCEPTS, "databases.default", &url);
    keys.chain([redis, databases]).collect::<Vec<_>>().join("\n")
}

/// The addresses of a table, without their passwords.
fn rows<A: Address>(table: &AddressTable<A>) -> impl Iterator<Item = Row> {
    table.shown().map(|(key, url, origin)| Row {
        key,
        value: Value::String(url),
        origin: origin.clone(),
        help: Some(A::HELP),
    })
}

/// A name as TOML writes it: quoted where it is no plain word.
pub(super) fn dotted(path: &[String]) -> String {
    path.iter().map(|name| key_text(name)).collect::<Vec<_>>().join(".")
}

pub(super) fn key_text(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !name.is_empty() && name.bytes().all(bare) { name.to_owned() } else { quoted(name) }
}

/// A string on one line, whatever is in it.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A TOML value on one line.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Table(table) => {
            let pair = |(key, value): (&String, &Value)| format!("{} = {}", key_text(key), inline(value));
            format!("{{{}}}", table.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// The start of a value, for an error.
pub(super) fn excerpt(input: &Input) -> String {
    let text = match input {
        Input::Text(text) => quoted(text),
        Input::Toml(value) => inline(value),
    };
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A TOML value as JSON; dates become text, numbers that JSON lacks become null.
pub(super) fn to_json(value: &Value) -> Json {
    match value {
        Value::String(text) => text.as_str().into(),
        Value::Integer(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Boolean(yes) => (*yes).into(),
        Value::Datetime(when) => when.to_string().into(),
        Value::Array(items) => items.iter().map(to_json).collect(),
        Value::Table(table) => table.iter().map(|(key, value)| (key.clone(), to_json(value))).collect(),
    }
}

/// An application's value, as far as it may be shown. Text is shown as the number or list it looks like.
fn app_value(key: &str, leaf: &Leaf) -> Value {
    if leaf.is_hidden(key) {
        return Value::String(MASK.to_owned());
    }
    let value = match &leaf.input {
        Input::Text(text) => toml_value(text).unwrap_or_else(|| Value::String(text.clone())),
        Input::Toml(value) => value.clone(),
    };
    masked(value)
}

/// The value without what looks like a secret in it.
fn masked(value: Value) -> Value {
    match value {
        Value::String(text) if has_password(&text) => Value::String(MASK.to_owned()),
        Value::Array(items) => Value::Array(items.into_iter().map(masked).collect()),
        Value::Table(table) => Value::Table(
            table
                .into_iter()
                .map(|(key, value)| {
                    let value =
                        if looks_secret(&key) { Value::String(MASK.to_owned()) } else { masked(value) };
                    (key, value)
                })
                .collect(),
        ),
        other => other,
    }
}

/// Whether a name in a key says that the value is a secret.
pub(super) fn looks_secret(key: &str) -> bool {
    let words = ["password", "passwd", "secret", "token", "credential", "dsn"];
    let says = |name: &str| {
        name.ends_with("key") || name.ends_with("keys") || words.iter().any(|word| name.contains(word))
    };
    key.to_ascii_lowercase().split(['.', '[', '"']).any(says)
}

/// Whether a text is an address with a password in it: `scheme://user:password@host`.
pub(super) fn has_password(text: &str) -> bool {
    let authority =
        text.split_once("://").map(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or(rest));
    authority.and_then(|text| text.rsplit_once('@')).is_some_and(|(user, _)| user.contains(':'))
}
