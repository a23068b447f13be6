//! The records of a model.

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, LazyLock};

use redis::{Cmd, Value, cmd};

use super::field::{Change, Field, FieldValue, Number};
use super::filter::Filter;
use super::query::Query;
use super::{Index, RedisModel, Values};
use crate::redis::connection::escaped;
use crate::redis::text::index;
use crate::redis::{Redis, RedisError, Script, Stored, number, strange};

macro_rules! scripts {
    ($($name:ident = $file:literal;)+) => {$(
        pub(super) static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!(include_str!("../text/lua/text.lua"), include_str!("lua/common.lua"), include_str!(concat!("lua/", $file, ".lua"))))
        });
    )+};
}

scripts! {
    SAVE = "save";
    DELETE = "delete";
    ADD = "add";
    MANY = "many";
    QUERY = "query";
}

/// The records of a model in one Redis. Cheap to make and to clone. Each operation is one round trip.
///
/// See [`RedisModel`] for an example.
pub struct Models<M> {
    pub(super) redis: Redis,
    pub(super) names: Arc<Names>,
    model: PhantomData<fn() -> M>,
}

/// What scripts are told of a model.
#[derive(Debug)]
pub(super) struct Names {
    /// What all keys begin with.
    pub(super) base: String,
    /// The indexed fields, for the scripts.
    pub(super) indexed: String,
    /// The key's name and those of the other fields.
    pub(super) fields: Vec<&'static str>,
}

impl<M> Clone for Models<M> {
    fn clone(&self) -> Self {
        Self { redis: self.redis.clone(), names: Arc::clone(&self.names), model: PhantomData }
    }
}

impl<M> fmt::Debug for Models<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Models").field(&self.names.base).finish()
    }
}

impl<M: RedisModel> Models<M> {
    /// The records in a Redis. Their keys begin with the prefix of its options.
    #[must_use]
    pub fn new(redis: &Redis) -> Self {
        let indexed = M::SCHEMA.iter().filter_map(|field| match field.index {
            Index::None => None,
            Index::Equal => Some(format!("i{}", field.name)),
            Index::Unique => Some(format!("u{}", field.name)),
            Index::Range => Some(format!("r{}", field.name)),
            Index::Text => Some(format!("t{}", field.name)),
        });
        let names = Names {
            base: format!("{}:{{{}}}", redis.options().prefix, escaped(M::NAME)),
            indexed: indexed.collect::<Vec<_>>().join(" "),
            fields: std::iter::once(M::KEY).chain(M::SCHEMA.iter().map(|field| field.name)).collect(),
        };
        Self { redis: redis.clone(), names: Arc::new(names), model: PhantomData }
    }

    /// Stores a record, in place of one of the same key. Its time to live begins anew.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::Invalid`], with the field's name, when a value has no form in Redis;
    /// [`RedisError::Taken`] when another record has the value of a unique field: nothing is changed then.
    pub async fn save(&self, record: &M) -> Result<(), RedisError> {
        self.write(record, "s").await.map(drop)
    }

    /// Stores a record if there is none of the same key. Says whether it did.
    ///
    /// # Errors
    ///
    /// As [`save`](Self::save).
    pub async fn create(&self, record: &M) -> Result<bool, RedisError> {
        self.write(record, "c").await
    }

    async fn write(&self, record: &M, mode: &str) -> Result<bool, RedisError> {
        let (key, values) = (record.key().store()?, record.values()?);
        let mut pairs = vec![(M::KEY, written(&Some(key.clone())))];
        for (field, value) in M::SCHEMA.iter().zip(&values) {
            add_pair(&mut pairs, field.name, value, field.index == Index::Text);
        }
        let ttl = M::TTL_MS.map(|ms| ms.to_string()).unwrap_or_default();
        let rank = rank(&key);
        let fill = |command: &mut Cmd| {
            command.arg(&self.names.indexed).arg(&key).arg(&rank).arg(&ttl).arg(mode);
            for (name, value) in &pairs {
                command.arg(name).arg(value);
            }
        };
        let saved = self.redis.run(&SAVE, &self.names.base, fill).await.map_err(of_script)?;
        Ok(number(&saved)? == 1)
    }

    /// Changes some fields of a record, all in one step; its time to live goes on. Says whether there is the record.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::Taken`] when another record has the value of a unique field: nothing is changed
    /// then.
    pub async fn update(
        &self,
        key: &M::Key,
        changes: impl IntoIterator<Item = Change<M>>,
    ) -> Result<bool, RedisError> {
        let key = key.store()?;
        let mut pairs = Vec::new();
        for change in changes {
            add_pair(&mut pairs, change.name, &change.value, change.is_text);
        }
        let fill = |command: &mut Cmd| {
            command.arg(&self.names.indexed).arg(&key).arg("").arg("").arg("u");
            for (name, value) in &pairs {
                command.arg(name).arg(value);
            }
        };
        let saved = self.redis.run(&SAVE, &self.names.base, fill).await.map_err(of_script)?;
        Ok(number(&saved)? == 1)
    }

