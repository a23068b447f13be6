//! Which Redis, and how it is reached: one line of text says it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::EngineError;

/// Which Redis the queue stands on, and how it is reached.
///
/// # Example
///
/// ```
/// use butterfly_queue::redis::{Mode, RedisOptions};
///
/// let one: RedisOptions = "redis://:secret@10.0.0.5:6379/2".parse()?;
/// assert_eq!((one.db, one.mode.clone()), (2, Mode::Standalone));
/// assert!(!format!("{one:?}").contains("secret"));
///
/// let cluster: RedisOptions = "redis+cluster://10.0.0.5:7000,10.0.0.6:7000".parse()?;
/// assert_eq!(cluster.hosts.len(), 2);
///
/// let sentinel: RedisOptions = "redis+sentinel://10.0.0.5,10.0.0.6/main?db=1".parse()?;
/// assert_eq!(sentinel.mode, Mode::Sentinel { master: "main".into() });
///
/// let proxy: RedisOptions = "redis://10.0.0.5:22121?proxy=1&prefix=shop".parse()?;
/// assert_eq!((proxy.mode, &*proxy.prefix), (Mode::Proxy, "shop"));
/// # Ok::<(), butterfly_queue::EngineError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RedisOptions {
    /// Where the server is, or the nodes, or the sentinels.
    pub hosts: Vec<(String, u16)>,
    /// What is there.
    pub mode: Mode,
    /// The database; a cluster and a proxy have 0 alone.
    pub db: u32,
    /// Who logs in.
    pub user: Option<String>,
    /// The password; it is shown nowhere.
    pub password: Option<String>,
    /// What all keys and channels begin with: `bf`.
    pub prefix: String,
    /// How long making a connection may take.
    pub connect_timeout: Duration,
    /// How long an answer may take.
    pub answer_timeout: Duration,
    /// The folder on this machine in which processes that share it find each other, and notice each other's death at
    /// once. It is made where it is missing. Without one, a death is noticed when a lease has passed.
    pub neighbours: Option<PathBuf>,
}

/// What is at the hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One server.
    Standalone,
    /// Sentinels, which say where the master of this name is.
    Sentinel {
        /// The master's name.
        master: String,
    },
    /// Nodes of a cluster.
    Cluster,
    /// A proxy (Twemproxy) that knows single-key commands and scripts alone: workers look by a timer.
    Proxy,
}

impl RedisOptions {
    /// One server at a host and port, with everything else as usual.
    #[must_use]
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            hosts: vec![(host.into(), port)],
            mode: Mode::Standalone,
            db: 0,
            user: None,
            password: None,
            prefix: "bf".into(),
            connect_timeout: Duration::from_secs(2),
            answer_timeout: Duration::from_secs(5),
            neighbours: None,
        }
    }
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("hosts", &self.hosts)
            .field("mode", &self.mode)
            .field("db", &self.db)
            .field("user", &self.user)
            .field("password", &self.password.as_ref().map(|_| "***"))
            .field("prefix", &self.prefix)
            .field("neighbours", &self.neighbours)
            .finish_non_exhaustive()
    }
}

const ADVICE: &str = "write redis://[user:password@]host[:port][/db], redis+cluster://host:port,host:port, \
                      redis+sentinel://host:port,host:port/master, or redis://host:port?proxy=1";

impl std::str::FromStr for RedisOptions {
    type Err = EngineError;

    /// Reads the address of a Redis. The errors never show what was given: it may hold a password.
    fn from_str(text: &str) -> Result<Self, EngineError> {
        let (scheme, rest) = text.split_once("://").ok_or_else(|| bad("it has no scheme"))?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (login, rest) = rest.rsplit_once('@').map_or((None, rest), |(login, rest)| (Some(login), rest));
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let usual_port = if scheme == "redis+sentinel" { 26379 } else { 6379 };
        let mut options = Self::new("", usual_port);
        options.hosts =
            hosts.split(',').map(|host| read_host(host, usual_port)).collect::<Result<_, EngineError>>()?;
        options.login(login.unwrap_or_default())?;
        options.mode = match scheme {
            "redis" | "valkey" => Mode::Standalone,
            "redis+cluster" | "valkey+cluster" => Mode::Cluster,
            "redis+sentinel" | "valkey+sentinel" if path.is_empty() => return Err(bad("it names no master")),
            "redis+sentinel" | "valkey+sentinel" => Mode::Sentinel { master: plain(path)? },
            "rediss" | "valkeys" => return Err(bad("this program is built without TLS for Redis")),
            _ => return Err(bad("its scheme is none that is known")),
        };
        if !path.is_empty() && matches!(options.mode, Mode::Standalone | Mode::Cluster) {
            options.db = path.parse().map_err(|_| bad("its database is no number"))?;
        }
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            options.setting(pair)?;
        }
        options.checked()
    }
}

