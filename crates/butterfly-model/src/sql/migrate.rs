//! Migrations: SQL files that bring a database to what the program's entities ask for.
//!
//! [`Migrations::make`] compares the entities with the database and writes two files, `….up.sql` and `….down.sql`, for
//! people to read and change. [`Migrations::up`] applies those that the database has not had yet, in the order of
//! their names, and notes each in the table `butterfly_migrations`; [`Migrations::down`] takes the last back. Of
//! processes that start together one works and the others wait ([`SchemaLock`]).
//!
//! How the sides are compared: the database itself is asked what it makes of an entity, by a table of the session's
//! own that is thrown away. So both sides are in its own words. What entities do not say (checks, triggers, partial
//! indexes, collations, indexes with names of their own) is left as it is; tables that neither an entity nor a
//! migration made are left alone.

mod create;
mod difference;
mod entities;
mod error;
mod files;
mod history;
mod inspect;
mod read;
mod run;
mod schema;
mod script;
mod status;
mod types;
mod write;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sea_orm::{Database, DatabaseConnection, TransactionTrait};

pub use error::{FailedStatement, MigrateError};
pub use inspect::EntityFile;
pub use status::{Made, MigrationState, Standing, Status, Step};

use super::databases::connect_options;
use super::{DatabaseUrl, Driver, SchemaLock};
use difference::{Change, Renamed};
use entities::Wanted;
use files::{Draft, Migration};
use history::{Entry, State};
use run::Runner;
use schema::Schema;
use status::standings;

/// Whether a table is the framework's own: neither the user's nor, if no entity asks for it, an entity's.
fn own(table: &str) -> bool {
    table.starts_with("butterfly_")
}

/// The migrations of one database.
///
/// # Example
///
/// ```standalone_crate
/// use std::path::Path;
/// use std::time::Duration;
/// use butterfly_model::sql::{Databases, Migrations};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// std::fs::write(folder.path().join("20261127_101500_note.up.sql"), "CREATE TABLE note (id INTEGER PRIMARY KEY);")?;
/// let mut databases = Databases::new();
/// databases.add("default", "sqlite://".parse()?, Duration::from_millis(200)).await?;
/// let (_, url, db) = databases.iter().next().ok_or("no database")?;
/// let migrations = Migrations::new(url, db, folder.path());
/// assert_eq!(migrations.up(&[]).await?, ["20261127_101500_note"]);
/// assert!(migrations.status().await?.pending().next().is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Migrations {
    url: DatabaseUrl,
    db: DatabaseConnection,
    folder: PathBuf,
    entities: String,
}

/// What lies between a database and the entities.
struct Difference {
    live: Schema,
    wanted: Schema,
    alone: Vec<String>,
    up: Vec<Change>,
}

impl Migrations {
    /// The migrations in a folder, for a database; all entities of the program are compared with it.
    pub fn new(url: &DatabaseUrl, db: &DatabaseConnection, folder: &Path) -> Self {
        Self { url: url.clone(), db: db.clone(), folder: folder.to_owned(), entities: String::new() }
    }

    /// Compares only the entities of the modules that begin so, such as `shop::`.
    #[must_use]
    pub fn entities_of(mut self, modules: &str) -> Self {
        modules.clone_into(&mut self.entities);
        self
    }

    fn driver(&self) -> Driver {
        self.url.driver()
    }

    /// A connection of its own: what is set on it, and tables of its session, are nobody else's.
    async fn connection(&self) -> Result<DatabaseConnection, MigrateError> {
        if self.driver() == Driver::Sqlite && self.url.file().is_none() {
            // There is one only.
            return Ok(self.db.clone());
        }
        let mut options = connect_options(&self.url)?;
        options.max_connections(1);
        Ok(Database::connect(options).await?)
    }

    /// Does something on a connection of its own, and closes it.
    async fn with<T>(
        &self,
        act: impl AsyncFnOnce(&DatabaseConnection) -> Result<T, MigrateError>,
    ) -> Result<T, MigrateError> {
        let db = self.connection().await?;
        let done = act(&db).await;
        if self.url.file().is_some() || self.driver() != Driver::Sqlite {
            // One that is gone is closed.
            let _ = db.close().await;
        }
        done
    }

