//! Asking for records.

use redis::{Cmd, Value};

use super::RedisModel;
use super::field::Order;
use super::filter::Filter;
use super::models::{Models, QUERY};
use crate::redis::{RedisError, Stored, number, strange};

/// The records that a filter lets through, in an order; see [`Models::query`]. Each way to run it is one round trip, and
/// sees the records at one moment.
///
/// Without a filter, or with a range of the field by which it is ordered, Redis reads the page alone. Any other query
/// looks at every key that its conditions let through, while Redis does nothing else: 50,000 of them take about a tenth
/// of a second.
#[derive(Debug)]
pub struct Query<M> {
    models: Models<M>,
    filter: Filter<M>,
    order: (&'static str, bool),
    skip: u64,
    limit: Option<u64>,
}

/// Some of the records that a query lets through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<M> {
    /// How many there are in all.
    pub total: u64,
    /// Those of this page.
    pub rows: Vec<M>,
}

impl<M: RedisModel> Query<M> {
    pub(super) fn new(models: Models<M>, filter: Filter<M>) -> Self {
        Self { models, filter, order: ("", false), skip: 0, limit: None }
    }

    /// By what they are ordered, and by the bytes of their keys where that is the same. Without it they are ordered by their keys:
    /// numbers by their size, others by their bytes.
    #[must_use]
    pub fn order(mut self, order: Order<M>) -> Self {
        self.order = (order.field, order.falling);
        self
    }

    /// Those first that fit best to the texts that are searched for.
    #[must_use]
    pub fn best(mut self) -> Self {
        self.order = ("~", true);
        self
    }

    /// The other way round.
    #[must_use]
    pub fn reversed(mut self) -> Self {
        self.order.1 = !self.order.1;
        self
    }

    /// Without the first so many.
    #[must_use]
    pub fn skip(mut self, count: u64) -> Self {
        self.skip = count;
        self
    }

    /// At most so many.
    #[must_use]
    pub fn limit(mut self, count: u64) -> Self {
        self.limit = Some(count);
        self
    }

    async fn run(&self, want: &str) -> Result<(u64, std::vec::IntoIter<Value>), RedisError> {
        let names = &self.models.names;
        let fill = |command: &mut Cmd| {
            command.arg(&names.indexed).arg(want).arg(self.order.0);
            command.arg(if self.order.1 { "desc" } else { "asc" });
            // Numbers that a script can count with.
            command.arg(self.skip.min(1 << 52));
            command.arg(self.limit.map(|limit| limit.min(1 << 52).to_string()).unwrap_or_default());
            command.arg(names.fields.len()).arg(&names.fields).arg(self.filter.steps());
        };
        match self.models.redis.run(&QUERY, &names.base, fill).await? {
            Value::Array(parts) => {
                let mut parts = parts.into_iter();
                let total = number(&parts.next().unwrap_or(Value::Nil))?;
                Ok((total, parts))
            }
            other => Err(strange(&other)),
        }
    }

    /// The records of the page, and how many there are in all.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`](crate::redis::Redis::command); [`RedisError::Unreadable`], with the record's key and the
    /// field's name, when a value is of another type.
    pub async fn page(&self) -> Result<Page<M>, RedisError> {
        let (total, parts) = self.run("rows").await?;
        let mut rows = Vec::with_capacity(parts.len());
        for part in parts {
            rows.extend(self.models.read(part)?);
        }
        Ok(Page { total, rows })
    }

    /// The records.
    ///
    /// # Errors
    ///
    /// As [`page`](Self::page).
    pub async fn rows(&self) -> Result<Vec<M>, RedisError> {
        Ok(self.page().await?.rows)
    }

    /// The first of the records.
    ///
    /// # Errors
    ///
    /// As [`page`](Self::page).
    pub async fn first(self) -> Result<Option<M>, RedisError> {
        Ok(self.limit(1).rows().await?.pop())
    }

    /// Their keys alone.
    ///
    /// # Errors
    ///
    /// As [`page`](Self::page).
    pub async fn keys(&self) -> Result<Vec<M::Key>, RedisError> {
        let (_, parts) = self.run("keys").await?;
        let key = |part| match part {
            Value::BulkString(bytes) => M::Key::load(&bytes),
            other => Err(strange(&other)),
        };
        parts.map(key).collect()
    }

    /// How many there are in all, whatever is skipped and however few are wanted.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`](crate::redis::Redis::command).
    pub async fn count(&self) -> Result<u64, RedisError> {
        Ok(self.run("count").await?.0)
    }

    /// Deletes them, all in one step. Says how many there were.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`](crate::redis::Redis::command).
    pub async fn delete(&self) -> Result<u64, RedisError> {
        Ok(self.run("delete").await?.0)
    }
}
