//! A database and a folder of a test's own, on each engine there is.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use butterfly_model::sql::prelude::*;
use butterfly_model::sql::{DEFAULT, DatabaseUrl, Databases, Driver, Migrations};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// Where one run of a test works.
pub(crate) struct Place {
    pub(crate) url: DatabaseUrl,
    pub(crate) address: String,
    pub(crate) folder: PathBuf,
    databases: Databases,
}

/// Runs a test on every engine, each time in a database that nobody else has.
pub(crate) async fn on_each(test: impl AsyncFn(&Place)) {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite:///{}/test.db", folder.path().display());
    run(&file, &test).await;
    for variable in ["SQL_TEST_MYSQL", "SQL_TEST_POSTGRES"] {
        if cfg!(feature = "live") {
            let url = std::env::var(variable).unwrap_or_else(|_| panic!("{variable}: bash .ci/sql sets it"));
            let name = format!("bf_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
            let admin = open(&url).await;
            let db = admin.get(DEFAULT).unwrap();
            let utf8 = if variable.ends_with("MYSQL") { " CHARACTER SET utf8mb4" } else { "" };
            db.execute_unprepared(&format!("CREATE DATABASE {name}{utf8}")).await.unwrap();
            run(&format!("{}/{name}", url.rsplit_once('/').unwrap().0), &test).await;
            db.execute_unprepared(&format!("DROP DATABASE {name}")).await.unwrap();
            admin.close().await;
        }
    }
}

async fn run(address: &str, test: &impl AsyncFn(&Place)) {
    let databases = open(address).await;
    let folder = tempfile::tempdir().unwrap();
    let folder_path = folder.path().join("migrations");
    let url = address.parse().unwrap();
    let place = Place { url, address: address.to_owned(), folder: folder_path, databases };
    test(&place).await;
    place.databases.close().await;
}

pub(crate) async fn open(url: &str) -> Databases {
    let mut databases = Databases::new();
    databases.add(DEFAULT, url.parse().unwrap(), Duration::from_secs(5)).await.unwrap();
    databases
}

impl Place {
    pub(crate) fn db(&self) -> &DatabaseConnection {
        self.databases.get(DEFAULT).unwrap()
    }

    pub(crate) fn driver(&self) -> Driver {
        self.url.driver()
    }

    /// The migrations, for the entities of one module of this program.
    pub(crate) fn of(&self, module: &str) -> Migrations {
        self.at(&format!("sql_migrate::entities::{module}::"))
    }

    pub(crate) fn at(&self, modules: &str) -> Migrations {
        Migrations::new(&self.url, self.db(), &self.folder).entities_of(modules)
    }

    pub(crate) fn put(&self, file: &str, sql: &str) {
        std::fs::create_dir_all(&self.folder).unwrap();
        std::fs::write(self.folder.join(file), sql).unwrap();
    }

    pub(crate) async fn run(&self, sql: &str) {
        self.db().execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// A number that a query gives.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let statement = sea_orm::Statement::from_string(self.db().get_database_backend(), sql);
        let row = self.db().query_one_raw(statement).await.unwrap().unwrap();
        row.try_get_by_index::<i64>(0).or_else(|_| row.try_get_by_index::<i32>(0).map(i64::from)).unwrap()
    }

    /// Whether there is a table.
    pub(crate) async fn has(&self, table: &str) -> bool {
        self.db().execute_unprepared(&format!("SELECT 1 FROM {table}")).await.is_ok()
    }
}

/// The text of a file.
pub(crate) fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}
