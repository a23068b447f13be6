//! A field of a model: what may be in it, and what one can ask of it.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Bound, RangeBounds};
use std::time::SystemTime;

use super::filter::Filter;
use super::of_field;
use crate::redis::text::ask;
use crate::redis::{RedisError, Stored};

/// A field's value: one that is stored, or an `Option` of it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a Redis model",
    note = "numbers, bool, String, Vec<u8>, Uuid, SystemTime and Option of these can; put other types in Json<..>"
)]
pub trait FieldValue: Sized {
    /// What is stored.
    type Value: Stored;

    /// The written form, or nothing.
    ///
    /// # Errors
    ///
    /// As [`Stored::store`].
    fn put(&self) -> Result<Option<Vec<u8>>, RedisError>;

    /// Reads what was written.
    ///
    /// # Errors
    ///
    /// As [`Stored::load`]; [`RedisError::Unreadable`] where a value is missing.
    fn take(bytes: Option<Vec<u8>>) -> Result<Self, RedisError>;
}

impl<V: Stored> FieldValue for V {
    type Value = V;

    fn put(&self) -> Result<Option<Vec<u8>>, RedisError> {
        self.store().map(Some)
    }

    fn take(bytes: Option<Vec<u8>>) -> Result<Self, RedisError> {
        let missing =
            || RedisError::Unreadable("it has no value: make it an Option, or save the record again".into());
        V::load(&bytes.ok_or_else(missing)?)
    }
}

impl<V: Stored> FieldValue for Option<V> {
    type Value = V;

    fn put(&self) -> Result<Option<Vec<u8>>, RedisError> {
        self.as_ref().map(V::store).transpose()
    }

    fn take(bytes: Option<Vec<u8>>) -> Result<Self, RedisError> {
        bytes.map(|bytes| V::load(&bytes)).transpose()
    }
}

/// A value that a range index can hold: a number or a time.
pub trait Ranged: Stored {
    /// Whether it is a whole number, which the index can hold exactly up to 2^53 alone.
    const WHOLE: bool;
}

/// A number that can be added to.
pub trait Number: Stored {
    /// What is added: `i64` to whole numbers, `f64` to others.
    type By: Stored;
    /// Whether it is a whole number.
    const WHOLE: bool;
    /// The least and the most that it can hold.
    const LIMITS: (Self, Self);
}

macro_rules! numbers {
    ($whole:literal, $by:ident: $($type:ident)+) => {$(
        impl Ranged for $type {
            const WHOLE: bool = $whole;
        }

        impl Number for $type {
            type By = $by;
            const WHOLE: bool = $whole;
            const LIMITS: (Self, Self) = ($type::MIN, $type::MAX);
        }
    )+};
}
numbers!(true, i64: i8 i16 i32 i64 u8 u16 u32 u64 isize usize);
numbers!(false, f64: f32 f64);

impl Ranged for SystemTime {
    const WHOLE: bool = true;
}

/// The written form of a number, if the index can hold it exactly.
pub(super) fn exact<V: Ranged>(value: &V) -> Result<String, RedisError> {
    let text = String::load(&value.store()?)?;
    if V::WHOLE && text.parse::<i128>().is_ok_and(|number| number.unsigned_abs() > 1 << 53) {
        return Err(RedisError::Invalid(format!(
            "{text} is beyond 2^53, up to which a range index is exact: use #[redis(index)] for such numbers"
        )));
    }
    Ok(text)
}

/// A field that cannot be asked for.
#[derive(Clone, Copy, Debug)]
pub struct Plain;
/// A field that can be asked for by equality.
#[derive(Clone, Copy, Debug)]
pub struct Equal;
/// A field that can be asked for by range.
#[derive(Clone, Copy, Debug)]
pub struct Range;

/// A field that can be asked for by the words of its text.
#[derive(Clone, Copy, Debug)]
pub struct Text;

type Types<M, V, I> = fn() -> (M, V, I);

/// A field of the model `M` with values `V`, and what one can ask of it. The derive makes them, in `FIELDS`.
pub struct Field<M, V, I> {
    pub(super) name: &'static str,
    types: PhantomData<Types<M, V, I>>,
}

impl<M, V, I> Clone for Field<M, V, I> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, V, I> Copy for Field<M, V, I> {}

impl<M, V, I> fmt::Debug for Field<M, V, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({})", self.name)
    }
}

/// What a query is ordered by.
pub struct Order<M> {
    pub(super) field: &'static str,
    pub(super) falling: bool,
    model: PhantomData<fn() -> M>,
}

impl<M> fmt::Debug for Order<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Order({}, {})", self.field, if self.falling { "falling" } else { "rising" })
    }
}

