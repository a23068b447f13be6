//! `migrate`: a database brought to what the entities ask for, by files that people read.

mod shown;

use std::path::{Path, PathBuf};

use butterfly_model::sql::migrate::{MigrateError, MigrationState};
use butterfly_model::sql::{DEFAULT, Databases, Migrations};
use clap::{Args, Subcommand};

use super::desk::{Done, Failure, agreed};
use crate::config::{Config, Loaded};
use crate::say::say;

#[derive(Debug, Args)]
#[command(after_help = "\
Migrations are files of SQL in the folder sql.migrations: 20261127_101500_add_due.up.sql, and ….down.sql takes it back.
They are yours: read them, change them, keep them with the program.
Exit codes: 0 done, 1 not done or not in order (the reason is on stderr), 2 the words do not make sense, or a loss of data
that nobody agreed to.

Examples:
  migrate make add_due           compare the entities with the database, write what is between them
  migrate up                     apply what is pending
  migrate down                   take the last one back
  migrate status                 what is applied, pending, changed; what differs from the entities
  migrate inspect --out src/entities    entities from a database that is there
  migrate make first --all       the first one of a program whose tables were made without: `up --mark` notes it")]
pub(super) struct MigrateWords {
    #[command(subcommand)]
    what: What,
    /// Which of [databases]
    #[arg(long, global = true, default_value = DEFAULT, value_name = "NAME")]
    database: String,
    /// Only the entities of the modules that begin so, such as shop::reports
    #[arg(long, global = true, default_value = "", value_name = "MODULES")]
    entities: String,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Write a migration: what is between the entities and the database
    Make {
        /// What it does, such as add_due: a part of the files' names
        name: String,
        /// As if the database were empty
        #[arg(long)]
        all: bool,
        /// A column that has another name now; its values stay
        #[arg(long, value_name = "TABLE.OLD=NEW", value_parser = renamed)]
        rename: Vec<(String, String, String)>,
    },
    /// Apply what is pending, in order
    Up {
        /// Do not ask about what is lost
        #[arg(long, short)]
        yes: bool,
        /// Note it as applied, run nothing: the database has it already
        #[arg(long, conflicts_with = "yes")]
        mark: bool,
    },
    /// Take the last ones back
    Down {
        /// How many
        #[arg(default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
        count: u16,
        /// Do not ask about what is lost
        #[arg(long, short)]
        yes: bool,
    },
    /// Say what is applied, pending, changed, and what differs from the entities: exit code 1 when anything does
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Write entities of the tables that are there
    Inspect {
        /// Which; all unless given
        tables: Vec<String>,
        /// A folder for one file each; else all is printed
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
    },
}

fn renamed(text: &str) -> Result<(String, String, String), String> {
    let pair = text.split_once('=').and_then(|(old, new)| Some((old.rsplit_once('.')?, new)));
    let ((table, old), new) = pair.ok_or("is TABLE.OLD=NEW, such as todo.titel=title")?;
    Ok((table.to_owned(), old.to_owned(), new.to_owned()))
}

pub(super) fn run(loaded: &Loaded, words: MigrateWords) -> Done {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Not(error.to_string()))?;
    runtime.block_on(async {
        let databases =
            crate::sql::open(&loaded.config).await.map_err(|error| Failure::Not(error.to_string()))?;
        let result = one(&loaded.config, &databases, words).await;
        databases.close().await;
        result
    })
}

async fn one(config: &Config, databases: &Databases, words: MigrateWords) -> Done {
    let Some((name, url, db)) = databases.iter().find(|(name, ..)| *name == words.database) else {
        let known: Vec<&str> = databases.iter().map(|(name, ..)| name).collect();
        let (name, known) = (&words.database, known.join(", "));
        return Err(Failure::Usage(format!(
            "there is no database {name}: set databases.{name} (there are: {known})"
        )));
    };
    let migrations = crate::sql::migrations(config, name, url, db).entities_of(&words.entities);
    let done = match words.what {
        What::Make { name, all, rename } => make(&migrations, &name, all, &rename).await,
        What::Up { mark: true, .. } => mark(&migrations).await,
        What::Up { yes, .. } => up(&migrations, yes).await,
        What::Down { count, yes } => down(&migrations, count, yes).await,
        What::Status { json } => status(&migrations, json).await,
        What::Inspect { tables, out } => inspect(&migrations, &tables, out.as_deref()).await,
    };
    done.map_err(|failure| match failure {
        Wrong::Said(failure) => failure,
        Wrong::Migrate(error @ MigrateError::Database(_)) => {
            Failure::Not(format!("databases.{name} ({url}): {error}"))
        }
        Wrong::Migrate(error) => Failure::Not(error.to_string()),
    })
}