    fn files(&self) -> Result<Vec<Migration>, MigrateError> {
        files::read(&self.folder, self.driver())
    }

    /// Whether there is any migration in the folder.
    ///
    /// # Errors
    ///
    /// What is wrong with a file.
    pub fn has_files(&self) -> Result<bool, MigrateError> {
        Ok(!self.files()?.is_empty())
    }

    /// Whether there is any migration, in the folder or in the database's history.
    ///
    /// # Errors
    ///
    /// What is wrong with a file, or what the database says.
    pub async fn any(&self) -> Result<bool, MigrateError> {
        Ok(!self.files()?.is_empty() || !history::read(&self.db, self.driver()).await?.is_empty())
    }

    /// Compares the entities with the database, and writes a migration of the difference. `None` when there is none.
    ///
    /// With `all` it writes what an empty database needs, whatever this one has: the first migration of a program whose
    /// tables were made without. `renamed` are columns that have another name now: table, name before, name now.
    ///
    /// # Errors
    ///
    /// When migrations are pending, a file cannot be written, or what the database says.
    pub async fn make(
        &self,
        name: &str,
        all: bool,
        renamed: &[(String, String, String)],
    ) -> Result<Option<Made>, MigrateError> {
        let slug = files::fit(name)?;
        let (files, driver) = (self.files()?, self.driver());
        let standing = standings(&files, &history::read(&self.db, driver).await?);
        if let Some(one) = standing
            .iter()
            .find(|one| one.state != MigrationState::Applied && one.state != MigrationState::Missing)
        {
            return Err(MigrateError::Refused(format!(
                "{} is not applied to this database as it stands: run `migrate up` first, so that the difference is what \
                 is new (`migrate status` shows all)",
                one.name
            )));
        }
        let mut difference = self.difference(&files, renamed).await?;
        if all {
            difference.live = Schema::default();
            difference.up = difference::changes(driver, &difference.live, &difference.wanted, &[]);
        }
        if difference.up.is_empty() {
            return Ok(None);
        }
        let back: Vec<Renamed> =
            renamed.iter().map(|(table, from, to)| (table.clone(), to.clone(), from.clone())).collect();
        let down = difference::changes(driver, &difference.wanted, &difference.live, &back);
        let about = format!("{} ({})", slug.replace('_', " "), files::title(driver));
        let up = draft(driver, &about, &difference.up);
        let about = format!("{about}, taken back");
        let down = draft(driver, &about, &down);
        let name = self.next_name(&files, &slug);
        let files = files::write(&self.folder, &name, &up, &down)?;
        Ok(Some(Made { name, files, steps: steps(driver, &difference.up) }))
    }

    /// A name behind all that are there, also when two are made within a second.
    fn next_name(&self, files: &[Migration], slug: &str) -> String {
        let last = files.last().map_or("", |file| file.name.as_str());
        (0..)
            .map(|seconds| format!("{}_{slug}", history::stamp(seconds)))
            .find(|name| name.as_str() > last)
            .unwrap_or_default()
    }

    /// Entities of the tables that the database has; of all when none are named.
    ///
    /// # Errors
    ///
    /// When there is no table of a name, or what the database says.
    pub async fn inspect(&self, tables: &[String]) -> Result<Vec<EntityFile>, MigrateError> {
        let live = read::live(&self.db, self.driver()).await?;
        if let Some(none) = tables.iter().find(|name| !live.tables.contains_key(*name)) {
            let known: Vec<&str> = live.tables.keys().map(String::as_str).collect();
            return Err(MigrateError::Refused(format!(
                "there is no table {none} (there are: {})",
                known.join(", ")
            )));
        }
        Ok(inspect::files(self.driver(), &live, tables))
    }

