//! What Redis itself holds under one key, each as a typed handle: cheap to make and to clone, and holding no data.
//!
//! A key is used as it is written, without the prefix of the options, so that what other programs hold can be reached.
//! Every operation is one command or one script, hence one round trip, and atomic. Operations on several keys need
//! them in one slot on a cluster: `{tag}a` and `{tag}b` are.

mod array;
mod bitmap;
mod bloom;
mod counter;
mod hash;
mod hyperloglog;
mod list;
mod set;
mod single;
mod sorted_set;

pub use array::Array;
pub use bitmap::Bitmap;
pub use bloom::BloomFilter;
pub use counter::Counter;
pub use hash::Hash;
pub use hyperloglog::HyperLogLog;
pub use list::{List, ListReader};
pub use set::Set;
pub use single::Single;
pub use sorted_set::{Order, SortedSet};

use redis::Value;

use super::{RedisError, Stored, strange};

/// What every container has: making it, and its key's life.
macro_rules! container {
    ($name:ident $(<$value:ident>)?) => {
        // Derived, it would ask that values can be cloned.
        #[allow(clippy::needless_update, reason = "some have fields of their own")]
        impl $(<$value>)? Clone for $name $(<$value>)? {
            fn clone(&self) -> Self {
                Self { redis: self.redis.clone(), key: self.key.clone(), ..*self }
            }
        }

        impl $(<$value>)? std::fmt::Debug for $name $(<$value>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.key).finish()
            }
        }

        impl $(<$value>)? $name $(<$value>)? {
            /// Its key.
            #[must_use]
            pub fn key(&self) -> &str {
                &self.key
            }

            /// Whether there is anything under its key.
            ///
            /// # Errors
            ///
            /// As [`Redis::command`](crate::redis::Redis::command).
            pub async fn exists(&self) -> Result<bool, crate::redis::RedisError> {
                self.redis.query(redis::cmd("EXISTS").arg(&self.key)).await
            }

            /// Deletes it all. Says whether there was anything.
            ///
            /// # Errors
            ///
            /// As [`Redis::command`](crate::redis::Redis::command).
            pub async fn delete(&self) -> Result<bool, crate::redis::RedisError> {
                self.redis.query(redis::cmd("DEL").arg(&self.key)).await
            }

            /// Lets it be deleted after this time, whole. Says whether there is anything.
            ///
            /// # Errors
            ///
            /// [`RedisError::Invalid`](crate::redis::RedisError::Invalid) below a millisecond; as
            /// [`Redis::command`](crate::redis::Redis::command).
            pub async fn expire(&self, ttl: std::time::Duration) -> Result<bool, crate::redis::RedisError> {
                let ms = crate::redis::stored::millis(ttl)?;
                self.redis.query(redis::cmd("PEXPIRE").arg(&self.key).arg(ms)).await
            }

            /// Lets it stay. Says whether it was to be deleted some time.
            ///
            /// # Errors
            ///
            /// As [`Redis::command`](crate::redis::Redis::command).
            pub async fn persist(&self) -> Result<bool, crate::redis::RedisError> {
                self.redis.query(redis::cmd("PERSIST").arg(&self.key)).await
            }

            /// How long it has to live; nothing where it is not to be deleted, or is not there.
            ///
            /// # Errors
            ///
            /// As [`Redis::command`](crate::redis::Redis::command).
            pub async fn ttl(&self) -> Result<Option<std::time::Duration>, crate::redis::RedisError> {
                let ms: i64 = self.redis.query(redis::cmd("PTTL").arg(&self.key)).await?;
                Ok(u64::try_from(ms).ok().map(std::time::Duration::from_millis))
            }
        }
    };
}
use container;

/// A value, or nothing.
fn optional<V: Stored>(value: Value) -> Result<Option<V>, RedisError> {
    match value {
        Value::Nil => Ok(None),
        Value::BulkString(bytes) => V::load(&bytes).map(Some),
        Value::SimpleString(text) => V::load(text.as_bytes()).map(Some),
        Value::Int(number) => V::load(number.to_string().as_bytes()).map(Some),
        other => Err(strange(&other)),
    }
}

/// A value that must be there.
fn one<V: Stored>(value: Value) -> Result<V, RedisError> {
    optional(value)?.ok_or_else(|| strange(&Value::Nil))
}

/// The parts of an answer.
fn parts(value: Value) -> Result<Vec<Value>, RedisError> {
    match value {
        Value::Array(parts) | Value::Set(parts) => Ok(parts),
        Value::Nil => Ok(Vec::new()),
        other => Err(strange(&other)),
    }
}

/// Several values.
fn many<V: Stored>(value: Value) -> Result<Vec<V>, RedisError> {
    parts(value)?.into_iter().map(one).collect()
}

/// Pairs of a name or value and another.
fn pairs<A: Stored, B: Stored>(value: Value) -> Result<Vec<(A, B)>, RedisError> {
    let mut parts = parts(value)?.into_iter();
    let mut pairs = Vec::with_capacity(parts.len() / 2);
    while let Some(first) = parts.next() {
        let second = parts.next().ok_or_else(|| strange(&Value::Nil))?;
        pairs.push((one(first)?, one(second)?));
    }
    Ok(pairs)
}

/// The written forms of several values.
fn stored<'a, V: Stored + 'a>(values: impl IntoIterator<Item = &'a V>) -> Result<Vec<Vec<u8>>, RedisError> {
    values.into_iter().map(Stored::store).collect()
}
