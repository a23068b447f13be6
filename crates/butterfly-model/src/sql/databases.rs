//! The databases of a program, by name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use butterfly_core::{Ctx, Error, Result, Used};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr};
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};

use super::place::Place;
use super::url::Synchronous;
use super::{DatabaseUrl, Driver, Tx, timing};

/// The name of the database that [`DbExt::db`] gives.
pub const DEFAULT: &str = "default";
/// A connection that lay idle for so long is asked whether it is still there before it is used.
const PROBE_AFTER: Duration = Duration::from_secs(1);
/// What waits "for ever" waits so long: timers have an end.
const FOR_EVER: Duration = Duration::from_secs(365 * 86_400);
/// A connection that nobody used for so long is closed.
const IDLE: Duration = Duration::from_secs(600);

/// The databases of a program, by name. Connections are made when they are first needed.
#[derive(Clone, Debug, Default)]
pub struct Databases(BTreeMap<String, One>);

#[derive(Clone)]
struct One {
    place: Arc<Place>,
    /// The same, for calls to note.
    used: Arc<dyn Used>,
    connection: DatabaseConnection,
}

impl fmt::Debug for One {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("One").field(&self.place.url).field(&self.connection).finish()
    }
}

impl Databases {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a database; statements that take `slow` or longer are logged. Must be called in a tokio runtime.
    ///
    /// # Errors
    ///
    /// When the address cannot be used at all: SQLite's folder cannot be made, an option of the driver is wrong.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use butterfly_model::sql::Databases;
    /// use butterfly_model::sql::sea_orm::ConnectionTrait;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut databases = Databases::new();
    /// databases.add("default", "sqlite://".parse()?, Duration::from_millis(200)).await?;
    /// let db = databases.get("default").ok_or("no default")?;
    /// db.execute_unprepared("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT)").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn add(&mut self, name: &str, url: DatabaseUrl, slow: Duration) -> Result<(), DbErr> {
        let mut connection = Database::connect(connect_options(&url)?).await?;
        let known_as = name.to_owned();
        connection.set_metric_callback(move |info| timing::note(&known_as, slow, info));
        let place = Arc::new(Place { name: name.to_owned(), url });
        let used: Arc<dyn Used> = place.clone();
        self.0.insert(name.to_owned(), One { place, used, connection });
        Ok(())
    }

    /// The database of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&DatabaseConnection> {
        self.0.get(name).map(|one| &one.connection)
    }

    /// All, with their names and addresses.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &DatabaseUrl, &DatabaseConnection)> {
        self.0.iter().map(|(name, one)| (name.as_str(), &one.place.url, &one.connection))
    }

    /// Closes all connections, each when its call has given it back.
    pub async fn close(&self) {
        for one in self.0.values() {
            // A pool that is closed already is closed.
            let _ = one.connection.clone().close().await;
        }
    }
}

pub(super) fn connect_options(url: &DatabaseUrl) -> Result<ConnectOptions, DbErr> {
    let pool = &url.options;
    let mut options = ConnectOptions::new(&url.plain);
    options
        .connect_lazy(true)
        .sqlx_logging(false)
        .max_connections(pool.max_connections)
        .connect_timeout(pool.connect)
        .acquire_timeout(pool.acquire.unwrap_or(FOR_EVER))
        .max_lifetime(pool.lifetime)
        // What the last connection of an in-memory database keeps goes with it.
        .idle_timeout(
            url.file.is_some().then_some(IDLE).or((url.driver() != Driver::Sqlite).then_some(IDLE)),
        );
    match url.driver() {
        Driver::Sqlite => sqlite(&mut options, url)?,
        // A probe is a round trip: only what may have been lost is probed.
        Driver::MySql | Driver::Postgres => {
            options.test_before_acquire_if_idle_for(PROBE_AFTER);
        }
    }
    Ok(options)
}

fn sqlite(options: &mut ConnectOptions, url: &DatabaseUrl) -> Result<(), DbErr> {
    options.test_before_acquire(false);
    let Some(file) = url.file.clone() else { return Ok(()) };
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| {
            DbErr::Custom(format!("cannot make the folder {} for {url}: {error}", folder.display()))
        })?;
    }
    let (busy, synchronous) = (url.options.busy, url.options.synchronous);
    options.map_sqlx_sqlite_opts(move |sqlite| {
        sqlite
            .filename(&file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(busy)
            .synchronous(match synchronous {
                Synchronous::Normal => SqliteSynchronous::Normal,
                Synchronous::Full => SqliteSynchronous::Full,
            })
    });
    Ok(())
}

/// What a call does with databases: `ctx.db()?`.
pub trait DbExt {
    /// The database `databases.default`.
    ///
    /// Its statements' time adds to the call's talk marks as `db`, as long as they run in the call itself and not in a task
    /// that it spawned.
    ///
    /// # Errors
    ///
    /// A server fault when the program has no databases.
    ///
    /// # Example
    ///
    /// ```
    /// use butterfly_core::{Ctx, Result};
    /// use butterfly_model::sql::DbExt;
    /// use butterfly_model::sql::sea_orm::ConnectionTrait;
    ///
    /// async fn forget(ctx: &Ctx) -> Result<u64> {
    ///     Ok(ctx.db()?.execute_unprepared("DELETE FROM note").await?.rows_affected())
    /// }
    /// ```
    fn db(&self) -> Result<&DatabaseConnection>;

    /// The database of a name in `[databases]`.
    ///
    /// # Errors
    ///
    /// A server fault that names it, when there is none.
    fn db_named(&self, name: &str) -> Result<&DatabaseConnection>;

    /// Runs a function in a transaction on the default database: [`transaction`](super::transaction()).
    ///
    /// # Errors
    ///
    /// What the function gives, or what the database says.
    fn transaction<T, F, Fut>(&self, run: F) -> impl Future<Output = Result<T>> + Send
    where
        T: Send,
        F: Fn(Tx) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T>> + Send;
}

impl DbExt for Ctx {
    fn db(&self) -> Result<&DatabaseConnection> {
        self.db_named(DEFAULT)
    }

    fn db_named(&self, name: &str) -> Result<&DatabaseConnection> {
        let databases = self.state::<Databases>()?;
        if let Some(one) = databases.0.get(name) {
            self.uses(&one.used);
            return Ok(&one.connection);
        }
        let known: Vec<&str> = databases.iter().map(|(name, ..)| name).collect();
        Err(Error::server(format!(
            "there is no database {name:?}: set databases.{name} (there are: {})",
            known.join(", ")
        )))
    }

    async fn transaction<T, F, Fut>(&self, run: F) -> Result<T>
    where
        T: Send,
        F: Fn(Tx) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T>> + Send,
    {
        super::transaction(self.db()?, run).await
    }
}
