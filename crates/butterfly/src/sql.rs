//! The databases of a program: those that are configured, with the tables of its entities.

use std::io;
use std::time::Duration;

use butterfly_model::sql::migrate::{MigrateError, MigrationState, Status};
use butterfly_model::sql::sea_orm::DatabaseConnection;
use butterfly_model::sql::{
    DEFAULT, DatabaseUrl, Databases, Failure, Migrations, create_tables, has_entities,
};

use crate::config::Config;

/// The first pause before a database that was out of reach is tried again; each is twice the one before.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(10);
/// Differences that are told; more are counted.
const TOLD: usize = 20;

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

/// The migrations of a database.
pub(crate) fn migrations(
    config: &Config,
    name: &str,
    url: &DatabaseUrl,
    db: &DatabaseConnection,
) -> Migrations {
    let folder = &config.sql.migrations;
    Migrations::new(url, db, &if name == DEFAULT { folder.clone() } else { folder.join(name) })
}

/// Brings the databases to what the program needs, as far as that is configured: tables of the entities made, or
/// migrations applied. Where a database is out of reach, that is told, and done as soon as it is there. Gives what stands
/// between a database and the entities.
///
/// # Errors
///
/// When a database refuses.
pub(crate) async fn prepare(databases: &Databases, config: &Config) -> io::Result<Vec<String>> {
    let mut told = Vec::new();
    for (name, ..) in databases.iter().filter(|(name, ..)| *name == DEFAULT || config.sql.migrate) {
        match try_one(databases, config, name).await {
            Err((Failure::Unreachable, why)) => {
                tracing::error!(target: "butterfly::sql", "{why}; it is tried again until it is there");
                tokio::spawn(keep_trying(databases.clone(), config.clone(), name.to_owned()));
            }
            Err((_, why)) => return Err(io::Error::other(why)),
            Ok(differences) => told.extend(differences),
        }
    }
    Ok(told)
}

async fn keep_trying(databases: Databases, config: Config, name: String) {
    let mut pause = PAUSE;
    loop {
        tokio::time::sleep(pause).await;
        match try_one(&databases, &config, &name).await {
            Ok(_) => {
                tracing::info!(target: "butterfly::sql", "databases.{name} is there: its tables are looked after");
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

async fn try_one(
    databases: &Databases,
    config: &Config,
    name: &str,
) -> Result<Vec<String>, (Failure, String)> {
    let Some((_, url, db)) = databases.iter().find(|(other, ..)| *other == name) else {
        return Ok(Vec::new());
    };
    let told = tables(config, name, url, db).await.map_err(|error| {
        let failure = error.failure();
        let what = match failure {
            Failure::Unreachable => "is out of reach",
            Failure::Refused => "cannot be used",
            _ => "cannot take the tables of this program",
        };
        (failure, format!("databases.{name} ({url}) {what}: {error}"))
    })?;
    for line in &told {
        tracing::error!(target: "butterfly::sql", database = name, "{line}");
    }
    Ok(told)
}

async fn tables(
    config: &Config,
    name: &str,
    url: &DatabaseUrl,
    db: &DatabaseConnection,
) -> Result<Vec<String>, MigrateError> {
    let migrations = migrations(config, name, url, db);
    if !migrations.has_files()? && (name != DEFAULT || !has_entities()) {
        // A database that nobody needs is not made.
        return Ok(Vec::new());
    }
    if !migrations.any().await? {
        if config.sql.create_tables {
            create_tables(url, db).await?;
        }
    } else if config.sql.migrate {
        // Nobody is here to agree to a loss.
        migrations.up(&[]).await?;
    }
    // Which entities another database has, nobody has said.
    if name == DEFAULT { Ok(between(&migrations.status().await?)) } else { Ok(Vec::new()) }
}

/// What stands between a database and the entities, and what to do.
fn between(status: &Status) -> Vec<String> {
    let mut lines = Vec::new();
    for one in &status.migrations {
        let (what, todo) = match one.state {
            MigrationState::Pending => ("is not applied", "run `migrate up`, or set sql.migrate = true"),
            MigrationState::Stopped { .. } => ("stopped half way", "see `migrate status`"),
            MigrationState::Changed => ("has changed since it was applied", "put its file back as it was"),
            // An older program that works on beside a newer one.
            _ => continue,
        };
        lines.push(format!("migration {} {what}: {todo}", one.name));
    }
    // What pending migrations do is no surprise.
    if lines.is_empty() {
        let differs = |says: &str| {
            format!(
                "the database differs from the entities: {says} (`migrate make NAME` writes it, `migrate up` does it)"
            )
        };
        lines.extend(status.drift.iter().map(|step| differs(&step.says)));
    }
    let more = lines.len().saturating_sub(TOLD);
    lines.truncate(TOLD);
    if more > 0 {
        lines.push(format!("and {more} more: see `migrate status`"));
    }
    lines
}
