//! `[databases]`: SQL databases by names that the user chooses, their passwords shown to nobody.

use std::fmt;
use std::path::Path;

use super::address::{Address, AddressTable};
use super::keys::Config;

/// The databases that are configured, by name. Without a `default` there is the file `app.db` in the data folder.
pub type DatabaseTable = AddressTable<DatabaseUrl>;

/// Stands for the data folder in an address.
const DATA_DIR: &str = "{data_dir}";

/// The address of a database. It is shown without its password; [`expose`](Self::expose) gives all of it.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The address with its password, and with the data folder in its place.
    ///
    /// # Example
    ///
    /// ```
    /// use std::path::Path;
    /// use butterfly::config::Config;
    ///
    /// let url = Config::default().database("default").ok_or("there is one")?;
    /// assert_eq!(url.expose(Path::new("data")), "sqlite://data/app.db");
    /// assert_eq!(url.expose(Path::new("/var/lib/shop")), "sqlite:////var/lib/shop/app.db");
    /// assert_eq!(url.expose(Path::new("my data")), "sqlite://my%20data/app.db");
    /// # Ok::<(), &str>(())
    /// ```
    pub fn expose(&self, data_dir: &Path) -> String {
        let folder = butterfly_core::escape_path(data_dir);
        match self.0.strip_prefix("sqlite://").and_then(|place| place.strip_prefix(DATA_DIR)) {
            // Three slashes begin a path that is not absolute.
            Some(rest) if data_dir.is_absolute() => format!("sqlite:///{folder}{rest}"),
            _ => self.0.replace(DATA_DIR, &folder),
        }
    }
}

impl Address for DatabaseUrl {
    const TABLE: &'static str = "databases";
    const HELP: &'static str = "SQL databases, by names of your own: databases.default, databases.reports, …";
    const ACCEPTS: &'static str = "a URL such as sqlite://data/app.db, mysql://user:password@host:3306/name or \
                                   postgres://user:password@host:5432/name, with options such as ?max_connections=20";
    const DEFAULT: &'static str = "sqlite://{data_dir}/app.db";
    const TAKEN: &'static [&'static str] = &[];

    #[cfg(feature = "sql")]
    fn parse(text: &str) -> Result<Self, String> {
        let url = Self(text.trim().to_owned());
        let known: butterfly_model::sql::DatabaseUrl = url.expose(Path::new("data")).parse()?;
        // What `config` printed is not what was configured.
        if known.to_string().contains(":***@") && text.contains(":***@") {
            return Err("its password is masked: write it out".to_owned());
        }
        Ok(url)
    }

    #[cfg(not(feature = "sql"))]
    fn parse(_: &str) -> Result<Self, String> {
        Err("this program was built without the feature sql of butterfly".to_owned())
    }
}

/// The address without its password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or(("", &self.0));
        match rest.rsplit_once('@').and_then(|(login, place)| Some((login.split_once(':')?.0, place))) {
            Some((user, place)) => write!(f, "{scheme}://{user}:***@{place}"),
            None => f.write_str(&self.0),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Config {
    /// The address of a database by name; `default` is always there.
    pub fn database(&self, name: &str) -> Option<DatabaseUrl> {
        let unset = || (name == "default").then(|| DatabaseUrl(<DatabaseUrl as Address>::DEFAULT.to_owned()));
        self.databases.get(name).cloned().or_else(unset)
    }

    /// All databases by name, `default` among them.
    pub fn all_databases(&self) -> impl Iterator<Item = (&str, DatabaseUrl)> {
        let default = self.databases.get("default").is_none().then(|| ("default", self.database("default")));
        let default = default.and_then(|(name, url)| Some((name, url?)));
        default.into_iter().chain(self.databases.iter().map(|(name, url)| (name, url.clone())))
    }
}
