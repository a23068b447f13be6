//! SQL: databases by name, through [SeaORM](sea_orm).
//!
//! An entity is a plain struct of SeaORM's; a call asks its context for the database:
//!
//! ```
//! use butterfly_core::{Ctx, Result};
//! use butterfly_model::sql::prelude::*;
//!
//! pub mod note {
//!     use butterfly_model::sql::prelude::*;
//!
//!     #[sea_orm::model]
//!     #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
//!     #[sea_orm(table_name = "note")]
//!     pub struct Model {
//!         #[sea_orm(primary_key)]
//!         pub id: i64,
//!         pub text: String,
//!     }
//!
//!     impl ActiveModelBehavior for ActiveModel {}
//! }
//!
//! async fn notes(ctx: &Ctx) -> Result<Vec<note::Model>> {
//!     Ok(note::Entity::find().order_by_desc(note::Column::Id).limit(20).all(ctx.db()?).await?)
//! }
//! ```
//!
//! - Where databases are: [`DatabaseUrl`]. Which a program has: [`Databases`].
//! - A transaction that is tried again when another was in its way: [`transaction()`].
//! - Tables of the entities that the program has: [`create_tables`]; changed by files that people read: [`migrate`].
//! - What kind of failure an error is: [`Failure`].
//! - Rows for callers: [`Filters`], [`Sort`], [`Page`] and [`cursor`]; what their columns take: [`limits`]; what stands
//!   in the way of a write: [`conflict`].
//! - Rows found or made: [`get_or_create`], [`update_or_create`]; many at once: [`upsert`]; as JSON: [`ToJson`],
//!   [`apply_json`].
//! - Deleted rows that can come back: [`soft_delete`].
//! - Handlers for an entity without writing any: [`Resource`](macro@prelude::Resource), with [`resource`] under it and
//!   the forms of values in [`wire`]. What became of their rows: [`history`].

pub mod conflict;
pub mod cursor;
mod databases;
mod fault;
mod filter;
mod get_or_create;
mod given;
pub mod history;
mod json;
pub mod limits;
mod lock;
pub mod migrate;
mod page;
mod place;
pub mod resource;
pub mod soft_delete;
mod sort;
mod tables;
mod timing;
mod transaction;
mod tx;
mod unfit;
mod upsert;
mod url;
pub mod wire;

pub use databases::{DEFAULT, Databases, DbExt};
pub use fault::Failure;
pub use filter::{Filters, MOST_VALUES, Op};
pub use get_or_create::{get_or_create, update_or_create};
pub use given::Given;
pub use json::{RowJson, ToJson, apply_json};
pub use lock::SchemaLock;
pub use migrate::{MigrateError, Migrations};
pub use page::{MOST_ROWS, PAGE_SIZE, Page};
pub use sea_orm;
pub use soft_delete::SoftDelete;
pub use sort::Sort;
pub use tables::{create_tables, has_entities};
pub use transaction::{after_commit, transaction};
pub use tx::Tx;
pub use upsert::upsert;
pub use url::{DatabaseUrl, Driver};

/// What a file with entities needs: SeaORM's prelude and what queries are made of.
pub mod prelude {
    pub use super::{DbExt, SoftDelete, Tx};
    #[doc = include_str!("docs/resource.md")]
    pub use butterfly_macros::Resource;
    pub use sea_orm;
    pub use sea_orm::entity::prelude::*;
    pub use sea_orm::{
        ActiveValue::{NotSet, Set, Unchanged},
        Condition, ConnectionTrait, ExprTrait, IntoActiveModel, JoinType, PaginatorTrait, QueryFilter,
        QueryOrder, QuerySelect, SelectExt, TransactionTrait,
    };
}
