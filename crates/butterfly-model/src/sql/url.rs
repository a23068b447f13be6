//! The address of a database: the URL forms of the original (spec/02, section 1) and of SQLx.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// SQLite: a file.
    Sqlite,
    /// MySQL or MariaDB.
    MySql,
    /// PostgreSQL.
    Postgres,
}

/// Where a database is, and how its pool is.
///
/// | scheme | database |
/// | --- | --- |
/// | `sqlite://data/app.db`, `sqlite:///data/app.db` | the file `data/app.db`, from the folder the program runs in |
/// | `sqlite:////var/lib/app.db` | the file `/var/lib/app.db` |
/// | `sqlite://` | in memory, gone with the process |
/// | `mysql://user:password@host:3306/name` | MySQL, MariaDB; also `mysql+pool`, `mysql+retrypool` |
/// | `postgres://user:password@host:5432/name` | PostgreSQL; also `postgresql` |
///
/// Options behind the `?`, times in seconds:
///
/// | option | default | meaning |
/// | --- | --- | --- |
/// | `max_connections` | 20, SQLite 8 | connections at once |
/// | `timeout` | 5 | wait for a free connection so long; 0 is for ever |
/// | `stale_timeout` | 1800 | a connection is closed at this age; 0 is never |
/// | `connect_timeout` | 5 | wait so long for a server |
/// | `busy_timeout` | 10 | SQLite: wait so long for another writer |
/// | `synchronous` | `full` | SQLite: `full` survives a power cut, `normal` the death of the process |
///
/// What the drivers of SQLx know besides (`ssl-mode`, `sslmode`, `charset`, `application_name`, `socket`, …) is handed on.
///
/// # Example
///
/// ```
/// use butterfly_model::sql::{DatabaseUrl, Driver};
///
/// let url: DatabaseUrl = "mysql+retrypool://root:secret@127.0.0.1:3306/shop?max_connections=300".parse()?;
/// assert_eq!((url.driver(), url.max_connections()), (Driver::MySql, 300));
/// assert_eq!(url.to_string(), "mysql+retrypool://root:***@127.0.0.1:3306/shop?max_connections=300");
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    text: String,
    driver: Driver,
    /// For SQLx: its scheme, and its own options only.
    pub(super) plain: String,
    /// SQLite's file; `None` is in memory.
    pub(super) file: Option<PathBuf>,
    pub(super) options: PoolOptions,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PoolOptions {
    pub(super) max_connections: u32,
    /// `None` waits for ever.
    pub(super) acquire: Option<Duration>,
    pub(super) lifetime: Option<Duration>,
    pub(super) connect: Duration,
    pub(super) busy: Duration,
    pub(super) synchronous: Synchronous,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Synchronous {
    Normal,
    Full,
}

const OURS: [&str; 6] =
    ["max_connections", "timeout", "stale_timeout", "connect_timeout", "busy_timeout", "synchronous"];
/// What SQLx's MySQL and PostgreSQL options read (sqlx 0.9, `options/parse.rs` of either driver).
const MYSQL: [&str; 9] = [
    "ssl-mode",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "charset",
    "collation",
    "statement-cache-capacity",
    "socket",
    "timezone",
];
const POSTGRES: [&str; 9] = [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "statement-cache-capacity",
    "host",
    "port",
    "application_name",
    "options",
];

impl DatabaseUrl {
    /// Which database it is.
    #[must_use]
    pub fn driver(&self) -> Driver {
        self.driver
    }

    /// Connections at once.
    #[must_use]
    pub fn max_connections(&self) -> u32 {
        self.options.max_connections
    }

    /// SQLite's file.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }
}

impl FromStr for DatabaseUrl {
    type Err = String;

    /// What is wrong, without the text itself: it may hold a password.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (scheme, rest) =
            text.split_once("://").ok_or("it has no scheme: sqlite://, mysql:// or postgres://")?;
        let driver = match scheme {
            "sqlite" => Driver::Sqlite,
            "mysql" | "mysql+pool" | "mysql+retrypool" | "mariadb" => Driver::MySql,
            "postgres" | "postgresql" | "postgres+pool" | "postgresql+pool" => Driver::Postgres,
            other => {
                return Err(format!(
                    "its scheme {other:?} is none of sqlite, mysql (mysql+pool, mysql+retrypool) and postgres"
                ));
            }
        };
        if rest.chars().any(|c| c.is_control() || c == ' ') {
            return Err("it has spaces or control characters: write them as %20 and the like".into());
        }
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut options = PoolOptions::of(driver);
        let mut theirs = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match driver {
                _ if OURS.contains(&name) => options.set(driver, name, value)?,
                // MySQL's utf8 has three bytes a character: many texts do not fit.
                Driver::MySql if name == "charset" && value.starts_with("utf8") => {
                    theirs.push("charset=utf8mb4");
                }
                Driver::MySql if MYSQL.contains(&name) => theirs.push(pair),
                Driver::Postgres if POSTGRES.contains(&name) || name.starts_with("options[") => {
                    theirs.push(pair);
                }
                _ => return Err(unknown(driver, name)),
            }
        }
        let (plain, file) = match driver {
            Driver::Sqlite => {
                let file = sqlite_file(place)?;
                let plain = file.as_ref().map_or("sqlite::memory:".into(), |_| "sqlite://".to_owned());
                (plain, file)
            }
            Driver::MySql => (server("mysql", place, &theirs)?, None),
            Driver::Postgres => (server("postgres", place, &theirs)?, None),
        };
        if driver == Driver::Sqlite && file.is_none() {
            // Each connection has a memory of its own.
            options.max_connections = 1;
            options.lifetime = None;
        }
        Ok(Self { text: text.to_owned(), driver, plain, file, options })
    }
}

