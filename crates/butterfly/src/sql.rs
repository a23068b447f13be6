//! The databases of a program: those that are configured, with the tables of its entities.

use std::io;
use std::time::Duration;

use butterfly_model::sql::{DEFAULT, DatabaseUrl, Databases, Failure, create_tables};

use crate::config::Config;

/// The first pause before a database that was out of reach is tried again; each is twice the one before.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(10);

/// The pools of all databases; nothing is connected yet.
///
/// # Errors
///
/// Which address cannot be used, and why.
pub(crate) async fn open(config: &Config) -> io::Result<Databases> {
    let mut databases = Databases::new();
    for (name, url) in config.all_databases() {
        let wrong = |why: &dyn std::fmt::Display| io::Error::other(format!("databases.{name}: {why}"));
        let url: DatabaseUrl = url.expose(&config.data_dir).parse().map_err(|why: String| wrong(&why))?;
        databases.add(name, url, config.sql.slow.as_duration()).await.map_err(|error| wrong(&error))?;
    }
    Ok(databases)
}

/// Makes the tables of the program's entities in the default database, if so configured. When it is out of reach, that is
/// told, and done as soon as it is there.
///
/// # Errors
///
/// When the database refuses.
pub(crate) async fn make_tables(databases: &Databases, config: &Config) -> io::Result<()> {
    if !config.sql.create_tables {
        return Ok(());
    }
    match try_tables(databases).await {
        Err((Failure::Unreachable, why)) => {
            tracing::error!(target: "butterfly::sql", "{why}; it is tried again until it is there");
            tokio::spawn(keep_trying(databases.clone()));
            Ok(())
        }
        Err((_, why)) => Err(io::Error::other(why)),
        Ok(()) => Ok(()),
    }
}

async fn keep_trying(databases: Databases) {
    let mut pause = PAUSE;
    loop {
        tokio::time::sleep(pause).await;
        match try_tables(&databases).await {
            Ok(()) => {
                tracing::info!(target: "butterfly::sql", "databases.{DEFAULT} is there: its tables are made");
                return;
            }
            Err((Failure::Unreachable, _)) => pause = (pause * 2).min(LONGEST),
            Err((_, why)) => {
                tracing::error!(target: "butterfly::sql", "{why}");
                return;
            }
        }
    }
}

async fn try_tables(databases: &Databases) -> Result<(), (Failure, String)> {
    let Some((name, url, db)) = databases.iter().find(|(name, ..)| *name == DEFAULT) else { return Ok(()) };
    let made = create_tables(url, db).await;
    made.map(drop).map_err(|error| {
        let failure = Failure::of(&error);
        let what = match failure {
            Failure::Unreachable => "is out of reach",
            Failure::Refused => "cannot be used",
            _ => "cannot take the tables of this program",
        };
        (failure, format!("databases.{name} ({url}) {what}: {error}"))
    })
}
