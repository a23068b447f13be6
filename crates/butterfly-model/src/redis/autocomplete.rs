//! Titles that are found while they are typed.

use std::marker::PhantomData;
use std::sync::LazyLock;

use redis::{Cmd, cmd};

use super::text::{beginnings, typed};
use super::{Redis, RedisError, Reply, Script, Stored, number};

macro_rules! remove {
    () => {
        "local place = KEYS[1]
local function remove(id)
  local old = redis.call('HGET', place .. ':docs', id)
  if not old then return 0 end
  for _, word in ipairs(cjson.decode(old)) do redis.call('ZREM', place .. ':words', word .. '\\0' .. id) end
  for _, part in ipairs({':docs', ':title', ':kept', ':weight'}) do redis.call('HDEL', place .. part, id) end
  return 1
end
"
    };
}
// Of those at a place:
//   place:words   each word of a title, a zero byte, and the title's id; in the order of their bytes
//   place:docs    the id, and its words as JSON
//   place:title, place:kept, place:weight    the id, and what they say

/// ARGV: the id.
static REMOVE: LazyLock<Script> = LazyLock::new(|| Script::new(concat!(remove!(), "return remove(ARGV[1])")));

/// ARGV: the id, the title, its weight, what is kept, its words as JSON.
static PUT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(concat!(
        remove!(),
        "local id = ARGV[1]
local new = 1 - remove(id)
for _, word in ipairs(cjson.decode(ARGV[5])) do redis.call('ZADD', place .. ':words', 0, word .. '\\0' .. id) end
redis.call('HSET', place .. ':title', id, ARGV[2])
redis.call('HSET', place .. ':weight', id, ARGV[3])
redis.call('HSET', place .. ':kept', id, ARGV[4])
redis.call('HSET', place .. ':docs', id, ARGV[5])
return new"
    ))
});

/// ARGV: how many at most, then the beginnings.
static SEARCH: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local place, found = KEYS[1], nil
for n = 2, #ARGV do
  local set = {}
  for _, member in ipairs(redis.call('ZRANGEBYLEX', place .. ':words', '[' .. ARGV[n], '[' .. ARGV[n] .. '\\255')) do
    local id = member:sub(member:find('\\0', 1, true) + 1)
    if not found or found[id] then set[id] = true end
  end
  found = set
end
local all = {}
for id in pairs(found) do
  all[#all + 1] = {tonumber(redis.call('HGET', place .. ':weight', id)), redis.call('HGET', place .. ':title', id), id}
end
table.sort(all, function(a, b)
  if a[1] ~= b[1] then return a[1] > b[1] end
  if a[2] ~= b[2] then return a[2] < b[2] end
  return a[3] < b[3]
end)
local out = {}
for n = 1, math.min(#all, tonumber(ARGV[1])) do
  local id = all[n][3]
  out[#out + 1] = id
  out[#out + 1] = all[n][2]
  out[#out + 1] = redis.call('HGET', place .. ':kept', id)
end
return out",
    )
});

/// Titles that are found while they are typed: by the beginnings of any of their words, in any order; Chinese by any signs
/// that follow one another. Those of more weight come first. Beside each title a value is kept.
///
/// # Example
///
/// ```no_run
/// # async fn doc(redis: butterfly_model::redis::Redis) -> Result<(), butterfly_model::redis::RedisError> {
/// use butterfly_model::redis::Autocomplete;
///
/// let cities = Autocomplete::<u32>::new(&redis, "cities");
/// cities.put("ny", "New York", 8.3, &10_001).await?;
/// cities.put("bj", "北京市 Beijing", 21.9, &100_000).await?;
/// assert_eq!(cities.search("yo ne", 10).await?[0].title, "New York");
/// assert_eq!(cities.search("京", 10).await?[0].kept, 100_000);
/// # Ok(()) }
/// ```
pub struct Autocomplete<V> {
    redis: Redis,
    place: String,
    kept: PhantomData<fn(V) -> V>,
}

impl<V> Clone for Autocomplete<V> {
    fn clone(&self) -> Self {
        Self { redis: self.redis.clone(), place: self.place.clone(), kept: PhantomData }
    }
}

impl<V> std::fmt::Debug for Autocomplete<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Autocomplete").field(&self.place).finish()
    }
}

/// A title that fits what was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion<V> {
    /// Which it is.
    pub id: String,
    /// The title.
    pub title: String,
    /// What is kept of it.
    pub kept: V,
}

impl<V: Stored> Autocomplete<V> {
    /// The titles of a name. All of them lie on one slot of a cluster.
    #[must_use]
    pub fn new(redis: &Redis, name: &str) -> Self {
        Self { redis: redis.clone(), place: redis.key("complete", name), kept: PhantomData }
    }

    /// Stores a title, in place of one of the same id. Says whether the id is new.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::Invalid`] for a weight that is no number, or a title without a word.
    pub async fn put(&self, id: &str, title: &str, weight: f64, kept: &V) -> Result<bool, RedisError> {
        let words = beginnings(title);
        if words.is_empty() {
            return Err(RedisError::Invalid(format!(
                "the title {title:?} has no word by which it could be found"
            )));
        }
        let words = serde_json::Value::from(words).to_string();
        let (weight, kept) = (weight.store()?, kept.store()?);
        let fill = |command: &mut Cmd| {
            command.arg(id).arg(title).arg(&weight).arg(&kept).arg(&words);
        };
        Ok(number(&self.redis.run(&PUT, &self.place, fill).await?)? == 1)
    }

    /// Removes a title. Says whether there was one.
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

    /// How many titles there are.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn len(&self) -> Result<u64, RedisError> {
        self.redis.query(cmd("HLEN").arg(format!("{}:docs", self.place))).await
    }

    /// Whether there is none.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn is_empty(&self) -> Result<bool, RedisError> {
        Ok(self.len().await? == 0)
    }

    /// The titles that fit what was typed so far, those of most weight first: at most so many. Nothing typed, nothing
    /// found.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::Unreadable`] when what is kept is of another type.
    pub async fn search(&self, text: &str, limit: u64) -> Result<Vec<Suggestion<V>>, RedisError> {
        let words = typed(text);
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let fill = |command: &mut Cmd| {
            command.arg(limit.min(1 << 52)).arg(&words);
        };
        let mut reply = Reply::new(self.redis.run(&SEARCH, &self.place, fill).await?)?;
        let mut found = Vec::with_capacity(reply.len() / 3);
        while !reply.is_empty() {
            found.push(Suggestion {
                id: reply.text()?,
                title: reply.text()?,
                kept: V::load(&reply.bytes()?)?,
            });
        }
        Ok(found)
    }
}