    /// Adds to a number of a record, which is 0 where there is none, and gives the sum; nothing where there is no record.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::Invalid`] when the field cannot hold the sum, [`RedisError::Taken`] when it is
    /// unique and another record has it: nothing is changed then.
    pub async fn add<V: FieldValue<Value: Number>, I>(
        &self,
        key: &M::Key,
        field: Field<M, V, I>,
        by: <V::Value as Number>::By,
    ) -> Result<Option<V::Value>, RedisError> {
        let (key, by) = (key.store()?, by.store()?);
        let whole = <V::Value as Number>::WHOLE;
        let (least, most) = <V::Value as Number>::LIMITS;
        let (least, most) = (least.store()?, most.store()?);
        let fill = |command: &mut Cmd| {
            command.arg(&self.names.indexed).arg(&key).arg(field.name).arg(&by);
            command.arg(if whole { "i" } else { "f" }).arg(&least).arg(&most);
        };
        match self.redis.run(&ADD, &self.names.base, fill).await {
            Ok(Value::Nil) => Ok(None),
            Ok(Value::BulkString(bytes)) => V::Value::load(&bytes).map(Some),
            Ok(other) => Err(strange(&other)),
            Err(RedisError::Script { code, detail }) if code == "RANGE" => {
                Err(RedisError::Invalid(format!("the field {} cannot hold {detail}", field.name)))
            }
            Err(error) => Err(of_script(error)),
        }
    }

    /// A record.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::Unreadable`], with the field's name, when a value is of another type.
    pub async fn get(&self, key: &M::Key) -> Result<Option<M>, RedisError> {
        let mut id = format!("{}:id:", self.names.base).into_bytes();
        id.extend(key.store()?);
        self.read(self.redis.command(cmd("HMGET").arg(id).arg(&self.names.fields)).await?)
    }

    /// Several records, in the order of their keys.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn get_many(&self, keys: &[M::Key]) -> Result<Vec<Option<M>>, RedisError> {
        let keys = keys.iter().map(Stored::store).collect::<Result<Vec<_>, _>>()?;
        let fill = |command: &mut Cmd| {
            command.arg("").arg(self.names.fields.len()).arg(&self.names.fields).arg(&keys);
        };
        match self.redis.run(&MANY, &self.names.base, fill).await? {
            Value::Array(records) => records.into_iter().map(|record| self.read(record)).collect(),
            other => Err(strange(&other)),
        }
    }

    /// Deletes a record. Says whether there was one.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn delete(&self, key: &M::Key) -> Result<bool, RedisError> {
        let key = key.store()?;
        let fill = |command: &mut Cmd| {
            command.arg(&self.names.indexed).arg(&key);
        };
        Ok(number(&self.redis.run(&DELETE, &self.names.base, fill).await?)? == 1)
    }

    /// The records that a filter lets through.
    #[must_use]
    pub fn query(&self, filter: Filter<M>) -> Query<M> {
        Query::new(self.clone(), filter)
    }

    /// All records, in the order of their keys.
    #[must_use]
    pub fn all(&self) -> Query<M> {
        self.query(Filter::all())
    }

    /// Reads a record: its key and its other fields.
    pub(super) fn read(&self, answer: Value) -> Result<Option<M>, RedisError> {
        let Value::Array(parts) = answer else { return Err(strange(&answer)) };
        let mut values = Vec::with_capacity(parts.len());
        for part in parts {
            values.push(match part {
                Value::Nil => None,
                Value::BulkString(bytes) => Some(bytes),
                other => return Err(strange(&other)),
            });
        }
        if values.is_empty() {
            return Err(strange(&Value::Nil));
        }
        let rest = values.split_off(1);
        let Some(Some(key)) = values.pop() else { return Ok(None) };
        let record = M::Key::load(&key).and_then(|key| M::build(key, &mut Values::new(rest)));
        record.map(Some).map_err(|error| match error {
            RedisError::Unreadable(why) => {
                let key = String::from_utf8_lossy(&key).chars().take(40).collect::<String>();
                RedisError::Unreadable(format!("{} {key:?}: {why}", M::NAME))
            }
            other => other,
        })
    }
}

/// What a script says of a unique field.
fn of_script(error: RedisError) -> RedisError {
    match error {
        RedisError::Script { code, detail } if code == "TAKEN" => RedisError::Taken { field: detail },
        other => other,
    }
}

/// A field's name and value as the scripts read them, and the words of a text before it, as `~`.
fn add_pair(
    pairs: &mut Vec<(&'static str, Vec<u8>)>,
    name: &'static str,
    value: &Option<Vec<u8>>,
    is_text: bool,
) {
    if let (true, Some(text)) = (is_text, value) {
        pairs.push(("~", index(&String::from_utf8_lossy(text)).into_bytes()));
    }
    pairs.push((name, written(value)));
}

/// A value as the scripts read it: `+` and itself, or `-`.
fn written(value: &Option<Vec<u8>>) -> Vec<u8> {
    match value {
        None => b"-".to_vec(),
        Some(value) => [b"+", &value[..]].concat(),
    }
}

/// By what records are ordered first: the key as a number, and 0 for others, which are then ordered by their bytes.
fn rank(key: &[u8]) -> String {
    let number = std::str::from_utf8(key).ok().and_then(|text| text.parse::<i128>().ok());
    number.map_or_else(|| "0".into(), |number| number.to_string())
}
