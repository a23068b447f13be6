//! What the program's entities ask of a database: the statements that SeaORM would make their tables with.

use std::collections::BTreeMap;
use std::sync::Mutex;

use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, EntityRegistry, ExecResult, QueryResult,
    Schema as OrmSchema, Statement,
};

use super::create::Create;
use super::script::tokens;
use crate::sql::Driver;

/// The statements of the entities' tables.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) tables: Vec<WantedTable>,
    /// `CREATE TYPE`, by name.
    pub(super) enums: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
pub(super) struct WantedTable {
    pub(super) name: String,
    pub(super) create: String,
    pub(super) indexes: Vec<String>,
    /// The module of its entity.
    pub(super) module: &'static str,
}

/// Reads the entities of the modules that begin so; all of the program's with an empty text.
///
/// # Errors
///
/// When two entities say different things of one table, or one has a type that the database does not know.
pub(super) async fn read(driver: Driver, under: &str) -> Result<Wanted, DbErr> {
    let recorder = Recorder::new(driver).await?;
    let mut wanted = Wanted::default();
    let mut entities: Vec<_> = inventory::iter::<EntityRegistry>().collect();
    entities.retain(|entity| entity.module_path.starts_with(under));
    entities.sort_by_key(|entity| entity.module_path);
    for entity in entities {
        let schema = EntityRegistry::build_schema(OrmSchema::new(recorder.backend), entity.module_path);
        schema.apply(&recorder).await?;
        for table in tables(driver, recorder.taken(), entity.module_path, &mut wanted.enums) {
            match wanted.tables.iter().find(|known| known.name == table.name) {
                None => wanted.tables.push(table),
                // An entity in a module within another's is met twice.
                Some(known) if known.create == table.create => {}
                Some(known) => {
                    return Err(DbErr::Custom(format!(
                        "the entities {} and {} say different things of the table {}",
                        known.module, table.module, table.name
                    )));
                }
            }
        }
    }
    Ok(wanted)
}

/// The tables of the statements that one entity has; those in schemas of their own are not ours to keep.
fn tables(
    driver: Driver,
    statements: Vec<String>,
    module: &'static str,
    enums: &mut BTreeMap<String, String>,
) -> Vec<WantedTable> {
    let mut tables: Vec<WantedTable> = Vec::new();
    for sql in statements {
        if let Some(create) = Create::read(driver, &sql) {
            if !create.elsewhere() {
                let (name, create) = (create.name(), create.pretty());
                tables.push(WantedTable { name, create, indexes: Vec::new(), module });
            }
        } else if sql.starts_with("CREATE TYPE") {
            let name = tokens(driver, &sql).ok().and_then(|tokens| tokens.get(2)?.name());
            enums.extend(name.map(|name| (name, sql)));
        } else if let Some(table) = tables.last_mut() {
            table.indexes.push(sql);
        }
    }
    tables
}

/// A connection that keeps what it is told, and does nothing.
struct Recorder {
    backend: DbBackend,
    said: Mutex<Vec<String>>,
    /// Answers in its place: an answer cannot be made up.
    silent: DatabaseConnection,
}

impl Recorder {
    async fn new(driver: Driver) -> Result<Self, DbErr> {
        let backend = match driver {
            Driver::Sqlite => DbBackend::Sqlite,
            Driver::MySql => DbBackend::MySql,
            Driver::Postgres => DbBackend::Postgres,
        };
        let silent = Database::connect("sqlite::memory:").await?;
        Ok(Self { backend, said: Mutex::default(), silent })
    }

    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.said.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

#[async_trait]
impl ConnectionTrait for Recorder {
    fn get_database_backend(&self) -> DbBackend {
        self.backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.execute_unprepared(&statement.to_string()).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.said.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(sql.to_owned());
        self.silent.execute_unprepared("SELECT 1").await
    }

    async fn query_one_raw(&self, _: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(None)
    }

    async fn query_all_raw(&self, _: Statement) -> Result<Vec<QueryResult>, DbErr> {
        Ok(Vec::new())
    }
}
