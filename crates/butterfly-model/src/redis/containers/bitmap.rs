//! Bits by number.

use redis::cmd;

use super::container;
use crate::redis::{Redis, RedisError};

/// Bits by number, from 0 to 2^32 - 1; what was never set is false. It takes an eighth of a byte for each number up to
/// the highest that was set.
///
/// # Example
///
/// ```no_run
/// # async fn doc(redis: butterfly_model::redis::Redis) -> Result<(), butterfly_model::redis::RedisError> {
/// use butterfly_model::redis::Bitmap;
///
/// let seen = Bitmap::new(&redis, "seen");
/// assert!(!seen.set(7, true).await?);
/// assert!(seen.get(7).await?);
/// assert_eq!(seen.count().await?, 1);
/// # Ok(()) }
/// ```
pub struct Bitmap {
    redis: Redis,
    key: String,
}

container!(Bitmap);

impl Bitmap {
    /// The bitmap under a key.
    #[must_use]
    pub fn new(redis: &Redis, key: impl Into<String>) -> Self {
        Self { redis: redis.clone(), key: key.into() }
    }

    /// A bit.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn get(&self, number: u32) -> Result<bool, RedisError> {
        self.redis.query(cmd("GETBIT").arg(&self.key).arg(number)).await
    }

    /// Sets a bit, and gives what it was.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn set(&self, number: u32, bit: bool) -> Result<bool, RedisError> {
        self.redis.query(cmd("SETBIT").arg(&self.key).arg(number).arg(u8::from(bit))).await
    }

    /// How many bits are true.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn count(&self) -> Result<u64, RedisError> {
        self.redis.query(cmd("BITCOUNT").arg(&self.key)).await
    }

    /// The lowest number of such a bit. Of false ones there is always one, behind all that were set.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn first(&self, bit: bool) -> Result<Option<u64>, RedisError> {
        let number: i64 = self.redis.query(cmd("BITPOS").arg(&self.key).arg(u8::from(bit))).await?;
        Ok(u64::try_from(number).ok())
    }

    /// Makes this the bits that are true in all of others.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::CrossSlot`] for keys of several slots on a cluster.
    pub async fn store_and(&self, of: &[&Self]) -> Result<(), RedisError> {
        self.store_of("AND", of).await
    }

    /// Makes this the bits that are true in one of others.
    ///
    /// # Errors
    ///
    /// As [`store_and`](Self::store_and).
    pub async fn store_or(&self, of: &[&Self]) -> Result<(), RedisError> {
        self.store_of("OR", of).await
    }

    /// Makes this the bits that are true in an odd number of others.
    ///
    /// # Errors
    ///
    /// As [`store_and`](Self::store_and).
    pub async fn store_xor(&self, of: &[&Self]) -> Result<(), RedisError> {
        self.store_of("XOR", of).await
    }

    async fn store_of(&self, how: &str, of: &[&Self]) -> Result<(), RedisError> {
        let keys: Vec<&str> = std::iter::once(self).chain(of.iter().copied()).map(Self::key).collect();
        self.redis.check_slots(&keys)?;
        if of.is_empty() {
            return Err(RedisError::Invalid("name at least one bitmap to make another of".into()));
        }
        self.redis.command(cmd("BITOP").arg(how).arg(keys)).await.map(drop)
    }
}