fn unknown(driver: Driver, name: &str) -> String {
    let theirs: &[&str] = match driver {
        Driver::Sqlite => &[],
        Driver::MySql => &MYSQL,
        Driver::Postgres => &POSTGRES,
    };
    let known: Vec<&str> = OURS.iter().chain(theirs).copied().collect();
    format!("it has the unknown option {name:?}; there are {}", known.join(", "))
}

/// `sqlite:////abs`, `sqlite:///rel` and `sqlite://rel`.
fn sqlite_file(place: &str) -> Result<Option<PathBuf>, String> {
    let path = place.strip_prefix('/').unwrap_or(place);
    if path.is_empty() || path == ":memory:" {
        return Ok(None);
    }
    if path.ends_with('/') {
        return Err("it names a folder: add the name of a file".into());
    }
    // A `+` is itself in a path.
    let path = butterfly_core::args::decode(&path.replace('+', "%2B"))?.into_owned();
    Ok(Some(PathBuf::from(path)))
}

fn server(scheme: &str, place: &str, options: &[&str]) -> Result<String, String> {
    let address = place.rsplit_once('@').map_or(place, |(_, address)| address);
    if address.is_empty() || address.starts_with('/') {
        return Err(format!("it names no host: {scheme}://user:password@host/database"));
    }
    if place.matches('@').count() > 1 {
        return Err("it has more than one @: write one in a password as %40".into());
    }
    if address.split_once('/').is_none_or(|(_, name)| name.is_empty()) {
        return Err(format!("it names no database: {scheme}://user:password@host/database"));
    }
    let query = if options.is_empty() { String::new() } else { format!("?{}", options.join("&")) };
    Ok(format!("{scheme}://{place}{query}"))
}

impl PoolOptions {
    fn of(driver: Driver) -> Self {
        Self {
            max_connections: if driver == Driver::Sqlite { 8 } else { 20 },
            acquire: Some(Duration::from_secs(5)),
            lifetime: Some(Duration::from_secs(1800)),
            connect: Duration::from_secs(5),
            busy: Duration::from_secs(10),
            synchronous: Synchronous::Full,
        }
    }

