//! Which Redis, and how it is reached: one line of text says it.

use std::fmt;
use std::time::Duration;

use super::{RedisError, Tls};

/// Which Redis, and how it is reached.
///
/// | form | meaning |
/// | --- | --- |
/// | `redis://[user:password@]host[:port][/db]` | one server |
/// | `redis+cluster://host:port,host:port` | nodes of a cluster, of which some suffice |
/// | `redis+sentinel://host:port,host:port/master` | sentinels, and the name of the master |
/// | `redis://host:port?proxy=1` | a proxy (Twemproxy) |
///
/// `valkey` may stand for `redis`, and with TLS it is `rediss` (or `valkeys`) in each of the forms: the program is to be
/// built with the feature `redis-tls`. In user, password, master and prefix, `%40` stands for `@` and so on. Settings follow
/// behind `?`, with `&` between them:
///
/// | setting | meaning | without it |
/// | --- | --- | --- |
/// | `db` | the database | 0 |
/// | `prefix` | what the keys of models and services begin with | `bf` |
/// | `proxy` | `1`: it is a proxy | `0` |
/// | `socket_connect_timeout` | seconds that making a connection may take | 2 |
/// | `socket_timeout` | seconds that an answer may take | 5 |
/// | `health_check_interval` | seconds without a call after which a connection is tried before it is used | never |
/// | `ssl_ca_certs` | with TLS: a PEM file of the certificates that are trusted | the system's |
/// | `ssl_certfile`, `ssl_keyfile` | with TLS: PEM files of our own certificate and its key | none |
/// | `max_connections` | how many there may be: one for all calls, and one for each that waits for something | no limit |
/// | `retry_on_timeout` | `0` alone: what was not answered may have been done, and is not sent twice | `0` |
///
/// Other settings are refused; those that other clients know are refused by name, with what to do.
///
/// # Example
///
/// ```
/// use butterfly_model::redis::{Mode, RedisOptions};
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
/// # Ok::<(), butterfly_model::redis::RedisError>(())
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
    /// TLS, where it is used.
    pub tls: Option<Tls>,
    /// What all keys and channels begin with: `bf`.
    pub prefix: String,
    /// How long making a connection may take.
    pub connect_timeout: Duration,
    /// How long an answer may take.
    pub answer_timeout: Duration,
    /// After so long without a call, a connection is tried before it is used. A cluster's are looked after by the
    /// client in any case.
    pub health_check_interval: Option<Duration>,
    /// How many connections there may be: one is for all calls, and each that waits for something has its own.
    pub max_connections: Option<usize>,
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
    /// A proxy (Twemproxy) that knows single-key commands and scripts alone: nothing that waits works behind it.
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
            tls: None,
            prefix: "bf".into(),
            connect_timeout: Duration::from_secs(2),
            answer_timeout: Duration::from_secs(5),
            health_check_interval: None,
            max_connections: None,
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
            .field("tls", &self.tls)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

const ADVICE: &str = "write redis://[user:password@]host[:port][/db], redis+cluster://host:port,host:port, \
                      redis+sentinel://host:port,host:port/master, or redis://host:port?proxy=1; rediss is redis with TLS";

const UNKNOWN: &str = "it has a setting other than db, prefix, proxy, socket_timeout, socket_connect_timeout, \
                       health_check_interval, max_connections, retry_on_timeout, ssl_ca_certs, ssl_certfile and \
                       ssl_keyfile";

/// Settings of other clients, and what to do instead.
const UNSUPPORTED: [(&str, &str); 14] = [
    (
        "retry_on_timeout",
        "a call without an answer may have been done: leave it away, and repeat what may be done twice",
    ),
    ("proxy", "it is 1 or 0"),
    ("socket_keepalive", "health_check_interval finds dead connections: set that"),
    ("socket_keepalive_options", "health_check_interval finds dead connections: set that"),
    ("socket_read_size", "leave it away"),
    ("client_name", "leave it away: connections have no name"),
    ("decode_responses", "leave it away: the type of a value says how it is read"),
    ("encoding", "leave it away: text is UTF-8"),
    ("encoding_errors", "leave it away: text that is no UTF-8 is an error"),
    ("charset", "leave it away: text is UTF-8"),
    ("errors", "leave it away: text that is no UTF-8 is an error"),
    ("timeout", "connections are not waited for: leave it away"),
    ("ssl_cert_reqs", "certificates are always checked: name your own authority by ssl_ca_certs"),
    ("ssl_check_hostname", "names are always checked: let the certificate have the server's"),
];

