//! A database of a test's own, on each engine there is.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use butterfly_model::sql::sea_orm::{ConnectionTrait, DatabaseConnection};
use butterfly_model::sql::{DEFAULT, DatabaseUrl, Databases, create_tables};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// Runs a test on every engine, each time in a database that nobody else has.
pub(crate) async fn on_each(test: impl AsyncFn(&DatabaseConnection)) {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite:///{}/test.db", folder.path().display());
    run(&file, &test).await;
    if !cfg!(feature = "live") {
        return;
    }
    let name = format!("bf_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    // Of MariaDB the default may be a character set that has no other letters than Latin ones.
    for (variable, set) in [("SQL_TEST_MYSQL", " CHARACTER SET utf8mb4"), ("SQL_TEST_POSTGRES", "")] {
        let url =
            std::env::var(variable).unwrap_or_else(|_| panic!("{variable}: bash .ci/sql COMMAND sets it"));
        let admin = open(&url).await;
        let db = admin.get(DEFAULT).unwrap();
        db.execute_unprepared(&format!("CREATE DATABASE {name}{set}")).await.unwrap();
        run(&format!("{}/{name}", url.rsplit_once('/').unwrap().0), &test).await;
        db.execute_unprepared(&format!("DROP DATABASE {name}")).await.unwrap();
        admin.close().await;
    }
}

async fn run(url: &str, test: &impl AsyncFn(&DatabaseConnection)) {
    let databases = open(url).await;
    let db = databases.get(DEFAULT).unwrap();
    create_tables(&url.parse().unwrap(), db).await.unwrap();
    test(db).await;
    databases.close().await;
}

async fn open(url: &str) -> Databases {
    let url: DatabaseUrl = url.parse().unwrap();
    let mut databases = Databases::new();
    databases.add(DEFAULT, url, Duration::from_secs(5)).await.unwrap();
    databases
}
