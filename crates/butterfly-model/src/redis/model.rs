//! Records in Redis, with indexes: `#[derive(RedisModel)]` says what a record is, [`Models`] keeps them.
//!
//! All keys of a model begin with `PREFIX:{NAME}`, hence share one hash tag: a model lies whole on one slot of a cluster,
//! which lets each operation be one script: one round trip, and atomic with its indexes. What is too much for one node is
//! to be several models. Names and values stand behind the tag and may hold anything, braces and line breaks too.
//!
//! Records that expire are gone from Redis at their time; what the indexes hold of them is cleaned by the next save or
//! query, at most 1,000 of them at a time.

mod field;
mod filter;
mod models;
mod query;

pub use field::{Change, Equal, Field, FieldValue, Number, Order as FieldOrder, Plain, Range, Ranged, Text};
pub use filter::Filter;
pub use models::Models;
pub use query::{Page, Query};

use super::{RedisError, Stored};

/// A record that [`Models`] keeps in Redis. Derive it:
///
/// | on the struct | meaning |
/// | --- | --- |
/// | `#[redis(name = "user")]` | what the keys have in them; without it, the struct's name in snake case |
/// | `#[redis(expire = "30m")]` | a record is deleted so long after it was last saved: `ms`, `s`, `m`, `h`, `d` |
/// | `#[redis(crate = "path")]` | where this crate is found, if not as `::butterfly_model` |
///
/// | on a field | meaning |
/// | --- | --- |
/// | `#[redis(key)]` | the primary key: one field has it |
/// | `#[redis(index)]` | can be asked for by equality |
/// | `#[redis(unique)]` | as `index`, and no two records have the same value: a second one is refused by the field's name |
/// | `#[redis(range)]` | can be asked for by range and equality, and ordered by: numbers and times |
/// | `#[redis(text)]` | a text, can be searched for by its words, as [`FullText`](super::FullText) does |
///
/// Fields are of any type that is [`Stored`], or an `Option` of it: `None` is not stored and in no index. Other types are
/// put in [`Json`](super::Json). The derive also writes a constant `FIELDS` with a [`Field`] for each field, to ask by.
///
/// An index holds what was saved while it was there: after adding one, save the records again.
///
/// # Example
///
/// ```no_run
/// use butterfly_model::redis::{Models, Redis, RedisError, RedisModel};
///
/// #[derive(RedisModel)]
/// struct User {
///     #[redis(key)]
///     id: u64,
///     #[redis(index)]
///     city: String,
///     #[redis(range)]
///     age: u32,
///     nick: Option<String>,
/// }
///
/// # async fn doc(redis: Redis) -> Result<(), RedisError> {
/// let users = Models::<User>::new(&redis);
/// users.save(&User { id: 7, city: "Ulm".into(), age: 30, nick: None }).await?;
/// users.add(&7, User::FIELDS.age, 1).await?;
///
/// let f = User::FIELDS;
/// let page = users
///     .query(f.age.within(18..) & (f.city.is("Ulm".to_owned())? | f.city.is("Bonn".to_owned())?))
///     .order(f.age.falling())
///     .limit(20)
///     .page()
///     .await?;
/// println!("{} of {}", page.rows.len(), page.total);
/// # Ok(()) }
/// ```
pub trait RedisModel: Sized {
    /// The type of the primary key.
    type Key: Stored + Send + Sync;
    /// What the keys have in them.
    const NAME: &'static str;
    /// The name of the primary key.
    const KEY: &'static str;
    /// The other fields, in their order.
    const SCHEMA: &'static [FieldInfo];
    /// After how many milliseconds a record expires.
    const TTL_MS: Option<u64>;

    /// The primary key.
    fn key(&self) -> &Self::Key;

    /// The other fields' values, in the order of [`SCHEMA`](Self::SCHEMA).
    ///
    /// # Errors
    ///
    /// [`RedisError::Invalid`] when one has no form in Redis.
    fn values(&self) -> Result<Vec<Option<Vec<u8>>>, RedisError>;

    /// A record of a key and the other fields' values, in the order of [`SCHEMA`](Self::SCHEMA).
    ///
    /// # Errors
    ///
    /// [`RedisError::Unreadable`] when one is of another type.
    fn build(key: Self::Key, values: &mut Values) -> Result<Self, RedisError>;
}

/// A field of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldInfo {
    /// Its name.
    pub name: &'static str,
    /// How it can be asked for.
    pub index: Index,
}

/// How a field can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Index {
    /// Not at all.
    None,
    /// By equality.
    Equal,
    /// By equality, and no two records have the same value.
    Unique,
    /// By range.
    Range,
    /// By the words of its text.
    Text,
}

/// The values of a record that is being read.
#[derive(Debug)]
pub struct Values {
    values: std::vec::IntoIter<Option<Vec<u8>>>,
}

impl Values {
    pub(super) fn new(values: Vec<Option<Vec<u8>>>) -> Self {
        Self { values: values.into_iter() }
    }

    /// The next value, of the field of this name.
    ///
    /// # Errors
    ///
    /// [`RedisError::Unreadable`], with the name, when there is none or it is of another type.
    pub fn take<V: FieldValue>(&mut self, name: &str) -> Result<V, RedisError> {
        V::take(self.values.next().flatten()).map_err(|error| of_field(name, error))
    }
}

/// An error with the name of its field.
fn of_field(name: &str, error: RedisError) -> RedisError {
    match error {
        RedisError::Invalid(why) => RedisError::Invalid(format!("the field {name}: {why}")),
        RedisError::Unreadable(why) => RedisError::Unreadable(format!("the field {name}: {why}")),
        other => other,
    }
}

/// A value that is to be stored, of the field of this name.
///
/// # Errors
///
/// [`RedisError::Invalid`], with the name.
pub fn put<V: FieldValue>(name: &str, value: &V) -> Result<Option<Vec<u8>>, RedisError> {
    value.put().map_err(|error| of_field(name, error))
}

/// A value that is to be stored and is in a range index.
///
/// # Errors
///
/// [`RedisError::Invalid`], with the name, also when the index cannot hold the number exactly.
pub fn put_ranged<V: FieldValue<Value: Ranged>>(
    name: &str,
    value: &V,
) -> Result<Option<Vec<u8>>, RedisError> {
    let bytes = put(name, value)?;
    if let Some(bytes) = &bytes {
        field::exact(&V::Value::load(bytes)?).map_err(|error| of_field(name, error))?;
    }
    Ok(bytes)
}