impl RedisOptions {
    fn login(&mut self, login: &str) -> Result<(), EngineError> {
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        self.user = Some(plain(user)?).filter(|user| !user.is_empty());
        self.password = Some(plain(password)?).filter(|password| !password.is_empty());
        Ok(())
    }

    fn setting(&mut self, pair: &str) -> Result<(), EngineError> {
        let (name, value) = pair.split_once('=').unwrap_or((pair, "1"));
        match (name, value) {
            ("proxy", "1" | "true") => self.mode = Mode::Proxy,
            ("proxy", "0" | "false") => {}
            ("db", number) => self.db = number.parse().map_err(|_| bad("its database is no number"))?,
            ("prefix", prefix) => self.prefix = plain(prefix)?,
            _ => return Err(bad("it has a setting other than proxy, db and prefix")),
        }
        Ok(())
    }

    /// The options, if they can be.
    pub(super) fn checked(self) -> Result<Self, EngineError> {
        if self.hosts.is_empty() || self.hosts.iter().any(|(host, _)| host.is_empty()) {
            return Err(bad("it names no host"));
        }
        if self.db != 0 && matches!(self.mode, Mode::Cluster | Mode::Proxy) {
            return Err(bad("a cluster and a proxy have no database but 0"));
        }
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte);
        if self.prefix.is_empty() || self.prefix.len() > 64 || !self.prefix.bytes().all(fits) {
            return Err(bad("a prefix is 1 to 64 letters, digits and _ - . :"));
        }
        Ok(self)
    }
}

fn read_host(text: &str, usual_port: u16) -> Result<(String, u16), EngineError> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            (host, port.parse().map_err(|_| bad("a port is no number"))?)
        }
        _ => (text, usual_port),
    };
    Ok((host.trim_matches(['[', ']']).into(), port))
}

/// Undoes percent signs.
fn plain(text: &str) -> Result<String, EngineError> {
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).ok_or_else(|| bad("a % needs two hex digits"))?;
        out.push(u8::from_str_radix(digits, 16).map_err(|_| bad("a % needs two hex digits"))?);
        out.extend(rest.as_bytes());
    }
    String::from_utf8(out).map_err(|_| bad("it is no UTF-8"))
}

fn bad(why: &str) -> EngineError {
    EngineError::Misconfigured(format!("the address of Redis is not usable, {why}: {ADVICE}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let full: RedisOptions = "redis://us%40er:p%3Aw%2F@[::1]:7/3?prefix=a.b".parse().unwrap();
        assert_eq!(full.hosts, [("::1".into(), 7)]);
        assert_eq!((full.user.as_deref(), full.password.as_deref()), (Some("us@er"), Some("p:w/")));
        assert_eq!((full.db, &*full.prefix), (3, "a.b"));
        let short: RedisOptions = "redis://redis".parse().unwrap();
        assert_eq!(short.hosts, [("redis".into(), 6379)]);
        let many: RedisOptions = "redis+sentinel://:pw@a,b:1/main?db=2".parse().unwrap();
        assert_eq!(many.hosts, [("a".into(), 26379), ("b".into(), 1)]);
        assert_eq!((many.db, many.password.as_deref()), (2, Some("pw")));
    }

    #[test]
    fn bad_addresses_are_refused_without_showing_the_password() {
        for bad in [
            "",
            "localhost:6379",
            "http://h",
            "redis://",
            "redis://:geheim@h:port",
            "redis://:geheim@h/x",
            "redis+sentinel://:geheim@h",
            "redis+cluster://:geheim@h/1",
            "rediss://:geheim@h",
            "redis://:geheim%2@h",
            "redis://:geheim@h?user=geheim",
            "redis://h?prefix=a{b}",
            "redis://h/1?proxy=1",
        ] {
            let error = bad.parse::<RedisOptions>().unwrap_err().to_string();
            assert!(!error.contains("geheim") && error.contains("redis://"), "{bad}: {error}");
        }
    }
}
