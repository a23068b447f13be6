//! The entity of these tests.

#![allow(unreachable_pub, reason = "what SeaORM makes of it is public")]

use butterfly_model::sql::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "item")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(unique, column_type = "String(StringLen::N(20))")]
    pub name: String,
    pub rank: Option<i32>,
    pub at: Option<TimeDateTimeWithTimeZone>,
    pub deleted_at: Option<TimeDateTime>,
}

impl ActiveModelBehavior for ActiveModel {}

pub(crate) fn named(name: &str) -> ActiveModel {
    ActiveModel { name: Set(name.to_owned()), ..Default::default() }
}

pub(crate) fn ranked(name: &str, rank: Option<i32>) -> ActiveModel {
    ActiveModel { rank: Set(rank), ..named(name) }
}