impl std::str::FromStr for RedisOptions {
    type Err = RedisError;

    /// Reads the address of a Redis. The errors never show what was given: it may hold a password.
    fn from_str(text: &str) -> Result<Self, RedisError> {
        let (scheme, rest) = text.split_once("://").ok_or_else(|| bad("it has no scheme"))?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (login, rest) = rest.rsplit_once('@').map_or((None, rest), |(login, rest)| (Some(login), rest));
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (scheme, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
        let usual_port = if kind == "sentinel" { 26379 } else { 6379 };
        let mut options = Self::new("", usual_port);
        options.hosts =
            hosts.split(',').map(|host| read_host(host, usual_port)).collect::<Result<_, RedisError>>()?;
        options.login(login.unwrap_or_default())?;
        options.tls = match scheme {
            "redis" | "valkey" => None,
            "rediss" | "valkeys" => Some(Tls::default()),
            "unix" => return Err(bad("a Unix socket is not supported, let Redis listen on 127.0.0.1")),
            _ => return Err(bad("its scheme is none that is known")),
        };
        options.mode = match kind {
            "" => Mode::Standalone,
            "cluster" => Mode::Cluster,
            "sentinel" if path.is_empty() => return Err(bad("it names no master")),
            "sentinel" => Mode::Sentinel { master: plain(path)? },
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
    fn login(&mut self, login: &str) -> Result<(), RedisError> {
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        self.user = Some(plain(user)?).filter(|user| !user.is_empty());
        self.password = Some(plain(password)?).filter(|password| !password.is_empty());
        Ok(())
    }

    fn setting(&mut self, pair: &str) -> Result<(), RedisError> {
        let (name, value) = pair.split_once('=').unwrap_or((pair, "1"));
        match (name, value) {
            ("proxy", "1" | "true") => self.mode = Mode::Proxy,
            ("proxy" | "retry_on_timeout", "0" | "false") => {}
            ("db", number) => self.db = number.parse().map_err(|_| bad("its database is no number"))?,
            ("prefix", prefix) => self.prefix = plain(prefix)?,
            ("socket_timeout", value) => self.answer_timeout = seconds(name, value)?,
            ("socket_connect_timeout", value) => self.connect_timeout = seconds(name, value)?,
            ("health_check_interval", "0" | "none" | "null") => self.health_check_interval = None,
            ("health_check_interval", value) => self.health_check_interval = Some(seconds(name, value)?),
            ("max_connections", "none" | "null") => self.max_connections = None,
            ("max_connections", value) => {
                let number = value.parse().ok().filter(|number| *number > 0);
                self.max_connections = Some(number.ok_or_else(|| bad("max_connections is a number from 1"))?);
            }
            ("ssl_ca_certs" | "ssl_certfile" | "ssl_keyfile", file) => {
                let tls =
                    self.tls.as_mut().ok_or_else(|| bad(&format!("{name} is for TLS: write rediss://")))?;
                let place = match name {
                    "ssl_ca_certs" => &mut tls.ca,
                    "ssl_certfile" => &mut tls.cert,
                    _ => &mut tls.key,
                };
                *place = Some(plain(file)?.into());
            }
            ("ssl_cert_reqs", "required") | ("ssl_check_hostname", "1" | "true" | "True") => {}
            _ => {
                // The name is shown only where it is one that is known: a password may have a ? in it.
                let known = UNSUPPORTED.iter().find(|(known, _)| *known == name);
                return Err(known.map_or_else(
                    || bad(UNKNOWN),
                    |(name, advice)| bad(&format!("{name} is not supported, {advice}")),
                ));
            }
        }
        Ok(())
    }

    /// The options, if they can be.
    ///
    /// # Errors
    ///
    /// [`RedisError::Misconfigured`], with what to write instead.
    pub fn checked(self) -> Result<Self, RedisError> {
        if self.hosts.is_empty() || self.hosts.iter().any(|(host, _)| host.is_empty()) {
            return Err(bad("it names no host"));
        }
        if self.db != 0 && matches!(self.mode, Mode::Cluster | Mode::Proxy) {
            return Err(bad("a cluster and a proxy have no database but 0"));
        }
        if let Some(flaw) = self.tls.as_ref().and_then(Tls::flaw) {
            return Err(bad(flaw));
        }
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte);
        if self.prefix.is_empty() || self.prefix.len() > 64 || !self.prefix.bytes().all(fits) {
            return Err(bad("a prefix is 1 to 64 letters, digits and _ - . :"));
        }
        Ok(self)
    }
}

fn read_host(text: &str, usual_port: u16) -> Result<(String, u16), RedisError> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            (host, port.parse().map_err(|_| bad("a port is no number"))?)
        }
        _ => (text, usual_port),
    };
    Ok((host.trim_matches(['[', ']']).into(), port))
}