    async fn difference(&self, files: &[Migration], renamed: &[Renamed]) -> Result<Difference, MigrateError> {
        let driver = self.driver();
        let wanted: Wanted = entities::read(driver, &self.entities).await?;
        let known: BTreeSet<String> = files.iter().flat_map(|file| file.up.makes.iter().cloned()).collect();
        let mut difference = self
            .with(async |db| {
                let tx = db.begin().await?;
                let live = read::live(&tx, driver).await?;
                let looks = read::wanted(&tx, driver, &wanted, &live).await;
                // What was made for its looks goes.
                tx.rollback().await?;
                Ok(Difference { live, wanted: looks?, alone: Vec::new(), up: Vec::new() })
            })
            .await?;
        let (live, wanted) = (&mut difference.live, &mut difference.wanted);
        difference.alone = difference::align(live, wanted, &known);
        for (table, from, to) in renamed {
            let has = |schema: &Schema, column: &str| {
                schema.tables.get(table).is_some_and(|table| table.column(column).is_some())
            };
            if !has(live, from) || has(live, to) || !has(wanted, to) {
                return Err(MigrateError::Refused(format!(
                    "{table}.{from} cannot become {table}.{to}: the database has the first and not the second, the entity \
                     the second"
                )));
            }
        }
        difference.up = difference::changes(driver, live, wanted, renamed);
        Ok(difference)
    }

    /// How each migration stands, and what lies between the database and the entities.
    ///
    /// # Errors
    ///
    /// What is wrong with a file, or what the database says.
    pub async fn status(&self) -> Result<Status, MigrateError> {
        let (files, migrations) = (self.files()?, self.standings().await?);
        let difference = self.difference(&files, &[]).await?;
        Ok(Status { migrations, drift: steps(self.driver(), &difference.up), alone: difference.alone })
    }

    /// How each migration stands, without a look at the tables.
    ///
    /// # Errors
    ///
    /// What is wrong with a file, or what the database says.
    pub async fn standings(&self) -> Result<Vec<Standing>, MigrateError> {
        Ok(standings(&self.files()?, &history::read(&self.db, self.driver()).await?))
    }

    /// Applies what is pending, in order; gives the names of what was applied.
    ///
    /// `agreed` are the migrations whose losses somebody has agreed to ([`Standing::loses`]).
    ///
    /// # Errors
    ///
    /// When a file has changed since it was applied, a migration would lose data and nobody has agreed, or a statement fails:
    /// the error names file and line, and says what was kept.
    pub async fn up(&self, agreed: &[String]) -> Result<Vec<String>, MigrateError> {
        self.locked(async || {
            let files = self.files()?;
            let history = history::read(&self.db, self.driver()).await?;
            let mut pending = Vec::new();
            for one in standings(&files, &history) {
                match one.state {
                    MigrationState::Changed => {
                        return Err(MigrateError::Refused(format!(
                            "{} has changed since it was applied: put it back as it was, and what is new into a migration of \
                             its own",
                            one.name
                        )));
                    }
                    MigrationState::Stopped { back: true, .. } => {
                        return Err(MigrateError::Refused(format!(
                            "{} stopped while it was taken back: run `migrate down` to the end first ({})",
                            one.name, one.error
                        )));
                    }
                    MigrationState::Pending | MigrationState::Stopped { .. } => pending.push(one),
                    MigrationState::Applied | MigrationState::Missing => {}
                }
            }
            if let Some(one) = pending.iter().find(|one| !one.loses.is_empty() && !agreed.contains(&one.name)) {
                return Err(MigrateError::Refused(format!(
                    "{} loses data ({}), and nobody has agreed to it: run `migrate up` on a terminal, or with --yes",
                    one.name,
                    one.loses.join("; ")
                )));
            }
            self.with(async |db| {
                let runner = Runner { db, driver: self.driver() };
                for one in &pending {
                    let Some(file) = files.iter().find(|file| file.name == one.name) else { continue };
                    let before = history.iter().find(|entry| entry.name == one.name);
                    runner.up(file, before).await?;
                    tracing::info!(target: "butterfly::sql", "migration {} is applied", one.name);
                }
                Ok(())
            })
            .await?;
            Ok(pending.into_iter().map(|one| one.name).collect())
        })
        .await
    }

