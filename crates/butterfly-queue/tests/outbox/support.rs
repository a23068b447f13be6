//! A process with a database, a queue and an outbox.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use butterfly_core::{App, Ctx, Door, Registry};
use butterfly_model::sql::sea_orm::{ConnectionTrait, DatabaseConnection};
use butterfly_model::sql::{DEFAULT, Databases};
use butterfly_queue::embedded::{EmbeddedEngine, Options};
use butterfly_queue::outbox::Home;
use butterfly_queue::{Engine, Message, MsgId, Outbox, Queue, Settings, State};

use crate::handlers::{hello, other};

pub(crate) struct Process {
    pub(crate) queue: Queue,
    pub(crate) outbox: Outbox,
    pub(crate) databases: Databases,
    pub(crate) app: Arc<App>,
}

impl Process {
    /// On an engine and a database, with these settings.
    pub(crate) async fn of(engine: Arc<dyn Engine>, database: &str, home: Home, settings: Settings) -> Self {
        let mut app = App::new(Registry::of([&hello::HANDLER, &other::HANDLER]).unwrap());
        let mut databases = Databases::new();
        databases.add(DEFAULT, database.parse().unwrap(), Duration::from_secs(5)).await.unwrap();
        let queue = Queue::new(engine, &app.registry, settings);
        let outbox = Outbox::open(&queue, databases.clone(), home);
        app.state.insert(queue.clone());
        app.state.insert(databases.clone());
        Self { queue, outbox, databases, app: Arc::new(app) }
    }

    /// With both files in a folder.
    pub(crate) async fn at(folder: &Path) -> Self {
        Self::with(folder, Settings { instance: "one".into(), ..Settings::default() }).await
    }

    pub(crate) async fn with(folder: &Path, settings: Settings) -> Self {
        let engine = EmbeddedEngine::open(folder.join("queue.db"), Options::default()).unwrap();
        let database = format!("sqlite:///{}", folder.join("app.db").display());
        Self::of(Arc::new(engine), &database, Home::file(folder.join("queue.db")), settings).await
    }

    pub(crate) fn db(&self) -> &DatabaseConnection {
        self.databases.get(DEFAULT).unwrap()
    }

    pub(crate) fn ctx(&self) -> Ctx {
        let mut ctx = Ctx::within(self.app.clone(), Door::Http);
        ctx.set_username(Some("ann".into()));
        ctx
    }

    /// The number that a query gives.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        let row = self.db().query_one_raw(statement(self.db(), sql)).await.unwrap().unwrap();
        row.try_get("", "n").unwrap()
    }

    pub(crate) async fn waiting(&self) -> i64 {
        self.count("SELECT COUNT(*) AS n FROM butterfly_outbox").await
    }

    pub(crate) async fn run(&self, sql: &str) {
        self.db().execute_unprepared(sql).await.unwrap();
    }

    /// The messages of a topic that wait.
    pub(crate) async fn queued(&self, topic: &str) -> Vec<Message> {
        self.queue.list(topic, State::Queued, 0, 1000).await.unwrap()
    }

    /// The message, as soon as it is in the queue.
    pub(crate) async fn arrival(&self, id: &MsgId) -> Message {
        within(async {
            loop {
                if let Some(message) = self.queue.find(id).await.unwrap() {
                    return message;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }
}

pub(crate) fn statement(db: &impl ConnectionTrait, sql: &str) -> butterfly_model::sql::sea_orm::Statement {
    butterfly_model::sql::sea_orm::Statement::from_string(db.get_database_backend(), sql)
}

/// What is awaited comes within reason, or the test fails.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("it did not come within 30 s")
}