/// A positive number of seconds.
fn seconds(name: &str, text: &str) -> Result<Duration, RedisError> {
    let seconds = text.parse().ok().filter(|seconds: &f64| *seconds > 0.0);
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|time| (Duration::from_millis(1)..Duration::from_secs(86_400)).contains(time))
        .ok_or_else(|| bad(&format!("{name} is seconds, from 0.001 to a day, such as 0.5")))
}

/// Undoes percent signs.
fn plain(text: &str) -> Result<String, RedisError> {
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).ok_or_else(|| bad("a % needs two hex digits"))?;
        out.push(u8::from_str_radix(digits, 16).map_err(|_| bad("a % needs two hex digits"))?);
        out.extend(rest.as_bytes());
    }
    String::from_utf8(out).map_err(|_| bad("it is no UTF-8"))
}

fn bad(why: &str) -> RedisError {
    RedisError::Misconfigured(format!("the address of Redis is not usable, {why}: {ADVICE}"))
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
    fn settings_of_other_clients_are_understood_or_refused_by_name() {
        let full = "redis://h?socket_timeout=0.2&socket_connect_timeout=0.1&retry_on_timeout=false\
                    &max_connections=7&health_check_interval=30";
        let options: RedisOptions = full.parse().unwrap();
        assert_eq!(options.answer_timeout, Duration::from_millis(200));
        assert_eq!(options.connect_timeout, Duration::from_millis(100));
        assert_eq!(options.max_connections, Some(7));
        assert_eq!(options.health_check_interval, Some(Duration::from_secs(30)));
        for (setting, advice) in [
            ("retry_on_timeout=1", "may have been done"),
            ("socket_keepalive=1", "health_check_interval"),
            ("client_name=me", "no name"),
            ("encoding=latin1", "UTF-8"),
            ("ssl_ca_certs=a", "rediss://"),
            ("ssl_cert_reqs=none", "ssl_ca_certs"),
            ("ssl_check_hostname=false", "the server's"),
            ("socket_timeout=soon", "seconds"),
            ("socket_timeout=-1", "seconds"),
            ("socket_timeout=inf", "seconds"),
            ("max_connections=0", "from 1"),
        ] {
            let error = format!("redis://h?{setting}").parse::<RedisOptions>().unwrap_err().to_string();
            let name = setting.split('=').next().unwrap();
            assert!(error.contains(name) && error.contains(advice), "{setting}: {error}");
        }
    }

    #[test]
    fn tls_is_an_s_in_each_form_where_the_program_is_built_with_it() {
        for form in ["rediss://h", "valkeys+cluster://h", "rediss+sentinel://h/main"] {
            let read =
                format!("{form}?ssl_ca_certs=%2Fetc/ca.pem&ssl_cert_reqs=required").parse::<RedisOptions>();
            if cfg!(feature = "redis-tls") {
                let ca = Some("/etc/ca.pem".into());
                assert_eq!(read.unwrap().tls, Some(Tls { ca, ..Tls::default() }), "{form}");
            } else {
                let error = read.unwrap_err().to_string();
                assert!(error.contains("feature redis-tls of butterfly"), "{form}: {error}");
            }
        }
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
            "rediss://:geheim@h?ssl_certfile=geheim",
            "redis+tls://:geheim@h",
            "unix:///geheim",
            "redis://:ge?geheim=1@h",
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