/// What went wrong: said already in the command's words, or as the model has it.
enum Wrong {
    Said(Failure),
    Migrate(MigrateError),
}

impl From<Failure> for Wrong {
    fn from(failure: Failure) -> Self {
        Self::Said(failure)
    }
}

impl From<MigrateError> for Wrong {
    fn from(error: MigrateError) -> Self {
        Self::Migrate(error)
    }
}

async fn make(
    migrations: &Migrations,
    name: &str,
    all: bool,
    renamed: &[(String, String, String)],
) -> Result<(), Wrong> {
    let Some(made) = migrations.make(name, all, renamed).await? else {
        say!("nothing to do: the database is what the entities ask for");
        return Ok(());
    };
    made.files.iter().for_each(|file| say!("{}", file.display()));
    say!("{}", shown::steps(&made.steps).trim_end());
    say!("\nRead them; then: migrate up");
    Ok(())
}

async fn up(migrations: &Migrations, yes: bool) -> Result<(), Wrong> {
    let status = migrations.standings().await?;
    let lossy: Vec<_> = status
        .iter()
        .filter(|one| {
            matches!(one.state, MigrationState::Pending | MigrationState::Stopped { back: false, .. })
        })
        .filter(|one| !one.loses.is_empty())
        .collect();
    for one in &lossy {
        eprintln!("{} loses {}", one.name, one.loses.join("; "));
    }
    if !lossy.is_empty() && !yes && !agreed("apply all the same?")? {
        return Err(Failure::Not("nothing was applied".into()).into());
    }
    let names: Vec<String> = lossy.iter().map(|one| one.name.clone()).collect();
    said("applied", &migrations.up(&names).await?, "nothing is pending");
    Ok(())
}

async fn mark(migrations: &Migrations) -> Result<(), Wrong> {
    said("noted as applied", &migrations.mark().await?, "nothing is pending");
    Ok(())
}

async fn down(migrations: &Migrations, count: u16, yes: bool) -> Result<(), Wrong> {
    let count = usize::from(count);
    let mut lossy = false;
    for (name, losses) in migrations.down_loses(count).await? {
        if !losses.is_empty() {
            lossy = true;
            eprintln!("taking {name} back loses {}", losses.join("; "));
        }
    }
    if lossy && !yes && !agreed("take back all the same?")? {
        return Err(Failure::Not("nothing was taken back".into()).into());
    }
    said("taken back", &migrations.down(count).await?, "nothing is applied");
    Ok(())
}

fn said(what: &str, names: &[String], nothing: &str) {
    names.iter().for_each(|name| say!("{what}: {name}"));
    if names.is_empty() {
        say!("{nothing}");
    }
}

async fn status(migrations: &Migrations, json: bool) -> Result<(), Wrong> {
    let status = migrations.status().await?;
    if json {
        say!("{:#}", shown::document(&status));
    } else {
        say!("{}", shown::status(&status).trim_end());
    }
    if status.in_order() { Ok(()) } else { Err(Failure::Not("not in order".into()).into()) }
}

async fn inspect(migrations: &Migrations, tables: &[String], out: Option<&Path>) -> Result<(), Wrong> {
    let files = migrations.inspect(tables).await?;
    if files.is_empty() {
        say!("the database has no tables");
    }
    for file in files {
        for note in &file.notes {
            eprintln!("note: {note}");
        }
        match out {
            None => say!("// {}\n{}", file.name, file.text),
            Some(folder) => {
                let path = folder.join(&file.name);
                let written = std::fs::create_dir_all(folder).and_then(|()| {
                    std::io::Write::write_all(&mut std::fs::File::create_new(&path)?, file.text.as_bytes())
                });
                written.map_err(|error| Failure::Not(format!("{}: {error}", path.display())))?;
                say!("{}", path.display());
            }
        }
    }
    Ok(())
}
