//! Several processes at once, and such as are killed: this test program starts itself again.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use butterfly_model::sql::migrate::MigrationState;
use butterfly_model::sql::sea_orm::ConnectionTrait;
use butterfly_model::sql::{DEFAULT, Driver, Migrations};

use crate::place::{Place, on_each, open};

const URL: &str = "MIGRATE_TEST_URL";
const FOLDER: &str = "MIGRATE_TEST_FOLDER";
/// Far beyond anything that a test waits for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Not a test of its own: what the other processes do.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let (Ok(url), Some(folder)) = (std::env::var(URL), std::env::var_os(FOLDER)) else { return };
    let databases = open(&url).await;
    let migrations =
        Migrations::new(&url.parse().unwrap(), databases.get(DEFAULT).unwrap(), &PathBuf::from(folder));
    migrations.entities_of("none").up(&[]).await.unwrap();
}

fn start(place: &Place) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "processes::child"]).env(URL, &place.address).env(FOLDER, &place.folder);
    child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn those_that_start_together_migrate_once() {
    on_each(async |place| {
        place.put("1_a.up.sql", "CREATE TABLE a (id INTEGER); INSERT INTO a VALUES (1);");
        for number in 2..10 {
            place.put(&format!("{number}_b.up.sql"), "INSERT INTO a SELECT max(id) + 1 FROM a;");
        }
        let children: Vec<Child> = (0..6).map(|_| start(place)).collect();
        for mut child in children {
            assert!(child.wait().unwrap().success(), "{}", place.address);
        }
        assert_eq!(place.number("SELECT count(*) FROM a").await, 9);
        assert_eq!(
            place.number("SELECT count(*) FROM butterfly_migrations WHERE state = 'applied'").await,
            9
        );
    })
    .await;
}

/// It waits for the end of every statement that runs anywhere in the database: those who wait for their turn run none.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_is_made_beside_others_that_wait() {
    on_each(async |place| {
        let sql = match place.driver() {
            Driver::Postgres => {
                "-- no transaction\nCREATE TABLE a (id INTEGER);\nSELECT pg_sleep(1);\nCREATE INDEX CONCURRENTLY i ON a (id);"
            }
            Driver::MySql => "CREATE TABLE a (id INTEGER);\nDO SLEEP(1);\nCREATE INDEX i ON a (id);",
            Driver::Sqlite => "CREATE TABLE a (id INTEGER);\nCREATE INDEX i ON a (id);",
        };
        place.put("1_a.up.sql", sql);
        let mut children: Vec<Child> = (0..4).map(|_| start(place)).collect();
        let until = Instant::now() + PATIENCE;
        while children.iter_mut().any(|child| child.try_wait().unwrap().is_none()) {
            if Instant::now() > until {
                children.iter_mut().for_each(|child| child.kill().unwrap());
                panic!("{}: they wait for each other", place.address);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        for mut child in children {
            assert!(child.wait().unwrap().success(), "{}", place.address);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_of_one_is_enough() {
    on_each(async |place| {
        place.put("1_a.up.sql", "CREATE TABLE a (id INTEGER);");
        place.put("1_a.down.sql", "DROP TABLE a;");
        let url = format!("{}?max_connections=1&timeout=2", place.address);
        let databases = open(&url).await;
        let migrations =
            Migrations::new(&url.parse().unwrap(), databases.get(DEFAULT).unwrap(), &place.folder)
                .entities_of("none");
        assert_eq!(migrations.up(&[]).await.unwrap(), ["1_a"], "{url}");
        assert!(migrations.status().await.unwrap().pending().next().is_none(), "{url}");
        assert_eq!(migrations.down(1).await.unwrap(), ["1_a"], "{url}");
        databases.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_killed_leaves_nothing_or_goes_on() {
    on_each(async |place| {
        let long = match place.driver() {
            // Long enough for any machine; it is killed.
            Driver::Sqlite => {
                "INSERT INTO a WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) \
                 SELECT max(i) FROM n"
            }
            Driver::MySql => "DO SLEEP(600)",
            Driver::Postgres => "SELECT pg_sleep(600)",
        };
        place.put("1_a.up.sql", &format!("CREATE TABLE a (id INTEGER);\nINSERT INTO a VALUES (1);\n{long};\nALTER TABLE a ADD COLUMN b INTEGER;"));
        let mut killed = start(place);
        begun(place).await;
        killed.kill().unwrap();
        killed.wait().unwrap();
        end_on_server(place).await;
        let some = place.of("none");
        let state = some.status().await.unwrap().migrations[0].state;
        if place.driver() == Driver::MySql {
            assert_eq!(state, MigrationState::Stopped { done: 2, of: 4, back: false });
            // As if it had been killed after a statement and before its note.
            place.run("ALTER TABLE a ADD COLUMN c INTEGER").await;
            let rest = "CREATE TABLE a (id INTEGER);\nINSERT INTO a VALUES (1);\nALTER TABLE a ADD COLUMN c INTEGER;\nALTER TABLE a ADD COLUMN b INTEGER;";
            place.put("1_a.up.sql", rest);
        } else {
            assert_eq!(state, MigrationState::Pending);
            assert!(!place.has("a").await);
            place.put("1_a.up.sql", "CREATE TABLE a (id INTEGER);\nINSERT INTO a VALUES (1);\nALTER TABLE a ADD COLUMN b INTEGER;");
        }
        assert_eq!(some.up(&[]).await.unwrap(), ["1_a"]);
        assert_eq!(place.number("SELECT count(*) FROM a WHERE b IS NULL").await, 1);
        assert_eq!(some.status().await.unwrap().migrations[0].state, MigrationState::Applied);
    })
    .await;
}

/// Waits until the long statement runs.
async fn begun(place: &Place) {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        let runs = match place.driver() {
            // It has the writer's place: nobody else gets it.
            Driver::Sqlite => busy(place).await,
            Driver::MySql => {
                place.number("SELECT count(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND INFO LIKE 'DO SLEEP%'").await == 1
            }
            Driver::Postgres => {
                place.number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT pg_sleep%' AND state = 'active'").await == 1
            }
        };
        if runs {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the migration did not begin");
}

async fn busy(place: &Place) -> bool {
    let other = open(&format!("{}?busy_timeout=0.01&max_connections=1", place.address)).await;
    let db = other.get(DEFAULT).unwrap();
    let taken = db.execute_unprepared("BEGIN IMMEDIATE").await;
    let busy = taken.as_ref().is_err_and(|error| error.to_string().contains("locked"));
    if taken.is_ok() {
        db.execute_unprepared("ROLLBACK").await.unwrap();
    }
    other.close().await;
    // The history's table comes first, by itself.
    busy && place.has("butterfly_migrations").await
}

/// A server goes on with a statement whose client is gone: it is ended, as its administrator would.
async fn end_on_server(place: &Place) {
    match place.driver() {
        Driver::Sqlite => {}
        Driver::MySql => {
            let id = place.number("SELECT ID FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND INFO LIKE 'DO SLEEP%'").await;
            place.run(&format!("KILL {id}")).await;
        }
        Driver::Postgres => {
            place.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT pg_sleep%'").await;
        }
    }
}
