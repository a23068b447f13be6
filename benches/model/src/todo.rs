//! The table of the comparison: that of `examples/todo`.

use butterfly::model::sql::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Resource)]
#[sea_orm(table_name = "todo")]
pub struct Model {
    #[sea_orm(primary_key)]
    #[resource(filter(in))]
    pub id: i64,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    #[resource(filter, sort, check(len(1..)))]
    pub title: String,
    #[sea_orm(default_value = false)]
    #[resource(filter, sort)]
    pub done: bool,
    #[resource(filter, sort)]
    pub due: Option<TimeDateTimeWithTimeZone>,
}

impl ActiveModelBehavior for ActiveModel {}
