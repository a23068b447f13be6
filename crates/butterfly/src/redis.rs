//! The servers of `[redis]`, for what keeps things there.

use butterfly_model::redis::Redis;

use crate::config::Config;

/// The Redis of a name; it is connected to when it is first used.
///
/// # Errors
///
/// Why it can never be used.
pub(crate) fn open(config: &Config, name: &str) -> Result<Redis, String> {
    let url = config.redis.get(name).ok_or_else(|| format!("it names redis.{name}, which is not set"))?;
    Redis::open(url.expose()).map_err(|why| format!("redis.{name}: {why}"))
}
