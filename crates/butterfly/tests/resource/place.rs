//! An app with a database of a test's own, on each engine there is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use butterfly::model::sql::sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use butterfly::model::sql::{DEFAULT, DatabaseUrl, Databases, create_tables};
use butterfly::{Ctx, Door, Reply};
use butterfly_core::args::{Input, Payload};
use butterfly_core::reply::Content;
use butterfly_core::{App, Error, Fault, Handler, call};
use serde_json::{Value, json};

#[derive(Clone)]
pub struct Place {
    app: Arc<App>,
}

/// Runs a test on every engine, each time in a database that nobody else has.
pub async fn on_each(test: impl AsyncFn(&Place)) {
    let folder = tempfile::tempdir().unwrap();
    test(&Place::open(&format!("sqlite:///{}/test.db", folder.path().display())).await).await;
    if !cfg!(feature = "live") {
        return;
    }
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("res_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    // Of MariaDB the default may be a character set that has no other letters than Latin ones.
    for (variable, set) in [("SQL_TEST_MYSQL", " CHARACTER SET utf8mb4"), ("SQL_TEST_POSTGRES", "")] {
        let url =
            std::env::var(variable).unwrap_or_else(|_| panic!("{variable}: bash .ci/sql COMMAND sets it"));
        let admin = databases(&url).await;
        let db = admin.get(DEFAULT).unwrap();
        db.execute_unprepared(&format!("CREATE DATABASE {name}{set}")).await.unwrap();
        let place = Place::open(&format!("{}/{name}", url.rsplit_once('/').unwrap().0)).await;
        test(&place).await;
        place.databases().close().await;
        db.execute_unprepared(&format!("DROP DATABASE {name}")).await.unwrap();
    }
}

async fn databases(url: &str) -> Databases {
    let mut databases = Databases::new();
    databases.add(DEFAULT, url.parse().unwrap(), Duration::from_secs(5)).await.unwrap();
    databases
}

/// An app with a database, whatever that is.
pub async fn without_tables(url: &str) -> Place {
    Place::with(databases(url).await)
}

impl Place {
    pub async fn open(url: &str) -> Self {
        let databases = databases(url).await;
        create_tables(&url.parse().unwrap(), databases.get(DEFAULT).unwrap()).await.unwrap();
        Self::with(databases)
    }

    fn with(databases: Databases) -> Self {
        let mut app = App::default();
        app.state.insert(databases);
        Self { app: Arc::new(app) }
    }

    /// With one more database.
    pub async fn and(&self, name: &str, url: &str) -> Self {
        let mut databases = self.databases().clone();
        databases.add(name, url.parse().unwrap(), Duration::from_secs(5)).await.unwrap();
        Self::with(databases)
    }

    fn databases(&self) -> &Databases {
        self.app.state.get::<Databases>().unwrap()
    }

    pub fn url(&self) -> &DatabaseUrl {
        self.databases().iter().next().unwrap().1
    }

    pub fn db(&self) -> &DatabaseConnection {
        self.databases().get(DEFAULT).unwrap()
    }

    pub fn ctx(&self, user: &str) -> Ctx {
        let mut ctx = Ctx::within(self.app.clone(), Door::Http);
        ctx.set_username(Some(user.to_owned()));
        ctx.set_ip("203.0.113.9".parse().ok());
        ctx
    }

    /// What a caller is answered, with all that the error log would say under `log`.
    pub async fn call(&self, user: &str, handler: &'static Handler, args: Value) -> Value {
        self.call_in(&self.ctx(user), handler, args).await
    }

    pub async fn call_in(&self, ctx: &Ctx, handler: &'static Handler, args: Value) -> Value {
        let body = args.to_string();
        let input = Input { payload: Payload::Args(body.as_bytes()), ..Input::default() };
        match call(handler, ctx, input).await {
            Ok(Reply { content: Content::Json(document), .. }) => serde_json::from_slice(&document).unwrap(),
            Ok(other) => panic!("{other:?}"),
            Err(error) => told(ctx, &error),
        }
    }

    /// The numbers that a query gives.
    pub async fn count(&self, table: &str) -> i64 {
        let db = self.db();
        let sql = format!("SELECT COUNT(*) AS n FROM {table}");
        let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
        row.unwrap().try_get("", "n").unwrap()
    }
}

fn told(ctx: &Ctx, error: &Error) -> Value {
    let mut params = json!({});
    if let Fault::BadParams(bad) = error.fault() {
        bad.iter().for_each(|(name, problem)| params[name] = problem.into());
    }
    let log = std::iter::once(error.chain()).chain(ctx.advice(error)).collect::<Vec<_>>().join("; ");
    json!({"stat": error.stat().as_str(), "reason": error.fault().reason(), "params": params, "log": log})
}
