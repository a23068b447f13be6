//! The table `order`.

use butterfly_model::sql::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "order")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub one: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub select: String,
    #[sea_orm(column_name = "type", unique_key = "pair")]
    pub type_field: Option<i64>,
    #[sea_orm(column_name = "größe (cm)", unique_key = "pair")]
    pub größe_cm: Option<i64>,
    #[sea_orm(column_name = "a_1")]
    pub a_1: Option<i64>,
    #[sea_orm(column_name = "a1")]
    pub a1_too: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