/// A new value of a field; see [`Models::update`](super::Models::update).
pub struct Change<M> {
    pub(super) name: &'static str,
    pub(super) value: Option<Vec<u8>>,
    pub(super) is_text: bool,
    model: PhantomData<fn() -> M>,
}

impl<M> fmt::Debug for Change<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Change({})", self.name)
    }
}

impl<M, V: FieldValue, I: Indexed<V>> Field<M, V, I> {
    /// The field of this name: for the derive.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, types: PhantomData }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Lets it have this value.
    ///
    /// # Errors
    ///
    /// [`RedisError::Invalid`], with the field's name, when the value has no form in Redis.
    pub fn set(&self, value: V) -> Result<Change<M>, RedisError> {
        let value = I::put(&value).map_err(|error| of_field(self.name, error))?;
        Ok(Change { name: self.name, value, is_text: I::TEXT, model: PhantomData })
    }
}

/// What a field's index asks of its values.
pub trait Indexed<V: FieldValue> {
    /// Whether it holds words.
    const TEXT: bool = false;

    /// The written form, if the index can hold it.
    ///
    /// # Errors
    ///
    /// [`RedisError::Invalid`] if it cannot.
    fn put(value: &V) -> Result<Option<Vec<u8>>, RedisError> {
        value.put()
    }
}

impl<V: FieldValue> Indexed<V> for Plain {}
impl<V: FieldValue> Indexed<V> for Equal {}
impl<V: FieldValue<Value = String>> Indexed<V> for Text {
    const TEXT: bool = true;
}
impl<V: FieldValue<Value: Ranged>> Indexed<V> for Range {
    fn put(value: &V) -> Result<Option<Vec<u8>>, RedisError> {
        super::put_ranged("", value)
    }
}

impl<M, V: FieldValue> Field<M, V, Equal> {
    /// The records whose field has this value.
    ///
    /// # Errors
    ///
    /// [`RedisError::Invalid`], with the field's name, when the value has no form in Redis.
    pub fn is(&self, value: V::Value) -> Result<Filter<M>, RedisError> {
        let value = value.store().map_err(|error| of_field(self.name, error))?;
        Ok(Filter::step(vec![b"is".to_vec(), self.name.into(), value]))
    }

    /// The records whose field has one of these values.
    ///
    /// # Errors
    ///
    /// As [`is`](Self::is).
    pub fn is_one_of(&self, values: impl IntoIterator<Item = V::Value>) -> Result<Filter<M>, RedisError> {
        values.into_iter().try_fold(Filter::none(), |all, value| Ok(all | self.is(value)?))
    }
}

impl<M, V: FieldValue<Value = String>> Field<M, V, Text> {
    /// The records whose text a search finds; [`FullText`](crate::redis::FullText) describes searches. A search without
    /// a word that counts finds nothing. [`Query::best`](super::Query::best) puts those first that fit best.
    #[must_use]
    pub fn matches(&self, search: &str) -> Filter<M> {
        let step = &mut |word: String| vec![b"word".to_vec(), self.name.into(), word.into_bytes()];
        ask(search, step).map_or_else(Filter::none, Filter::step)
    }
}

impl<M, V: FieldValue<Value: Ranged>> Field<M, V, Range> {
    /// The records whose field has a value in this range: `18..`, `..=5`, `1..9`. No value is in a range whose bounds are
    /// no numbers.
    #[must_use]
    pub fn within(&self, range: impl RangeBounds<V::Value>) -> Filter<M> {
        let text = |value: &V::Value| value.store().ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let bound = |bound: Bound<&V::Value>, open: &str| match bound {
            Bound::Included(value) => text(value),
            Bound::Excluded(value) => text(value).map(|text| format!("({text}")),
            Bound::Unbounded => Some(open.to_owned()),
        };
        match (bound(range.start_bound(), "-inf"), bound(range.end_bound(), "+inf")) {
            (Some(low), Some(high)) => {
                Filter::step(vec![b"range".to_vec(), self.name.into(), low.into_bytes(), high.into_bytes()])
            }
            _ => Filter::none(),
        }
    }

    /// The records whose field has this value.
    #[must_use]
    pub fn is(&self, value: V::Value) -> Filter<M> {
        self.within((Bound::Included(&value), Bound::Included(&value)))
    }

    /// From the lowest value on; records without a value come last.
    #[must_use]
    pub fn rising(&self) -> Order<M> {
        Order { field: self.name, falling: false, model: PhantomData }
    }

    /// From the highest value on; records without a value come last.
    #[must_use]
    pub fn falling(&self) -> Order<M> {
        Order { field: self.name, falling: true, model: PhantomData }
    }
}
