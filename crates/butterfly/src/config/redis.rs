//! `[redis]`: servers by names that the user chooses, their passwords shown to nobody.

use std::fmt;

use super::address::{Address, AddressTable};
use super::queue::QueueEngine;

/// Each may be `valkey`, and with TLS has an `s`.
const SCHEMES: [&str; 3] = ["redis", "redis+cluster", "redis+sentinel"];

const MASK: &str = "***";

/// The Redis servers that are configured, by name. Empty by default.
pub type RedisTable = AddressTable<RedisUrl>;

/// The address of a Redis. It is shown without its password; [`expose`](Self::expose) gives all of it.
///
/// # Example
///
/// ```
/// use butterfly::config::Loader;
///
/// let flags = vec![("redis.default".to_owned(), "redis://:hunter2@127.0.0.1:6379".to_owned())];
/// let config = Loader::new("demo").flags(flags).load()?.config;
/// let url = config.redis.get("default").ok_or("no entry")?;
/// assert_eq!(url.to_string(), "redis://:***@127.0.0.1:6379");
/// assert_eq!(url.expose(), "redis://:hunter2@127.0.0.1:6379");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl(String);

impl Address for RedisUrl {
    const TABLE: &'static str = "redis";
    const HELP: &'static str = "Redis servers, by names of your own: redis.default, redis.cache, …";
    const ACCEPTS: &'static str = "a URL such as redis://127.0.0.1:6379, redis://user:password@host:6379/0, \
                                   redis+cluster://host1:6379,host2:6379 or redis+sentinel://host1:26379,host2:26379/name";
    const TAKEN: &'static [&'static str] = &[QueueEngine::EMBEDDED];

    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").ok_or("it has no scheme such as redis://")?;
        if !is_known(scheme) {
            return Err(format!("its scheme is none of {}", SCHEMES.join(", ")));
        }
        if rest.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err("it has spaces or control characters".to_owned());
        }
        let (login, address) = rest.rsplit_once('@').unwrap_or(("", rest));
        if address.split(['/', '?']).next().is_none_or(str::is_empty) {
            return Err("it names no host".to_owned());
        }
        // What `config` printed is not what was configured.
        if login.ends_with(MASK) || parameters(address).any(|(_, value)| value == MASK) {
            return Err("its password is masked: write it out".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

fn is_known(scheme: &str) -> bool {
    let (server, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
    matches!(server, "redis" | "rediss" | "valkey" | "valkeys") && matches!(kind, "" | "cluster" | "sentinel")
}

impl RedisUrl {
    /// The address with its password.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// The `name=value` pairs behind the `?`.
fn parameters(address: &str) -> impl Iterator<Item = (&str, &str)> {
    let query = address.split_once('?').map_or("", |(_, query)| query);
    query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// The address without passwords: behind the user's name, and in parameters that are called so.
impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or(("", &self.0));
        let (login, address) =
            rest.rsplit_once('@').map_or((None, rest), |(login, rest)| (Some(login), rest));
        write!(f, "{scheme}://")?;
        match login.map(|login| login.split_once(':')) {
            None => {}
            Some(Some((user, _))) => write!(f, "{user}:{MASK}@")?,
            // A login without a colon is a password to some programs.
            Some(None) => write!(f, "{MASK}@")?,
        }
        let Some((place, _)) = address.split_once('?') else { return f.write_str(address) };
        f.write_str(place)?;
        for (index, (name, value)) in parameters(address).enumerate() {
            let value = if super::report::looks_secret(name) && !value.is_empty() { MASK } else { value };
            let (mark, sign) = (if index == 0 { '?' } else { '&' }, if value.is_empty() { "" } else { "=" });
            write!(f, "{mark}{name}{sign}{value}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
