//! Whether a value was seen: a Bloom filter.
//!
//! The bits of a value come from two hashes, as g(i) = a + i * b modulo the bits (Kirsch and Mitzenmacher, "Less Hashing,
//! Same Performance"). The hashes are FNV-1a from two starting points, each mixed by the last steps of MurmurHash3: they
//! must never change, since what is stored depends on them.

use std::sync::LazyLock;

use redis::Value;

use super::{container, one, parts};
use crate::redis::{Redis, RedisError, Script};

/// KEYS[1] the bits; ARGV[1] 1 to set them, ARGV[2] how many bits a value has, then the bits. Answers for each value
/// whether all of its bits were set before.
static BITS: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local command = ARGV[1] == '1' and 'SETBIT' or 'GETBIT'
local each, out = tonumber(ARGV[2]), {}
for first = 3, #ARGV, each do
  local all = 1
  for at = first, first + each - 1 do
    local bit = command == 'SETBIT' and redis.call('SETBIT', KEYS[1], ARGV[at], 1) or redis.call('GETBIT', KEYS[1], ARGV[at])
    if bit == 0 then
      all = 0
      if command == 'GETBIT' then break end
    end
  end
  out[#out + 1] = all
end
return out",
    )
});

/// As many bits as a Redis string can have.
const MOST: f64 = 4_294_967_296.0;

/// Whether a value was seen: no is sure, yes is wrong with the chance that was chosen.
///
/// Handles of one key must be made with the same numbers.
///
/// # Example
///
/// ```no_run
/// # async fn doc(redis: butterfly_model::redis::Redis) -> Result<(), butterfly_model::redis::RedisError> {
/// use butterfly_model::redis::BloomFilter;
///
/// // A million values, one in a thousand wrong: 1.8 MB.
/// let known = BloomFilter::new(&redis, "known", 1_000_000, 0.001)?;
/// assert!(known.add("ann").await?);
/// assert!(!known.add("ann").await?);
/// assert!(known.contains("ann").await?);
/// # Ok(()) }
/// ```
pub struct BloomFilter {
    redis: Redis,
    key: String,
    bits: u64,
    hashes: u32,
}

container!(BloomFilter);

impl BloomFilter {
    /// The filter under a key, for so many values, after which a yes is wrong with this chance.
    ///
    /// # Errors
    ///
    /// [`RedisError::Invalid`] when no value is expected, the chance is not between 0 and 1, or a filter of these would
    /// be larger than the 512 MiB that a key can hold.
    pub fn new(redis: &Redis, key: impl Into<String>, values: u64, chance: f64) -> Result<Self, RedisError> {
        if values == 0 || !(chance > 0.0 && chance < 1.0) {
            return Err(RedisError::Invalid(format!(
                "a Bloom filter needs a number of values from 1 and a chance between 0 and 1, not {values} and {chance}"
            )));
        }
        let two = std::f64::consts::LN_2;
        let bits = (values as f64 * -chance.ln() / (two * two)).ceil().max(64.0);
        if bits > MOST {
            return Err(RedisError::Invalid(format!(
                "a Bloom filter for {values} values with the chance {chance} is larger than 512 MiB: use several keys"
            )));
        }
        let hashes = (bits / values as f64 * two).round().clamp(1.0, 64.0);
        Ok(Self { redis: redis.clone(), key: key.into(), bits: bits as u64, hashes: hashes as u32 })
    }

    /// Remembers a value. Says whether it was surely not there yet.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn add(&self, value: impl AsRef<[u8]>) -> Result<bool, RedisError> {
        Ok(self.bits_of(true, &[value.as_ref()]).await?.first() == Some(&false))
    }

    /// Remembers values. Says of each whether it was surely not there yet.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn add_many(&self, values: &[impl AsRef<[u8]>]) -> Result<Vec<bool>, RedisError> {
        let values: Vec<&[u8]> = values.iter().map(AsRef::as_ref).collect();
        Ok(self.bits_of(true, &values).await?.into_iter().map(|seen| !seen).collect())
    }

    /// Whether a value was seen: no is sure.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn contains(&self, value: impl AsRef<[u8]>) -> Result<bool, RedisError> {
        Ok(self.bits_of(false, &[value.as_ref()]).await?.first() == Some(&true))
    }

    /// Whether values were seen, of each.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn contains_many(&self, values: &[impl AsRef<[u8]>]) -> Result<Vec<bool>, RedisError> {
        let values: Vec<&[u8]> = values.iter().map(AsRef::as_ref).collect();
        self.bits_of(false, &values).await
    }

    async fn bits_of(&self, set: bool, values: &[&[u8]]) -> Result<Vec<bool>, RedisError> {
        if values.is_empty() {
            return Ok(Vec::new());
        }
        let fill = |command: &mut redis::Cmd| {
            command.arg(u8::from(set)).arg(self.hashes);
            for value in values {
                for bit in places(value, self.bits, self.hashes) {
                    command.arg(bit);
                }
            }
        };
        let answer: Value = self.redis.run(&BITS, &self.key, fill).await?;
        parts(answer)?.into_iter().map(|seen| Ok(one::<u8>(seen)? == 1)).collect()
    }
}

fn places(value: &[u8], bits: u64, hashes: u32) -> impl Iterator<Item = u64> + use<> {
    let (a, b) = (hash(value, 0xcbf2_9ce4_8422_2325), hash(value, 0x6c62_272e_07bb_0142) | 1);
    (0..u64::from(hashes)).map(move |i| a.wrapping_add(i.wrapping_mul(b)) % bits)
}

fn hash(bytes: &[u8], start: u64) -> u64 {
    let fnv = bytes.iter().fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    let mut mixed = fnv ^ (fnv >> 33);
    mixed = mixed.wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^= mixed >> 33;
    mixed = mixed.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    mixed ^ (mixed >> 33)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_yes_is_wrong_as_often_as_was_chosen() {
        let redis = Redis::open("redis://h").unwrap();
        let filter = BloomFilter::new(&redis, "k", 10_000, 0.01).unwrap();
        assert_eq!((filter.bits, filter.hashes), (95_851, 7));
        let of = |value: u32| places(&value.to_be_bytes(), filter.bits, filter.hashes);
        let set: HashSet<u64> = (0..10_000).flat_map(of).collect();
        let wrong = (10_000..110_000).filter(|value| of(*value).all(|bit| set.contains(&bit))).count();
        assert!((700..1_300).contains(&wrong), "{wrong} of 100,000, and 1,000 are expected");
    }

    #[test]
    fn the_hashes_stay_what_they_are() {
        let places: Vec<u64> = places(b"butterfly", 1 << 20, 4).collect();
        assert_eq!(places, [195574, 962367, 680584, 398801]);
    }

    #[test]
    fn filters_that_cannot_be_are_refused() {
        let redis = Redis::open("redis://h").unwrap();
        for (values, chance) in [(0, 0.1), (1, 0.0), (1, 1.0), (1, f64::NAN), (1 << 40, 0.001)] {
            let error = BloomFilter::new(&redis, "k", values, chance).unwrap_err();
            assert!(matches!(error, RedisError::Invalid(_)), "{error}");
        }
    }
}
