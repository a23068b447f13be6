//! The status adaptor: replies for clients that look for another word than `stat`.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use toml::Value;

use super::report::to_json;
use super::setting::{Setting, toml_value, wrong_type};

/// Two more fields in every reply, for clients that look for another word than `stat`.
#[derive(Clone, Debug, PartialEq)]
pub struct StatAdaptor {
    /// The field that gets what `status_map` says of the stat.
    pub status_name: String,
    /// By stat; `default` stands for all that are not named.
    pub status_map: BTreeMap<String, Json>,
    /// The field that gets the stat's text.
    pub message_name: String,
}

impl Setting for StatAdaptor {
    const ACCEPTS: &'static str = r#"a table such as {status_name = "success", status_map = {OK = true, default = false}, message_name = "message"}"#;

    fn from_text(text: &str) -> Result<Self, String> {
        Self::from_value(&toml_value(text).ok_or("not a TOML table")?)
    }

    fn from_value(value: &Value) -> Result<Self, String> {
        let table = value.as_table().ok_or_else(|| wrong_type(value))?;
        let parts = ["status_name", "status_map", "message_name"];
        if let Some(extra) = table.keys().find(|key| !parts.contains(&key.as_str())) {
            return Err(format!("{extra:?} is no part of it"));
        }
        Ok(Self {
            status_name: field_name(table, "status_name")?,
            status_map: status_map(table)?,
            message_name: field_name(table, "message_name")?,
        })
    }

    fn to_value(&self) -> Value {
        let map = self.status_map.iter().map(|(stat, status)| (stat.clone(), from_json(status)));
        Value::Table(toml::Table::from_iter([
            ("status_name".to_owned(), Value::String(self.status_name.clone())),
            ("status_map".to_owned(), Value::Table(map.collect())),
            ("message_name".to_owned(), Value::String(self.message_name.clone())),
        ]))
    }
}

fn field_name(table: &toml::Table, part: &str) -> Result<String, String> {
    let name = table.get(part).and_then(Value::as_str).filter(|name| !name.is_empty());
    name.map(str::to_owned).ok_or_else(|| format!("{part:?} must be the name of a field"))
}

fn status_map(table: &toml::Table) -> Result<BTreeMap<String, Json>, String> {
    let map = table.get("status_map").and_then(Value::as_table).ok_or("\"status_map\" must be a table")?;
    if !map.contains_key("default") {
        return Err("\"status_map\" must say what `default` is".to_owned());
    }
    map.iter()
        .map(|(stat, status)| match status {
            Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => {
                Ok((stat.clone(), to_json(status)))
            }
            _ => Err(format!("the status of {stat:?} must be a text, a number, true or false")),
        })
        .collect()
}

fn from_json(status: &Json) -> Value {
    match status {
        Json::Bool(yes) => Value::Boolean(*yes),
        Json::Number(number) => number
            .as_i64()
            .map(Value::Integer)
            .or_else(|| number.as_f64().map(Value::Float))
            .unwrap_or_else(|| Value::String(number.to_string())),
        Json::String(text) => Value::String(text.clone()),
        other => Value::String(other.to_string()),
    }
}
