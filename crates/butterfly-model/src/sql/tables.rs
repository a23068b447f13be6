//! Tables made from the entities that the program has: for development and first starts.

use std::collections::BTreeSet;

use sea_orm::{DatabaseConnection, DbErr, EntityRegistry};

use super::{DatabaseUrl, SchemaLock};

/// Makes the tables, columns, keys and indexes that the program's entities have and the database lacks; nothing is altered
/// or dropped. Gives whether there was any entity: without one the database is left alone.
///
/// Entities are those under `#[sea_orm::model]` in all crates that are linked. Of processes that start together one
/// works and the others wait.
///
/// # Errors
///
/// What the database says.
pub async fn create_tables(url: &DatabaseUrl, db: &DatabaseConnection) -> Result<bool, DbErr> {
    let crates = crates_with_entities();
    if crates.is_empty() {
        return Ok(false);
    }
    let lock = SchemaLock::take(url).await?;
    let mut made = Ok(true);
    for name in crates {
        if let Err(error) = db.get_schema_registry(&format!("{name}::*")).sync(db).await {
            made = Err(error);
            break;
        }
    }
    lock.release().await;
    made
}

/// Whether the program has any entity.
#[must_use]
pub fn has_entities() -> bool {
    !crates_with_entities().is_empty()
}

fn crates_with_entities() -> BTreeSet<&'static str> {
    let paths = inventory::iter::<EntityRegistry>().map(|entity| entity.module_path);
    paths.map(|path| path.split_once("::").map_or(path, |(name, _)| name)).collect()
}
