//! Documents that are searched by their words.

use std::marker::PhantomData;
use std::sync::LazyLock;

use redis::{Cmd, cmd};

use super::{ask, index};
use crate::redis::{Redis, RedisError, Reply, Script, Stored, number};

macro_rules! scripts {
    ($($name:ident = $file:literal;)+) => {$(
        static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!(include_str!("lua/text.lua"), include_str!(concat!("lua/", $file, ".lua"))))
        });
    )+};
}

scripts! {
    PUT = "put";
    REMOVE = "remove";
    SEARCH = "search";
}

/// Documents that are searched by their words, the best first (Okapi BM25). Beside each document's words a value is kept,
/// which searches give back: what is needed to show it.
///
/// English words are found in any of their forms; Chinese is found without spaces. In a search words are asked for
/// together, `OR` stands between, `NOT` before, and parentheses hold together.
///
/// # Example
///
/// ```no_run
/// # async fn doc(redis: butterfly_model::redis::Redis) -> Result<(), butterfly_model::redis::RedisError> {
/// use butterfly_model::redis::FullText;
///
/// let notes = FullText::<String>::new(&redis, "notes");
/// notes.put("1", "Running a queue on Redis", &"Queues".into()).await?;
/// notes.put("2", "全文检索与中文分词", &"搜索".into()).await?;
/// assert_eq!(notes.search("queues run", 0, 10).await?.found[0].id, "1");
/// assert_eq!(notes.search("检索 OR (redis NOT queue)", 0, 10).await?.found[0].kept, "搜索");
/// # Ok(()) }
/// ```
pub struct FullText<V> {
    redis: Redis,
    place: String,
    kept: PhantomData<fn(V) -> V>,
}

impl<V> Clone for FullText<V> {
    fn clone(&self) -> Self {
        Self { redis: self.redis.clone(), place: self.place.clone(), kept: PhantomData }
    }
}

impl<V> std::fmt::Debug for FullText<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("FullText").field(&self.place).finish()
    }
}

/// What a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found<V> {
    /// How many documents there are in all.
    pub total: u64,
    /// Those that were wanted, the best first.
    pub found: Vec<Hit<V>>,
}

/// A document that a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit<V> {
    /// The document.
    pub id: String,
    /// How well it fits; comparable within one search.
    pub score: f64,
    /// What is kept of it.
    pub kept: V,
}

impl<V: Stored> FullText<V> {
    /// The documents of a name. All of them lie on one slot of a cluster.
    #[must_use]
    pub fn new(redis: &Redis, name: &str) -> Self {
        Self { redis: redis.clone(), place: redis.key("text", name), kept: PhantomData }
    }

    /// Stores a document, in place of one of the same id. Says whether the id is new.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn put(&self, id: &str, text: &str, kept: &V) -> Result<bool, RedisError> {
        let (words, kept) = (index(text), kept.store()?);
        let fill = |command: &mut Cmd| {
            command.arg(id).arg(&words).arg(&kept);
        };
        Ok(number(&self.redis.run(&PUT, &self.place, fill).await?)? == 1)
    }

    /// Removes a document. Says whether there was one.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn remove(&self, id: &str) -> Result<bool, RedisError> {
        let fill = |command: &mut Cmd| {
            command.arg(id);
        };
        Ok(number(&self.redis.run(&REMOVE, &self.place, fill).await?)? == 1)
    }

    /// How many documents there are.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn len(&self) -> Result<u64, RedisError> {
        self.redis.query(cmd("HLEN").arg(format!("{}:kept", self.place))).await
    }

    /// Whether there is none.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn is_empty(&self) -> Result<bool, RedisError> {
        Ok(self.len().await? == 0)
    }

    /// Searches: at most so many documents, after leaving out the best `skip`. A search without a word that counts finds
    /// nothing.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::Unreadable`] when what is kept is of another type.
    pub async fn search(&self, query: &str, skip: u64, limit: u64) -> Result<Found<V>, RedisError> {
        let steps = ask(query, &mut |word| vec![b"word".to_vec(), word.into_bytes()]);
        let Some(steps) = steps else { return Ok(Found { total: 0, found: Vec::new() }) };
        let fill = |command: &mut Cmd| {
            command.arg(skip.min(1 << 52)).arg(limit.min(1 << 52)).arg(&steps);
        };
        let mut reply = Reply::new(self.redis.run(&SEARCH, &self.place, fill).await?)?;
        let total = reply.number()?;
        let mut found = Vec::with_capacity(reply.len() / 3);
        while !reply.is_empty() {
            let (id, score) = (reply.text()?, f64::load(&reply.bytes()?)?);
            found.push(Hit { id, score, kept: V::load(&reply.bytes()?)? });
        }
        Ok(Found { total, found })
    }
}