    /// Notes what is pending as applied and runs nothing of it: the database has it already. Gives the names.
    ///
    /// # Errors
    ///
    /// What is wrong with a file, or what the database says.
    pub async fn mark(&self) -> Result<Vec<String>, MigrateError> {
        self.locked(async || {
            let files = self.files()?;
            let history = history::read(&self.db, self.driver()).await?;
            let pending: Vec<Standing> = standings(&files, &history);
            let pending = pending.into_iter().filter(|one| one.state == MigrationState::Pending);
            let pending: Vec<String> = pending.map(|one| one.name).collect();
            history::make(&self.db, self.driver()).await?;
            for file in files.iter().filter(|file| pending.contains(&file.name)) {
                let count = file.up.statements.len();
                let entry = Entry {
                    done: count,
                    prefix: file.up.prefix(count),
                    ..Entry::begun(&file.name, &file.up, State::Applied)
                };
                history::put(&self.db, &entry).await?;
            }
            Ok(pending)
        })
        .await
    }

    /// What taking back the last `count` migrations loses, by name; the last first.
    ///
    /// # Errors
    ///
    /// When one of them has no `….down.sql`, or what the database says.
    pub async fn down_loses(&self, count: usize) -> Result<Vec<(String, Vec<String>)>, MigrateError> {
        let history = history::read(&self.db, self.driver()).await?;
        let last = self.last(&self.files()?, &history, count)?;
        Ok(last.into_iter().map(|(name, script)| (name, script.losses)).collect())
    }

    /// Takes the last `count` migrations back, the last first; gives their names. What they lose is asked for before:
    /// [`down_loses`](Self::down_loses).
    ///
    /// # Errors
    ///
    /// As [`up`](Self::up) has them.
    pub async fn down(&self, count: usize) -> Result<Vec<String>, MigrateError> {
        self.locked(async || {
            let history = history::read(&self.db, self.driver()).await?;
            let last = self.last(&self.files()?, &history, count)?;
            self.with(async |db| {
                let runner = Runner { db, driver: self.driver() };
                for (name, script) in &last {
                    let before = history.iter().find(|entry| entry.name == *name);
                    runner.down(name, script, before).await?;
                    tracing::info!(target: "butterfly::sql", "migration {name} is taken back");
                }
                Ok(())
            })
            .await?;
            Ok(last.into_iter().map(|(name, _)| name).collect())
        })
        .await
    }

    fn last(
        &self,
        files: &[Migration],
        history: &[Entry],
        count: usize,
    ) -> Result<Vec<(String, files::Script)>, MigrateError> {
        let mut last = Vec::new();
        for entry in history.iter().rev().take(count) {
            let file = files.iter().find(|file| file.name == entry.name);
            if entry.state == State::Up {
                return Err(MigrateError::Refused(format!(
                    "{} stopped while it was applied, after {} statements: mend it and run `migrate up` to the end first ({})",
                    entry.name, entry.done, entry.error
                )));
            }
            let script = file.and_then(|file| file.down.clone()).ok_or_else(|| {
                let name = self.folder.join(format!("{}.down.sql", entry.name));
                MigrateError::Refused(format!(
                    "{} is not there: {} cannot be taken back",
                    name.display(),
                    entry.name
                ))
            })?;
            last.push((entry.name.clone(), script));
        }
        Ok(last)
    }

    async fn locked<T>(&self, act: impl AsyncFnOnce() -> Result<T, MigrateError>) -> Result<T, MigrateError> {
        let lock = SchemaLock::take(&self.url).await?;
        let done = act().await;
        lock.release().await;
        done
    }
}

fn steps(driver: Driver, changes: &[Change]) -> Vec<Step> {
    let written = changes.iter().map(|change| change.written(driver));
    written.map(|change| Step { says: change.says, loses: change.loses, note: change.note }).collect()
}

fn draft<'a>(driver: Driver, about: &'a str, changes: &[Change]) -> Draft<'a> {
    let parts = changes.iter().map(|change| {
        let written = change.written(driver);
        let loses = written.loses.map(|loses| format!("{} {loses}", files::LOSES.trim_start_matches("-- ")));
        let comments = std::iter::once(written.says).chain(loses).chain(written.note);
        (comments.collect(), written.sql)
    });
    Draft { driver, about, parts: parts.collect() }
}
