//! The table `author`.

use butterfly_model::sql::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "author")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(unique)]
    pub name: String,
    pub born: Option<TimeDate>,
    #[sea_orm(default_value = 7)]
    pub rank: i16,
}

impl ActiveModelBehavior for ActiveModel {}