    fn set(&mut self, driver: Driver, name: &str, value: &str) -> Result<(), String> {
        let seconds = || {
            let seconds =
                value.parse::<f64>().ok().and_then(|number| Duration::try_from_secs_f64(number).ok());
            seconds.ok_or_else(|| format!("its option {name} must be a number of seconds"))
        };
        let or_never = |time: Duration| (!time.is_zero()).then_some(time);
        match name {
            "max_connections" => {
                let most = value.parse().ok().filter(|most| (1..=100_000).contains(most));
                self.max_connections = most.ok_or("its option max_connections must be 1 to 100000")?;
            }
            // As in the original: 0 is for ever, and so is the word for nothing.
            "timeout" | "stale_timeout" if matches!(value, "none" | "null" | "None") => {
                *(if name == "timeout" { &mut self.acquire } else { &mut self.lifetime }) = None;
            }
            "timeout" => self.acquire = or_never(seconds()?),
            "stale_timeout" => self.lifetime = or_never(seconds()?),
            "connect_timeout" => self.connect = seconds()?,
            _ if driver != Driver::Sqlite => return Err(format!("its option {name} is of SQLite alone")),
            "busy_timeout" => self.busy = seconds()?,
            _ => {
                self.synchronous = match value {
                    "full" => Synchronous::Full,
                    "normal" => Synchronous::Normal,
                    _ => return Err("its option synchronous must be full or normal".into()),
                }
            }
        }
        Ok(())
    }
}

/// The address without its password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.text.split_once("://").unwrap_or(("", &self.text));
        let Some((login, place)) = rest.rsplit_once('@') else { return f.write_str(&self.text) };
        match login.split_once(':') {
            Some((user, _)) => write!(f, "{scheme}://{user}:***@{place}"),
            None => write!(f, "{scheme}://{login}@{place}"),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    fn parse(text: &str) -> DatabaseUrl {
        text.parse().unwrap()
    }

    #[test]
    fn files_are_where_the_original_has_them() {
        let file = |text| parse(text).file;
        assert_eq!(file("sqlite:////var/app.db"), Some("/var/app.db".into()));
        assert_eq!(file("sqlite:///data/app.db"), Some("data/app.db".into()));
        assert_eq!(file("sqlite://a%20b+c%3F.db"), Some("a b+c?.db".into()));
        assert_eq!(file("sqlite://data/app.db"), Some("data/app.db".into()));
        assert_eq!((file("sqlite://"), file("sqlite:///"), file("sqlite://:memory:")), (None, None, None));
        assert_eq!(parse("sqlite://").max_connections(), 1);
    }

    #[test]
    fn pool_options_are_ours_and_the_rest_is_the_drivers() {
        let url = parse(
            "mysql+retrypool://u:p@h:3306/d?max_connections=300&stale_timeout=300&charset=utf8&timeout=0",
        );
        assert_eq!(url.plain, "mysql://u:p@h:3306/d?charset=utf8mb4");
        let options = &url.options;
        assert_eq!((options.max_connections, options.acquire), (300, None));
        assert_eq!(options.lifetime, Some(Duration::from_secs(300)));
        assert_eq!(parse("postgresql://u@h/d?sslmode=prefer").plain, "postgres://u@h/d?sslmode=prefer");
    }

    #[test]
    fn what_is_wrong_is_named_and_no_password_is() {
        for (text, part) in [
            ("app.db", "no scheme"),
            ("oracle://u:secret@h/d", "\"oracle\" is none of"),
            ("mysql://u:secret@h", "names no database"),
            ("mysql:///d", "names no host"),
            ("mysql://u:sec@ret@h/d", "%40"),
            ("mysql://u:secret@h/d?max_conections=3", "unknown option \"max_conections\""),
            ("mysql://u:secret@h/d?max_connections=0", "1 to 100000"),
            ("mysql://u:secret@h/d?timeout=soon", "seconds"),
            ("mysql://u:secret@h/d?timeout=-1", "seconds"),
            ("mysql://u:secret@h/d?busy_timeout=1", "SQLite alone"),
            ("sqlite://data/", "names a folder"),
            ("sqlite://a\nb", "control"),
        ] {
            let error = text.parse::<DatabaseUrl>().unwrap_err();
            assert!(error.contains(part) && !error.contains("secret"), "{text}: {error}");
        }
        assert_eq!(format!("{:?}", parse("postgres://u:secret@h/d")), "postgres://u:***@h/d");
    }
}
