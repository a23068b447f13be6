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
//! - Tables of the entities that the program has: [`create_tables`].
//! - What kind of failure an error is: [`Failure`].

mod databases;
mod fault;
mod lock;
mod tables;
mod timing;
mod transaction;
mod tx;
mod url;

pub use databases::{DEFAULT, Databases, DbExt};
pub use fault::Failure;
pub use lock::SchemaLock;
pub use sea_orm;
pub use tables::create_tables;
pub use transaction::{after_commit, transaction};
pub use tx::Tx;
pub use url::{DatabaseUrl, Driver};

/// What a file with entities needs: SeaORM's prelude and what queries are made of.
pub mod prelude {
    pub use super::{DbExt, Tx};
    pub use sea_orm;
    pub use sea_orm::entity::prelude::*;
    pub use sea_orm::{
        ActiveValue::{NotSet, Set, Unchanged},
        Condition, ConnectionTrait, ExprTrait, IntoActiveModel, JoinType, PaginatorTrait, QueryFilter,
        QueryOrder, QuerySelect, TransactionTrait,
    };
}
